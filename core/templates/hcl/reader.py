"""Reads an HCL2 template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.model.problem import Place
from core.templates.data_kinds import Ask
from core.templates.functions import functions
from core.templates.given import Given
from core.templates.hcl import tree, variables
from core.templates.hcl.blocks import check_blocks, check_settings, text_of
from core.templates.hcl.builds import BuildReader
from core.templates.hcl.circle import Asked
from core.templates.hcl.data import DataSources
from core.templates.hcl.evaluate import evaluate
from core.templates.hcl.expressions import parse_expression
from core.templates.hcl.files import read_body, template_files
from core.templates.hcl.locals import Locals
from core.templates.hcl.requirements import requirements
from core.templates.hcl.scope import Namespace, Scope
from core.templates.hcl.settings import settings_of
from core.templates.hcl.steps import StepReader
from core.templates.model import Settings, Template
from core.templates.problems import Fault, Problems, TemplateError
from core.templates.reading import SPEAKS, Reading
from core.templates.source import Source as Text
from core.templates.values.value import Value, lift, object_of, text, unknown

BLOCKS = ("packer", "variable", "variables", "locals", "local", "source", "data", "build")
RUNNING = (
    "ID", "Host", "Port", "User", "Password", "ConnType", "PackerRunUUID", "PackerHTTPAddr", "PackerHTTPIP",
    "PackerHTTPPort", "SSHPublicKey", "SSHPrivateKey", "WinRMPassword", "SourceImageName", "BuildRegion",
    "SourceAMI", "SourceAMICreationDate", "SourceAMIName", "SourceAMIOwner", "name",
)  # fmt: skip
"""What ``build`` has while a build runs."""
_ONLY_DEFAULTS = "The environment can only be read by the default of a variable."


class HclReading(Reading):
    """An HCL2 template that was read, with its names still at hand."""

    def __init__(
        self,
        template: Template,
        scope: Scope,
        bodies: dict[str, tuple[tree.Body, Scope, tuple[str, ...]]],
        defaults: dict[str, tree.Node] | None = None,
    ) -> None:
        super().__init__(template)
        self.scope = scope
        self.defaults = defaults or {}
        """What the defaults of variables are written as."""
        self._bodies = bodies

    def body(self, id: str) -> tuple[tree.Body, Scope, tuple[str, ...]]:
        """What a step, post-processor or source is written as, where, and which settings are not its own."""
        return self._bodies[id]

    def written(self, id: str, setting: str) -> Place | None:
        """See :meth:`Reading.written`; what a build's source does not say itself stands in the source."""
        bases = (one.base for build in self.template.builds for one in build.sources if one.id == id)
        for known in (id, *bases):
            body = self._bodies[known][0] if known in self._bodies else None
            if body is not None and setting in body.settings:
                return body.settings[setting].name_at.place
            for block in body.blocks if body is not None else ():
                if block.kind == setting:
                    return block.at.place
        return None

    def evaluate(self, expression: str) -> Value:
        """An expression's value, ``var`` and ``local`` included. Raises TemplateError."""
        source = Text("<expression>", expression)
        try:
            return evaluate(parse_expression(source), self.scope)
        except Fault as fault:
            raise TemplateError((fault.problem,)) from None

    def settings(self, id: str, running: Mapping[str, Any], source: Mapping[str, str]) -> Settings:
        """The settings of the step (or source) of that id, with what the running build knows now:
        ``running`` for ``build`` (``Host``, ``User``, ...), ``source`` with ``name`` and ``type``.

        Raises TemplateError.
        """
        body, scope, common = self._bodies[id]
        problems = Problems()
        known = {
            name: lift(running[name]) if name in running else unknown(f"build.{name}") for name in RUNNING
        }
        roots: dict[str, Namespace | Value] = {"build": object_of(known)}
        roots["source"] = object_of({name: text(value) for name, value in source.items()})
        found = settings_of(body, scope.within(roots), problems, common)
        problems.check()
        return found


def read_hcl(path: Path, given: Given, *, strict: bool = True, ask: Ask | None = None) -> HclReading:
    """The template in a file or folder.

    ``strict``: variables without a value are mistakes (to build), else they are left open (to look).
    ``ask``: who asks sources of data; without it, what they find is left open.
    Raises TemplateError with all that is wrong, NotFoundError where there is no template.
    """
    files, variable_files = template_files(path)
    root = path if path.is_dir() else path.parent
    problems = Problems()
    bodies = [body for body in (read_body(file, problems) for file in files) if body is not None]
    for body in bodies:
        check_settings(body, (), "A template", problems)
        check_blocks(body, BLOCKS, "A template", problems)
    world = given.world(root)
    table = functions()
    outside = Scope(world, table, {}, refused={"var": _plain("A default"), "local": _plain("A default")})
    declared = variables.declare(bodies, outside, problems)
    chosen = [*variable_files, *(Path(world.cwd, file) for file in given.files)]
    plain_scope = Scope(world, {}, {}, refused={"var": _plain("A file of variables")})
    variables.assign(declared, given, chosen, plain_scope, problems)
    if strict:
        variables.require(declared, problems)
    scope = _scope(world, declared, root)
    variables.validate(declared, scope, problems)
    asked = Asked()
    local = Locals(bodies, scope, problems, asked)
    scope.roots["local"] = local.namespace
    steps = StepReader(problems)
    local.scope = scope
    data = DataSources(bodies, scope, problems, asked, ask)
    scope.roots["data"] = data.namespace
    data.work_out()
    builds = BuildReader(scope, _running(scope), steps, problems)
    template = Template(
        language="hcl",
        root=str(root),
        files=tuple(str(file) for file in files),
        required_version=_required_version(bodies, scope, problems),
        requirements=requirements(bodies, scope, problems),
        variables=tuple(variables.as_model(one) for one in declared.values()),
        locals=local.as_model(),
        data=builds.sources(bodies, "data"),
        sources=builds.sources(bodies, "source"),
        builds=builds.builds(bodies),
        warnings=tuple(problems.warnings),
    )
    problems.check()
    defaults = {name: one.written for name, one in declared.items() if one.written is not None}
    return HclReading(template, scope, steps.bodies, defaults)


def _plain(subject: str) -> str:
    return f"{subject} is a plain value: it cannot use others."


def _scope(world: Any, declared: dict[str, variables.Declared], root: Path) -> Scope:
    roots: dict[str, Namespace | Value] = {
        "var": variables.namespace(declared),
        "path": object_of({"cwd": text(world.cwd), "root": text(str(root))}),
        "packer": object_of({"version": text(SPEAKS)}),
    }
    why = "It is known only in provisioners and post-processors."
    refused = {"env": _ONLY_DEFAULTS, "build": why, "source": why}
    return Scope(world, functions(), roots, refused=refused)


def _running(scope: Scope) -> Scope:
    """Where ``build`` and ``source`` are known, though not yet what they are."""
    build = object_of({name: unknown(f"build.{name}") for name in RUNNING})
    source = object_of({name: unknown(f"source.{name}") for name in ("name", "type")})
    return scope.within({"build": build, "source": source})


def _required_version(bodies: list[tree.Body], scope: Scope, problems: Problems) -> str:
    found = ""
    for block in (block for body in bodies for block in body.blocks if block.kind == "packer"):
        check_settings(block.body, ("required_version",), 'The "packer" block', problems)
        check_blocks(block.body, ("required_plugins",), 'The "packer" block', problems)
        found = text_of(block.body, "required_version", scope, problems) or found
    return found
