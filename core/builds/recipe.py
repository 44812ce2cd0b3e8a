"""Recipes: how each flavour of a bootstrap is made."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from core.errors import UsageError
from core.model.project import Bootstrap

RECIPES = Path(__file__).parent / "recipes"
"""The scripts that run while packages are installed, and the files that go into the systems."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How mmdebstrap is called for a flavour, and how its system boots."""

    flavour: str
    variant: str
    """mmdebstrap's: what is installed besides ``packages``."""
    packages: tuple[str, ...]
    hooks: tuple[tuple[str, str], ...]
    """mmdebstrap's moment ("extract", "essential", "customize") and the script, in the shell's words."""
    options: tuple[str, ...] = ()
    grub: str
    """What GRUB runs first."""
    menu: bool = False
    """Whether GRUB then reads a configuration file from the disk."""


# What a kernel has to say stays on the serial console: it is all that is seen while a guest is waited for.
_CONSOLE = "console=ttyS0,115200n8 net.ifnames=0 loglevel=6"

# Where processors are emulated, what a kernel does to harden itself and to measure its clock costs a
# third of the time to the first login. The tiny system is for trying things out, on loopback.
_HURRY = (
    "nokaslr mitigations=off init_on_alloc=0 kfence.sample_interval=0 cryptomgr.notests audit=0 numa=off"
    " tsc=reliable no_timer_check random.trust_cpu=on 8250.nr_uarts=1"
)

TINY = Recipe(
    flavour="tiny",
    variant="extract",
    packages=("linux-image-cloud-amd64", "busybox-static", "dropbear-bin", "sudo", "kmod"),
    hooks=(("extract", '"$BOXWRIGHT_RECIPES"/tiny/hook.sh'),),
    grub=f"linux /boot/vmlinuz {_CONSOLE} {_HURRY}\ninitrd /boot/initrd\nboot\n",
)

_OLD_SYSTEMD = frozenset({"stretch", "buster", "bullseye"})
"""Releases whose systemd package has its resolver inside."""

DEBIAN = Recipe(
    flavour="debian",
    variant="apt",
    packages=(
        "linux-image-cloud-amd64",
        "initramfs-tools",
        "systemd-sysv",
        "systemd-resolved",
        "libpam-systemd",
        "dbus",
        "udev",
        "iproute2",
        "iputils-ping",
        "openssh-server",
        "sudo",
        "ca-certificates",
        "less",
        "procps",
        "zstd",
    ),
    hooks=(
        ("essential", '"$BOXWRIGHT_RECIPES"/debian/before.sh'),
        ("customize", '"$BOXWRIGHT_RECIPES"/debian/hook.sh'),
    ),
    grub="configfile $prefix/grub.cfg\n",
    menu=True,
)


def recipe_for(source: Bootstrap) -> Recipe:
    """The recipe of a source's flavour, fitted to its release.

    Raises UsageError where the source asks for what the flavour does not have."""
    if source.flavour == "tiny":
        if source.packages:
            raise UsageError(
                "The flavour 'tiny' takes no packages.",
                why="Its system has no package manager: packages are unpacked in part and never installed.",
                remedy='flavour = "debian"',
            )
        return TINY
    if source.suite in _OLD_SYSTEMD:
        packages = tuple(name for name in DEBIAN.packages if name != "systemd-resolved")
        return msgspec.structs.replace(DEBIAN, packages=packages)
    return DEBIAN


def recipe_digest(recipe: Recipe) -> str:
    """A hash over a recipe and every file that belongs to it."""
    digest = hashlib.sha256(msgspec.json.encode(recipe))
    files = [path for path in (RECIPES / recipe.flavour).rglob("*") if path.is_file()]
    for path in (*sorted(files), RECIPES / "file-system.sh"):
        mode = path.stat().st_mode & 0o111
        digest.update(f"\0{path.relative_to(RECIPES)}\0{bool(mode)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
