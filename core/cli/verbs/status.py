"""status and global-status, where a glance (see core.cli.glance) does not do."""

from __future__ import annotations

import argparse

import msgspec

from core.cli import machine_lines
from core.cli.context import Context
from core.commands import CommandSpec
from core.model.problem import ExitCode, Problem


def status(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """The project's machines, and what is wrong with its file."""
    machines, problem = context.machines()
    if given.machines:
        from core.cli.selection import choose

        machines = choose(context, given.machines).machines
    output = context.output
    data = {"project": context.root, "machines": machines, "problem": problem}
    # Nobody knows yet which machines a file has that cannot be read.
    unknown = problem is not None and not machines
    lines = [] if unknown else machine_lines.of_project(machines, output.look, output.width)
    output.result(msgspec.to_builtins(data), lines)
    if problem is not None:
        _tell(context, problem)
        return int(problem.code)
    return ExitCode.DONE


def _tell(context: Context, problem: Problem) -> None:
    from core.cli.problem_lines import problem_lines

    context.output.flush()
    for line in problem_lines(problem, context.output.err_look):
        context.output.tell(line)


def global_status(context: Context, _spec: CommandSpec, _given: argparse.Namespace) -> int:
    """Every machine that the engine knows, with those whose project has gone."""
    from core.model.query import GetMachines, Machines

    answer = context.session.query(GetMachines())
    assert isinstance(answer, Machines)
    data = [
        {**msgspec.to_builtins(machine), "stale": machine_lines.stale(machine)}
        for machine in machine_lines.created(answer.machines)
    ]
    output = context.output
    output.result({"machines": data}, machine_lines.of_all(answer.machines, output.look, output.width))
    return ExitCode.DONE
