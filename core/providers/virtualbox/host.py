"""VirtualBox on this computer: which Python its API was made for, how its programs are called."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shlex
import shutil
import sys
from pathlib import Path

import core
from core.errors import ProviderError
from core.providers import tools
from core.providers.tools import Ended

PYTHON_VARIABLE = "BOXWRIGHT_VIRTUALBOX_PYTHON"
"""The Python that has VirtualBox's ``vboxapi``, where that is none of the usual ones."""

PREFIX_VARIABLE = "BOXWRIGHT_VIRTUALBOX_PREFIX"
"""Words before every command of VirtualBox, for one that lives in a container or the like."""

PATIENCE = 300.0
"""Seconds for a command of VBoxManage: it may copy disks."""

DEVICE = Path("/dev/vboxdrv")
"""Of the kernel module: without it no machine starts."""

_START = "import sys; sys.path += sys.argv[1:]; from core.providers.virtualbox.worker.{} import main; main()"

_PACKAGES = {
    "debian": "virtualbox",
    "fedora": "VirtualBox python3-VirtualBox",
    "arch": "virtualbox virtualbox-sdk",
    "suse": "virtualbox python3-virtualbox",
}


def prefix() -> list[str]:
    return shlex.split(os.environ.get(PREFIX_VARIABLE, ""))


def interpreters() -> list[str]:
    """Pythons that may have ``vboxapi``, the likeliest first."""
    named = os.environ.get(PYTHON_VARIABLE)
    if named:
        return [named]
    usual = [sys.executable, shutil.which("python3") or "", "/usr/bin/python3"]
    return [path for path in dict.fromkeys(usual) if path and Path(path).exists()]


def worker(interpreter: str, part: str) -> list[str]:
    """The command that runs ``loop`` or ``listener``. Raises ProviderError where pyvbox is missing."""
    found = importlib.util.find_spec("virtualbox")
    places = list(found.submodule_search_locations or ()) if found else []
    if not places:
        raise ProviderError(
            "The Python module virtualbox (pyvbox) is not installed.",
            remedy=f"{sys.executable} -m pip install 'virtualbox>=2.1'",
        )
    paths = dict.fromkeys(str(Path(place).parent) for place in (Path(core.__file__).parent, places[0]))
    return [*prefix(), interpreter, "-c", _START.format(part), *paths]


async def manage(*arguments: str) -> Ended:
    """Run VBoxManage to its end. Raises ProviderError where it is not installed."""
    program = [*prefix(), "VBoxManage"]
    if not prefix() and not shutil.which("VBoxManage"):
        raise not_installed()
    try:
        async with asyncio.timeout(PATIENCE):
            return await tools.run(*program, *arguments)
    except TimeoutError:
        raise ProviderError(
            f"VBoxManage {arguments[0]} has not ended after {PATIENCE:g} s.",
            remedy="end the process VBoxSVC, then try again",
        ) from None


def not_installed() -> ProviderError:
    return ProviderError(
        "VirtualBox is not installed.",
        why="There is no VBoxManage.",
        remedy=tools.install(_PACKAGES) or "install VirtualBox from https://www.virtualbox.org",
    )
