"""The functions of HCL2 templates."""

from __future__ import annotations

from core.templates.functions.signature import TABLE, Function, FunctionError, Place

__all__ = ["Function", "FunctionError", "Place", "functions"]


def functions() -> dict[str, Function]:
    """All functions by name."""
    from core.templates.functions import (  # noqa: F401 - each fills the table when it is imported
        addresses,
        collections,
        conversion,
        dates,
        encoding,
        files,
        hashes,
        numbers,
        sets,
        strings,
    )

    return TABLE
