"""Floppy disks and CDs that are made for one build."""

from __future__ import annotations

import glob
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.builds.process import run_tool
from core.builds.scene import Scene
from core.builds.tools import MCOPY, MFORMAT, XORRISO, need
from core.errors import NotFoundError
from core.model.work import Work


async def make_floppy(
    files: Sequence[str],
    dirs: Sequence[str],
    content: Mapping[str, str],
    label: str,
    scene: Scene,
    work: Work,
) -> Path:
    """A floppy disk of 1.44 MB: files at its top, folders as they are."""
    staging = _staged("floppy", files, content, scene, flat=True)
    for text in dirs:
        _copy_tree(scene.path(text), staging)
    image = scene.folder / "floppy.img"
    async with work.step("Make the floppy disk") as step:
        await run_tool(
            [need(MFORMAT), "-C", "-f", "1440", "-v", label[:11], "-i", str(image), "::"],
            work=step,
            doing="making the floppy disk",
        )
        items = [str(item) for item in sorted(staging.iterdir())]
        if items:
            await run_tool(
                [need(MCOPY), "-s", "-i", str(image), *items, "::/"],
                work=step,
                doing="copying onto the floppy disk (it holds 1.44 MB)",
            )
    return image


async def make_cd(
    files: Sequence[str], content: Mapping[str, str], label: str, scene: Scene, work: Work
) -> Path:
    """A CD with Joliet and Rock Ridge names."""
    staging = _staged("cd", files, content, scene, flat=False)
    image = scene.folder / "cd.iso"
    async with work.step("Make the CD") as step:
        await run_tool(
            [
                need(XORRISO),
                *("-as", "mkisofs", "-quiet", "-V", label, "-J", "-r", "-o", str(image)),
                str(staging),
            ],
            work=step,
            doing="making the CD",
        )
    return image


def _staged(name: str, files: Sequence[str], content: Mapping[str, str], scene: Scene, *, flat: bool) -> Path:
    folder = scene.folder / name
    folder.mkdir(mode=0o700)
    for path in expand(files, scene):
        if path.is_dir():
            if flat:
                for inner in path.rglob("*"):
                    if inner.is_file():
                        shutil.copyfile(inner, folder / inner.name)
            else:
                _copy_tree(path, folder)
        else:
            shutil.copyfile(path, folder / path.name)
    for inside, text in content.items():
        target = folder / inside.lstrip("/")
        if ".." in Path(inside).parts:
            raise NotFoundError(f"{inside!r} leads out of the {name}.")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return folder


def _copy_tree(path: Path, folder: Path) -> None:
    if not path.is_dir():
        raise NotFoundError(f"There is no folder {path}.")
    shutil.copytree(path, folder / path.name, dirs_exist_ok=True)


def expand(files: Sequence[str], scene: Scene) -> list[Path]:
    """Patterns become what they match. Raises NotFoundError for one that matches nothing."""
    found = []
    for text in files:
        matches = sorted(glob.glob(str(scene.path(text))))  # noqa: PTH207
        if not matches:
            raise NotFoundError(
                f"There is no {scene.path(text)}.", why="It is to go onto a floppy disk or CD."
            )
        found += [Path(match) for match in matches]
    return found
