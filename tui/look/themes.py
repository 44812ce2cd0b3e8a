"""Themes: TOML files in ``themes/`` and in the user's own folder; broken ones are reported and skipped."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from core.errors import ConfigError
from core.model.problem import Place

DARK = "dark"
LIGHT = "light"
PLAIN = "terminal"
"""The theme of terminals with 16 colours, and of NO_COLOR."""

Colour = Annotated[
    str,
    Meta(
        pattern=r"^(#[0-9a-fA-F]{6}|ansi_(default|(bright_)?(black|red|green|yellow|blue|magenta|cyan|white)))$"
    ),
]


class Colours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A colour for each role."""

    background: Colour
    panel: Colour
    """Of header and footer."""
    text: Colour
    muted: Colour
    border: Colour
    focus: Colour
    """Border and title of the pane that has the keys."""
    selection: Colour
    selection_text: Colour
    accent: Colour
    """Keys in the footer, links, titles."""
    good: Colour
    busy: Colour
    warn: Colour
    bad: Colour
    cached: Colour


class Theme(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One theme as its file has it."""

    name: Annotated[str, Meta(min_length=1, max_length=40)]
    title: str = ""
    dark: bool = True
    ansi: bool = False
    """Uses the terminal's own sixteen colours."""
    colours: Colours


COLOURLESS = Theme(
    name="colourless", ansi=True, colours=Colours(**dict.fromkeys(Colours.__struct_fields__, "ansi_default"))
)
"""Where no colours are wanted, or there are none."""


def read(path: Path) -> Theme:
    """Raises ConfigError with the place of the mistake, as far as it is known."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Theme)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(
            f"The theme {path.stem!r} cannot be used.",
            why=f"{error}",
            remedy=f"compare it with themes/{DARK}.toml",
            place=Place(str(path)),
        ) from error


def find(name: str, folders: list[Path]) -> Theme:
    """The theme of that name, from the first folder that has it. Raises ConfigError."""
    return read(place(name, folders))


def place(name: str, folders: list[Path]) -> Path:
    """The file of the theme of that name, in the first folder that has it. Raises ConfigError."""
    for folder in folders:
        path = folder / f"{name}.toml"
        if path.is_file():
            return path
    raise ConfigError(
        f"There is no theme {name!r}.", why=f"Looked in {', '.join(str(folder) for folder in folders)}."
    )


def names(folders: list[Path]) -> list[str]:
    """Of all theme files, usable or not, each once."""
    found = {path.stem for folder in folders if folder.is_dir() for path in folder.glob("*.toml")}
    return sorted(found)
