"""template fmt and convert."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from core.cli import cells
from core.cli.context import Context
from core.cli.problem_lines import problem_document, problem_lines
from core.cli.verbs.templates import given_variables
from core.commands import CommandSpec
from core.errors import BoxwrightError, NotFoundError, UsageError
from core.model.problem import ExitCode, Problem

_ENDINGS = (".pkr.hcl", ".pkrvars.hcl")


def fmt(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """Files that are not laid out are written again; with --check they are a failure."""
    from core.templates import TemplateError
    from core.templates.hcl.layout import layout
    from core.templates.source import Source

    if given.paths == ["-"]:
        return _standard_input(context)
    output = context.output
    changed: list[str] = []
    problems: list[Problem] = []
    for path in _files([Path(one) for one in given.paths or ["."]], recursive=bool(given.recursive)):
        try:
            before = _read(path)
            after = layout(Source(str(path), before))
        except TemplateError as error:
            problems += error.problems
            continue
        if after == before:
            continue
        changed.append(str(path))
        output.line(str(path))
        if given.diff:
            _show_difference(context, path, before, after)
        if not given.check:
            _write(path, after)
    for problem in problems:
        for line in problem_lines(problem, output.err_look):
            output.tell(line)
    if output.options.json:
        output.document({"changed": changed, "problems": [problem_document(one) for one in problems]})
    if problems:
        return ExitCode.USAGE
    return ExitCode.FAILED if given.check and changed else ExitCode.DONE


def _standard_input(context: Context) -> int:
    from core.templates.hcl.layout import layout
    from core.templates.source import Source

    text = layout(Source("<standard input>", sys.stdin.read()))
    if context.output.options.json:
        context.output.document({"text": text})
    else:
        context.output.out.write(text)
    return ExitCode.DONE


def _files(paths: list[Path], *, recursive: bool) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            pattern = "**/*.hcl" if recursive else "*.hcl"
            yield from sorted(one for one in path.glob(pattern) if one.name.endswith(_ENDINGS))
        elif not path.exists():
            raise NotFoundError(f"There is no {path}.")
        elif path.name.endswith(".json"):
            raise UsageError(f"{path} is JSON.", why="Only HCL2 has a layout of its own.")
        else:
            yield path


def _read(path: Path) -> str:
    from core.templates.hcl.files import read_text
    from core.templates.problems import Problems

    problems = Problems()
    text = read_text(path, problems)
    problems.check()
    assert text is not None
    return text


def _show_difference(context: Context, path: Path, before: str, after: str) -> None:
    import difflib

    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"old/{path}", f"new/{path}", lineterm=""
    )
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        context.output.line(context.output.look.paint(cells.clean(line), colours.get(line[:1], "")))


def _write(path: Path, text: str) -> None:
    """Beside its place, and renamed into it; the mode stays."""
    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
            Path(name).chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o644)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BoxwrightError(
            f"{path} cannot be written: {error.strerror}.", remedy=f"ls -l {path.parent}"
        ) from error


def convert(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """The template in another language; what it cannot say there is told."""
    from core.templates.converting import convert as converted

    output = context.output
    target = Path(given.output) if given.output else None
    if target is not None and target.exists() and not given.force:
        raise UsageError(f"{target} is there already.", remedy="add --force to replace it")
    done = converted(Path(given.template).expanduser().absolute(), given.to, given_variables(given))
    for problem in done.lost:
        for line in problem_lines(problem, output.err_look, label="not carried over"):
            output.tell(line)
    if target is not None:
        _write(target, done.text)
    lost = [problem_document(one) for one in done.lost]
    if output.options.json:
        text = {} if target is not None else {"text": done.text}
        output.document({"file": str(target or ""), **text, "lost": lost})
    elif target is not None:
        output.line(f"Wrote {target}")
    else:
        output.out.write(done.text)
    return ExitCode.DONE
