"""recover, destroyed list, destroyed prune: machines that can still be brought back."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from core import amounts
from core.cli.confirm import confirm
from core.cli.context import Context
from core.cli.operating import carry_out, command_of, document, finish
from core.cli.suggestions import did_you_mean
from core.cli.table import table
from core.commands import CommandSpec, conditions
from core.commands.names import matches
from core.errors import NotFoundError
from core.model.machine import Kept
from core.model.problem import ExitCode
from core.model.query import Destroyed, GetDestroyed


def recover(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    """By name, also of machines that the project's file does not have (any more)."""
    last: dict[str, Kept] = {}
    for kept in _destroyed(context, str(context.root)):
        last.setdefault(kept.key.name, kept)
    words = given.machines or _those_away(context, tuple(last))
    names = dict.fromkeys(name for word in words for name in _meant(word, tuple(last)))
    return finish(context, [command_of(spec, given, machine=last[name].key) for name in names])


def _those_away(context: Context, names: Sequence[str]) -> Sequence[str]:
    """Without a name all are meant that are not there again already."""
    there = {machine.name for machine in context.machines()[0] if machine.state.created}
    away = [name for name in names if name not in there]
    if not away:
        raise NotFoundError(
            "No machine of this project can be brought back.",
            why=conditions.KEPT_WHILE,
            remedy="boxwright destroyed list",
        )
    return away


def _meant(word: str, names: Sequence[str]) -> Sequence[str]:
    found = matches(word, names)
    if not found:
        there = f"These can be: {amounts.listed(names)}." if names else ""
        raise NotFoundError(
            f"Nothing is left of {word!r} that could be brought back.",
            why=did_you_mean(word, names) or there,
            remedy="boxwright destroyed list",
        )
    return found


def show_list(context: Context, _spec: CommandSpec, _given: argparse.Namespace) -> int:
    """Of all projects."""
    found = _destroyed(context, "")
    now = time.time()
    output = context.output
    rows = [
        (
            kept.key.name,
            kept.box,
            kept.provider,
            amounts.size(kept.size),
            amounts.ago(kept.destroyed, now),
            f"for {amounts.whole(kept.until - now)}",
            kept.key.project,
        )
        for kept in found
    ]
    head = ("MACHINE", "BOX", "PROVIDER", "SIZE", "DESTROYED", "KEPT", "PROJECT")
    lines = table(head, rows, output.look, width=output.width) if rows else ["Nothing can be brought back."]
    output.result({"destroyed": msgspec.to_builtins(found)}, lines)
    return ExitCode.DONE


def prune(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    """Asks first: this is the end of them."""
    output = context.output
    found = _destroyed(context, "")
    if found:
        goes = [f"{kept.key.name} of {kept.key.project}, {amounts.size(kept.size)}" for kept in found]
        confirm(context, "Remove these for good?", goes=goes, stays="all machines that are there")
    outcome = carry_out(context, [command_of(spec, given)])
    if output.options.json:
        output.document(document(outcome))
    elif not outcome.code:
        result: dict[str, Any] = outcome.operations[0].result or {}
        output.line(f"{amounts.size(result['freed'])} freed." if found else "Nothing to remove.")
    return outcome.code


def _destroyed(context: Context, project: str) -> tuple[Kept, ...]:
    answer = context.session.query(GetDestroyed(project=project))
    assert isinstance(answer, Destroyed)
    return answer.machines
