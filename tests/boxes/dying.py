"""A program that adds a box again and again and is killed at every point at which it touches a file.

Run as ``python -m tests.boxes.dying FOLDER ARCHIVE``. Each try happens in a process of its own; what
it left is undone as the engine would undo it, and then looked at. Prints how many points there were.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from core import boxes
from core.boxes.add import add
from core.boxes.prune import prune
from core.boxes.store import BoxStore
from core.boxes.verify import verify
from core.model.box import BoxKey
from core.model.command import AddBox
from core.undo import SHARED
from tests.boxes.making import qcow2
from tests.support.work import RecordingWork

TABLE = {**SHARED, **boxes.UNDO}
EVENTS = {"open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "os.truncate", "os.chmod"}


class Journal(RecordingWork):
    """Writes intents down, as the engine does, before anything else happens."""

    def __init__(self, path: Path) -> None:
        super().__init__(undo=boxes.UNDO)
        self.path = path

    def intend(self, kind: str, **facts: Any) -> Any:
        with self.path.open("a") as file:
            file.write(json.dumps([kind, facts]) + "\n")
        return super().intend(kind, **facts)


def child(folder: Path, action: str, archive: Path, point: int) -> None:
    """Do it, and die when the ``point``-th file of the folder is touched."""
    seen = 0

    def touched(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event not in EVENTS or not any(str(folder) in str(each) for each in arguments[:2]):
            return
        if event == "open" and arguments[1] is not None and str(arguments[1])[:1] == "r":
            return
        seen += 1
        if seen == point:
            os.kill(os.getpid(), signal.SIGKILL)

    store = BoxStore(folder / "store")
    work = Journal(folder / "journal")
    sys.addaudithook(touched)
    asyncio.run(act(store, work, action, folder, archive))


async def act(store: BoxStore, work: RecordingWork, action: str, folder: Path, archive: Path) -> None:
    if action == "build":
        await store.put_built(
            key=BoxKey("mine", "0", "libvirt"), disks=[folder / "disk"], fingerprint="f", work=work
        )
    elif action == "remove":
        store.remove(BoxKey("mine", "0", "libvirt"))
    else:
        command = AddBox(source=str(archive), name="mine", force=action == "replace")
        await add(store, command, providers=(), work=work, linked={})


def try_point(folder: Path, action: str, archive: Path, point: int) -> bool:
    """Whether the process died at the point (it did not when there are fewer)."""
    store = BoxStore(folder / "store")
    key = BoxKey("mine", "0", "libvirt")
    (folder / "disk").write_bytes(qcow2(filler=b"built"))
    if action in ("replace", "remove") and not store.get(key):
        first = AddBox(source=str(archive.with_name("first.box")), name="mine")
        asyncio.run(add(store, first, providers=(), work=RecordingWork(undo=boxes.UNDO)))
    process = os.fork()
    if not process:
        child(folder, action, archive, point)
        os._exit(0)
    status = os.waitpid(process, 0)[1]
    died = os.WIFSIGNALED(status)
    assert died or status == 0, status
    check(folder, action, store, key)
    return died


def check(folder: Path, action: str, store: BoxStore, key: BoxKey) -> None:
    """Undo, newest first, and look: a whole box or none, and nothing else."""
    journal = folder / "journal"
    lines = journal.read_text().splitlines() if journal.exists() else []
    for line in reversed(lines):
        kind, facts = json.loads(line)
        asyncio.run(undo(kind, facts))
    journal.unlink(missing_ok=True)
    if action == "remove":
        store.sweep()
    work = RecordingWork(undo=boxes.UNDO)
    asyncio.run(verify(store, (), work))
    found = store.get(key)
    assert found or action in ("add", "build", "remove"), "the box that was there is gone"
    assert found or action != "build" or (folder / "disk").exists(), "the build's disk is lost"
    asyncio.run(prune(store, ("mine",), dry_run=False, linked={}, work=work)) if found else store.sweep()
    assert not list(store.staging.iterdir()), "a staging folder is left"
    assert store.leftovers() == [], store.leftovers()
    assert not list(store.records.retired.iterdir())
    needed = {file.blob for record in store.records.all()[0] for file in record.files}
    assert {path.name for path in store.blobs.glob("*/*")} == needed
    if found and action in ("add", "build"):
        store.remove(key)


async def undo(kind: str, facts: dict[str, Any]) -> None:
    await TABLE[kind](facts)


def main(folder: Path, archive: Path) -> None:
    for action in ("add", "replace", "build", "remove"):
        place = folder / action
        place.mkdir()
        point = 1
        while try_point(place, action, archive, point):
            point += 1
        print(action, point - 1, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
