"""Commands of the user's for VBoxManage (``customize``), as Vagrant has them."""

from __future__ import annotations

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.model.work import Work
from core.providers.virtualbox import host
from core.providers.virtualbox.layout import machine_uuid
from core.providers.virtualbox.options import ID, Options

_NOISE = ("WARNING: The character device /dev/vboxdrv", "WARNING: The vboxdrv kernel module")


async def customize(plan: MachinePlan, options: Options, moment: str, work: Work) -> None:
    """Run those that are due at that moment, in order. Raises ProviderError with what VBoxManage said."""
    for command in options.commands(moment):
        words = [machine_uuid(plan.id) if word == ID else word for word in command]
        work.note(f"VBoxManage {' '.join(command)}")
        ended = await host.manage(*words)
        work.write(ended.output.encode())
        if ended.status:
            raise ProviderError(
                f"VBoxManage refused a command of customize: {' '.join(command)}",
                why=said(ended.errors) or f"It ended with status {ended.status}.",
                remedy="correct customize in the machine's virtualbox table",
            )


def said(errors: str) -> str:
    """The message of VBoxManage without the usage text and without what it says of the kernel module."""
    lines = [line.strip() for line in errors.splitlines()]
    marked = [line for line in lines if line.startswith("VBoxManage: error:")]
    kept = marked or [line for line in lines if line and not line.startswith(_NOISE)]
    return " ".join(line.removeprefix("VBoxManage: error:").strip() for line in kept)[:600]
