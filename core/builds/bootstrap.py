"""The bootstrap source: a bootable disk image made from a distribution's packages with mmdebstrap."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.builds import namespace
from core.builds.disk import OFFSET, convert, install_grub, make_raw
from core.builds.packages import Reading
from core.builds.process import run_guarded
from core.builds.recipe import RECIPES, Recipe, recipe_for
from core.builds.tools import MMDEBSTRAP, check_bootstrap, need
from core.guests.insecure import PUBLIC_KEYS
from core.model.project import Bootstrap, parse_size
from core.model.work import Work

LABEL = "boxwright-root"


async def bootstrap(source: Bootstrap, *, folder: Path, work: Work, root: Path | None = None) -> Path:
    """Make the image in ``folder`` (private, exists; whoever made it has promised to remove it), and of the
    same system the archive ``root``, see :func:`bootstrap_root`.

    Returns the path of a qcow2 image that boots by BIOS from a virtio disk and answers SSH for the
    user ``vagrant`` with Vagrant's insecure keys. Raises BoxwrightError where programs are missing, the
    system does not allow what is needed, a package is not there, or the disk is full.
    """
    recipe = recipe_for(source)
    async with work.step("Check the tools") as step:
        check_bootstrap()
        await namespace.check()
        step.note("mmdebstrap as root" if namespace.is_root() else "mmdebstrap in a user namespace")
    raw = folder / "disk.raw"
    make_raw(raw, parse_size(source.size))
    disk = {
        "BOXWRIGHT_DISK": str(raw),
        "BOXWRIGHT_OFFSET": str(OFFSET),
        "BOXWRIGHT_KIB": str((raw.stat().st_size - OFFSET) // 4096 * 4),
        "BOXWRIGHT_ROOT": str(root or ""),
    }
    async with work.step("Install packages", detail=f"{source.suite}, {recipe.flavour}") as step:
        await _install(source, recipe, disk, folder, step)
    async with work.step("Write the boot loader") as step:
        await install_grub(raw, recipe.grub, menu=recipe.menu, folder=folder, work=step)
    image = folder / "disk.qcow2"
    async with work.step("Convert to qcow2") as step:
        await convert(raw, image, step)
        raw.unlink()
        step.note(f"{image.stat().st_size / 1e6:.0f} MB")
    return image


async def bootstrap_root(source: Bootstrap, *, folder: Path, work: Work) -> Path:
    """The same system as an archive of its root file system, for containers: without a kernel."""
    recipe = recipe_for(source)
    need(MMDEBSTRAP)
    await namespace.check()
    root = folder / "rootfs.tar"
    async with work.step("Install packages", detail=f"{source.suite}, {recipe.flavour}") as step:
        await _install(source, recipe, {"BOXWRIGHT_ROOT": str(root)}, folder, step)
        step.note(f"{root.stat().st_size / 1e6:.0f} MB")
    return root


async def _install(
    source: Bootstrap, recipe: Recipe, target: Mapping[str, str], folder: Path, work: Work
) -> None:
    reading = Reading(work)
    temporary = folder / "tmp"
    temporary.mkdir(mode=0o700)
    await run_guarded(
        namespace.inside(_mmdebstrap(source, recipe), folder),
        work=work,
        doing=f"installing the packages of {source.suite}",
        environment={**_environment(folder, temporary), **target},
        folder=folder,
        seen=reading.line,
    )


def _mmdebstrap(source: Bootstrap, recipe: Recipe) -> list[str]:
    """Without a mirror: mmdebstrap then takes the distribution's own, with updates and security."""
    hooks = [f'--{hook}-hook=sh {script} "$1"' for hook, script in recipe.hooks]
    return [
        need(MMDEBSTRAP),
        "--verbose",
        "--mode=root",
        "--format=null",
        f"--variant={recipe.variant}",
        f"--architectures={source.architecture}",
        f"--components={','.join(source.components)}",
        f"--include={','.join((*recipe.packages, *source.packages))}",
        *recipe.options,
        *hooks,
        source.suite,
        "-",
    ]


def _environment(folder: Path, temporary: Path) -> Mapping[str, str]:
    keys = folder / "authorized_keys"
    keys.write_text("".join(f"{key}\n" for key in PUBLIC_KEYS))
    return {
        "TMPDIR": str(temporary),
        "LC_ALL": "C.UTF-8",
        "BOXWRIGHT_WORK": str(temporary),
        "BOXWRIGHT_LABEL": LABEL,
        "BOXWRIGHT_RECIPES": str(RECIPES),
        "BOXWRIGHT_KEYS": str(keys),
    }
