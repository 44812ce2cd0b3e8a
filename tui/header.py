"""The first line: the project, the providers, how many machines run and how much is being done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from textual.strip import Strip

from core.model.machine import MachineState
from core.model.provider import Probe
from tui import tips
from tui.bridge import Link, LinkState
from tui.builds.questions import asking
from tui.look.lines import Part, clean, cut_left, width_of
from tui.look.painted import Painted
from tui.store import State


class Header(Painted):
    ground = "panel"

    def __init__(self, project: str, *, id: str) -> None:
        super().__init__(id=id)
        self._project = project
        self._state = State()
        self._link = Link(LinkState.CONNECTING)
        self.read_only = False
        self._said: tuple[list[Part], list[Part]] | None = None
        self._spans: list[tuple[int, int, str]] = []

    def show(self, state: State, link: Link, project: str) -> None:
        self._state, self._link, self._project = state, link, project
        said = (self._parts_left(), self._parts_right())
        if said != self._said:
            self._said = said
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        right = self._parts_right()
        name: list[Part] = [(" boxwright ", "!accent"), (" ", "text")]
        probes = self._probes()
        providers = self._providers(probes)
        room = width - width_of(name) - width_of(right) - 2
        if width_of(providers) + 16 > room:
            # Where there is little room, only those that work are named.
            probes = [probe for probe in probes if probe.usable]
            providers = self._providers(probes)
        if width_of(providers) + 12 > room:
            probes, providers = [], []
        place = cut_left(self._place(), max(0, room - width_of(providers) - 2), self.signs.ellipsis)
        left = [*name, (place, "text")]
        gap = max(1, width - width_of(left) - width_of(providers) - width_of(right) - 2)
        self._note_spans(width_of(name), place, width_of(left) + gap, probes, right)
        return self.line([*left, (" " * gap, "text"), *providers, ("  ", "text"), *right], width)

    def _note_spans(
        self, start: int, place: str, column: int, probes: Sequence[Probe], right: Sequence[Part]
    ) -> None:
        """What is told of what, where the mouse rests on it."""
        self._spans = [(start, start + cell_len(place), "" if place == self._place() else self._place())]
        for probe in probes:
            size = width_of(self._providers([probe]))
            self._spans.append((column, column + size, tips.of_provider(probe)))
            column += size
        column += 2
        for text, _ in right:
            size = cell_len(text)
            self._spans.append((column, column + size, tips.of_count(text, self._state)))
            column += size

    def tip_at(self, x: int, y: int) -> str:
        return next((tip for start, end, tip in self._spans if start <= x < end), "")

    def _place(self) -> str:
        if not self._project:
            return "all projects" if self._state.machines else "no project"
        home = str(Path.home())
        path = self._project
        return clean("~" + path[len(home) :] if path.startswith(home + "/") else path)

    def _parts_left(self) -> list[Part]:
        return [(self._place(), "text"), *self._providers(self._probes())]

    def _probes(self) -> list[Probe]:
        """Those that work come first."""
        return sorted(self._state.probes.values(), key=lambda probe: (not probe.usable, probe.provider))

    def _providers(self, probes: Sequence[Probe]) -> list[Part]:
        parts: list[Part] = []
        for probe in probes:
            if probe.usable:
                parts += [(f"{probe.provider} ", "text"), (f"{self.signs.done}  ", "good")]
            else:
                parts += [(f"{probe.provider} {self.signs.dash}  ", "muted")]
        return parts

    def _parts_right(self) -> list[Part]:
        if self._link.state is LinkState.LOST:
            return [(f"{self.signs.failed} no engine ", "bad")]
        if self._link.state is LinkState.CONNECTING and not self._state.seq:
            return [(f"{self.signs.busy} connecting ", "busy")]
        asks = len(asking(self._state))
        running = sum(machine.state is MachineState.RUNNING for machine in self._state.machines.values())
        busy = self._state.busy
        parts: list[Part] = [(f"{running} running", "good" if running else "muted")]
        parts.append((f"  {busy} busy ", "busy" if busy else "muted"))
        if asks:
            parts = [(f"{asks} {'asks' if asks == 1 else 'ask'}  ", "warn"), *parts]
        return [("read-only  ", "warn"), *parts] if self.read_only else parts
