"""Containers that stand still while libvirt says that they run.

Its driver forgets with a restart that it froze them, then refuses to let them go on, and cannot end them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.providers.libvirt.library import bindings

_GROUPS = Path("/sys/fs/cgroup")


def forgotten(domain: Any, state: int) -> bool:
    """Whether a container of which libvirt says ``state`` runs no more than that."""
    return state == bindings().VIR_DOMAIN_RUNNING and is_frozen(domain.ID())


def remind(domain: Any) -> None:
    """Let libvirt know of a container of ours what is so. Freezing what is frozen changes nothing else."""
    if forgotten(domain, domain.state()[0]):
        domain.suspend()


def is_frozen(keeper: int, proc: Path = Path("/proc"), groups: Path = _GROUPS) -> bool:
    """``keeper``: process id of the program that libvirt leaves beside a container, in the same group."""
    with contextlib.suppress(OSError):
        for line in (proc / str(keeper) / "cgroup").read_text().splitlines():
            _number, controllers, path = line.split(":", 2)
            for sign in _signs(controllers, path, groups):
                if sign.is_file():
                    return _says_frozen(sign.read_text())
    return False


def _signs(controllers: str, path: str, groups: Path) -> Iterator[Path]:
    """Files that may say it, in the first and the second version of control groups."""
    inside = path.strip("/")
    if "freezer" in controllers.split(","):
        yield groups / "freezer" / inside / "freezer.state"
    if not controllers:
        yield groups / inside / "cgroup.events"


def _says_frozen(text: str) -> bool:
    return text.strip() in ("FROZEN", "FREEZING") or "frozen 1" in text.splitlines()
