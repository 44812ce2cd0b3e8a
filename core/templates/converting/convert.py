"""From any of the three languages into another one."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import msgspec

from core.errors import UsageError
from core.model.problem import Problem
from core.templates.converting.draft import Draft
from core.templates.converting.losses import Losses
from core.templates.given import Given

Language = Literal["hcl", "json", "toml"]


class Converted(msgspec.Struct, frozen=True):
    """The text in the other language, and what it could not say."""

    text: str
    lost: tuple[Problem, ...]


def convert(path: Path, to: str, given: Given) -> Converted:
    """The template (or boxwright.toml) in another language.

    Raises UsageError for an unknown language, TemplateError or ConfigError for a template that is wrong
    or of which nothing can be said there, NotFoundError.
    """
    if to not in get_args(Language):
        raise UsageError(f"There is no language {to!r}.", why="There are hcl, json and toml.")
    losses = Losses()
    draft, language = _draft(path, given, losses)
    if language == to:
        raise UsageError(
            f"{path.name} is {to} already.",
            remedy=f"boxwright template fmt {path.name}" if to == "hcl" else "",
        )
    return Converted(_write(draft, to, path, losses), losses.all)


def _draft(path: Path, given: Given, losses: Losses) -> tuple[Draft, str]:
    if path.name.endswith(".toml"):
        from core.templates.converting.from_toml import draft

        return draft(path, losses), "toml"
    from core.templates.hcl.reader import HclReading
    from core.templates.legacy.reader import JsonReading
    from core.templates.load import load

    reading = load(path, given, strict=False)
    if isinstance(reading, HclReading):
        from core.templates.converting.from_hcl import HclDrafter

        return HclDrafter(reading, losses).draft(), "hcl"
    from core.templates.converting.from_json import JsonDrafter

    assert isinstance(reading, JsonReading)
    return JsonDrafter(reading, losses).draft(), "json"


def _write(draft: Draft, to: str, path: Path, losses: Losses) -> str:
    if to == "hcl":
        from core.templates.converting.to_hcl import HclWriter

        return HclWriter(draft, losses).text()
    if to == "json":
        from core.templates.converting.to_json import JsonWriter

        return JsonWriter(draft, losses).text()
    from core.templates.converting.to_toml import TomlWriter

    return TomlWriter(draft, losses, path.name.partition(".")[0]).text()
