"""Reads a template in whichever language it is."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from core.errors import NotFoundError
from core.templates.data_kinds import Ask
from core.templates.given import Given
from core.templates.reading import Reading


def language(path: Path) -> Literal["hcl", "json"]:
    """Which language a file or folder is in, by its name, as Packer tells them apart.

    Raises NotFoundError where there is nothing.
    """
    if path.is_dir() or path.name.endswith((".pkr.hcl", ".pkr.json", ".hcl")):
        return "hcl"
    if not path.exists():
        raise NotFoundError(f"There is no template {path}.", remedy=f"ls {path.parent}")
    return "json"


def load(path: Path | str, given: Given, *, strict: bool = True, ask: Ask | None = None) -> Reading:
    """The template in a file or folder.

    ``strict``: variables without a value are mistakes; without it they are left open, to look at
    the template. ``ask``: who asks sources of data; without it, what they find is left open.

    Raises TemplateError with all that is wrong, NotFoundError.
    """
    path = Path(path)
    if language(path) == "hcl":
        from core.templates.hcl.reader import read_hcl

        return read_hcl(path, given, strict=strict, ask=ask)
    from core.templates.legacy.reader import read_json

    return read_json(path, given, strict=strict)
