"""Where one machine of QEMU keeps its things."""

from __future__ import annotations

from pathlib import Path

from core.providers.layout import MachineLayout


class Layout(MachineLayout, frozen=True):
    provider = "qemu"

    @property
    def pid_file(self) -> Path:
        """Its path, as an argument of the process, is also what a process is recognised by."""
        return self.home / "qemu.pid"

    @property
    def log(self) -> Path:
        """What QEMU itself says."""
        return self.home / "qemu.log"

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
