"""snapshot save, list, restore and delete."""

from __future__ import annotations

import argparse
import time

import msgspec

from core import amounts
from core.cli.confirm import confirm
from core.cli.context import Context
from core.cli.operating import command_of, finish
from core.cli.selection import Chosen, choose
from core.cli.suggestions import did_you_mean
from core.cli.table import table
from core.cli.verbs.machines import possible
from core.commands import CommandSpec
from core.errors import NotFoundError
from core.model.machine import Machine, Snapshot
from core.model.problem import ExitCode


def save(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    """The last word is the snapshot's name; without machines, of all that are created."""
    chosen = _created(context, given)
    ready = possible(context, spec, chosen.machines, chosen.named)
    return finish(context, [command_of(spec, given, machine=machine.key) for machine in ready])


def restore(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    ready = _with_snapshot(context, spec, given)
    names = amounts.listed([machine.name for machine in ready])
    confirm(
        context,
        f"Restore {given.name} of {names}?",
        goes=[f"what changed in {machine.name} since {_age(machine, given.name)}" for machine in ready],
        stays="all snapshots",
    )
    return finish(context, [command_of(spec, given, machine=machine.key) for machine in ready])


def delete(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    ready = _with_snapshot(context, spec, given)
    names = amounts.listed([machine.name for machine in ready])
    confirm(
        context,
        f"Delete {given.name} of {names}?",
        goes=[f"{given.name} of {machine.name}, from {_age(machine, given.name)}" for machine in ready],
        stays="the machines as they are, their other snapshots",
    )
    return finish(context, [command_of(spec, given, machine=machine.key) for machine in ready])


def show(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    chosen = choose(context, given.machines, lambda machine: machine.state.created)
    output = context.output
    now = time.time()
    data = []
    rows = []
    for machine in chosen.machines:
        for snapshot in machine.snapshots:
            data.append({"machine": machine.name, **msgspec.to_builtins(snapshot)})
            rows.append(
                (
                    machine.name,
                    f"{snapshot.name} (current)" if snapshot.current else snapshot.name,
                    amounts.ago(snapshot.created, now),
                    amounts.size(snapshot.size) if snapshot.has_memory else "disk only",
                    snapshot.parent,
                )
            )
    heads = ("MACHINE", "SNAPSHOT", "SAVED", "MEMORY", "AFTER")
    lines = table(heads, rows, output.look, width=output.width)
    output.result({"snapshots": data}, lines or ["No snapshots."])
    return ExitCode.DONE


def _created(context: Context, given: argparse.Namespace) -> Chosen:
    return choose(context, given.machines, lambda machine: machine.state.created)


def _with_snapshot(context: Context, spec: CommandSpec, given: argparse.Namespace) -> list[Machine]:
    """The chosen machines that have the snapshot; one that was named must have it."""
    chosen = _created(context, given)
    having = [machine for machine in chosen.machines if _find(machine, given.name)]
    lacking = [machine for machine in chosen.machines if machine not in having]
    wanted = [machine for machine in lacking if machine.name in chosen.named]
    if wanted or not having:
        names = sorted({one.name for machine in chosen.machines for one in machine.snapshots})
        where = f" of {wanted[0].name}" if wanted else ""
        raise NotFoundError(
            f"There is no snapshot {given.name!r}{where}.",
            why=did_you_mean(given.name, names) or (f"There are: {amounts.listed(names)}." if names else ""),
            remedy="boxwright snapshot list",
        )
    return possible(context, spec, having, chosen.named)


def _find(machine: Machine, name: str) -> Snapshot | None:
    return next((one for one in machine.snapshots if one.name == name), None)


def _age(machine: Machine, name: str) -> str:
    snapshot = _find(machine, name)
    return amounts.ago(snapshot.created, time.time()) if snapshot else ""
