"""From what was written on the command line to commands of the engine, and from their end to an exit code."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.cli.context import Context
from core.cli.following import Follower, Outcome
from core.cli.problem_lines import problem_document, problem_lines
from core.commands import ArgumentKind, CommandSpec
from core.model.command import Command
from core.model.operation import Operation, StepState


def command_of(spec: CommandSpec, given: argparse.Namespace, **subject: Any) -> Command:
    """The command's struct, from its arguments and its subject."""
    assert spec.struct is not None
    fields: dict[str, Any] = {}
    for argument in spec.arguments:
        value = getattr(given, argument.field, None)
        if value is None:
            continue
        if argument.kind is ArgumentKind.WORDS:
            value = tuple(value)
        elif argument.kind is ArgumentKind.LOCAL_PATH:
            value = str(Path(value).expanduser().absolute()) + ("/" if value.endswith("/") else "")
        fields[argument.field] = value
    command: Command = spec.struct(**fields, **subject)  # type: ignore[assignment]
    return command


def carry_out(context: Context, commands: Sequence[Command], follower: Follower | None = None) -> Outcome:
    """Submit the commands together, show how they go, and report what went wrong on standard error."""
    outcome = (follower or Follower(context)).run(commands) if commands else Outcome()
    report(context, outcome)
    return outcome


def finish(context: Context, commands: Sequence[Command]) -> int:
    """``carry_out`` for commands whose operations are the whole result."""
    outcome = carry_out(context, commands)
    if context.output.options.json:
        context.output.document(document(outcome))
    return outcome.code


def document(outcome: Outcome) -> dict[str, Any]:
    """Operations and refusals as JSON data."""
    data: dict[str, Any] = {"operations": [msgspec.to_builtins(one) for one in outcome.operations]}
    if outcome.refused:
        data["refused"] = [problem_document(problem) for problem in outcome.refused]
    if outcome.detached:
        data["detached"] = True
    return data


def report(context: Context, outcome: Outcome) -> None:
    """Say what failed, one after the other, and where the whole log is."""
    output = context.output
    look = output.err_look
    output.flush()
    for problem in outcome.refused:
        _tell(context, problem_lines(problem, look))
    for one in outcome.operations:
        if outcome.detached and not one.state.ended:
            output.tell(f"{one.title} goes on in the engine: boxwright logs -f {one.id}")
        elif one.state is StepState.CANCELLED and one.problem is not None and not one.problem.why:
            output.tell(one.problem.what)
        elif one.problem is not None and one.state.ended and not one.state.good:
            _tell(context, problem_lines(one.problem, look, label=_label(one)))
            if one.log_size:
                output.tell(f"  The whole log: boxwright logs {one.id}")


def _label(operation: Operation) -> str:
    return f"{operation.title} {operation.state}"


def _tell(context: Context, lines: Sequence[str]) -> None:
    for line in lines:
        context.output.tell(line)
