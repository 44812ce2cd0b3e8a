"""A real VirtualBox under test. Its guests cannot run here, as there is no kernel module."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from core.model.machine import MachinePlan
from core.providers.base import Provider
from core.providers.virtualbox.context import existing
from core.providers.virtualbox.provider import VirtualBoxProvider
from tests.providers.bench import Plans
from tests.support.virtualbox import VirtualBox


class VirtualBoxPlans(Plans):
    """Plans with a box of VirtualBox's, whose files lie somewhere by other names, as in the store."""

    def __init__(self, root: Path, box: Path) -> None:
        super().__init__(root)
        self.files: dict[str, str] = {}
        for number, file in enumerate(sorted(box.iterdir())):
            stored = root / f"blob{number}"
            shutil.copyfile(file, stored)
            self.files[file.name] = str(stored)

    def make(self, **changes: Any) -> MachinePlan:
        return super().make(**{"disks": (), "box_files": self.files, **changes})

    def lose_box(self, plan: MachinePlan) -> None:
        """From the store, and what was made of it."""
        for path in self.files.values():
            Path(path).unlink()
        for disk in (self.root / "virtualbox").rglob("disk0.vmdk"):
            disk.unlink()


class VirtualBoxBench:
    def __init__(self, root: Path, virtualbox: VirtualBox, box: Path) -> None:
        self.virtualbox = virtualbox
        self.provider: Provider = VirtualBoxProvider()
        self.plans: Plans = VirtualBoxPlans(root, box)
        self.later: list[Provider] = []

    def again(self) -> Provider:
        self.later.append(VirtualBoxProvider())
        self.provider = self.later[-1]
        return self.provider

    async def close(self) -> None:
        for provider in (self.provider, *self.later):
            await provider.close()

    async def lose_disk(self, plan: MachinePlan) -> None:
        Path(existing(plan).disks[0][0]).unlink()

    async def traces(self, plan: MachinePlan) -> list[str]:
        found = [str(path) for path in Path(plan.folder).iterdir()]
        listing = self.virtualbox.listing()
        found += [line for line in listing["machines"] if plan.id in line]
        found += [line for line in listing["disks"] if plan.folder in line]
        return found + ([plan.runtime] if Path(plan.runtime).exists() else [])

    async def kill(self, plan: MachinePlan) -> None:
        raise NotImplementedError("its guests do not run here")

    power_off = deafen = store = kill

    async def count(self, plan: MachinePlan) -> int:
        raise NotImplementedError("its guests do not run here")

    stored = count
