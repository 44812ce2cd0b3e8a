"""Machines on plain QEMU: no root, no daemon; each machine is one process that outlives the engine."""

from core.providers.qemu.provider import QemuProvider

__all__ = ["QemuProvider"]
