"""Where one machine keeps its things: the part that is the same at every provider."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from core.model.machine import MachinePlan

if TYPE_CHECKING:
    from typing import Self


class MachineLayout(msgspec.Struct, frozen=True):
    """Paths of a machine. All that lasts lies in ``home``, inside of the machine's folder."""

    provider: ClassVar[str]
    """Name of the provider, and of ``home``."""

    machine_folder: Path
    runtime: Path

    @classmethod
    def of(cls, plan: MachinePlan) -> Self:
        return cls(Path(plan.folder), Path(plan.runtime))

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """From the facts of an intent, see :meth:`facts`."""
        return cls(Path(facts["folder"]), Path(facts["runtime"]))

    def facts(self) -> dict[str, str]:
        return {"folder": str(self.machine_folder), "runtime": str(self.runtime)}

    @property
    def home(self) -> Path:
        return self.machine_folder / self.provider

    @property
    def staging(self) -> Path:
        """``home`` while it is being made."""
        return self.machine_folder / f"{self.provider}.new"

    @property
    def record(self) -> Path:
        return self.home / "machine.json"

    @property
    def serial_log(self) -> Path:
        return self.home / "serial.log"
