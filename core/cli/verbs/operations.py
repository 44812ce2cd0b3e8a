"""ops, ops show, ops cancel."""

from __future__ import annotations

import argparse
import time

import msgspec

from core import amounts
from core.cli import tree
from core.cli.board import Board
from core.cli.context import Context
from core.cli.problem_lines import problem_lines
from core.cli.table import table
from core.commands import CommandSpec
from core.errors import BoxwrightError, UsageError
from core.model.operation import Operation, StepState
from core.model.problem import ExitCode
from core.model.query import GetOperation, GetOperations, Operations, OperationView


def show_list(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """Newest first, of all projects (of one with --project)."""
    project = context.root if context.options.project else ""
    limit = given.limit if given.limit is not None else 20
    answer = context.session.query(GetOperations(project=project, running=bool(given.running), limit=limit))
    assert isinstance(answer, Operations)
    output = context.output
    now = time.time()
    rows = [
        (
            one.id,
            one.title,
            f"{output.look.step(one.state)} {one.state}",
            _took(one, now),
            amounts.ago(one.submitted, now),
            output.look.paint(one.problem.what if one.problem else one.detail, "dim"),
        )
        for one in answer.operations
    ]
    heads = ("OP", "WHAT", "OUTCOME", "TOOK", "BEGAN", "")
    lines = table(heads, rows, output.look, width=output.width, right=(3,))
    empty = "Nothing runs." if given.running else "No operations yet."
    output.result({"operations": msgspec.to_builtins(answer.operations)}, lines or [empty])
    return ExitCode.DONE


def _took(operation: Operation, now: float) -> str:
    if not operation.started:
        return ""
    return amounts.duration((operation.ended or now) - operation.started)


def show(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """The tree of steps as it stands, or as it ended."""
    view = context.session.query(GetOperation(operation=given.operation))
    assert isinstance(view, OperationView)
    output = context.output
    board = Board()
    board.put(view.operation)
    for step in view.steps:
        board.put_step(step)
    frame = tree.Frame(
        width=(output.width or 100) + 1,
        height=1000,
        now=time.time(),
        look=output.look,
        details=True,
        output=0,
    )
    lines = tree.final(board, view.operation, frame)
    if view.operation.command_line:
        lines.append(output.look.paint(f"  $ {view.operation.command_line}", "dim"))
    if view.operation.problem is not None:
        lines += problem_lines(view.operation.problem, output.look, label=str(view.operation.state))
    if view.operation.log_size:
        size = amounts.size(view.operation.log_size)
        lines.append(f"  Log ({size}): boxwright logs {view.operation.id}")
    data = {"operation": view.operation, "steps": view.steps, "log": view.log}
    output.result(msgspec.to_builtins(data), lines)
    return ExitCode.DONE


def cancel(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """Cancels, and waits until what was begun is undone."""
    if not given.operations:
        raise UsageError("Which operation?", remedy="boxwright ops --running")
    views = []
    for id in given.operations:
        view = context.session.query(GetOperation(operation=id))
        assert isinstance(view, OperationView)
        views.append(view.operation)
    for operation in views:
        if not operation.state.ended:
            context.session.cancel(operation.id)
    ended = [_wait(context, operation) for operation in views]
    output = context.output
    lines = [_line(before, after) for before, after in zip(views, ended, strict=True)]
    output.result({"operations": msgspec.to_builtins(ended)}, lines)
    return ExitCode.DONE


def _line(before: Operation, after: Operation) -> str:
    if before.state.ended:
        return f"{after.id} {after.title}: has ended before ({after.state})."
    if after.state is StepState.CANCELLED:
        return f"{after.id} {after.title}: cancelled; what it began is undone."
    return f"{after.id} {after.title}: {after.state}; it had ended before it could be cancelled."


def _wait(context: Context, operation: Operation) -> Operation:
    from core.cli.following import Follower

    if operation.state.ended:
        return operation
    outcome = Follower(context).watch([operation.id])
    if outcome.detached:
        raise BoxwrightError(
            f"{operation.title} is still being undone.", remedy=f"boxwright logs -f {operation.id}"
        )
    return outcome.operations[0]
