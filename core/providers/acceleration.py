"""Which accelerator guests use, and why."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import msgspec

from core.errors import ProviderError


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """What matters of this computer."""

    system: str
    """As ``sys.platform``."""
    architecture: str
    kvm_device: bool = False
    """There is a /dev/kvm."""
    kvm_allowed: bool = False
    """... and we may open it."""
    virtualization: bool = False
    """The processor says that it can run guests by itself."""
    hvf: bool = False


class Acceleration(msgspec.Struct, frozen=True):
    name: str
    """``kvm``, ``hvf`` or ``tcg``."""
    reason: str

    @property
    def cpu(self) -> str:
        return "max" if self.name == "tcg" else "host"

    @property
    def argument(self) -> str:
        return "tcg,thread=multi" if self.name == "tcg" else self.name

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}


def this_host() -> Host:
    """Look at this computer; takes a millisecond on Linux."""
    machine = platform.machine().lower()
    architecture = _NAMES.get(machine, machine)
    if sys.platform == "darwin":
        return Host(system="darwin", architecture=architecture, hvf=_has_hvf())
    device = Path("/dev/kvm")
    return Host(
        system=sys.platform,
        architecture=architecture,
        kvm_device=device.exists(),
        kvm_allowed=os.access(device, os.R_OK | os.W_OK),
        virtualization=_can_virtualize(architecture),
    )


def _has_hvf() -> bool:
    try:
        found = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.hv_support"], capture_output=True, timeout=2, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.stdout.strip() == b"1"


def _can_virtualize(architecture: str) -> bool:
    """A /dev/kvm alone proves little on x86: inside of some virtual machines it opens, and guests hang."""
    if architecture != "x86_64":
        return True
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return bool({"vmx", "svm"} & set(flags.split()))


def choose(wanted: str, guest: str, host: Host) -> Acceleration:
    """The accelerator for a guest of architecture ``guest``.

    ``wanted`` is ``auto`` or a name; one that is named and cannot be had raises ProviderError.
    """
    if wanted == "tcg":
        return Acceleration("tcg", "as the project says")
    why_not = {"kvm": _no_kvm(guest, host), "hvf": _no_hvf(guest, host)}
    if wanted != "auto":
        if why_not[wanted]:
            raise ProviderError(
                f"The accelerator {wanted} cannot be used: {why_not[wanted]}.",
                remedy=_remedy(wanted, host) or 'set accelerator = "auto" in the machine\'s qemu table',
            )
        return Acceleration(wanted, "as the project says")
    best = "hvf" if host.system == "darwin" else "kvm"
    if not why_not[best]:
        return Acceleration(best, "the processor runs the guest itself")
    return Acceleration("tcg", f"emulated: {why_not[best]}")


def remedy(guest: str, host: Host) -> str:
    """The command that gives guests of this architecture a faster accelerator; "" without one."""
    allowed = msgspec.structs.replace(host, kvm_allowed=True)
    return _remedy("kvm", host) if not _no_kvm(guest, allowed) else ""


def _no_kvm(guest: str, host: Host) -> str:
    if host.system != "linux":
        return "KVM is there on Linux only"
    if guest != host.architecture:
        return f"the guest is {guest}, this computer {host.architecture}"
    if not host.kvm_device:
        return "there is no /dev/kvm"
    if not host.kvm_allowed:
        return "you may not open /dev/kvm"
    if not host.virtualization:
        return "no vmx or svm in /proc/cpuinfo"
    return ""


def _no_hvf(guest: str, host: Host) -> str:
    if host.system != "darwin":
        return "HVF is there on macOS only"
    if guest != host.architecture:
        return f"the guest is {guest}, this computer {host.architecture}"
    return "" if host.hvf else "this computer has no hypervisor support"


def _remedy(wanted: str, host: Host) -> str:
    if wanted == "kvm" and host.kvm_device and not host.kvm_allowed:
        return "sudo usermod -aG kvm $USER, then log in again"
    return ""
