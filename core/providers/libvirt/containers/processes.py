"""The first process of a container, as the host sees it. Light: the command line uses it, too."""

from __future__ import annotations

import contextlib
from pathlib import Path

from core.providers.libvirt.record import run_of

KEEPER = "libvirt_lxc"
"""The program that libvirt leaves beside each container; the domain's number is its process id."""


def first_process(run: str) -> int | None:
    """Process id of the init of that run (see :func:`run_of`), None once it has ended."""
    keeper = int(run.rpartition(":")[2] or 0)
    if keeper <= 0 or run != run_of(keeper):
        return None
    place = Path(f"/proc/{keeper}")
    with contextlib.suppress(OSError):
        if (place / "comm").read_text().strip() != KEEPER:
            return None
        for child in (place / f"task/{keeper}/children").read_text().split():
            if _is_first(Path("/proc") / child):
                return int(child)
    return None


def _is_first(process: Path) -> bool:
    """Whether it is number 1 in a numbering of its own."""
    status = (process / "status").read_text()
    numbers = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
    return len(numbers) > 1 and numbers[-1] == "1"
