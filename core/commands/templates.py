"""Commands on Packer's templates: front ends do these themselves, without the engine."""

from __future__ import annotations

from core.commands.spec import CommandSpec

TEMPLATE_COMMANDS: tuple[CommandSpec, ...] = (
    CommandSpec(
        id="template.inspect",
        verb=("template", "inspect"),
        title="Inspect template",
        aliases=("inspect",),
        help="Show what a Packer template describes, and what of it can be run.",
    ),
    CommandSpec(
        id="template.validate",
        verb=("template", "validate"),
        title="Validate template",
        help="Check a Packer template and name every mistake with its place.",
    ),
    CommandSpec(
        id="template.console",
        verb=("template", "console"),
        title="Template console",
        aliases=("console",),
        help="Work out expressions, with a template's variables and locals.",
    ),
    CommandSpec(
        id="template.fmt",
        verb=("template", "fmt"),
        title="Format template",
        aliases=("fmt",),
        help="Lay HCL2 files out in the one way.",
    ),
    CommandSpec(
        id="template.convert",
        verb=("template", "convert"),
        title="Convert template",
        aliases=("convert",),
        help="Write a template in another language: HCL2, JSON or boxwright.toml.",
    ),
)
