"""Programs of the hypervisors on this computer: which, how old, and how to install them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from core.errors import ProviderError

OLDEST = (6, 0)
"""Snapshots of a running machine need the ``snapshot-save`` command, new in 6.0."""


class Ended(msgspec.Struct, frozen=True):
    """What a program said before it ended."""

    status: int
    output: str
    errors: str


async def run(*argv: str) -> Ended:
    """Run a program to its end, without a shell. When cancelled, the program is killed and gone."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, errors = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    return Ended(process.returncode or 0, output.decode(errors="replace"), errors.decode(errors="replace"))


def emulator(architecture: str) -> str:
    """Path of the emulator; raises ProviderError with the command that installs it."""
    return _found(f"qemu-system-{architecture}", "emulator", architecture)


def image_tool() -> str:
    """Path of ``qemu-img``."""
    return _found("qemu-img", "image tool", "")


def _found(name: str, what: str, architecture: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise ProviderError(
            f"QEMU's {what} ({name}) is not installed.", remedy=install_command(what, architecture)
        )
    return path


def parse_version(text: str) -> tuple[int, ...]:
    """The numbers of e.g. "QEMU emulator version 7.2.22 (Debian ...)"; () where there are none."""
    found = re.search(r"version (\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups() if part) if found else ()


_APT = {
    ("emulator", "x86_64"): "qemu-system-x86",
    ("emulator", "aarch64"): "qemu-system-arm",
    ("firmware", "x86_64"): "ovmf",
    ("firmware", "aarch64"): "qemu-efi-aarch64",
    ("image tool", ""): "qemu-utils",
}
_DNF = {
    ("emulator", "x86_64"): "qemu-system-x86-core",
    ("emulator", "aarch64"): "qemu-system-aarch64-core",
    ("firmware", "x86_64"): "edk2-ovmf",
    ("firmware", "aarch64"): "edk2-aarch64",
    ("image tool", ""): "qemu-img",
}
_PACMAN = {
    ("emulator", "x86_64"): "qemu-system-x86",
    ("emulator", "aarch64"): "qemu-system-aarch64",
    ("firmware", "x86_64"): "edk2-ovmf",
    ("firmware", "aarch64"): "edk2-aarch64",
    ("image tool", ""): "qemu-img",
}
_ZYPPER = {
    ("emulator", "x86_64"): "qemu-x86",
    ("emulator", "aarch64"): "qemu-arm",
    ("firmware", "x86_64"): "qemu-ovmf-x86_64",
    ("firmware", "aarch64"): "qemu-uefi-aarch64",
    ("image tool", ""): "qemu-tools",
}
_FAMILIES = {
    "debian": ("sudo apt-get install -y", _APT),
    "ubuntu": ("sudo apt-get install -y", _APT),
    "fedora": ("sudo dnf install -y", _DNF),
    "rhel": ("sudo dnf install -y", _DNF),
    "arch": ("sudo pacman -S --noconfirm", _PACMAN),
    "suse": ("sudo zypper install -y", _ZYPPER),
}


def install_command(what: str, architecture: str, release: Path = Path("/etc/os-release")) -> str:
    """The command that installs ``emulator``, ``image tool`` or ``firmware`` on this system."""
    if sys.platform == "darwin":
        return "brew install qemu"
    for family in _families(release):
        if family in _FAMILIES:
            command, packages = _FAMILIES[family]
            return f"{command} {packages.get((what, architecture), 'qemu')}"
    return "install QEMU (emulator, qemu-img and UEFI firmware) with your system's package manager"


_FIRST = {"debian": "debian", "ubuntu": "debian", "fedora": "fedora", "rhel": "fedora", "arch": "arch",
          "suse": "suse"}  # fmt: skip


def install(packages: Mapping[str, str], release: Path = Path("/etc/os-release")) -> str:
    """The command that installs packages named for ``debian``, ``fedora``, ``arch`` and ``suse``.

    "" on a system that is not known.
    """
    for family in _families(release):
        first = _FIRST.get(family, "")
        if first in packages:
            return f"{_FAMILIES[family][0]} {packages[first]}"
    return ""


def _families(release: Path) -> list[str]:
    try:
        text = release.read_text()
    except OSError:
        return []
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    words = [fields.get("ID", ""), *fields.get("ID_LIKE", "").strip("\"'").split()]
    return [word.strip("\"'").removeprefix("open") for word in words]
