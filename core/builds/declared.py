"""A system made from packages, as a source of containers declares it in place of an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import ConfigError
from core.model.project import Bootstrap


def bootstrap_of(table: Mapping[str, Any]) -> Bootstrap | None:
    """None for an empty table. Raises ConfigError for one that is not right."""
    if not table:
        return None
    try:
        return msgspec.convert(table, Bootstrap, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f'"bootstrap" is not right: {error}.') from None


def refuse_both(kind: str, image: str, table: Mapping[str, Any]) -> None:
    """Raises ConfigError unless there is exactly one of the two."""
    if bool(image) == bool(table):
        raise ConfigError(
            f'The source "{kind}" needs one of "image" and "bootstrap".',
            why="That is what the container is made from.",
        )
