"""Where one machine of QEMU keeps its things."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.model.machine import MachinePlan


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
        return self.machine_folder / "qemu"

    @property
    def staging(self) -> Path:
        """``home`` while it is being made."""
        return self.machine_folder / "qemu.new"

    @property
    def record(self) -> Path:
        return self.home / "machine.json"

    @property
    def pid_file(self) -> Path:
        """Its path, as an argument of the process, is also what a process is recognised by."""
        return self.home / "qemu.pid"

    @property
    def log(self) -> Path:
        """What QEMU itself says."""
        return self.home / "qemu.log"

    @property
    def serial_log(self) -> Path:
        return self.home / "serial.log"

    @property
    def saved(self) -> Path:
        """The memory of a suspended machine. The file is there if and only if it is complete."""
        return self.home / "memory.saved"

    @property
    def saving(self) -> Path:
        """``saved`` while it is being written."""
        return self.home / "memory.new"

    @property
    def monitor_socket(self) -> Path:
        return self.runtime / "qmp"

    @property
    def serial_socket(self) -> Path:
        return self.runtime / "serial"

    @property
    def vnc_socket(self) -> Path:
        return self.runtime / "vnc"

    @property
    def sockets(self) -> tuple[Path, ...]:
        return (self.monitor_socket, self.serial_socket, self.vnc_socket)
