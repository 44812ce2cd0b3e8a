"""Where one machine of libvirt keeps its things."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.model.machine import MachinePlan

_NAMESPACE = uuid.UUID("5f0c5a52-50f1-4f0e-9a8b-7a3a35b4b9d4")


def domain_uuid(machine_id: str) -> str:
    """The domain's UUID: follows from the machine's id, so that it is found whatever it is called."""
    return str(uuid.uuid5(_NAMESPACE, machine_id))


class Layout(msgspec.Struct, frozen=True):
    """Paths of a machine. All that lasts lies in ``home``, inside of the machine's folder."""

    machine_folder: Path
    runtime: Path

    @classmethod
    def of(cls, plan: MachinePlan) -> Layout:
        return cls(Path(plan.folder), Path(plan.runtime))

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Layout:
        """From the facts of an intent, see :meth:`facts`."""
        return cls(Path(facts["folder"]), Path(facts["runtime"]))

    def facts(self) -> dict[str, str]:
        return {"folder": str(self.machine_folder), "runtime": str(self.runtime)}

    @property
    def home(self) -> Path:
        return self.machine_folder / "libvirt"

    @property
    def staging(self) -> Path:
        """``home`` while it is being made."""
        return self.machine_folder / "libvirt.new"

    @property
    def record(self) -> Path:
        return self.home / "machine.json"

    @property
    def serial_log(self) -> Path:
        return self.home / "serial.log"

    @property
    def variables(self) -> Path:
        """The machine's own UEFI variables."""
        return self.home / "nvram.fd"

    @property
    def screen_socket(self) -> Path:
        return self.runtime / "screen"
