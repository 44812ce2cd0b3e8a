"""The consoles that are open, by machine. They live until they are closed or the workbench ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.model.machine import Endpoint, MachineKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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

        return self._shell(
            str(machine),
            lambda: ShellLink(guests, str(machine), endpoint, exists=lambda: exists(self._bridge, machine)),
        )

    def open_in_build(self, place: str, project: str, name: str) -> Console:
        """A shell in the guest of a build that asks something. ``place``: the build's key."""
        from tui.console.link import Guests, ShellLink

        guests = self._guests = self._guests or Guests()

        def endpoint() -> Endpoint | None:
            view = self._bridge.state.projects.get(project)
            found = [build.endpoint for build in view.builds if build.name == name] if view else []
            return found[0] if found else None

        missing = "The build has no machine to go to any more: it goes on, or that is gone."
        return self._shell(
            place, lambda: ShellLink(guests, place, endpoint, missing=missing, remedy="w closes this tab")
        )

    def _shell(self, place: str, link: Callable[[], ShellLink]) -> Console:
        from tui.console.session import Session

        self._count += 1
        number = 1 + sum(console.id.startswith(SHELL) for console in self.of(place))
        session = Session(link, f"Shell {number}", owner=place.rpartition(":")[2])
        return self._add(f"{SHELL}-{self._count}", place, session)

    def open_serial(self, machine: MachineKey) -> Console:
        """The one that is open, if there is one."""
        for console in self.of(str(machine)):
            if console.id.startswith(SERIAL):
                return console
        from tui.console.link import SerialLink
        from tui.console.session import Session

        self._count += 1
        session = Session(lambda: SerialLink(self._bridge, machine), "Serial", owner=machine.name)
        return self._add(f"{SERIAL}-{self._count}", str(machine), session)

    def open_recording(self, machine: MachineKey, path: Path) -> Console:
        """Plays it in a tab of the machine."""
        from tui.console.replay import ReplayLink
        from tui.console.session import Session

        self._count += 1

        def link() -> ReplayLink:
            return ReplayLink(path, session.fit, lambda: session.changed())

        session = Session(link, path.stem, owner="recording")
        return self._add(f"{REPLAY}-{self._count}", str(machine), session)

    def _add(self, id: str, place: str, session: Session) -> Console:
        console = Console(id, place, session)
        session.group = self.group
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

    def broadcast(self) -> None:
        """All shells get the same keys; again: none do."""
        shells = [console.session for console in self._open if console.id.startswith(SHELL)]
        members = set(self.group) | set(shells)
        self.group[:] = [] if set(shells) <= set(self.group) else shells
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
