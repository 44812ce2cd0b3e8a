"""Where one machine of VirtualBox keeps its things, and what it is called there."""

from __future__ import annotations

import uuid
from pathlib import Path

from core.model.machine import MachinePlan
from core.providers.layout import MachineLayout

_NAMESPACE = uuid.UUID("8a4f8f0c-7d0b-4bb8-9c55-7f9f4c7a9b31")


def machine_uuid(machine_id: str) -> str:
    """Follows from the machine's id, so that it is found whatever it is called."""
    return str(uuid.uuid5(_NAMESPACE, machine_id))


def machine_name(plan: MachinePlan) -> str:
    return str(plan.options.get("name") or f"boxwright-{plan.key.name}-{plan.id}")


class Layout(MachineLayout, frozen=True):
    provider = "virtualbox"

    @property
    def masters(self) -> Path:
        """Folder of the machines that stand for boxes; shared by all machines of this user."""
        return self.machine_folder.parent.parent / "virtualbox"

    @property
    def serial_socket(self) -> Path:
        return self.runtime / "serial"

    def settings(self, plan: MachinePlan) -> Path:
        """VirtualBox keeps everything of a machine beside this file."""
        return self.home / f"boxwright-{plan.key.name}-{plan.id}.vbox"
