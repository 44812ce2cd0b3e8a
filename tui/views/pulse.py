"""What a running machine uses, as it changes: measured only while somebody looks, drawn as sparklines."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from core import amounts
from core.model.machine import Machine, MachineState, Stats
from tui.look.lines import Part
from tui.look.signs import Signs

if TYPE_CHECKING:
    from tui.bridge import Bridge

KEPT = 120
"""Measurements of each machine that are remembered."""

_LABEL = 14
_SCALE_CPU = 0.05
"""The least share of one CPU that fills a sparkline: idle noise is no mountain range."""
_SCALE_BYTES = 16 * 1024.0


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Between two measurements: shares and bytes a second."""

    cpu: float
    """Of one CPU: 1.0 is one that is busy all the time."""
    memory: float
    read: float
    written: float
    received: float
    sent: float


class Pulse:
    """Measurements by machine. ``changed`` is called when there is a new one."""

    def __init__(self, bridge: Bridge, changed: Callable[[], None]) -> None:
        self._bridge = bridge
        self._changed = changed
        self._kept: dict[str, deque[Stats]] = {}
        self._asking = False
        self.why = ""
        """Why there are no figures, where that is known."""

    async def beat(self, machine: Machine) -> None:
        """Measure once; one question at a time."""
        from core.errors import BoxwrightError

        if self._asking:
            return
        self._asking = True
        try:
            answer = await self._bridge.stats(machine.key)
        except (BoxwrightError, OSError) as error:
            self.why = error.problem.what if isinstance(error, BoxwrightError) else str(error)
            return
        finally:
            self._asking = False
        self.why = ""
        kept = self._kept.setdefault(str(machine.key), deque(maxlen=KEPT))
        if kept and (answer.time <= kept[-1].time or answer.cpu_seconds < kept[-1].cpu_seconds):
            kept.clear()  # It was started anew, or the clock was set back.
        kept.append(answer)
        self._changed()

    def rates(self, machine: Machine) -> list[Rates]:
        """Oldest first; none before the second measurement, or for a machine that does not run."""
        if machine.state is not MachineState.RUNNING:
            self._kept.pop(str(machine.key), None)
            return []
        kept = list(self._kept.get(str(machine.key), ()))
        return [_between(before, after) for before, after in itertools.pairwise(kept)]


def _between(before: Stats, after: Stats) -> Rates:
    seconds = after.time - before.time

    def rate(one: float, other: float) -> float:
        return max(0.0, other - one) / seconds

    return Rates(
        cpu=rate(before.cpu_seconds, after.cpu_seconds),
        memory=float(after.memory),
        read=rate(before.disk_read, after.disk_read),
        written=rate(before.disk_written, after.disk_written),
        received=rate(before.net_received, after.net_received),
        sent=rate(before.net_sent, after.net_sent),
    )


def lines(rates: Sequence[Rates], machine: Machine, *, width: int, signs: Signs) -> list[list[Part]]:
    """A line each for CPU, memory, disk and network, as far as the provider counts them."""
    if not rates:
        return []
    room = max(8, min(KEPT, width - _LABEL - 34))
    last = rates[-1]
    cpus = max(1, machine.cpus)
    found = [
        _line(
            "CPU", [each.cpu for each in rates], max(_SCALE_CPU, float(cpus)), f"{last.cpu:.0%}", room, signs
        ),
        _line(
            "Memory",
            [each.memory for each in rates],
            float(max(machine.memory, int(last.memory), 1)),
            _memory(last.memory, machine.memory),
            room,
            signs,
        ),
    ]
    disk = [each.read + each.written for each in rates]
    found.append(
        _line(
            "Disk",
            disk,
            max(_SCALE_BYTES, *disk),
            f"{amounts.size(last.read)}/s read, {amounts.size(last.written)}/s written",
            room,
            signs,
        )
    )
    network = [each.received + each.sent for each in rates]
    if any(network):
        text = f"{amounts.size(last.received)}/s in, {amounts.size(last.sent)}/s out"
        found.append(_line("Network", network, max(_SCALE_BYTES, *network), text, room, signs))
    return found


def _line(label: str, values: Sequence[float], full: float, text: str, room: int, signs: Signs) -> list[Part]:
    drawn = sparkline(values[-room:], full, signs.levels)
    return [
        (f"{label:<{_LABEL}}", "muted"),
        (f"{drawn:>{room}}", "accent"),
        (f"  {text}", "text"),
    ]


def sparkline(values: Sequence[float], full: float, levels: str) -> str:
    """One character a value; ``full`` is the highest one."""
    top = len(levels) - 1
    return "".join(levels[max(0, min(top, round(value / full * top)))] for value in values)


def _memory(used: float, given: int) -> str:
    """Both in bytes. What a machine's process needs for itself may come to more than what the guest has."""
    if used > given:
        return f"{amounts.size(used)} with the emulator's own"
    return f"{amounts.size(used)} of {amounts.size(given)}"
