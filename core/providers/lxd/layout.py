"""Where the provider keeps what in a machine's folder."""

from __future__ import annotations

from pathlib import Path

from core.providers.layout import MachineLayout


class Layout(MachineLayout, frozen=True):
    provider = "lxd"

    @property
    def serial_log(self) -> Path:
        return self.home / "console.log"
