"""A build as a plan: what all three languages (boxwright.toml, JSON, HCL2) are turned into.

A plan has sources; each with its own steps and chains of post-processors, as ``only``, ``except`` and
``override`` leave them for it. Settings are plain data, with :class:`core.templates.model.Secret` and
``Deferred`` in them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import msgspec

from core.model.problem import Place
from core.model.work import Work
from core.templates.functions.signature import Place as World
from core.templates.model import Deferred, Settings

Resolver = Callable[[str, Mapping[str, Any], Mapping[str, str]], Settings]
"""The settings of the part with an id, with what the running build knows (``Host``, ...) and ``name`` and
``type`` of its source."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A source, a step or a post-processor: of a kind, with settings."""

    id: str
    kind: str
    name: str = ""
    settings: Settings
    override: Settings = {}
    """What goes over the settings for the source that this part belongs to."""
    place: Place | None = None

    @property
    def whole(self) -> Settings:
        """The settings with the override over them."""
        return {**self.settings, **self.override}

    @property
    def title(self) -> str:
        return f"{self.kind}: {self.name}" if self.name else self.kind


class PlannedStep(Part, frozen=True, kw_only=True):
    """A provisioner. Times are in seconds, 0 for none."""

    pause_before: float = 0.0
    max_retries: int = 0
    timeout: float = 0.0


class PlannedPost(Part, frozen=True, kw_only=True):
    """A post-processor."""

    keep_input: bool | None = None
    """None: as the post-processor itself prefers."""


class PlannedSource(Part, frozen=True, kw_only=True):
    """A source, and all that is done with what comes of it."""

    build: str = ""
    """Name of the build that it is a part of, "" where that has none."""
    label: str
    """What ``--only``, ``--except`` and the display call it: ``qemu.base`` in HCL2, ``base`` in JSON."""
    steps: tuple[PlannedStep, ...] = ()
    on_error: PlannedStep | None = None
    chains: tuple[tuple[PlannedPost, ...], ...] = ()

    @property
    def posts(self) -> tuple[PlannedPost, ...]:
        """The post-processors of all chains."""
        return tuple(post for chain in self.chains for post in chain)

    @property
    def display(self) -> str:
        return f"{self.build}.{self.label}" if self.build else self.label


class BuildPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one ``boxwright build`` of a template or of a build of boxwright.toml does."""

    name: str
    world: World
    """Which folders relative paths and functions mean."""
    sources: tuple[PlannedSource, ...]
    secrets: tuple[str, ...] = ()
    """Texts that must not be shown."""
    resolve: Resolver | None = None
    """None where nothing waits for the running build."""
    written: Callable[[str, str], Place | None] = lambda id, name: None
    """Where a setting of the part with an id is written, None where that is not known."""

    def settings(self, source: PlannedSource, part: Part, running: Mapping[str, Any]) -> Settings:
        """The settings of one of the source's parts while the build runs. Raises TemplateError."""
        if self.resolve is None or not waits(part.settings):
            return part.whole
        known = self.resolve(part.id, running, {"name": source.name, "type": source.kind})
        return {**known, **part.override}


Again = Callable[[Work], Awaitable[BuildPlan]]
"""Reads the plan anew from what describes it. Raises BoxwrightError."""


def as_written(data: Any) -> Any:
    """The data with what waits for the running build as it is written in the template."""
    if isinstance(data, dict):
        return {key: as_written(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [as_written(item) for item in data]
    return data.text if isinstance(data, Deferred) else data


def waits(data: Any) -> bool:
    """Whether something in the data is known only when the build runs."""
    return any(True for _ in waited_for(data))


def waited_for(data: Any) -> Iterator[str]:
    """What the data waits for: ``build.Host``, ``data.amazon-ami.base``, ..."""
    if isinstance(data, dict | list | tuple):
        for item in data.values() if isinstance(data, dict) else data:
            yield from waited_for(item)
    elif isinstance(data, Deferred):
        yield data.waits_for
