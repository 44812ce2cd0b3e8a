"""Looks at everything that Boxwright needs from its surroundings."""

from __future__ import annotations

import enum
import os
import platform
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core import __version__, amounts
from core.errors import BoxwrightError
from core.model.provider import Probe
from core.paths import Locations, locations

if TYPE_CHECKING:
    from core.cli.context import Context

_LONGEST_SOCKET = 104
"""Bytes of a Unix socket's path on the strictest system."""
_LITTLE, _TOO_LITTLE = 5 << 30, 512 << 20
"""Bytes of free space below which to warn, and below which nothing can be done."""


NOT_USABLE = "not usable"
"""What is said of a provider that is not."""


class Verdict(enum.StrEnum):
    GOOD = "good"
    NOTE = "note"
    """Works, or is needed for some things only."""
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    topic: str
    name: str
    verdict: Verdict
    text: str
    why: str = ""
    remedy: str = ""


def examine(context: Context) -> list[Finding]:
    """All findings, by topic. Never raises."""
    where = locations()
    return [
        *_system(),
        *_folders(where),
        _engine(context),
        *(_provider(probe) for probe in probe_all()),
        *_networks(),
        *_programs(),
    ]


def _system() -> list[Finding]:
    version = ".".join(str(number) for number in sys.version_info[:3])
    good = sys.version_info >= (3, 11)
    return [
        Finding(topic="System", name="boxwright", verdict=Verdict.GOOD, text=__version__),
        Finding(
            topic="System",
            name="Python",
            verdict=Verdict.GOOD if good else Verdict.BAD,
            text=version,
            why="" if good else "Boxwright needs 3.11 or newer.",
        ),
        Finding(
            topic="System",
            name="system",
            verdict=Verdict.GOOD if sys.platform in ("linux", "darwin") else Verdict.BAD,
            text=f"{platform.system()} {platform.release()}, {platform.machine()}",
        ),
    ]


def _folders(where: Locations) -> list[Finding]:
    """Private folders of the user, with room in them."""
    try:
        where.prepare()
    except (BoxwrightError, OSError) as error:
        problem = error.problem if isinstance(error, BoxwrightError) else None
        return [
            Finding(
                topic="Folders",
                name="folders",
                verdict=Verdict.BAD,
                text=problem.what if problem else f"They cannot be made: {error}",
                why=problem.why if problem else "",
                remedy=problem.remedy if problem else "export BOXWRIGHT_HOME=<a folder of yours>",
            )
        ]
    return [_private("data", where.data), _private("sockets", where.runtime), _socket(where), _space(where)]


def _private(name: str, folder: Path) -> Finding:
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not os.access(folder, os.W_OK):
        return Finding(
            topic="Folders", name=name, verdict=Verdict.BAD, text=f"{folder} cannot be written.",
            remedy=f"sudo chown -R {os.getuid()} {folder}",
        )  # fmt: skip
    if mode & 0o077:
        return Finding(
            topic="Folders", name=name, verdict=Verdict.NOTE, text=str(folder),
            why=f"Others can read it (mode {mode:o}): private keys lie in it.", remedy=f"chmod 700 {folder}",
        )  # fmt: skip
    return Finding(topic="Folders", name=name, verdict=Verdict.GOOD, text=str(folder))


def _socket(where: Locations) -> Finding:
    # Machines have sockets one folder deeper.
    length = len(os.fsencode(where.runtime)) + 40
    good = length <= _LONGEST_SOCKET
    return Finding(
        topic="Folders",
        name="socket paths",
        verdict=Verdict.GOOD if good else Verdict.BAD,
        text="short enough" if good else f"up to {length} bytes; the system takes {_LONGEST_SOCKET}",
        remedy="" if good else "export XDG_RUNTIME_DIR=<a private folder with a short path>",
    )


def _space(where: Locations) -> Finding:
    free = shutil.disk_usage(where.data).free
    verdict = Verdict.BAD if free < _TOO_LITTLE else Verdict.NOTE if free < _LITTLE else Verdict.GOOD
    return Finding(
        topic="Folders",
        name="free space",
        verdict=verdict,
        text=amounts.size(free),
        why="" if verdict is Verdict.GOOD else "Boxes and machines' disks need some GiB.",
        remedy="" if verdict is Verdict.GOOD else "boxwright box prune",
    )


def _engine(context: Context) -> Finding:
    """It is started for this: that it can be is what matters."""
    from core.model.query import EngineView, GetEngine

    try:
        view = context.session.query(GetEngine())
    except BoxwrightError as error:
        problem = error.problem
        return Finding(
            topic="Engine", name="engine", verdict=Verdict.BAD, text=problem.what, why=problem.why,
            remedy=problem.remedy,
        )  # fmt: skip
    assert isinstance(view, EngineView)
    return Finding(
        topic="Engine",
        name="engine",
        verdict=Verdict.NOTE if view.trouble else Verdict.GOOD,
        text=f"{view.version}, process {view.pid}, {amounts.count(view.running, 'operation')}",
        why=view.trouble,
        remedy="boxwright engine log" if view.trouble else "",
    )


def probe_all() -> list[Probe]:
    """Every installed provider, probed now and here: nothing depends on an engine that may be old."""
    import asyncio

    from core.engine.installed import installed_providers

    providers, broken = installed_providers()

    async def probe() -> list[Probe]:
        found = await asyncio.gather(*(one.probe() for one in providers.values()))
        for one in providers.values():
            await one.close()
        return list(found)

    return sorted([*asyncio.run(probe()), *broken], key=lambda probe: probe.provider)


def _provider(probe: Probe) -> Finding:
    return Finding(
        topic="Providers",
        name=probe.provider,
        verdict=Verdict.GOOD if probe.usable and not probe.remedy else Verdict.NOTE,
        text=(probe.version or "usable") if probe.usable else NOT_USABLE,
        why=probe.why,
        remedy=probe.remedy,
    )


def _networks() -> list[Finding]:
    """Whether machines of a project can share networks of their own."""
    from core.engine.handlers.addressing import RANGE
    from core.providers.routes import ranges
    from core.providers.wire import trouble

    taken = amounts.listed(sorted(str(other) for other in ranges() if other.overlaps(RANGE)))
    why = trouble()
    return [
        Finding(
            topic="Networks",
            name="addresses",
            verdict=Verdict.NOTE if taken else Verdict.GOOD,
            text=str(RANGE),
            why=f"The host uses {taken} of it; networks get others." if taken else "",
        ),
        Finding(
            topic="Networks",
            name="QEMU",
            verdict=Verdict.NOTE if why else Verdict.GOOD,
            text="networks will not work" if why else "multicast on the loopback works",
            why=why,
            remedy="sudo ip link set lo up" if why else "",
        ),
    ]


def _programs() -> list[Finding]:
    return [_ssh(), _builds()]


def _ssh() -> Finding:
    path = shutil.which("ssh")
    if path is None:
        return Finding(
            topic="Programs", name="ssh", verdict=Verdict.BAD, text="not installed",
            why="'boxwright ssh' runs it.", remedy="apt-get install openssh-client",
        )  # fmt: skip
    ran = subprocess.run([path, "-V"], capture_output=True, text=True, check=False, timeout=10)
    return Finding(topic="Programs", name="ssh", verdict=Verdict.GOOD, text=ran.stderr.strip().split(",")[0])


def _builds() -> Finding:
    from core.builds.tools import check_bootstrap

    try:
        check_bootstrap()
    except BoxwrightError as error:
        problem = error.problem
        return Finding(
            topic="Programs", name="builds", verdict=Verdict.NOTE, text=problem.what,
            why="Builds with a bootstrap source need it; nothing else does.", remedy=problem.remedy,
        )  # fmt: skip
    return Finding(topic="Programs", name="builds", verdict=Verdict.GOOD, text="all tools of a bootstrap")
