"""template inspect, validate and console."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core import amounts
from core.cli import cells
from core.cli.context import Context
from core.cli.problem_lines import problem_document, problem_lines
from core.commands import CommandSpec
from core.model.problem import ExitCode, Problem

if TYPE_CHECKING:
    from core.templates import Given, Reading
    from core.templates.data_kinds import Ask


def given_variables(arguments: argparse.Namespace) -> Given:
    """From ``--var``, ``--var-file`` and the environment. Raises UsageError."""
    from core.templates import Given

    return Given.here(arguments.variables or (), arguments.variable_files or ())


def inspect(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """What a template describes; variables without a value stay open."""
    from core.cli.template_lines import template_lines
    from core.templates import load
    from core.templates.checks import warnings
    from core.templates.model import shown
    from core.templates.support import supports

    reading = load(_path(given), given_variables(given), strict=False)
    template = reading.template
    output = context.output
    odd = warnings(template)
    _warn(context, odd)
    output.result(
        {
            "template": shown(msgspec.structs.replace(template, warnings=())),
            "support": msgspec.to_builtins(supports(template)),
            "warnings": [problem_document(one) for one in odd],
        },
        template_lines(template, output.look, output.width),
    )
    return ExitCode.DONE


def validate(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """All mistakes with their places, as compilers print them."""
    from core.templates import TemplateError, load
    from core.templates.checks import missing_files, warnings

    path = _path(given)
    output = context.output
    strict = not given.syntax_only
    problems: tuple[Problem, ...] = ()
    odd: tuple[Problem, ...] = ()
    try:
        variables = given_variables(given)
        ask = _asker(variables) if given.evaluate_data else None
        reading = load(path, variables, strict=strict, ask=ask)
        template = reading.template
        odd = warnings(template)
        problems = missing_files(template, Path.cwd()) if strict else ()
        if strict:
            from core.builds.checking import looked_at

            said = [one.place for one in problems]
            problems += tuple(one for one in looked_at(reading, variables) if one.place not in said)
    except TemplateError as error:
        problems = error.problems
    _warn(context, odd)
    if problems:
        for problem in problems:
            for line in problem_lines(problem, output.err_look):
                output.tell(line)
        output.tell(f"{amounts.count(len(problems), 'mistake')}.")
    if output.options.json:
        output.document(
            {
                "file": str(path),
                "valid": not problems,
                "problems": [problem_document(one) for one in problems],
                "warnings": [problem_document(one) for one in odd],
            }
        )
    elif not problems:
        sources = amounts.count(len(template.sources), "source")
        builds = amounts.count(len(template.builds), "build")
        output.line(f"{given.template} is valid: {sources}, {builds}.")
    return ExitCode.USAGE if problems else ExitCode.DONE


def _asker(variables: Given) -> Ask:
    from core.builds.data.asking import ask_now

    return ask_now(variables.environment)


def _path(given: argparse.Namespace) -> Path:
    return Path(given.template).expanduser().absolute()


def _warn(context: Context, problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        for line in problem_lines(problem, context.output.err_look, label="warning"):
            context.output.note(line)


def console(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """Expressions given with -e, or line by line from standard input."""
    from core.templates import load
    from core.templates.console import bare

    variables = given_variables(given)
    if given.template:
        reading = load(_path(given), variables, strict=False, ask=_asker(variables))
    else:
        reading = bare(variables)
    if given.expression:
        codes = [_answer(context, reading, text) for text in given.expression]
        return max(codes)
    interactive = sys.stdin.isatty() and not context.output.options.json
    code = ExitCode.DONE
    while True:
        if interactive:
            context.output.err.write("> ")
            context.output.err.flush()
        line = sys.stdin.readline()
        if not line or line.strip() in ("exit", "quit"):
            break
        if line.strip():
            code = max(code, _answer(context, reading, line.rstrip("\n")))
    return ExitCode.DONE if interactive else code


def _answer(context: Context, reading: Reading, text: str) -> ExitCode:
    """Prints what an expression comes to, or what is wrong with it."""
    from core.templates import TemplateError
    from core.templates.values.show import plain, show

    output = context.output
    try:
        value = reading.evaluate(text)
    except TemplateError as error:
        for line in problem_lines(error.problem, output.err_look):
            output.tell(line)
        if output.options.json:
            output.document({"expression": text, "error": problem_document(error.problem)})
        return ExitCode.USAGE
    if output.options.json:
        output.document({"expression": text, "type": str(value.type), "value": plain(value, hide=True)})
    else:
        for line in show(value).split("\n"):
            output.line(cells.clean(line))
    return ExitCode.DONE
