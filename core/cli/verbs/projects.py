"""init and validate."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from core import amounts
from core.cli.context import Context
from core.cli.problem_lines import problem_lines
from core.cli.table import table
from core.commands import BY_ID, CommandSpec
from core.model.problem import ExitCode


def init(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """Write a project into the current folder, or into the one given with --project."""
    from core.projects import PROJECT_FILE
    from core.projects.init import create

    if given.template == "list":
        return _list_templates(context)
    folder = Path(context.options.project or ".").expanduser().absolute()
    if folder.name == PROJECT_FILE and folder.is_file():
        folder = folder.parent
    box = given.box or ""
    if box and "://" not in box and box.startswith((".", "~")):
        box = str(Path(box).expanduser().absolute())
    written = create(
        folder, box=box, template=given.template or "", name=given.name or "", force=bool(given.force)
    )
    output = context.output
    where = "" if folder == Path.cwd() else f"--project {context.options.project} "
    output.result(
        {"project": str(folder), "files": [str(path) for path in written]},
        [
            *(f"Wrote {_short(path)}" for path in written),
            "",
            f"boxwright {where}up         brings the machines up",
            f"boxwright {where}validate   checks the file after you changed it",
        ],
    )
    return ExitCode.DONE


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _list_templates(context: Context) -> int:
    from core.projects.init import templates

    found = templates()
    output = context.output
    rows = [(template.name, template.description) for template in found]
    lines = table(("TEMPLATE", "WHAT IT IS"), rows, output.look, width=output.width, wrapped=True)
    output.result({"templates": msgspec.to_builtins(found)}, lines)
    return ExitCode.DONE


def validate(context: Context, _spec: CommandSpec, _given: argparse.Namespace) -> int:
    """All mistakes with their places, as compilers print them."""
    from core.projects import PROJECT_FILE, load
    from core.projects.validate import problems

    output = context.output
    if not Path(context.root, PROJECT_FILE).is_file():
        return _validate_templates(context)
    found = problems(context.root)
    if not found:
        project = load(context.root)
        machines = amounts.count(len(project.machines), "machine")
        builds = amounts.count(len(project.builds), "build")
        output.result(
            {"project": context.root, "file": project.file, "valid": True, "problems": []},
            [f"{_short(Path(project.file))} is valid: {machines}, {builds}."],
        )
        return ExitCode.DONE
    if output.options.json:
        data = {"project": context.root, "valid": False, "problems": msgspec.to_builtins(found)}
        output.document(data)
    for problem in found:
        for line in problem_lines(problem, output.err_look):
            output.tell(line)
    output.tell(f"{amounts.count(len(found), 'mistake')}.")
    return int(found[0].code)


def _validate_templates(context: Context) -> int:
    """A folder with only templates: each of them."""
    from core.cli.parser import parse
    from core.cli.verbs import templates
    from core.projects import load

    spec = BY_ID["template.validate"]
    codes = []
    for build in load(context.root).builds.values():
        path = str(Path(context.root, build.template))
        codes.append(templates.validate(context, spec, parse(spec, [path])))
    return max(codes)
