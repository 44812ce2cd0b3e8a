"""A template as data: what both languages of Packer describe.

``settings`` of sources, provisioners and post-processors are plain data: None, bool, int, float, str, list
and dict; besides them :class:`Deferred` for what only the running build knows, and :class:`Secret` for what
must not be shown. A nested block is a dict, in the list of all blocks of its name.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.model.problem import Place, Problem

Settings = dict[str, Any]


class Deferred(msgspec.Struct, frozen=True):
    """Known when the build runs."""

    text: str
    """As it is written in the template."""
    waits_for: str
    """E.g. ``build.Host``."""

    def __str__(self) -> str:
        return f"<{self.waits_for}, known when the build runs>"


class Secret:
    """Data that must not be shown. Not a struct on purpose: nothing encodes it by accident."""

    __slots__ = ("_data",)

    def __init__(self, data: Any) -> None:
        self._data = data

    def reveal(self) -> Any:
        return self._data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._data == other._data

    def __hash__(self) -> int:
        return hash(repr(self._data))

    def __repr__(self) -> str:
        return "<sensitive>"


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """An input variable."""

    name: str
    type: str = "any"
    description: str = ""
    default: Any = None
    required: bool = False
    """Has no default."""
    value: Any = None
    set_by: str = ""
    """Where the value is from: ``default``, ``PKR_VAR_name``, ``--var`` or a file; "" where there is none."""
    sensitive: bool = False
    validations: tuple[str, ...] = ()
    """Their error messages."""
    place: Place


class Local(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    value: Any
    sensitive: bool = False
    place: Place


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin that the template says it needs."""

    name: str
    version: str = ""
    source: str = ""
    place: Place


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What an image is made from (a builder in JSON), or a source of data."""

    id: str
    kind: str
    name: str
    settings: Settings
    place: Place

    @property
    def address(self) -> str:
        return f"{self.kind}.{self.name}"


class BuildSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source as one build uses it: with the build's own settings over those of the source."""

    id: str
    kind: str
    name: str
    """What ``only``, ``except`` and the output call it, behind the kind."""
    base: str = ""
    """Id of the source whose settings the build's own go over; "" where it has none of its own."""
    settings: Settings
    place: Place

    @property
    def address(self) -> str:
        return f"{self.kind}.{self.name}"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A provisioner."""

    id: str
    kind: str
    name: str = ""
    settings: Settings
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """``except``"""
    override: dict[str, Settings] = {}
    """By the name of a source."""
    pause_before: str = ""
    max_retries: int = 0
    timeout: str = ""
    place: Place


class PostProcessor(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    kind: str
    name: str = ""
    settings: Settings
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    keep_input_artifact: bool | None = None
    """None: as the post-processor itself prefers."""
    place: Place


class Build(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""
    description: str = ""
    sources: tuple[BuildSource, ...] = ()
    provisioners: tuple[Step, ...] = ()
    on_error: Step | None = None
    """``error-cleanup-provisioner``"""
    post_processors: tuple[tuple[PostProcessor, ...], ...] = ()
    """Chains: in each, the next one works on what the one before it made."""
    place: Place


class Template(msgspec.Struct, frozen=True, kw_only=True):
    language: Literal["hcl", "json"]
    root: str
    """The template's folder."""
    files: tuple[str, ...]
    description: str = ""
    required_version: str = ""
    """A constraint on Packer's version."""
    requirements: tuple[Requirement, ...] = ()
    variables: tuple[Variable, ...] = ()
    locals: tuple[Local, ...] = ()
    data: tuple[Source, ...] = ()
    sources: tuple[Source, ...] = ()
    builds: tuple[Build, ...] = ()
    warnings: tuple[Problem, ...] = ()


def reveal(data: Any) -> Any:
    """The same data with secrets as what they are: for the part that does the work, never for display."""
    if isinstance(data, Secret):
        return reveal(data.reveal())
    if isinstance(data, dict):
        return {key: reveal(item) for key, item in data.items()}
    return [reveal(item) for item in data] if isinstance(data, list) else data


def shown(data: Any) -> Any:
    """The same data as it may be shown: JSON's types only."""
    if isinstance(data, Secret | Deferred):
        return str(data)
    if isinstance(data, dict):
        return {key: shown(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [shown(item) for item in data]
    if isinstance(data, msgspec.Struct):
        return {name: shown(getattr(data, name)) for name in data.__struct_fields__}
    return data
