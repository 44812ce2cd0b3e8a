"""Imports the interface, without the parts of Textual that it never shows."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

_PALETTE = "textual.command"


def load() -> None:
    """Import :mod:`tui.program` and all that the first frame takes."""
    with _without_palette():
        importlib.import_module("textual.app")
    importlib.import_module("tui.program")


@contextlib.contextmanager
def _without_palette() -> Iterator[None]:
    """Textual's own command palette brings ten widgets with it, a tenth of all that is imported. The
    workbench has a palette of its own and turns that one off: its names only have to be there."""
    if _PALETTE in sys.modules:
        yield
        return
    sys.modules[_PALETTE] = _Absent(_PALETTE)
    try:
        yield
    finally:
        # Whoever does import it later gets the real one.
        del sys.modules[_PALETTE]


class _Absent(ModuleType):
    """Has a class of every name, with nothing in it."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})
