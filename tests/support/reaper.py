"""Runs daemons in the foreground, and ends them and all that they have started.

``python -m tests.support.reaper PAUSE COMMAND [-- COMMAND ...]``. Whatever those leave behind (a hypervisor
turns its guests into daemons) becomes a child of this process: it is reaped at once, and ended at the end.
A daemon that ends is started again, but not as long as there is a file PAUSE.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main(arguments: list[str]) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, _leave)
    pause, *arguments = arguments
    daemons: dict[int, list[str]] = {}
    try:
        while arguments:
            end = arguments.index("--") if "--" in arguments else len(arguments)
            daemons[subprocess.Popen(arguments[:end]).pid] = arguments[:end]
            arguments = arguments[end + 1 :]
        while True:
            command = daemons.pop(os.wait()[0], None)
            if command:
                while Path(pause).exists():
                    time.sleep(0.01)
                daemons[subprocess.Popen(command).pid] = command
    except ChildProcessError:
        return
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(signal.SIGTERM, 5.0)
        _end(signal.SIGKILL, 5.0)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _end(number: signal.Signals, patience: float) -> None:
    """Tell all children, and those that become ours meanwhile, and wait for their end."""
    until = time.monotonic() + patience
    told: set[int] = set()
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while time.monotonic() < until:
        for pid in {int(pid) for pid in children.read_text().split()} - told:
            told.add(pid)
            os.kill(pid, number)
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.01)
        except ChildProcessError:
            return


if __name__ == "__main__":
    main(sys.argv[1:])
