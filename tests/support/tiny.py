"""The tiny guest for tests: built once by the real build, kept in the user's cache, booted by QEMU.

``tiny_image`` (a fixture) is the path of the image: read-only, to be used as a backing file;
``tiny_store`` (a fixture) a store with a box of it. Import them in a conftest.py.
:func:`booted` starts QEMU on an overlay of an image, without any of our provider's code.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

import core.boxes
from core.boxes.store import BoxStore
from core.builds.bootstrap import bootstrap
from core.builds.fingerprint import source_fingerprint
from core.builds.undo import UNDO
from core.model.box import Box, BoxKey
from core.model.project import Bootstrap, Source
from core.undo import remove
from tests.support.work import RecordingWork

CACHE_VARIABLE = "BOXWRIGHT_TEST_CACHE"
TINY = Source(bootstrap=Bootstrap(suite="bookworm", flavour="tiny"))


def cache() -> Path:
    """Where images for tests are kept from one run to the next."""
    given = os.environ.get(CACHE_VARIABLE)
    return Path(given) if given else Path("~/.cache/boxwright-tests").expanduser()


def image_of(source: Source) -> Path:
    """The image of a source: from the cache, else built into it. Other processes wait meanwhile."""
    assert source.bootstrap is not None
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{source.bootstrap.flavour}-{source_fingerprint(source)[:16]}"
    image = folder / f"{name}.qcow2"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not image.exists():
            _build(source.bootstrap, image)
            for old in folder.glob(f"{source.bootstrap.flavour}-*.qcow2"):
                if old != image and _unused_for_days(old.with_suffix(".lock"), 2):
                    old.unlink(missing_ok=True)
        # Not the image itself: a build from it would take it for another one.
        os.utime(lock.name)
    return image


def _build(source: Bootstrap, image: Path) -> None:
    work = RecordingWork(UNDO)
    folder = Path(tempfile.mkdtemp(prefix=".building-", dir=image.parent))
    try:
        made = asyncio.run(bootstrap(source, folder=folder, work=work))
        made.chmod(0o444)
        made.rename(image)
    except BaseException:
        print(work.output.decode("utf-8", "replace")[-5000:])
        raise
    finally:
        remove(folder)


def _unused_for_days(path: Path, days: float) -> bool:
    return not path.exists() or time.time() - path.stat().st_mtime > days * 86400


@pytest.fixture(scope="session")
def tiny_image() -> Iterator[Path]:
    """Path of the tiny guest's qcow2 image. Do not write to it."""
    # In a thread of its own: a test's event loop may be running in this one.
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(image_of, TINY).result()


class Booted(NamedTuple):
    """A guest that QEMU was started for; it may not answer yet."""

    pid: int
    port: int
    """On 127.0.0.1, forwarded to the guest's port 22."""
    serial: Path
    """File with what the serial console says."""
    monitor: Path
    """QEMU's QMP socket."""
    disk: Path
    ended: asyncio.Event
    """Set when QEMU has ended."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def qemu_arguments(disk: Path, port: int, folder: Path, memory: int, bus: str = "virtio") -> list[str]:
    """A plain way to start the tiny guest; ``memory`` in MiB; ``bus`` of the disk: virtio or ide."""
    return [
        "qemu-system-x86_64",
        *("-machine", "pc" if bus == "ide" else "q35"),
        *("-accel", "tcg,thread=multi"),
        *("-cpu", "max"),
        *("-m", str(memory)),
        "-nodefaults",
        "-no-user-config",
        *("-display", "none"),
        *("-drive", f"file={disk},if={bus},format=qcow2"),
        *("-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22"),
        *("-device", "virtio-net-pci,netdev=net,romfile="),
        *("-device", "virtio-rng-pci"),
        *("-serial", f"file:{folder / 'serial.log'}"),
        *("-qmp", f"unix:{folder / 'qmp.sock'},server=on,wait=off"),
    ]


@asynccontextmanager
async def booted(
    image: Path, folder: Path, *, memory: int = 256, form: str = "qcow2", bus: str = "virtio"
) -> AsyncIterator[Booted]:
    """QEMU on an overlay of ``image``, killed at the end. ``folder`` must have a short path (sockets).
    ``form``: of the image."""
    disk = folder / "overlay.qcow2"
    if not disk.exists():
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-F", form, "-b", str(image), str(disk)],
            check=True,
        )
    port = free_port()
    process = await asyncio.create_subprocess_exec(*qemu_arguments(disk, port, folder, memory, bus))
    ended = asyncio.Event()

    async def watch() -> None:
        await process.wait()
        ended.set()

    watching = asyncio.create_task(watch())
    try:
        yield Booted(
            pid=process.pid,
            port=port,
            serial=folder / "serial.log",
            monitor=folder / "qmp.sock",
            disk=disk,
            ended=ended,
        )
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await watching


async def put_tiny(store: BoxStore, image: Path, *, name: str = "tiny", version: str = "1") -> Box:
    """A box of ``image`` in ``store``; the image stays."""
    copy = store.folder / f".{name.replace('/', '-')}-{version}.qcow2"
    await asyncio.to_thread(shutil.copyfile, image, copy)
    key = BoxKey(name=name, version=version, provider="qemu", architecture="amd64")
    work = RecordingWork({**UNDO, **core.boxes.UNDO})
    return await store.put_built(key=key, disks=[copy], fingerprint=f"test-{name}-{version}", work=work)


@pytest.fixture
def tiny_store(tiny_image: Path, tmp_path: Path) -> BoxStore:
    """A store with one box in it: "tiny", version 1."""
    store = BoxStore(tmp_path / "boxes")

    def fill() -> None:
        asyncio.run(put_tiny(store, tiny_image))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(fill).result()
    return store
