"""up, halt, suspend, resume, reload, provision, destroy."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from core import amounts
from core.cli.confirm import confirm
from core.cli.context import Context
from core.cli.operating import carry_out, command_of, document, finish
from core.cli.selection import choose
from core.commands import CommandSpec
from core.errors import BoxwrightError, NotFoundError, UsageError
from core.model.machine import Machine, MachineState
from core.model.provider import Capability

_THERE_ALREADY: dict[str, tuple[MachineState, ...]] = {
    "machine.halt": (MachineState.ABSENT, MachineState.STOPPED),
    "machine.suspend": (MachineState.SUSPENDED,),
    "machine.resume": (MachineState.RUNNING,),
    "machine.destroy": (MachineState.ABSENT,),
}
"""States in which there is nothing left to do: that is no failure."""

_NEED_ONE = ("machine.reload", "machine.provision", "machine.resume", "machine.migrate", "machine.clone")
"""With these, a script relies on what they do to a machine."""


def run(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    """Submit the command for every machine that was chosen and can take it."""
    chosen = choose(context, given.machines, _default(context, spec, bool(given.machines)))
    ready = possible(context, spec, chosen.machines, chosen.named)
    return finish(context, [command_of(spec, given, machine=machine.key) for machine in ready])


def clone(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    """Says what the copies are called."""
    chosen = choose(context, given.machines, _default(context, spec, bool(given.machines)))
    ready = possible(context, spec, chosen.machines, chosen.named)
    if len(ready) > 1 and not given.machines:
        raise UsageError("Which machine is to be copied?", remedy=f"boxwright clone {ready[0].name}")
    outcome = carry_out(context, [command_of(spec, given, machine=machine.key) for machine in ready])
    if context.output.options.json:
        context.output.document(document(outcome))
    for operation in outcome.operations:
        if operation.result:
            context.output.line(amounts.listed(operation.result["machines"]))
    return outcome.code


def destroy(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    """Asks first, once for all machines."""
    chosen = choose(context, given.machines, _default(context, spec, bool(given.machines)))
    ready = possible(context, spec, chosen.machines, chosen.named)
    if ready:
        noun = amounts.count(len(ready), "machine")
        confirm(
            context,
            f"Destroy {amounts.listed([machine.name for machine in ready])}?"
            if len(ready) < 4
            else f"Destroy {noun}?",
            goes=[_what_goes(machine) for machine in ready],
            stays=f"the boxes, the project's files{_kept_note(context, ready, given.purge)}",
        )
    return finish(context, [command_of(spec, given, machine=machine.key) for machine in ready])


def _kept_note(context: Context, machines: Sequence[Machine], purge: bool) -> str:
    """What can be brought back afterwards."""
    probes = context.probes()
    names = [
        machine.name
        for machine in machines
        if (probe := probes.get(machine.provider)) is not None and Capability.RECOVER in probe.capabilities
    ]
    if purge or not names:
        return ""
    return f"; for a day 'boxwright recover' brings {amounts.listed(names)} back"


def _what_goes(machine: Machine) -> str:
    parts = ["its disks"]
    if machine.snapshots:
        parts.append(amounts.count(len(machine.snapshots), "snapshot"))
    return f"{machine.name} ({machine.state}) with {amounts.listed(parts)}"


def _default(context: Context, spec: CommandSpec, named: bool) -> Callable[[Machine], bool]:
    if named or spec.id != "machine.up":
        return lambda machine: machine.state.created
    from core.projects import load

    project = load(context.root)
    return lambda machine: machine.name in project.machines and project.machines[machine.name].autostart


def possible(
    context: Context, spec: CommandSpec, machines: Sequence[Machine], named: frozenset[str]
) -> list[Machine]:
    """The machines that can take the command now. Of the others it is said why not.

    Raises BoxwrightError for a machine that cannot and was named, or is the only one.
    """
    reasons = [(machine, _refusal(context, spec, machine)) for machine in machines]
    ready = [machine for machine, reason in reasons if not reason]
    for machine, reason in reasons:
        if not reason:
            continue
        there = machine.state in _THERE_ALREADY.get(spec.id, ())
        if not there and (machine.name in named or len(machines) == 1):
            raise BoxwrightError(reason, remedy=_remedy(spec, machine))
        about = reason if machine.name in reason else f"{machine.name}: {reason}"
        context.output.note(f"{about} Nothing to do for it.")
    unable = [reason for machine, reason in reasons if reason and _lacks_ability(spec, machine)]
    if not ready and unable:
        raise BoxwrightError(unable[0])
    if not machines and spec.id in _NEED_ONE:
        raise NotFoundError("No machine of this project is created.", remedy="boxwright up")
    if not machines:
        context.output.note("No machine of this project is created.")
    return ready


def _lacks_ability(spec: CommandSpec, machine: Machine) -> bool:
    """Whether it is the provider, not the machine's state, that rules the command out."""
    return machine.state not in _THERE_ALREADY.get(spec.id, ()) and not spec.why_not(machine, None)


def _refusal(context: Context, spec: CommandSpec, machine: Machine) -> str:
    if not machine.holder and machine.state in _THERE_ALREADY.get(spec.id, ()):
        return (
            f"{machine.name} is {machine.state} already."
            if machine.state.created
            else (f"{machine.name} is not created.")
        )
    probe = context.probes().get(machine.provider) if spec.capability else None
    return spec.refusal(machine, probe)


def _remedy(spec: CommandSpec, machine: Machine) -> str:
    if not spec.why_not(machine, None):
        return ""
    if machine.state is MachineState.BROKEN:
        return f"boxwright destroy {machine.name}"
    if spec.id in (
        "machine.suspend",
        "machine.provision",
        "machine.reload",
        "machine.resume",
        "machine.migrate",
        "machine.upload",
        "machine.download",
    ):
        return f"boxwright up {machine.name}"
    return ""
