"""Templates as people read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.cli import cells
from core.cli.look import Look
from core.cli.table import table
from core.templates.model import Build, PostProcessor, Step, Template, shown
from core.templates.support import Part, support, supports

_LANGUAGES = {"hcl": "HCL2", "json": "JSON"}


def template_lines(template: Template, look: Look, width: int) -> list[str]:
    """Variables, locals, sources, builds with their steps; and what of it runs."""
    files = ", ".join(Path(file).name for file in template.files)
    lines = [f"{look.paint(files, 'bold')} ({_LANGUAGES[template.language]})"]
    if template.description:
        lines += [f"  {cells.clean(line)}" for line in template.description.splitlines()]
    if template.required_version:
        lines.append(f"  wants Packer {template.required_version}")
    for one in template.requirements:
        lines.append(f"  wants the plugin {one.name} {one.version} {one.source}".rstrip())
    sections = (
        ("Variables", _variables(template, look, width)),
        ("Locals", _locals(template, look, width)),
        ("Data", [f"  {one.address}  {_mark('data source', one.kind, look)}" for one in template.data]),
        ("Sources", [f"  {one.address}  {_mark('source', one.kind, look)}" for one in template.sources]),
    )
    for title, inner in sections:
        if inner:
            lines += ["", look.paint(title, "bold"), *inner]
    for build in template.builds:
        lines += ["", *_build(build, template, look)]
    lines += ["", look.paint("What is done", "bold"), *_doing(template)]
    lines += ["", *_summary(template)]
    return lines


def _variables(template: Template, look: Look, width: int) -> list[str]:
    rows = []
    for one in template.variables:
        value = brief(one.value) if one.set_by else "(needs a value)"
        rows.append((f"  {one.name}", one.type, value, Path(one.set_by).name if one.set_by else ""))
    return table(("  NAME", "TYPE", "VALUE", "FROM"), rows, look, width=width)


def _locals(template: Template, look: Look, width: int) -> list[str]:
    rows = [(f"  {one.name}", brief(one.value)) for one in template.locals]
    return table(("  NAME", "VALUE"), rows, look, width=width)


def brief(value: Any) -> str:
    """In one line, with nothing that is sensitive."""
    text = json.dumps(shown(value), ensure_ascii=False)
    return cells.clean(text if len(text) <= 200 else f"{text[:199]}…")


def _build(build: Build, template: Template, look: Look) -> Iterator[str]:
    title = "Build" if not build.name else f"Build {build.name}"
    yield look.paint(title, "bold")
    if build.description:
        yield from (f"  {cells.clean(line)}" for line in build.description.splitlines())
    if template.language == "hcl":
        yield f"  sources: {', '.join(one.address for one in build.sources)}"
    for number, step in enumerate(build.provisioners, 1):
        yield f"  {number}. {_step(step)}  {_mark('provisioner', step.kind, look)}"
    if build.on_error is not None:
        yield f"  on error: {_step(build.on_error)}  {_mark('provisioner', build.on_error.kind, look)}"
    for chain in build.post_processors:
        words = [f"{_step(one)} {_mark('post-processor', one.kind, look)}" for one in chain]
        yield f"  then {' -> '.join(words)}"


def _step(step: Step | PostProcessor) -> str:
    words = [step.kind]
    if step.name:
        words.append(f'"{cells.clean(step.name)}"')
    if step.only:
        words.append(f"only {', '.join(step.only)}")
    if step.exclude:
        words.append(f"except {', '.join(step.exclude)}")
    return " ".join(words)


def _mark(part: Part, kind: str, look: Look) -> str:
    one = support(part, kind)
    colour = "red" if one.runs != "yes" else "yellow" if one.proved else "green"
    words = {"yes": "runs", "no": "not supported", "unknown": "not known"}
    return look.paint(f"[{words[one.runs]}{', proved in part' if one.proved else ''}]", colour)


def _doing(template: Template) -> Iterator[str]:
    """Each kind once: what it does, and how far that was tried."""
    for one in supports(template):
        yield f"  {one.part} {one.kind}: {one.does or one.why}"
        if one.proved:
            yield f"    proved {one.proved}"


def _summary(template: Template) -> list[str]:
    found = supports(template)
    missing = [f"{one.part} {one.kind}" for one in found if one.runs != "yes"]
    if not missing:
        return ["Everything here can be run." if found else "There is nothing to run."]
    return [f"Boxwright reads all of it, but cannot run it yet: {', '.join(missing)}."]
