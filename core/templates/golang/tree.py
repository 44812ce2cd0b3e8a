"""Go's templates as data."""

from __future__ import annotations

from typing import Any

import msgspec

from core.templates.source import Span


class Piece(msgspec.Struct, frozen=True):
    at: Span


class Text(Piece, frozen=True):
    text: str


class Constant(Piece, frozen=True):
    """Text, a number, true, false or nil."""

    value: Any


class Field(Piece, frozen=True):
    """``.A.B``, ``$name.A.B`` or ``(...).A.B``; ``on`` None is the dot."""

    on: Piece | None
    names: tuple[str, ...]


class NameOf(Piece, frozen=True):
    """``$name``"""

    name: str


class Command(Piece, frozen=True):
    """A function with arguments, or a single operand."""

    function: str
    """"" for an operand: it is the only argument."""
    arguments: tuple[Piece, ...]


class Pipeline(Piece, frozen=True):
    commands: tuple[Command, ...]
    assigns: tuple[str, ...] = ()
    """Variables that it sets; of a ``range`` up to two."""


class Action(Piece, frozen=True):
    pipeline: Pipeline


class Control(Piece, frozen=True):
    """``if``, ``with`` or ``range``."""

    kind: str
    pipeline: Pipeline
    yes: tuple[Piece, ...]
    no: tuple[Piece, ...]
