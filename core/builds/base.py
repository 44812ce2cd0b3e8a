"""What sources, provisioners and post-processors of builds are: one class for each kind.

Each is found by its kind in an entry-point group (see :mod:`core.builds.registry`), made without arguments,
once, and keeps no state.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

import msgspec

from core.builds.artifact import Artifact, Outcome
from core.builds.scene import Scene
from core.guests.base import Guest
from core.model.work import Work
from core.templates.model import Settings


class Workshop(Protocol):
    """The machine, container or nothing in which the steps of one source run.

    ``open`` comes first, ``close`` last, whatever happens; ``close`` is idempotent and leaves nothing.
    """

    guest: Guest | None
    """None where there is nothing to log in to."""

    async def open(self, layer: Path | None, work: Work) -> None:
        """Make it ready for steps: anew, or as it was kept in the folder ``layer``."""

    async def keep(self, folder: Path, place: Path, work: Work) -> bool:
        """Put the state as it is now into ``folder`` (empty, private), which is renamed to ``place``
        afterwards, and go on. False where states of this source cannot be kept."""

    async def finish(self, work: Work) -> Artifact | None:
        """End it in order and make the artifact. None: there is nothing to hand on."""

    async def leave(self) -> bool:
        """Let go of it without ending it, so that somebody can look; ``close`` does nothing then. False where
        nothing would be left."""

    async def close(self) -> None: ...


class Source(Protocol):
    """What an image is made from."""

    kind: ClassVar[str]

    def check(self, settings: Settings, scene: Scene) -> None:
        """Raise for what cannot work; nothing has begun yet."""

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str]:
        """Everything that decides what the first step finds, by name, as short texts or digests; {} where
        states cannot be kept. May read files; called in a thread."""

    def workshop(self, settings: Settings, scene: Scene) -> Workshop: ...


@runtime_checkable
class Fetching(Protocol):
    """A source that has to look elsewhere before it can say its ``facts``."""

    async def fetch(self, settings: Settings, scene: Scene, work: Work) -> None:
        """Have here what it is made from; what is known then goes into the scene's facts."""


class Provisioner(Protocol):
    """A step: something is done in the guest, or on the host on the way."""

    kind: ClassVar[str]

    def check(self, settings: Settings, scene: Scene) -> None:
        """Raise for what cannot work; nothing has begun yet. Called again right before ``run``, in case
        settings were known only then."""

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        """Digests of the files of the host that go into the guest, by name. None: it does something on the
        host (or waits for somebody), and so has to run every time."""

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        """Do it. Raises BoxwrightError."""


class PostProcessor(Protocol):
    """Makes something of an artifact."""

    kind: ClassVar[str]

    def check(self, settings: Settings, scene: Scene) -> None: ...

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome: ...


@runtime_checkable
class Replacing(Protocol):
    """A source or post-processor that knows beforehand in whose place its artifact would come."""

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        """Raise UsageError where something is there. Not asked where replacing was asked for, nor where
        nothing changed."""


@runtime_checkable
class Keeping(Protocol):
    """A source or post-processor that knows of artifacts whether they are still where they were kept."""

    def keeps(self, artifact: Artifact) -> bool:
        """Whether it knows that of this one."""

    async def remains(self, artifact: Artifact, settings: Settings, scene: Scene) -> bool:
        """Whether the artifact of an earlier run is there, as it was left."""


ON_ERROR = ("cleanup", "abort", "ask", "run-cleanup-provisioner")
"""What can be done about a step that failed."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """How a build was asked for."""

    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    parallel: int = 0
    """Sources at the same time; 0: all."""
    on_error: str = "cleanup"
    """``cleanup``, ``abort``, ``ask`` or ``run-cleanup-provisioner``."""
    force: bool = False
    debug: bool = False
    """Ask before each step."""
    no_cache: bool = False
