"""What is told where the mouse rests: of providers, counts, columns and the signs of states."""

from __future__ import annotations

from core.model.machine import Machine, MachineState
from core.model.operation import Operation, StepState
from core.model.provider import Probe
from tui.look.lines import clean
from tui.look.signs import Signs, of_machine, of_step
from tui.store import State

MACHINES = {
    "": "The state of the machine as a sign.",
    "name": "What the project file calls the machine.",
    "project": "The project whose machine it is.",
    "state": "What it does now, as its provider says.",
    "provider": "What runs it.",
}
BOXES = {
    "": "Marked where a machine that was created uses the box.",
    "name": "The name in the catalogue, or of the project and its build.",
    "version": "Machines take the newest that their version allows.",
    "for": "The provider that can run it.",
    "size": "What it takes in the store. Machines made from it share that.",
}
BUILDS = {
    "": "The state of the build as a sign.",
    "name": "What the project file or template calls the build.",
    "project": "The project whose build it is.",
    "state": "Whether what it makes is there and as the project says now.",
}
_STATES = {
    MachineState.ABSENT: "Not created: only the project file speaks of it.",
    MachineState.STOPPED: "Stopped: its disks are there.",
    MachineState.STARTING: "Starting.",
    MachineState.RUNNING: "Running.",
    MachineState.STOPPING: "Stopping.",
    MachineState.SUSPENDED: "Suspended: its memory is kept, and it goes on from there.",
    MachineState.BROKEN: "Broken: what is known of it is damaged or gone.",
}
_STEPS = {
    StepState.WAITING: "Waiting: it has not begun.",
    StepState.RUNNING: "Under way.",
    StepState.DONE: "Done.",
    StepState.CACHED: "Taken from an earlier time, not done again.",
    StepState.SKIPPED: "Skipped: it was not needed.",
    StepState.FAILED: "Failed.",
    StepState.CANCELLED: "Cancelled; what it had begun was undone.",
}
_BUILDS = {
    "up to date": "Up to date: what it made is there, as the project says now.",
    "stale": "Stale: what it is made from has changed since.",
    "not built": "Not built yet.",
    "building": "It is being built now.",
    "waits": "It waits for another operation.",
    "failed": "The last run failed; its log says how.",
}


def of_provider(probe: Probe) -> str:
    """Its version, or why it cannot be used and what mends that."""
    head = (
        f"{probe.provider} {probe.version}".strip() if probe.usable else f"{probe.provider}: not usable here"
    )
    return "\n".join(clean(text) for text in (head, probe.why, probe.remedy) if text)


def of_machine_state(machine: Machine, operation: Operation | None) -> str:
    """What its sign says, and what is being done with it."""
    told = _STATES[machine.state]
    if machine.state is MachineState.BROKEN and machine.trouble:
        told = f"{told} {machine.trouble}"
    if operation is not None and not operation.state.ended:
        told = f"{told} {operation.title} is {operation.state.value}."
    return clean(told)


def of_build(word: str, question: str) -> str:
    return f"It asks: {clean(question)}" if question else _BUILDS.get(word, "")


def of_count(text: str, state: State) -> str:
    """Of the words at the right end of the first line."""
    word = text.split()[-1] if text.split() else ""
    if word == "running":
        names = [one.name for one in state.machines.values() if one.state is MachineState.RUNNING]
        return _listed("Machines of all projects that run", names)
    if word == "busy":
        titles = [one.title for one in state.operations.values() if not one.state.ended]
        return _listed("Operations that run or wait", titles)
    return {
        "read-only": "Nothing can be changed from here.",
        "asks": "A build waits for an answer: a in the list of builds.",
        "ask": "Builds wait for an answer: a in the list of builds.",
        "engine": "What is shown is what was known. The next command starts an engine again.",
    }.get(word, "")


def of_sign(text: str, role: str, signs: Signs) -> str:
    """Of a sign in a line, by the colour that it has; "" where it is none."""
    for step, told in _STEPS.items():
        if (text, role) == of_step(step, signs):
            return told
    return next((told for state, told in _STATES.items() if (text, role) == of_machine(state, signs)), "")


_NAMED = 8


def _listed(what: str, names: list[str]) -> str:
    if not names:
        return f"{what}: none."
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return f"{what}:\n" + "\n".join([clean(name) for name in names[:_NAMED]] + more)
