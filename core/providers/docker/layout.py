"""Where one container keeps its things on this side."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.model.machine import MachinePlan


class Layout(msgspec.Struct, frozen=True):
    """All lies in ``home``, inside of the machine's folder."""

    home: Path

    @classmethod
    def of(cls, plan: MachinePlan) -> Layout:
        return cls(Path(plan.folder) / "docker")

    @classmethod
    def at(cls, home: str) -> Layout:
        """From the facts of an intent."""
        return cls(Path(home))

    @property
    def record(self) -> Path:
        return self.home / "machine.json"

    @property
    def serial_log(self) -> Path:
        return self.home / "serial.log"
