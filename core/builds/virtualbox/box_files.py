"""An exported machine as the files of a box: its description, and what that names."""

from __future__ import annotations

import re
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from core.builds.artifact import Artifact
from core.builds.scene import Scene
from core.errors import BoxwrightError

EXPORTS = ("ovf", "ova")
"""What artifacts of the sources say of their format."""

DESCRIPTION = "box.ovf"
"""What boxes of Vagrant's for VirtualBox call it."""

_ADDRESS = re.compile(r'<Adapter slot="0"[^>]*MACAddress="([0-9A-Fa-f]{12})"')


def box_files(artifact: Artifact, scene: Scene) -> dict[str, Path]:
    """By their names in the box, in the build's own folder. Blocks. Raises BoxwrightError."""
    folder = scene.folder / "exported"
    folder.mkdir(exist_ok=True)
    if artifact.facts["format"] == "ova":
        _unpack(Path(artifact.files[0]), folder)
    else:
        for file in artifact.files:
            shutil.copyfile(file, folder / Path(file).name)
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".ovf":
            found[DESCRIPTION] = path
        elif path.suffix != ".mf":
            # The sums of the manifest are those of the names that the export had.
            found[path.name] = path
    if DESCRIPTION not in found:
        raise BoxwrightError("The export has no description (OVF).", why=f"It is {artifact.text}.")
    return found


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as files:
        for entry in files:
            content = files.extractfile(entry)
            if content is not None:
                with (folder / PurePosixPath(entry.name).name).open("wb") as target:
                    shutil.copyfileobj(content, target, 1 << 20)


def vagrantfile(description: Path, user: str) -> str:
    """What Vagrant wants to know of such a box: the account, and the address of the first network card."""
    found = _ADDRESS.search(description.read_text(encoding="utf-8", errors="replace"))
    lines = ['Vagrant.configure("2") do |config|']
    if re.fullmatch(r"[\w.-]+", user):
        lines.append(f'  config.ssh.username = "{user}"')
    if found:
        lines.append(f'  config.vm.base_mac = "{found[1]}"')
    return "\n".join([*lines, "end", ""])
