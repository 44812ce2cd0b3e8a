"""Tables of the journal, and the steps from one version of them to the next."""

from __future__ import annotations

import sqlite3

_VERSION_1 = """
CREATE TABLE operations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    ended REAL NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX operations_open ON operations (ended) WHERE ended = 0;
CREATE INDEX operations_project ON operations (project);
CREATE TABLE steps (
    operation TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (operation, id)
) WITHOUT ROWID;
CREATE TABLE intents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    operation TEXT NOT NULL,
    kind TEXT NOT NULL,
    facts BLOB NOT NULL,
    made REAL NOT NULL,
    trouble TEXT NOT NULL DEFAULT ''
);
CREATE TABLE machines (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (project, name)
) WITHOUT ROWID;
CREATE TABLE projects (
    root TEXT PRIMARY KEY,
    opened REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
"""

_VERSION_2 = """
CREATE TABLE destroyed (
    id TEXT PRIMARY KEY,
    body BLOB NOT NULL
) WITHOUT ROWID;
"""

MIGRATIONS: tuple[str, ...] = (_VERSION_1, _VERSION_2)
"""Script n brings a journal of version n to version n + 1; never changed once released."""

VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, migrations: tuple[str, ...] = MIGRATIONS) -> int:
    """Bring a journal up to date; returns the version that it had. Each step is one transaction."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    for number in range(found, len(migrations)):
        connection.executescript(f"BEGIN;{migrations[number]};PRAGMA user_version = {number + 1};COMMIT;")
    return found
