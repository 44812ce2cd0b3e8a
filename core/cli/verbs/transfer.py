"""upload and download."""

from __future__ import annotations

import argparse
from pathlib import Path

from core import amounts
from core.cli.context import Context
from core.cli.operating import command_of, finish
from core.cli.selection import choose, one
from core.cli.verbs.machines import possible
from core.commands import CommandSpec
from core.errors import NotFoundError, UsageError
from core.model.machine import Machine


def upload(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    """``upload SOURCE TARGET [MACHINE]``; also ``upload SOURCE MACHINE:TARGET``, as scp has it."""
    if not Path(given.source).expanduser().exists():
        raise NotFoundError(f"There is no file or folder {given.source}.")
    machine, given.target = _machine(context, given.machine, given.target, "upload")
    return _submit(context, spec, given, machine)


def download(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    """``download SOURCE TARGET [MACHINE]``; also ``download MACHINE:SOURCE TARGET``."""
    machine, given.source = _machine(context, given.machine, given.source, "download")
    return _submit(context, spec, given, machine)


def _submit(context: Context, spec: CommandSpec, given: argparse.Namespace, machine: Machine) -> int:
    ready = possible(context, spec, (machine,), frozenset({machine.name}))
    return finish(context, [command_of(spec, given, machine=ready[0].key)])


def _machine(context: Context, name: str | None, path: str, action: str) -> tuple[Machine, str]:
    """The machine, and the path in it without the machine's name."""
    if name:
        return one(context, [name], action), path
    before, colon, after = path.partition(":")
    machines = choose(context, ()).machines
    if colon and after and (found := [machine for machine in machines if machine.name == before]):
        return found[0], after
    candidates = [machine for machine in machines if machine.state.created] or list(machines)
    if len(candidates) == 1:
        return candidates[0], path
    if not candidates:
        raise NotFoundError("This project has no machines.", remedy="boxwright init BOX")
    raise UsageError(
        f"{action} takes one machine; this project has {len(machines)}: "
        f"{amounts.listed([machine.name for machine in machines])}.",
        remedy=f"boxwright {action} SOURCE TARGET {candidates[0].name}",
    )
