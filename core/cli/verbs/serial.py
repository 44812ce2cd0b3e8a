"""serial: the machine's serial console in this terminal, or what it said so far."""

from __future__ import annotations

import argparse
import sys

from core.cli import cells
from core.cli.context import Context
from core.cli.selection import one
from core.commands import CommandSpec
from core.errors import BoxwrightError, UsageError
from core.model.machine import Machine, MachineState
from core.model.problem import ExitCode
from core.model.query import GetSerial, Log

_WHOLE = 1 << 22


def serial(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    machine = one(context, given.machines, "serial")
    if given.log:
        return _log(context, machine)
    if context.options.json:
        raise UsageError("A console prints no JSON.", remedy="boxwright serial --log --json")
    refusal = spec.refusal(machine, context.probes().get(machine.provider))
    if refusal or machine.state not in (MachineState.RUNNING, MachineState.STARTING, MachineState.STOPPING):
        raise BoxwrightError(
            f"{machine.name} has no serial console now.",
            why=refusal or f"It is {machine.state}.",
            remedy=f"boxwright up {machine.name}",
        )
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("A console needs a terminal.", remedy=f"boxwright serial --log {machine.name}")
    from core.cli.raw_terminal import talk

    context.output.note(f"Serial console of {machine.name}. Ctrl-] leaves it.")
    line, first = context.session.serial(machine.key)
    if talk(line, first) == "line":
        context.output.note("\nThe console has ended: the machine stopped, or the engine did.")
    else:
        context.output.note("\nLeft the console; the machine runs on.")
    return ExitCode.DONE


def _log(context: Context, machine: Machine) -> int:
    log = context.session.query(GetSerial(machine=machine.key, limit=_WHOLE))
    assert isinstance(log, Log)
    text = log.data.decode(errors="replace")
    lines = [cells.clean(line, colours=context.output.look.colour) for line in text.split("\n")]
    if lines and not lines[-1]:
        lines.pop()
    data = {"machine": machine.name, "text": text, "size": log.size, "path": log.path}
    context.output.result(data, lines)
    return ExitCode.DONE
