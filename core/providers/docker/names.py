"""What a machine's things are called at the daemon, and the labels by which they are found again."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from core.model.machine import MachineKey, MachinePlan

MACHINE = "boxwright.machine"
"""Label of a container: the id of its machine."""

IMAGE = "boxwright.image"
"""Label of an image, network or volume: the id of the machine, or of the project, that it goes with."""

SNAPSHOT = "boxwright.snapshot"
"""Label of an image that is a snapshot: its name."""

CREATED = "boxwright.created"
"""Label of a snapshot: when it was made, in nanoseconds of Unix time."""

PARENT = "boxwright.parent"
"""Label of a snapshot: the tag of the one that its container went on from."""

PROJECT = "boxwright.project"
"""Label of a container: its project's folder."""


def container(key: MachineKey) -> str:
    return f"boxwright-{_safe(Path(key.project).name)}-{_safe(key.name)}"


def network(project: str) -> str:
    """The network that all containers of a project share; folders of one name do not."""
    return f"boxwright-{_safe(Path(project).name)}-{project_digest(project)}"


def volume(project: str, name: str) -> str:
    return f"{network(project)}-{_safe(name)}"


def repository(machine_id: str) -> str:
    """Where the images that are made of a machine lie."""
    return f"boxwright/{machine_id}"


def project_digest(project: str) -> str:
    return hashlib.sha256(project.encode()).hexdigest()[:8]


def _safe(text: str) -> str:
    """Docker allows letters, digits, ``_``, ``.`` and ``-``, and wants one of the first two in front."""
    return re.sub(r"[^a-zA-Z0-9_.-]+", "-", text).strip("-._") or "machine"


def labels(plan: MachinePlan) -> dict[str, str]:
    return {MACHINE: plan.id, PROJECT: plan.key.project}
