"""Settings of a part as a typed struct: weakly typed as Packer reads them, mistakes with their place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from core.errors import ConfigError
from core.model.problem import Place, Problem
from core.templates.model import Settings, reveal
from core.templates.problems import meant

Duration = Annotated[float, Meta(extra={"duration": True})]
"""Seconds, written as Go writes durations: ``1h5m``, ``300ms``."""

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_AT = re.compile(r"at `\$\.(\w+)")
_PIECE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one kind."""

    not_needed: ClassVar[frozenset[str]] = frozenset()
    """Names of Packer's that are read, and have no meaning here."""
    refused: ClassVar[Mapping[str, str]] = {}
    """Names of Packer's that cannot be had, each with the reason."""


T = TypeVar("T", bound=Table)


class SettingsError(ConfigError):
    """What is wrong with settings, by their names: whoever knows where each is written says so."""

    def __init__(self, mistakes: Sequence[tuple[str, Problem]]) -> None:
        first = mistakes[0][1]
        super().__init__(first.what, why=first.why, remedy=first.remedy, place=first.place)
        self.mistakes = mistakes


def duration(text: str | float, what: str = "duration", place: Place | None = None) -> float:
    """Seconds of ``5m30s``. Raises ConfigError."""
    if isinstance(text, int | float):
        # A bare number counts nanoseconds in HCL2; nobody means that.
        raise ConfigError(f'"{what}" has no unit.', remedy=f'write "{text}s"', place=place)
    bare = text.strip()
    if bare in ("", "0"):
        return 0.0
    pieces = _PIECE.findall(bare)
    if not pieces or "".join(number + unit for number, unit in pieces) != bare.lstrip("+-"):
        raise ConfigError(
            f'"{what}" is {text!r}, which is no duration.',
            remedy='write for instance "5m" or "1h30m"',
            place=place,
        )
    return sum(float(number) * _UNITS[unit] for number, unit in pieces)


def decode(settings: Settings, kind: type[T], what: str, place: Place | None = None) -> T:
    """``settings`` as a struct, secrets revealed: for the part that does the work.

    ``what`` is e.g. ``source "qemu"``. Raises SettingsError for unknown names and wrong types.
    """
    typed = get_type_hints(kind, include_extras=True)
    hints = {name: typed[name] for name in kind.__struct_fields__}
    data: dict[str, Any] = {}
    wrong: list[tuple[str, Problem]] = []
    for name, value in settings.items():
        if value is None:
            continue
        try:
            if name in hints:
                data[name] = _fit(reveal(value), hints[name], name, place)
            else:
                _refuse(name, value, kind, what, hints, place)
        except ConfigError as error:
            wrong.append((name, error.problem))
    try:
        found = msgspec.convert(data, kind, strict=False)
    except msgspec.ValidationError as error:
        told = _AT.search(str(error))
        # Without a name it is about one that is missing, and may be among those that are not known.
        if told or not wrong:
            one = ConfigError(f"The {what} is not right: {_plain(str(error))}.", place=place)
            wrong.append((told[1] if told else "", one.problem))
    if wrong:
        raise SettingsError(wrong)
    return found


def _refuse(
    name: str, value: Any, kind: type[Table], what: str, hints: Mapping[str, Any], place: Place | None
) -> None:
    """Raises ConfigError for a name that is not one of the kind's, unless it has no meaning here."""
    if name in kind.refused:
        if reveal(value):
            raise ConfigError(f'"{name}" cannot be used in the {what}.', why=kind.refused[name], place=place)
    elif name not in kind.not_needed:
        raise ConfigError(
            f'The {what} has no setting "{name}".',
            why="" if meant(name, hints) else f"It has: {', '.join(sorted(hints))}.",
            remedy=meant(name, hints),
            place=place,
        )


def _fit(value: Any, hint: Any, name: str, place: Place | None) -> Any:
    """Packer takes a text for a list, a number for a text, and the like."""
    if get_origin(hint) is Annotated:
        meta = get_args(hint)[1]
        if isinstance(meta, Meta) and (meta.extra or {}).get("duration"):
            return duration(value, name, place)
        hint = get_args(hint)[0]
    if value == "" and hint in (bool, int, float):
        return False if hint is bool else 0
    if hint is str and isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if get_origin(hint) is tuple:
        if isinstance(value, str):
            return [value] if value else []
        if isinstance(value, list) and get_args(hint)[0] is str:
            return [_fit(item, str, name, place) for item in value]
    if get_origin(hint) is dict and isinstance(value, dict):
        return {key: _fit(item, get_args(hint)[1], name, place) for key, item in value.items()}
    if get_origin(hint) is dict and isinstance(value, list) and len(value) == 1:
        return value[0]
    return value


def _plain(message: str) -> str:
    return message.replace("Expected", "expected").replace("`", "").replace("$.", "")
