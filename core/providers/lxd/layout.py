"""Where the provider keeps what in a machine's folder."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.model.machine import MachinePlan


class Layout(msgspec.Struct, frozen=True):
    """Paths of one machine."""

    folder: Path

    @classmethod
    def of(cls, plan: MachinePlan) -> Layout:
        return cls(Path(plan.folder))

    @property
    def home(self) -> Path:
        """Exists from the machine's creation to its end."""
        return self.folder / "lxd"

    @property
    def record(self) -> Path:
        return self.home / "machine.json"

    @property
    def serial_log(self) -> Path:
        return self.home / "console.log"
