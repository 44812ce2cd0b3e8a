"""The first line: the project, the providers, how many machines run and how much is being done."""

from __future__ import annotations

from pathlib import Path

from textual.strip import Strip

from core.model.machine import MachineState
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
        providers = self._providers()
        room = width - width_of(name) - width_of(right) - 2
        if width_of(providers) + 16 > room:
            # Where there is little room, only those that work are named.
            providers = self._providers(only_usable=True)
        if width_of(providers) + 12 > room:
            providers = []
        place = cut_left(self._place(), max(0, room - width_of(providers) - 2), self.signs.ellipsis)
        left = [*name, (place, "text")]
        gap = max(1, width - width_of(left) - width_of(providers) - width_of(right) - 2)
        return self.line([*left, (" " * gap, "text"), *providers, ("  ", "text"), *right], width)

    def _place(self) -> str:
        if not self._project:
            return "all projects" if self._state.machines else "no project"
        home = str(Path.home())
        path = self._project
        return clean("~" + path[len(home) :] if path.startswith(home + "/") else path)

    def _parts_left(self) -> list[Part]:
        return [(self._place(), "text"), *self._providers()]

    def _providers(self, *, only_usable: bool = False) -> list[Part]:
        parts: list[Part] = []
        for name, probe in sorted(self._state.probes.items(), key=lambda item: (not item[1].usable, item[0])):
            if probe.usable:
                parts += [(f"{name} ", "text"), (f"{self.signs.done}  ", "good")]
            elif not only_usable:
                parts += [(f"{name} {self.signs.dash}  ", "muted")]
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
