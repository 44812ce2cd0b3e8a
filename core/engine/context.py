"""What command handlers work with, and what a handler is.

``core.engine.handlers`` offers:

- ``HANDLERS: Mapping[type[Command], Handler]``
- ``subject(command) -> str``: what the command holds while it runs (see ``Operation.subject``)
- ``title(command) -> str``: for people, e.g. ``up web``

and may offer:

- ``UNDO: UndoTable``: undo functions of the handlers' own intents
- ``check(context, command) -> None``: raises BoxwrightError where the command is refused outright
  at submission (it must answer at once)
- ``command_line(command) -> str``: the same as a shell command
- ``build_views(context, project) -> tuple[BuildView, ...]``: how the builds of a project stand; the
  engine adds which of them run
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from core.errors import ProviderError
from core.model.event import BoxChanged, BoxGone, Change, ProjectChanged
from core.model.provider import Probe
from core.model.work import Work
from core.paths import Locations
from core.providers.base import Provider

if TYPE_CHECKING:
    from core.boxes.store import BoxStore
    from core.builds.asking import Ask
    from core.engine.projects import ProjectCache
    from core.engine.questions import Questions
    from core.engine.registry import MachineRegistry
    from core.engine.screens import Screens
    from core.guests.session import GuestSessions
    from core.model.box import Box


class Hold(Protocol):
    """Takes a subject in the middle of an operation: ``async with hold(subject, action, work):``."""

    def __call__(self, subject: str, action: str, work: Work) -> AbstractAsyncContextManager[None]: ...


class Prober(Protocol):
    """Knows how the providers' probes came out."""

    async def probe(self, provider: str) -> Probe: ...

    async def probe_for(self, provider: str, options: Mapping[str, Any]) -> Probe: ...


class Context:
    """What a handler may use. One per engine; used on the engine's loop only."""

    def __init__(
        self,
        *,
        locations: Locations,
        providers: Mapping[str, Provider],
        machines: MachineRegistry,
        projects: ProjectCache,
        publish: Callable[[Change], None],
        hold: Hold,
        prober: Prober,
    ) -> None:
        self.locations = locations
        self.providers = providers
        self.machines = machines
        """Records and views of machines: ``get``, ``require``, ``put``, ``change``, ``remove``."""
        self.projects = projects
        """``load(root) -> Project``: read again when the file has changed; raises ConfigError."""
        self.publish = publish
        """Sends a change to all subscribers."""
        self._hold = hold
        self._prober = prober
        self._boxes: BoxStore | None = None
        self._known_boxes: dict[str, Box] | None = None
        self._guests: GuestSessions | None = None
        self._questions: Questions | None = None
        self._screens: Screens | None = None

    @property
    def boxes(self) -> BoxStore:
        """The store of boxes. Call ``boxes_changed`` after changing it."""
        if self._boxes is None:
            from core.boxes.store import BoxStore

            self._boxes = BoxStore(Path(self.locations.boxes))
        return self._boxes

    @property
    def guests(self) -> GuestSessions:
        """Connections to guests, shared by operations. Made at first use, as it loads the SSH library."""
        if self._guests is None:
            from core.guests.session import GuestSessions

            self._guests = GuestSessions()
        return self._guests

    @property
    def questions(self) -> Questions:
        """What running operations ask."""
        if self._questions is None:
            from core.engine.questions import Questions

            self._questions = Questions(self._build_changed)
        return self._questions

    def asker(self, subject: str, operation: Work) -> Ask:
        """A function by which an operation on ``subject`` asks a question and waits for its answer."""
        return self.questions.asker(subject, operation)

    @property
    def screens(self) -> Screens:
        """Which screens of machines of builds can be looked at."""
        if self._screens is None:
            from core.engine.screens import Screens

            self._screens = Screens(self._build_changed)
        return self._screens

    def _build_changed(self, subject: str) -> None:
        """What a build asks, or which screens it has, is told with its project."""
        self.publish(ProjectChanged(subject.removeprefix("build:").rpartition(":")[0]))

    async def drop_guest(self, machine_id: str) -> None:
        """Close the connection to a machine's guest, if there is one."""
        if self._guests is not None:
            await self._guests.drop(machine_id)

    async def close(self) -> None:
        """Let go of connections."""
        if self._guests is not None:
            await self._guests.close()

    def provider(self, name: str) -> Provider:
        """Raises ProviderError where no provider of that name is installed."""
        try:
            return self.providers[name]
        except KeyError:
            known = ", ".join(sorted(self.providers)) or "none"
            raise ProviderError(
                f"There is no provider {name!r}.", why=f"Installed: {known}.", remedy="boxwright doctor"
            ) from None

    async def probe(self, name: str, options: Mapping[str, Any] | None = None) -> Probe:
        """How the provider's probe came out; waits for the one that runs at the engine's start.

        ``options``: of a machine, which may be for another server than the usual one.
        """
        self.provider(name)
        probe = await self._prober.probe(name)
        return await self._prober.probe_for(name, options) if options and not probe.usable else probe

    def hold(self, subject: str, action: str, work: Work) -> AbstractAsyncContextManager[None]:
        """Hold another subject for a part of an operation, queueing like everybody else.

        For instance the build that an ``up`` needs first: ``async with context.hold("build:/p:base",
        "build base", work):``. ``work`` shows whom it waits for. What the operation holds already is
        held again at once. Take machine, build and box in this order only, else two operations could
        wait for each other.
        """
        return self._hold(subject, action, work)

    def known_boxes(self) -> tuple[Box, ...]:
        """The boxes of the store, from memory."""
        if self._known_boxes is None:
            self._known_boxes = {str(box.key): box for box in self.boxes.list()}
        return tuple(self._known_boxes.values())

    def boxes_changed(self) -> None:
        """Read the store again and publish what is different. The engine does it after each operation
        that held a box or a build."""
        before = self._known_boxes or {}
        now = {str(box.key): box for box in self.boxes.list()}
        self._known_boxes = now
        for name, box in now.items():
            if before.get(name) != box:
                self.publish(BoxChanged(box))
        for name in before:
            if name not in now:
                self.publish(BoxGone(name))


Handler = Callable[[Context, Any, Work], Awaitable[Any]]
"""Carries out one command. Returns plain JSON data for ``Operation.result``, or None.

It raises BoxwrightError for what a user can understand; anything else is reported as a bug. When it
raises or is cancelled, all intents that are not settled are undone, newest first; when it returns,
they are settled. ``work.note`` at the top sets the operation's detail, ``work.cached`` its state."""
