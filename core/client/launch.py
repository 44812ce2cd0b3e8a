"""Starting the engine in the background, and saying why where it does not start."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import msgspec

from core.errors import BoxwrightError, RemoteError
from core.model.problem import Problem
from core.paths import Locations

READY_FD = "BOXWRIGHT_READY_FD"
PATIENCE = 60.0
"""Seconds in which the engine has to answer."""

MODULE = "core.engine.daemon"

_PROBLEM = b"problem"
_TAIL = 15


def launch(where: Locations) -> None:
    """Start an engine and wait until one answers (another front end's, if that was faster).

    Raises RemoteError where it says why it cannot start, and BoxwrightError, with the end of its log,
    where it dies without a word.
    """
    try:
        where.prepare()
    except OSError as error:
        raise BoxwrightError(
            "The folders of Boxwright cannot be made.", why=str(error), remedy=f"ls -ld {where.data.parent}"
        ) from None
    begin = _size(where.engine_log)
    ours, its = os.pipe()
    try:
        try:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", MODULE),
                    *("--data", str(where.data), "--runtime", str(where.runtime)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(its,),
                env={**os.environ, READY_FD: str(its)},
                start_new_session=True,
                cwd="/",
            )
        finally:
            os.close(its)
        word = _wait(ours)
    finally:
        os.close(ours)
    if word and word.startswith(_PROBLEM):
        process.communicate()
        raise RemoteError(msgspec.json.decode(word[len(_PROBLEM) :], type=Problem))
    if word:
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
        return
    raise _died(where, begin, process)


def _wait(descriptor: int) -> bytes | None:
    """What the engine says; b"" when it died, None when it says nothing for too long."""
    readable, _, _ = select.select([descriptor], [], [], PATIENCE)
    return os.read(descriptor, 65536) if readable else None


def _died(where: Locations, begin: int, process: subprocess.Popen[bytes]) -> BoxwrightError:
    try:
        _, said = process.communicate(timeout=1)
    except subprocess.TimeoutExpired:
        said = b""
    tail = [*_lines(said), *_lines(_since(where.engine_log, begin))][-_TAIL:]
    return BoxwrightError(
        "The engine could not be started.",
        why=tail[-1] if tail else f"It said nothing within {PATIENCE:.0f} s.",
        remedy=f"less {where.engine_log}",
        tail=tuple(tail),
    )


def _lines(data: bytes) -> list[str]:
    return [line for line in data.decode(errors="replace").splitlines() if line.strip()]


def _since(path: Path, begin: int) -> bytes:
    """What a log got since it had ``begin`` bytes (it may have been begun anew)."""
    try:
        data = path.read_bytes()
    except OSError:
        return b""
    return data[begin:] if len(data) >= begin else data


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
