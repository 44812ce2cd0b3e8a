"""Starting and ending, suspending and resuming."""

from __future__ import annotations

from typing import Any

from core.providers.virtualbox.worker.api import Api, Refused, Steps
from core.providers.virtualbox.worker.making import RUNNING, end


def launch(api: Api, uuid: str, window: bool) -> Steps:
    """From its disks, or from its saved memory where there is some; returns the process id."""
    machine = api.needed(uuid)
    session = api.session()
    kind = "gui" if window else "headless"
    try:
        progress = machine.launchVMProcess(session, kind, [])
    except TypeError:
        # Before 6.1 this was one text.
        progress = machine.launchVMProcess(session, kind, "")
    try:
        yield progress
        return machine.sessionPID
    finally:
        if session.state != api.constants.SessionState_Unlocked:
            session.unlockMachine()


def switch_off(api: Api, uuid: str) -> Steps:
    """At once; one that does not run, or is not there, is no error."""
    machine = api.find(uuid)
    if machine is not None and machine.accessible:
        yield from end(api, machine)


def press_power_button(api: Api, uuid: str) -> Steps:
    """False where the machine does not run any more."""
    machine = api.find(uuid)
    if machine is None or api.state(machine.state) not in ("Running", "Paused"):
        return False
    session = yield from api.lock(machine, shared=True)
    with api.held(session):
        if api.state(machine.state) == "Paused":
            session.console.resume()
        session.console.powerButton()
    return True


def save(api: Api, uuid: str) -> Steps:
    """Memory into a file, and the machine's process ends."""
    machine = api.needed(uuid)
    if api.state(machine.state) not in ("Running", "Paused"):
        raise Refused("state", "Only a machine that runs can be suspended.")
    with api.held((yield from api.lock(machine, shared=True))) as changed:
        yield changed.saveState()
    yield from api.unlocked(machine)


def forget_memory(api: Api, uuid: str) -> Steps:
    """Remove the saved memory, if there is some."""
    machine = api.find(uuid)
    if machine is None or not machine.accessible:
        return
    if api.state(machine.state) in ("Saved", "AbortedSaved"):
        with api.held((yield from api.lock(machine))) as changed:
            changed.discardSavedState(True)
        yield from api.unlocked(machine)


def go_on(api: Api, uuid: str) -> Steps:
    """Let a paused guest go on; whether it runs now."""
    machine = api.find(uuid)
    if machine is None or api.state(machine.state) not in RUNNING:
        return False
    session = yield from api.lock(machine, shared=True)
    with api.held(session):
        if api.state(machine.state) == "Paused":
            session.console.resume()
    return True


def counters(api: Api, uuid: str, pattern: str) -> Steps:
    """What the machine's devices have counted, as XML."""
    machine = api.needed(uuid)
    session = yield from api.lock(machine, shared=True)
    with api.held(session):
        found: Any = session.console.debugger.getStats(pattern, False)
    return str(found)
