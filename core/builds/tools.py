"""The programs of the system that builds run, and what to say where one is missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

from core.errors import BoxwrightError

_SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where some of the programs lie, and which a normal user's search path often lacks."""


class Tool(msgspec.Struct, frozen=True):
    """A program and the Debian package that brings it."""

    program: str
    package: str


MMDEBSTRAP = Tool("mmdebstrap", "mmdebstrap")
GRUB_MKIMAGE = Tool("grub-mkimage", "grub-common")
MKE2FS = Tool("mke2fs", "e2fsprogs")
QEMU_IMG = Tool("qemu-img", "qemu-utils")
UNSHARE = Tool("unshare", "util-linux")
SETPRIV = Tool("setpriv", "util-linux")
LZ4 = Tool("lz4", "lz4")
MFORMAT = Tool("mformat", "mtools")
MCOPY = Tool("mcopy", "mtools")
XORRISO = Tool("xorriso", "xorriso")
NEWUIDMAP = Tool("newuidmap", "uidmap")

GRUB_MODULES = Path("/usr/lib/grub/i386-pc")
GRUB_MODULES_PACKAGE = "grub-pc-bin"
DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def search_path() -> str:
    """``$PATH`` with the folders of system programs added."""
    return f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_FOLDERS}"


def find(tool: Tool) -> str | None:
    """Absolute path of a program, None where it is missing."""
    return shutil.which(tool.program, path=search_path())


def need(tool: Tool) -> str:
    """Absolute path of a program. Raises BoxwrightError where it is missing."""
    path = find(tool)
    if path is None:
        raise missing([tool.program], [tool.package])
    return path


def check_bootstrap() -> None:
    """Raise one BoxwrightError that names all that a bootstrap needs and that is not here."""
    programs: list[str] = []
    packages: list[str] = []
    for tool in (MMDEBSTRAP, GRUB_MKIMAGE, MKE2FS, QEMU_IMG, UNSHARE, SETPRIV):
        if find(tool) is None:
            programs.append(tool.program)
            packages.append(tool.package)
    if not (GRUB_MODULES / "boot.img").exists():
        programs.append("GRUB's modules for BIOS")
        packages.append(GRUB_MODULES_PACKAGE)
    if os.geteuid() != 0 and find(NEWUIDMAP) is None:
        programs.append(NEWUIDMAP.program)
        packages.append(NEWUIDMAP.package)
    if programs:
        raise missing(programs, packages)


def missing(programs: list[str], packages: list[str]) -> BoxwrightError:
    """The error that says which programs are not here and which packages bring them."""
    several = len(programs) > 1
    return BoxwrightError(
        f"{_listed(programs)} {'are' if several else 'is'} not installed.",
        why="A build works with the system's own tools.",
        remedy=f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install {' '.join(dict.fromkeys(packages))}",
    )


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
