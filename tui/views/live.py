"""What changes by itself while somebody looks: a machine's figures, its serial console, the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.model.machine import Machine, MachineState
from core.model.operation import Operation, Step, StepState
from core.model.provider import Capability
from tui.choice import Choice
from tui.store import State
from tui.views.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.bridge import Bridge

TAIL = 4096
"""Bytes of a serial console of which the last lines are shown."""
_SERIAL = 5
"""So many lines of it."""


class Live:
    """``changed`` is called when there is something new to show."""

    def __init__(self, bridge: Bridge, changed: Callable[[], None]) -> None:
        self._bridge = bridge
        self._changed = changed
        self.pulse = Pulse(bridge, changed)
        self._serial: tuple[str, ...] | None = None
        """Its last lines; None where nothing is kept of it."""

    def turned_away(self) -> None:
        """Something else is looked at."""
        self._serial = None

    async def look_at_serial(self, machine: Machine) -> None:
        from core.errors import BoxwrightError
        from core.model.query import GetSerial, Log
        from tui.views.output import log_tail

        try:
            answer = await self._bridge.query(GetSerial(machine=machine.key, limit=TAIL))
        except (BoxwrightError, OSError):
            return
        if isinstance(answer, Log):
            self._serial = tuple(log_tail(answer.data))
            self._changed()

    def tail(self, operation: Operation, choice: Choice, state: State) -> tuple[str, ...]:
        """What the running step says; while a guest is waited for, what its serial console says."""
        if operation.state.ended:
            return ()
        if waits_for_guest(operation, choice, state):
            return _captioned(self._serial)
        from tui.views.output import file_tail

        path = state.log_paths.get(operation.id, "")
        running = _running(operation, state)
        # What the log ended with before the step began is another step's.
        wrote = running[-1].lines if running else 0
        return tuple(file_tail(path)[-wrote:]) if path and wrote else ()


def _captioned(serial: Sequence[str] | None) -> tuple[str, ...]:
    if serial is None:
        return ()
    return ("serial console:", *serial[-_SERIAL:]) if serial else ("serial console: nothing yet",)


def measured(choice: Choice) -> bool:
    """The machine runs, and its provider counts what it uses."""
    machine, probe = choice.machine, choice.probe
    return (
        machine is not None
        and machine.state is MachineState.RUNNING
        and probe is not None
        and Capability.STATS in probe.capabilities
    )


def waits_for_guest(operation: Operation | None, choice: Choice, state: State) -> bool:
    if operation is None or choice.machine is None or operation.state.ended:
        return False
    running = _running(operation, state)
    return bool(running) and running[-1].name.startswith("Wait") and not running[-1].lines


def _running(operation: Operation, state: State) -> list[Step]:
    return [step for step in state.steps_of(operation.id) if step.state is StepState.RUNNING]
