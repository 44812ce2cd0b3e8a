"""Where a part of a build works: folders, names, and what is known of the running build."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.paths import Locations
from core.templates.functions.signature import Place as World

if TYPE_CHECKING:
    from core.boxes.store import BoxStore


Show = Callable[[str, str], None]
"""Takes a source's name and the socket at which its machine's screen is (VNC), "" once that is gone."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What sources, provisioners and post-processors are given besides their settings."""

    locations: Locations
    store: Any
    """The :class:`BoxStore`."""
    world: World
    folder: Path
    """Private to this source of this run; removed at its end."""
    project: str = ""
    """The project's name, for boxes."""
    build: str = ""
    source: str
    """The source's name."""
    kind: str
    steps: int = 0
    """How many there are."""
    force: bool = False
    """Replace artifacts that are there."""
    facts: dict[str, str] = {}
    """What ``build.ID``, ``build.Host``, ... come to, as far as they are known; sources add to it."""

    promises: list[Any] = []
    """Each an :class:`Intent` about an artifact: settled when the source is done, as only then it stays."""
    secrets: tuple[str, ...] = ()
    """Texts that must not be shown."""
    ask: Any = None
    """An :data:`core.builds.asking.Ask`, None where nobody can be asked."""
    show: Show | None = None
    """Told where the screen of the source's machine can be looked at."""

    @property
    def boxes(self) -> BoxStore:
        store: BoxStore = self.store
        return store

    def path(self, text: str) -> Path:
        """A path of the host as Packer means it: relative to the folder in which the build was asked for."""
        return Path(self.world.cwd) / Path(text).expanduser()

    def hide(self, text: str) -> str:
        """The text without what must not be shown."""
        from core.builds.redaction import Redaction

        return Redaction(self.secrets).text(text)

    def render(self, text: str, **fields: Any) -> str:
        """A text with ``{{...}}`` worked out; ``fields`` are what ``.Name`` stands for.

        Raises TemplateError."""
        if "{{" not in text:
            return text
        from core.templates.golang.functions import functions
        from core.templates.golang.render import LaterError, Names, render
        from core.templates.problems import Fault, TemplateError
        from core.templates.source import Source

        source = Source("<text>", text)
        running = {**self.facts, "build_name": self.source, "build_type": self.kind}
        try:
            return render(source, Names(functions(self.world, _no_variable, running), fields))
        except Fault as fault:
            raise TemplateError((fault.problem,)) from None
        except LaterError as later:
            raise TemplateError((Fault(f"{later} is not known here.", None).problem,)) from None


def _no_variable(name: str) -> str:
    from core.templates.golang.render import CallError

    raise CallError(f'the variable "{name}" is not known here')
