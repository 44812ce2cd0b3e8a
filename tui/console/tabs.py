"""The consoles that are open, by machine. They live until they are closed or the workbench ends."""

from __future__ import annotations

import asyncio
import itertools
from functools import partial
from typing import TYPE_CHECKING

from core.model.machine import Endpoint, MachineKey, MachineState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from core.guests.remote import RemoteGuest
    from core.model.query import BuildView
    from tui.bridge import Bridge
    from tui.console.link import Guests, ShellLink
    from tui.console.session import Session

SHELL, SERIAL, REPLAY = "shell", "serial", "replay"


class Console:
    """A tab: its id, the key of the machine or build whose it is, and the session behind it."""

    def __init__(self, id: str, place: str, session: Session) -> None:
        self.id = id
        self.place = place
        self.session = session

    @property
    def name(self) -> str:
        """Of the machine or build."""
        return self.place.rpartition(":")[2]

    @property
    def project(self) -> str:
        return self.place.removeprefix("build:").rpartition(":")[0]


class Consoles:
    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self.group: list[Session] = []
        """Those that get the same keys."""
        self._guests: Guests | None = None
        self._open: list[Console] = []
        self._count = 0

    def of(self, place: str) -> list[Console]:
        """Those of one machine or build (by its :class:`~tui.choice.Choice`'s key), oldest first."""
        return [console for console in self._open if console.place == place]

    def find(self, id: str) -> Console | None:
        return next((console for console in self._open if console.id == id), None)

    def closed_with(self, id: str) -> tuple[list[Console], Console | None]:
        """What is closed together, all whose machine has gone away under them or else just that one, and the
        tab of the same place to go on to: the next one, else the one before."""
        chosen = self.find(id)
        if chosen is None:
            return [], None
        row = self.of(chosen.place)
        gone = [one for one in row if one.session.lost] if chosen.session.lost else [chosen]
        at = row.index(chosen)
        others = (one for one in (*row[at + 1 :], *reversed(row[:at])) if one not in gone)
        return gone, next(others, None)

    @property
    def all(self) -> tuple[Console, ...]:
        return tuple(self._open)

    def open_shell(self, machine: MachineKey) -> Console:
        # Imported when the first one is opened: most of the time there is none.
        from tui.console.link import Guests, ShellLink, exists

        guests = self._guests = self._guests or Guests()

        def endpoint() -> Endpoint | None:
            found = self._bridge.state.machine(machine)
            return found.endpoint if found else None

        def up() -> bool:
            found = self._bridge.state.machine(machine)
            return found is not None and found.state is MachineState.RUNNING

        def began() -> float:
            found = self._bridge.state.machine(machine)
            return found.started if found else 0.0

        def link() -> ShellLink:
            gone = partial(exists, self._bridge, machine)
            return ShellLink(guests, str(machine), endpoint, began=began, exists=gone, up=up)

        return self._shell(str(machine), link)

    def open_in_build(self, place: str, project: str, name: str) -> Console:
        """A shell in the guest of a build that asks something. ``place``: the build's key."""
        from tui.console.link import Guests, ShellLink

        guests = self._guests = self._guests or Guests()

        def build() -> BuildView | None:
            view = self._bridge.state.projects.get(project)
            return next((build for build in view.builds if build.name == name), None) if view else None

        def endpoint() -> Endpoint | None:
            found = build()
            return found.endpoint if found else None

        def there() -> bool:
            """While the build goes on its machine may come back."""
            found = build()
            return found is None or found.endpoint is not None or found.state == "running"

        missing = "The build has no machine to go to now."
        return self._shell(place, lambda: ShellLink(guests, place, endpoint, exists=there, missing=missing))

    def _shell(self, place: str, link: Callable[[], ShellLink]) -> Console:
        from tui.console.session import Session

        self._count += 1
        project, _, owner = place.removeprefix("build:").rpartition(":")
        session = Session(link, self._free(place, "Shell {}"), owner, project)
        return self._add(f"{SHELL}-{self._count}", place, session)

    def open_serial(self, machine: MachineKey) -> Console:
        """The one that is open, if there is one."""
        for console in self.of(str(machine)):
            if console.id.startswith(SERIAL):
                return console
        from tui.console.link import SerialLink
        from tui.console.session import Session

        self._count += 1
        session = Session(lambda: SerialLink(self._bridge, machine), "Serial", machine.name, machine.project)
        return self._add(f"{SERIAL}-{self._count}", str(machine), session)

    def open_recording(self, machine: MachineKey, path: Path) -> Console:
        """Plays it in a tab of the machine."""
        from tui.console.replay import ReplayLink
        from tui.console.session import Session

        self._count += 1

        def link() -> ReplayLink:
            return ReplayLink(path, session.fit, lambda: session.changed())

        taken = {console.session.name for console in self.of(str(machine))}
        name = path.stem if path.stem not in taken else self._free(str(machine), path.stem + " {}")
        session = Session(link, name, owner="recording")
        return self._add(f"{REPLAY}-{self._count}", str(machine), session)

    def _free(self, place: str, pattern: str) -> str:
        """The first name of that pattern that no tab there has."""
        taken = {console.session.name for console in self.of(place)}
        return next(name for number in itertools.count(1) if (name := pattern.format(number)) not in taken)

    def _add(self, id: str, place: str, session: Session) -> Console:
        console = Console(id, place, session)
        session.group = self.group
        session.peers = lambda: [console.session for console in self._open]
        self._open.append(console)
        return console

    def orphans(self, changed: frozenset[str]) -> list[Console]:
        """Those of machines that are not there any more, not even in a project file."""
        state = self._bridge.state
        return [
            console
            for console in self._open
            if not console.place.startswith("build:")
            and console.place not in state.machines
            and (f"machine:{console.place}" in changed or (state.seq and console.session.gone))
        ]

    def outlived(self, changed: frozenset[str]) -> list[RemoteGuest]:
        """Connections to machines that have begun anew meanwhile: to be closed, so that shells come back."""
        found = []
        for place in {console.place for console in self._open if f"machine:{console.place}" in changed}:
            machine = self._bridge.state.machines.get(place)
            if machine is not None and machine.started and self._guests is not None:
                found.append(self._guests.outlived(place, machine.started))
        return [guest for guest in found if guest is not None]

    def broadcast_to_all(self, places: Collection[str]) -> None:
        """All shells of those machines that are connected get the same keys; again: none do."""
        shells = [
            console.session
            for console in self._open
            if console.id.startswith(SHELL) and console.place in places
        ]
        self.broadcast(shells)

    def broadcast(self, sessions: Sequence[Session]) -> None:
        """These get the same keys, as far as they are connected, and nobody else; again: none do."""
        chosen = [one for one in sessions if one.connected and not one.fixed]
        members = set(self.group) | set(chosen)
        self.group[:] = [] if set(chosen) == set(self.group) else chosen
        for member in members:
            member.changed()

    def join_or_leave(self, session: Session) -> None:
        """Of those that get the same keys."""
        members = set(self.group) | {session}
        if session in self.group:
            self.group.remove(session)
        else:
            self.group.append(session)
        for member in members:
            member.changed()

    async def close(self, console: Console) -> None:
        if console in self._open:
            self._open.remove(console)
        await console.session.close()

    async def close_all(self) -> None:
        consoles, self._open = self._open, []
        await asyncio.gather(*(console.session.close() for console in consoles), return_exceptions=True)
        if self._guests is not None:
            await self._guests.close()
