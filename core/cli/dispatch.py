"""Finds the verb, runs it, and turns errors into words and exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING

from core.cli.interrupts import Interrupts
from core.cli.options import Options
from core.cli.output import Output
from core.errors import BoxwrightError, UsageError
from core.model.problem import ExitCode, Problem

if TYPE_CHECKING:
    import argparse

    from core.cli.context import Context
    from core.cli.verb import Found
    from core.commands import CommandSpec

_BROKEN_PIPE = 141
"""As a shell reports a program that SIGPIPE ended."""


def run(words: list[str]) -> int:
    """Run one command line; returns the exit code. Nothing is raised."""
    output = Output(_first_look(words))
    interrupts = Interrupts()
    try:
        with interrupts.installed():
            code = _run(words, output, interrupts)
        output.flush()
    except BrokenPipeError:
        return _reader_is_gone()
    return code


def _first_look(words: Sequence[str]) -> Options:
    """Enough of the options to report a command line that cannot be parsed."""
    before = words[: words.index("--")] if "--" in words else words
    return Options(
        json="--json" in before,
        debug="--debug" in before,
        colour=not {"--no-colour", "--no-color"} & set(before),
    )


def _run(words: list[str], output: Output, interrupts: Interrupts) -> int:
    try:
        return _dispatch(words, output, interrupts)
    except BoxwrightError as error:
        if output.options.debug:
            _traceback(output)
        return _report(error.problem, output)
    except KeyboardInterrupt:
        if output.options.debug:
            _traceback(output)
        return _report(Problem(what="Interrupted.", code=ExitCode.CANCELLED), output)
    except BrokenPipeError:
        raise
    except Exception as error:
        if output.options.debug:
            _traceback(output)
        return _report(_bug(error), output)


def _dispatch(words: list[str], output: Output, interrupts: Interrupts) -> int:
    if words and words[0] == "__complete":
        from core.cli.completion.candidates import print_candidates

        return print_candidates(words[1:], output)
    from core.cli.verb import find_verb

    found = find_verb(words)
    if found.spec is None:
        return _without_verb(found, output, interrupts)
    from core.cli.parser import parse

    given = parse(found.spec, found.words)
    if getattr(given, "help", False):
        from core.cli.help import print_command_help

        return print_command_help(found.spec, output)
    from core.cli.verbs import handler

    context = _context(Options.of(given), output, interrupts)
    try:
        return handler(found.spec)(context, found.spec, given)
    finally:
        context.close()


def _without_verb(found: Found, output: Output, interrupts: Interrupts) -> int:
    """``boxwright`` alone opens the workbench; ``boxwright box`` lists its commands."""
    if found.group:
        if "--help" in found.words or "-h" in found.words:
            from core.cli.help import print_group_help

            return print_group_help(found.group, output)
        from core.cli.verb import members

        words = [spec.verb[1] for spec in members(found.group)]
        raise UsageError(
            f"'boxwright {found.group}' needs another word.",
            why=f"One of: {', '.join(words)}.",
            remedy=f"boxwright help {found.group}",
        )
    if "--help" in found.words or "-h" in found.words:
        from core.cli.help import print_overview

        return print_overview(output)
    from core.commands import BY_ID

    spec = BY_ID["version" if {"--version", "-V"} & set(found.words) else "workbench"]
    from core.cli.verbs import handler

    given = _parsed(spec, [word for word in found.words if word not in ("--version", "-V")])
    context = _context(Options.of(given), output, interrupts)
    try:
        return handler(spec)(context, spec, given)
    finally:
        context.close()


def _parsed(spec: CommandSpec, words: Sequence[str]) -> argparse.Namespace:
    """As the parser does. It takes its time to load, so the usual ways to open the workbench do without."""
    if not words:
        return SimpleNamespace()  # type: ignore[return-value]
    if len(words) == 2 and words[0] == "--project" and not words[1].startswith("-"):
        return SimpleNamespace(project=words[1])  # type: ignore[return-value]
    from core.cli.parser import parse

    return parse(spec, words)


def _context(options: Options, output: Output, interrupts: Interrupts) -> Context:
    from core.cli.context import Context

    output.options = options
    return Context(options, output, interrupts)


def _report(problem: Problem, output: Output) -> int:
    from core.cli.problem_lines import problem_document, problem_lines

    with contextlib.suppress(BrokenPipeError):
        output.flush()
    label = "cancelled" if problem.code is ExitCode.CANCELLED else "error"
    for line in problem_lines(problem, output.err_look, label=label):
        output.tell(line)
    if output.options.json and not output.documents:
        output.document({"error": problem_document(problem)})
    return int(problem.code)


def _traceback(output: Output) -> None:
    import traceback

    output.tell(traceback.format_exc().rstrip())


def _bug(error: Exception) -> Problem:
    """A mistake in Boxwright itself: the traceback goes to a file, not to the user."""
    import time
    import traceback

    from core.paths import locations

    report = ""
    with contextlib.suppress(OSError, BoxwrightError):
        folder = locations().prepare().reports
        path = folder / f"cli-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        path.chmod(0o600)
        report = str(path)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Problem(what=what, why="The same command with --debug shows where.", report=report)


def _reader_is_gone() -> int:
    """Whoever read our output has gone (``boxwright ops | head -1``): end quietly."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    return _BROKEN_PIPE
