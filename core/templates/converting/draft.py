"""A template between two languages: its texts keep their references to variables."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.model.problem import Place


class Reference(msgspec.Struct, frozen=True):
    """Something that is not written out: ``what`` with ``name``.

    variable (a variable's name), build (a field of the running build), source (``name`` or ``type``),
    folder (``root`` or ``cwd``), environment (a variable's name), time (Go's layout, "" for RFC 3339),
    seconds (since 1970), uuid.
    """

    what: Literal["variable", "build", "source", "folder", "environment", "time", "seconds", "uuid"]
    name: str = ""


class Mixed(msgspec.Struct, frozen=True):
    """Text and references."""

    parts: tuple[str | Reference, ...]


def mixed(parts: list[str | Reference]) -> str | Mixed:
    """Plain text, where there are no references."""
    if any(isinstance(part, Reference) for part in parts):
        return Mixed(tuple(part for part in parts if part != ""))
    return "".join(part for part in parts if isinstance(part, str))


class DraftVariable(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    type: str = "string"
    description: str = ""
    default: Any = None
    """None: none."""
    value: Any = None
    """What it has now, for languages without variables."""
    sensitive: bool = False
    place: Place


class DraftBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A source, provisioner or post-processor: ``settings`` hold data and Mixed."""

    kind: str
    name: str = ""
    settings: dict[str, Any] = {}
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    common: dict[str, Any] = {}
    """``override``, ``pause_before``, ``max_retries``, ``timeout``, ``keep_input_artifact`` where given."""
    place: Place


class DraftBuild(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""
    description: str = ""
    sources: tuple[str, ...] = ()
    """Names of sources."""
    provisioners: tuple[DraftBlock, ...] = ()
    on_error: DraftBlock | None = None
    post_processors: tuple[tuple[DraftBlock, ...], ...] = ()
    place: Place


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    required_version: str = ""
    requirements: tuple[tuple[str, str, str], ...] = ()
    """Plugins: name, version, source."""
    variables: tuple[DraftVariable, ...] = ()
    sources: tuple[DraftBlock, ...] = ()
    builds: tuple[DraftBuild, ...] = ()

    def variable(self, name: str) -> DraftVariable | None:
        return next((one for one in self.variables if one.name == name), None)
