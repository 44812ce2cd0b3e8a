"""From an exception to what a user is told: an ordinary problem, trouble of this computer, or a bug."""

from __future__ import annotations

import asyncio
import errno
import os
import platform
import sys
import time
import traceback
from pathlib import Path

import core
from core.engine.secrets import hide
from core.errors import BoxwrightError, CancelledError
from core.model.problem import ExitCode, Problem

KEPT_REPORTS = 50

_COMPUTER = {
    errno.ENOSPC: ("The disk is full.", "df -h"),
    errno.EDQUOT: ("The disk quota is used up.", "quota"),
    errno.EROFS: ("The file system is read-only.", "mount"),
    errno.EMFILE: ("Too many files are open.", "ulimit -n 4096"),
    errno.ENFILE: ("Too many files are open.", "sysctl fs.file-max"),
    errno.EIO: ("The disk cannot be read or written.", "dmesg | tail"),
    errno.EACCES: ("The permission is missing.", ""),
    errno.EPERM: ("The permission is missing.", ""),
}


def leaves(error: BaseException) -> list[BaseException]:
    """The single errors of a group, in order; of any other error itself."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for child in error.exceptions for leaf in leaves(child)]
    return [error]


def was_cancelled(error: BaseException) -> bool:
    """Whether an error says only that somebody cancelled."""
    return all(isinstance(leaf, asyncio.CancelledError | CancelledError) for leaf in leaves(error))


def is_bug(error: BaseException) -> bool:
    """Whether an error is nothing that a user could understand or mend."""
    return _bug_in(error) is not None


def problem_of(error: BaseException) -> Problem:
    """What to tell of an error. A bug's problem says that it is one; ``report_bug`` adds the report."""
    bug = _bug_in(error)
    if bug is not None:
        first = hide((str(bug).strip().splitlines() or [""])[0][:200])
        return Problem(
            what="Boxwright made a mistake; this is a bug.",
            why=f"{type(bug).__name__}: {first}" if first else type(bug).__name__,
            remedy="Report it, with the report that was written.",
        )
    ordinary = [leaf for leaf in leaves(error) if not isinstance(leaf, asyncio.CancelledError)]
    first_error = ordinary[0] if ordinary else error
    if isinstance(first_error, BoxwrightError):
        return first_error.problem
    if isinstance(first_error, OSError):
        what, remedy = _COMPUTER[first_error.errno or 0]
        return Problem(what=what, why=str(first_error), remedy=remedy)
    return cancelled_problem("It")


def cancelled_problem(title: str) -> Problem:
    return Problem(what=f"{title} was cancelled.", code=ExitCode.CANCELLED)


def report_bug(folder: Path, error: BaseException, doing: str) -> Problem:
    """Write a report with the traceback; the problem names it. Oldest reports are removed."""
    problem = problem_of(error)
    text = "\n".join(
        [
            f"Boxwright {core.__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"While: {doing}",
            f"Time: {time.strftime('%Y-%m-%d %H:%M:%S %z')}",
            "",
            hide("".join(traceback.format_exception(error))),
        ]
    )
    try:
        path = _new_report(folder, text)
    except OSError as trouble:
        sys.stderr.write(f"{text}\nThe report could not be written: {trouble}\n")
        return problem
    return Problem(
        what=problem.what,
        why=problem.why,
        remedy=f"Report it, with {path}",
        report=str(path),
    )


def _bug_in(error: BaseException) -> BaseException | None:
    for leaf in leaves(error):
        expected = isinstance(leaf, BoxwrightError | asyncio.CancelledError) or (
            isinstance(leaf, OSError) and leaf.errno in _COMPUTER
        )
        if not expected:
            return leaf
    return None


def _new_report(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    old = sorted(folder.glob("*.txt"))
    for path in old[: max(0, len(old) - KEPT_REPORTS + 1)]:
        path.unlink(missing_ok=True)
    path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns():x}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return path
