"""A provider's own table of the project file, checked against the struct that it becomes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from core.errors import UsageError

_Options = TypeVar("_Options", bound=msgspec.Struct)


def read_table(table: Mapping[str, Any], kind: type[_Options], provider: str) -> _Options:
    """Raise UsageError where ``table`` holds a key that ``kind`` has not, or a wrong type.
    ``provider`` is its name as people write it."""
    known = kind.__struct_fields__
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            raise UsageError(
                f"The {provider} provider has no option {key!r}.",
                why=f"Known are: {', '.join(known)}.",
                remedy=f"write {close[0]!r} instead" if close else f"remove {key!r}",
            )
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"An option of the {provider} provider is wrong: {error}.") from error
