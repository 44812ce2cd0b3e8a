"""A build that kills itself: run as a program by the tests of what is left then.

Arguments: Boxwright's home, an image that stands in for the bootstrap ("" for the real one), the point
(counted from 1) at which the process kills itself with SIGKILL. Points are: each step's beginning and
end, each intent's writing and settling, and twenty lines into a step's output. Intents are kept in
``intents.jsonl`` in the home, as the journal keeps them. Exit status 0: there was no such point.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import core.boxes
from core.boxes.store import BoxStore
from core.builds import project_builds, undo
from core.builds.base import Request
from core.builds.sources import bootstrap as bootstrap_source
from core.model.project import Bootstrap, BuildSpec, Project, Provision, Source
from core.model.work import Work
from core.paths import Locations
from core.providers.qemu import QemuProvider
from core.undo import SHARED

TABLE = {**SHARED, **undo.UNDO, **core.boxes.UNDO, **QemuProvider().undo}


class Journal:
    def __init__(self, file: Path, point: int) -> None:
        self.file = file
        self.point = point
        self.count = 0

    def reach(self, what: str) -> None:
        self.count += 1
        with self.file.with_name("points").open("a") as points:
            points.write(f"{what}\n")
        if self.count == self.point:
            print(what, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    def write(self, entry: dict[str, Any]) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())


class Promise:
    def __init__(self, journal: Journal, number: int, kind: str) -> None:
        self.journal = journal
        self.number = number
        self.kind = kind

    def settle(self) -> None:
        self.journal.write({"settled": self.number})
        self.journal.reach(f"settled {self.kind}")


class KillingWork:
    """Implements :class:`core.model.work.Work`."""

    def __init__(self, journal: Journal, name: str = "") -> None:
        self.journal = journal
        self.name = name
        self.lines = 0

    @asynccontextmanager
    async def step(self, name: str, *, detail: str = "") -> AsyncIterator[Work]:
        self.journal.reach(f"begin {name}")
        yield KillingWork(self.journal, name)
        self.journal.reach(f"end {name}")

    def progress(self, current: float, total: float | None = None, unit: str = "") -> None: ...

    def note(self, text: str) -> None:
        if "file system" in text:
            self.journal.reach(f"note {text}")

    def write(self, data: bytes) -> None:
        before, self.lines = self.lines, self.lines + data.count(b"\n")
        if before < 20 <= self.lines:
            self.journal.reach(f"output of {self.name}")

    def cached(self, why: str = "") -> None: ...

    def skipped(self, why: str) -> None: ...

    def intend(self, kind: str, **facts: Any) -> Promise:
        number = self.journal.count
        self.journal.write({"number": number, "kind": kind, "facts": facts})
        self.journal.reach(f"intend {kind}")
        return Promise(self.journal, number, kind)

    def commit(self) -> None:
        raise AssertionError("a build commits nothing")


def unsettled(file: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """What a later engine would find in the journal, newest first."""
    entries = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    settled = {entry["settled"] for entry in entries if "settled" in entry}
    open_ones = [entry for entry in entries if "kind" in entry and entry["number"] not in settled]
    return [(entry["kind"], entry["facts"]) for entry in reversed(open_ones)]


def project(home: Path, *, provisioned: bool) -> Project:
    provision = (Provision(shell="echo made > /etc/made"),) if provisioned else ()
    source = Source(bootstrap=Bootstrap(suite="bookworm", flavour="tiny"))
    spec = BuildSpec(source=source, provision=provision, memory="256MiB", cpus=1)
    return Project(root=str(home), file=str(home / "boxwright.toml"), name="shop", builds={"base": spec})


async def main() -> None:
    home, image, point = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    locations = Locations(data=home / "data", runtime=home / "run" / "x").prepare()
    if image:

        async def copied(source: Bootstrap, *, folder: Path, work: Work) -> Path:
            return Path(shutil.copy(image, folder / "disk.qcow2"))

        bootstrap_source.bootstrap = copied
    journal = Journal(home / "intents.jsonl", point)
    await project_builds.run_build(
        project=project(home, provisioned=bool(image)),
        name="base",
        locations=locations,
        store=BoxStore(locations.boxes),
        work=KillingWork(journal),
        request=Request(no_cache=True),
    )
    print(journal.count)


if __name__ == "__main__":
    asyncio.run(main())
