"""What every provisioner is: a way to change a guest, one class for each kind of declaration."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Protocol

from core.errors import BoxwrightError
from core.guests.base import Guest
from core.model.project import Provision
from core.model.work import Work


class ProvisionError(BoxwrightError):
    """A provisioner failed: says what ran, how it ended and, as ``problem.tail``, what it said last."""


class Provisioner(Protocol):
    """Found by its kind in the entry-point group ``boxwright.provisioners``; made without arguments,
    once, and without state."""

    kind: ClassVar[str]

    def check(self, provision: Provision, project_root: Path) -> None:
        """Raise (NotFoundError, UsageError) for what cannot work; nothing has begun yet."""

    def inputs(self, provision: Provision, project_root: Path) -> bytes:
        """A digest of the files of the host that go into the guest: when it differs, the step is due
        again. May take a while; called in a thread, after ``check``."""

    async def run(self, provision: Provision, guest: Guest, *, project_root: Path, work: Work) -> None:
        """Do it. Output goes to ``work.write`` as it comes. Raises ProvisionError."""
