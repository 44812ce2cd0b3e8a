"""Writes files whole or not at all: beside their place, then renamed into it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from core.errors import BoxwrightError


def write_whole(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Put ``content`` at ``path``; a reader sees the old file or the new one, never a part.

    The mode is ``mode``, else the old file's, else what the umask leaves of 0666. Raises BoxwrightError.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
            beside = Path(stream.name)
            try:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
                beside.chmod(mode if mode is not None else _mode(path))
                beside.replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    beside.unlink()
                raise
    except OSError as error:
        raise BoxwrightError(
            f"{path} cannot be written: {error.strerror or error}.", remedy=f"ls -ld {path.parent}"
        ) from error


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
