"""The journal's file: opened as this version needs it, a damaged one moved out of the way."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from core.engine.schema import VERSION, migrate
from core.errors import BoxwrightError


def opened(path: Path) -> tuple[sqlite3.Connection, str]:
    """The open file, and where the damaged one that it replaces was moved to ("": there was none).

    Raises BoxwrightError where it cannot be opened, or was written by a newer version.
    """
    try:
        return _connect(path), ""
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
            raise BoxwrightError(
                "The journal cannot be opened.",
                why=f"{path}: {error}",
                remedy=f"ls -l {path}; df -h {path.parent}",
            ) from error
    aside = _move_aside(path)
    return _connect(path), str(aside)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        found = migrate(connection)
        if found > VERSION:
            raise BoxwrightError(
                "The journal was written by a newer Boxwright.",
                why=f"{path} has version {found}; this program knows versions up to {VERSION}.",
                remedy="pip install --upgrade boxwright",
            )
        if found and connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("the check of the file found damage")
    except BaseException:
        connection.close()
        raise
    path.chmod(0o600)
    return connection


def _move_aside(path: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    target = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    path.rename(target)
    for suffix in ("-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(target.with_name(target.name + suffix))
    return target
