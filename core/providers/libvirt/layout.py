"""Where one machine of libvirt keeps its things."""

from __future__ import annotations

import uuid
from pathlib import Path

from core.providers.layout import MachineLayout

_NAMESPACE = uuid.UUID("5f0c5a52-50f1-4f0e-9a8b-7a3a35b4b9d4")


def domain_uuid(machine_id: str) -> str:
    """The domain's UUID: follows from the machine's id, so that it is found whatever it is called."""
    return str(uuid.uuid5(_NAMESPACE, machine_id))


class Layout(MachineLayout, frozen=True):
    provider = "libvirt"

    @property
    def variables(self) -> Path:
        """The machine's own UEFI variables."""
        return self.home / "nvram.fd"

    @property
    def screen_socket(self) -> Path:
        return self.runtime / "screen"
