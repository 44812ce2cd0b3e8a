"""Where one machine of VirtualBox keeps its things, and what it is called there."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.model.machine import MachinePlan

_NAMESPACE = uuid.UUID("8a4f8f0c-7d0b-4bb8-9c55-7f9f4c7a9b31")


def machine_uuid(machine_id: str) -> str:
    """Follows from the machine's id, so that it is found whatever it is called."""
    return str(uuid.uuid5(_NAMESPACE, machine_id))


def machine_name(plan: MachinePlan) -> str:
    return str(plan.options.get("name") or f"boxwright-{plan.key.name}-{plan.id}")


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
        return self.machine_folder / "virtualbox"

    @property
    def masters(self) -> Path:
        """Folder of the machines that stand for boxes; shared by all machines of this user."""
        return self.machine_folder.parent.parent / "virtualbox"

    @property
    def record(self) -> Path:
        return self.home / "machine.json"

    @property
    def serial_log(self) -> Path:
        return self.home / "serial.log"

    @property
    def serial_socket(self) -> Path:
        return self.runtime / "serial"

    def settings(self, plan: MachinePlan) -> Path:
        """VirtualBox keeps everything of a machine beside this file."""
        return self.home / f"boxwright-{plan.key.name}-{plan.id}.vbox"
