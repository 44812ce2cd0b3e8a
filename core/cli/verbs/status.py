"""status and global-status: quick, as they are asked often."""

from __future__ import annotations

import argparse
import time
from typing import Any

import msgspec

from core.cli import amounts
from core.cli.context import Context
from core.cli.look import Look
from core.cli.table import table
from core.commands import CommandSpec
from core.model.machine import Holder, Machine, MachineState
from core.model.problem import ExitCode, Problem


def status(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """The project's machines, and what is wrong with its file."""
    machines, problem = context.machines()
    if given.machines:
        from core.cli.selection import choose

        machines = choose(context, given.machines).machines
    output = context.output
    data: dict[str, Any] = {"project": context.root, "machines": machines, "problem": problem}
    output.result(msgspec.to_builtins(data), _project_lines(machines, context))
    if problem is not None:
        _tell(context, problem)
        return int(problem.code)
    return ExitCode.DONE


def _tell(context: Context, problem: Problem) -> None:
    from core.cli.problem_lines import problem_lines

    context.output.flush()
    for line in problem_lines(problem, context.output.err_look):
        context.output.tell(line)


def _project_lines(machines: tuple[Machine, ...], context: Context) -> list[str]:
    look = context.output.look
    if not machines:
        return ["This project has no machines."]
    now = time.time()
    rows = [
        (
            machine.name,
            look.machine(machine.state),
            machine.provider or "-",
            f"{machine.box} {machine.box_version}".strip(),
            look.paint(_remark(machine, now, look), "dim"),
        )
        for machine in machines
    ]
    lines = table(("NAME", "STATE", "PROVIDER", "BOX", ""), rows, look, width=context.output.width)
    return [*lines, *_next_steps(machines, look)]


def _remark(machine: Machine, now: float, look: Look) -> str:
    """What else is to be said: who works on it, what is wrong, where it answers."""
    if machine.holder:
        return _holder(machine.holder, len(machine.waiting), now)
    if machine.trouble:
        return machine.trouble
    if machine.state is MachineState.RUNNING:
        ports = [f"{one.host}{look.arrow}{one.guest}" for one in machine.ports]
        since = f"since {amounts.duration(now - machine.started)}" if machine.started else ""
        return " ".join(part for part in (since, *ports) if part)
    return ""


def _holder(holder: Holder, waiting: int, now: float) -> str:
    queue = f", {waiting} waiting" if waiting else ""
    return f"{holder.action} for {amounts.duration(now - holder.since)}{queue}"


def _next_steps(machines: tuple[Machine, ...], look: Look) -> list[str]:
    states = {machine.state for machine in machines}
    busy = any(machine.holder for machine in machines)
    if states == {MachineState.ABSENT} and not busy:
        return ["", look.paint("boxwright up   brings them up", "dim")]
    return []


def global_status(context: Context, _spec: CommandSpec, _given: argparse.Namespace) -> int:
    """Every machine that the engine knows, with those whose project has gone."""
    from core.model.query import GetMachines, Machines

    answer = context.session.query(GetMachines())
    assert isinstance(answer, Machines)
    entries = [(machine, _stale(machine)) for machine in answer.machines]
    shown = [(machine, stale) for machine, stale in entries if machine.state.created or machine.holder]
    data = [{**msgspec.to_builtins(machine), "stale": stale} for machine, stale in shown]
    context.output.result({"machines": data}, _global_lines(shown, context))
    return ExitCode.DONE


def _stale(machine: Machine) -> str:
    """Why a machine can no longer be brought up; "" where it can."""
    from pathlib import Path

    return "" if Path(machine.key.project).is_dir() else "the project's folder is gone"


def _global_lines(entries: list[tuple[Machine, str]], context: Context) -> list[str]:
    look = context.output.look
    if not entries:
        return ["No machine is created in any project."]
    now = time.time()
    rows = [
        (
            machine.id,
            machine.name,
            look.machine(machine.state),
            machine.provider,
            _home(machine.key.project),
            look.paint(stale or _remark(machine, now, look), "yellow" if stale else "dim"),
        )
        for machine, stale in entries
    ]
    heads = ("ID", "NAME", "STATE", "PROVIDER", "PROJECT", "")
    lines = table(heads, rows, look, width=context.output.width)
    gone = [machine.id for machine, stale in entries if stale]
    if gone:
        lines += ["", f"To remove what is left of projects that are gone: boxwright destroy {' '.join(gone)}"]
    return lines


def _home(path: str) -> str:
    from pathlib import Path

    home = str(Path("~").expanduser())
    return f"~{path[len(home) :]}" if path == home or path.startswith(f"{home}/") else path
