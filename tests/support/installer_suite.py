"""A suite of the installer's components, for an archive of Debian that has not all of them.

What it has of the archive is the archive's. What the archive has only as source is built from that, and
said to be the same to the bit where apt's signed index agrees. Two components are cut out of packages. For
the rest there are ``stand_ins``, written here. The suite is signed with a key of its own, as the installer
asks for a signature.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.support.debian_mirror import archive

SUITE = "installer"
KEY = f"dists/{SUITE}/key.gpg"

OF_ARCHIVE = re.compile(r"base-installer|bootstrap-base|pkgsel|(ata|cdrom-core|crc|ext4|scsi)-modules-\S+")
OF_SOURCES = {
    "debootstrap": ("debootstrap-udeb",),
    "apt-setup": ("apt-setup-udeb", "apt-mirror-setup"),
}
STAND_INS = Path(__file__).with_name("stand_ins")


class Cut(NamedTuple):
    """Programs of packages, with the packages' libraries, as a component."""

    name: str
    packages: tuple[str, ...]
    files: tuple[str, ...]


CUTS = (
    Cut(
        "e2fsprogs-udeb",
        ("e2fsprogs", "libext2fs2", "libcom-err2"),
        ("sbin/mke2fs", "etc/mke2fs.conf"),
    ),
    Cut("fdisk-udeb", ("fdisk", "libfdisk1", "libsmartcols1"), ("sbin/sfdisk",)),
)


class Apt:
    """apt with lists of its own in ``folder``: packages, components and sources of a release."""

    def __init__(self, folder: Path, codename: str) -> None:
        for name in ("state/lists/partial", "cache/archives/partial", "parts"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        signed = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
        source = archive(codename)
        (folder / "sources.list").write_text(
            f"deb {signed} {source} {codename} main main/debian-installer\n"
            f"deb-src {signed} {source} {codename} main\n"
        )
        (folder / "apt.conf").write_text(
            f'Dir::State "{folder}/state";\nDir::State::status "{folder}/status";\n'
            f'Dir::Cache "{folder}/cache";\nDir::Etc::sourcelist "{folder}/sources.list";\n'
            f'Dir::Etc::sourceparts "{folder}/parts";\n'
            'APT::Sandbox::User "root";\n'
        )
        self._environment = {**os.environ, "APT_CONFIG": str(folder / "apt.conf"), "LC_ALL": "C"}
        self.run("apt-get", "update", inside=folder)

    def run(self, *words: str, inside: Path) -> str:
        """What the command prints, with ``inside`` as the folder for what it fetches."""
        return said(*words, inside=inside, environment=self._environment)

    def components(self, folder: Path) -> None:
        """Fetch what is taken from the archive into ``folder``."""
        names = self.run("apt-cache", "pkgnames", inside=folder).split()
        self.run("apt-get", "download", *filter(OF_ARCHIVE.fullmatch, names), inside=folder)


def said(*words: str, inside: Path, environment: dict[str, str] | None = None) -> str:
    """What a command prints, which must not fail."""
    ran = subprocess.run(
        words, cwd=inside, env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    assert ran.returncode == 0, f"{' '.join(words)}:\n{ran.stdout[-3000:]}{ran.stderr[-3000:]}"
    return ran.stdout


def lay(target: Path, codename: str, architecture: str, folder: Path) -> None:
    """Lay the suite into ``target``, an archive's folder on a mirror. ``folder``: for working in."""
    pool = target / "pool"
    pool.mkdir(parents=True)
    lists = folder / "apt"
    lists.mkdir(parents=True)
    apt = Apt(lists, codename)
    apt.components(pool)
    for source, names in OF_SOURCES.items():
        _build(apt, source, names, pool, folder / source)
    for cut in CUTS:
        _cut(apt, cut, architecture, pool, folder / cut.name)
    for stand_in in sorted(STAND_INS.iterdir()):
        _pack(stand_in, pool)
    _publish(target, architecture, folder)


def _build(apt: Apt, source: str, names: tuple[str, ...], pool: Path, folder: Path) -> None:
    """Components of a source package."""
    folder.mkdir()
    apt.run("apt-get", "source", "--only-source", source, inside=folder)
    (tree,) = (path for path in folder.iterdir() if path.is_dir())
    said("dpkg-buildpackage", "-b", "-us", "-uc", inside=tree)
    for name in names:
        (built,) = folder.glob(f"{name}_*.udeb")
        signed = f"SHA256: {hashlib.sha256(built.read_bytes()).hexdigest()}\n"
        same = signed in apt.run("apt-cache", "show", name, inside=folder)
        print(f"built: {built.name}, {'to the bit' if same else 'not'} what the archive's index says")
        shutil.move(built, pool)


def _cut(apt: Apt, cut: Cut, architecture: str, pool: Path, folder: Path) -> None:
    unpacked, tree = folder / "unpacked", folder / "tree"
    unpacked.mkdir(parents=True)
    apt.run("apt-get", "download", *cut.packages, inside=folder)
    for package in folder.glob("*.deb"):
        said("dpkg-deb", "--extract", str(package), str(unpacked), inside=folder)
    libraries = (str(path.relative_to(unpacked)) for path in unpacked.rglob("lib*.so.*"))
    for name in (*cut.files, *libraries):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(unpacked / name, tree / name, follow_symlinks=False)
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        f"Package: {cut.name}\nVersion: 1\nArchitecture: {architecture}\nSection: debian-installer\n"
        f"Priority: optional\nMaintainer: Boxwright <nobody@localhost>\n"
        f"Description: Programs of {', '.join(cut.packages)}\n"
    )
    _pack(tree, pool, cut.name)


def _pack(tree: Path, pool: Path, name: str = "") -> None:
    said("dpkg-deb", "--root-owner-group", "--build", str(tree), f"{name or tree.name}_1.udeb", inside=pool)


def _publish(target: Path, architecture: str, folder: Path) -> None:
    """Index, release and signature of what lies in the pool."""
    component = f"main/debian-installer/binary-{architecture}"
    index = target / "dists" / SUITE / component / "Packages.gz"
    index.parent.mkdir(parents=True)
    paragraphs = (_paragraph(path, target) for path in sorted((target / "pool").glob("*.udeb")))
    index.write_bytes(gzip.compress("\n".join(paragraphs).encode()))
    digest = hashlib.sha256(index.read_bytes()).hexdigest()
    release = target / "dists" / SUITE / "Release"
    release.write_text(
        f"Suite: {SUITE}\nCodename: {SUITE}\nArchitectures: {architecture}\nComponents: main\n"
        f"SHA256:\n {digest} {index.stat().st_size} {component}/Packages.gz\n"
    )
    home = folder / "gpg"
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--homedir", str(home), "--batch", "--passphrase", "", "--pinentry-mode", "loopback")
    try:
        said(*gpg, "--quick-generate-key", "components", "rsa2048", "sign", "never", inside=folder)
        said(*gpg, "--output", str(target / KEY), "--export", inside=folder)
        said(*gpg, "--output", f"{release}.gpg", "--detach-sign", str(release), inside=folder)
    finally:
        said("gpgconf", "--homedir", str(home), "--kill", "all", inside=folder)


def _paragraph(path: Path, target: Path) -> str:
    control = said("dpkg-deb", "--field", str(path), inside=target)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    name = path.relative_to(target)
    return f"{control}Filename: {name}\nSize: {path.stat().st_size}\nSHA256: {digest}\n"
