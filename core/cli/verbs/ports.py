"""port: what is forwarded to where."""

from __future__ import annotations

import argparse

import msgspec

from core.cli.context import Context
from core.cli.selection import choose
from core.cli.table import table
from core.commands import CommandSpec
from core.errors import NotFoundError, UsageError
from core.model.machine import MachineState
from core.model.problem import ExitCode


def port(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """With --guest only the number, for scripts."""
    machines = choose(context, given.machines, lambda machine: bool(machine.ports)).machines
    output = context.output
    entries = [
        {"machine": machine.name, **msgspec.to_builtins(forward)}
        for machine in machines
        for forward in machine.ports
        if given.guest is None or forward.guest == given.guest
    ]
    if given.guest is not None:
        if not entries:
            raise NotFoundError(f"Port {given.guest} is not forwarded.", remedy="boxwright port")
        if len(entries) > 1 and not output.options.json:
            raise UsageError(
                f"Port {given.guest} of several machines is forwarded.", remedy="name one machine"
            )
        output.result({"ports": entries}, [str(entries[0]["host"])])
        return ExitCode.DONE
    rows = [
        (
            entry["machine"],
            f"{entry['guest']}/{entry['protocol']}",
            f"127.0.0.1:{entry['host']}",
            entry["name"],
            output.look.paint(f"{entry['wanted']} was in use", "yellow") if entry["wanted"] else "",
        )
        for entry in entries
    ]
    lines = table(("MACHINE", "GUEST", "HOST", "NAME", ""), rows, output.look, width=output.width)
    output.result({"ports": entries}, lines or [_nothing([machine.state for machine in machines])])
    return ExitCode.DONE


def _nothing(states: list[MachineState]) -> str:
    if states and all(state is not MachineState.RUNNING for state in states):
        return "No port is forwarded: ports are those of machines that run."
    return "No port is forwarded."
