"""A file that something is saved in: a new one, never one that is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.errors import BoxwrightError


@contextmanager
def new_file(name: str) -> Iterator[BinaryIO]:
    """``name`` as somebody typed it. Raises BoxwrightError."""
    path = Path(name).expanduser()
    try:
        with path.open("xb") as file:
            yield file
    except FileExistsError as error:
        raise BoxwrightError(f"{path} is there already.", remedy="Give another name.") from error
    except OSError as error:
        raise BoxwrightError(f"{path} cannot be written.", why=os.strerror(error.errno or 0)) from error
