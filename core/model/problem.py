"""What went wrong, in the form in which it travels: an error as data."""

from __future__ import annotations

import enum

import msgspec


class ExitCode(enum.IntEnum):
    """Exit codes of the command line, one for each kind of problem."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    BUSY = 4
    PROVIDER = 5
    CANCELLED = 130


class Place(msgspec.Struct, frozen=True):
    """Where in a file a problem lies. Lines and columns count from 1; 0 says that it is not known."""

    file: str
    line: int = 0
    column: int = 0
    text: str = ""

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, why, and what mends it (a command where there is one)."""

    what: str
    why: str = ""
    remedy: str = ""
    code: ExitCode = ExitCode.FAILED
    place: Place | None = None
    tail: tuple[str, ...] = ()
    """The last lines of the output that belongs to it, oldest first."""
    others: tuple[Problem, ...] = ()
    """What else is wrong in the same place, e.g. the other mistakes of a project file; ``tail`` then
    says the same in a line each."""
    files: tuple[str, ...] = ()
    """Files of the host in which what failed is written, such as a script: read again the next time."""
    report: str = ""
    """For a bug of Boxwright: the file with the traceback."""
