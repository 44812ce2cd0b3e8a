"""Ten containers of LXD in parallel beside one, each from ``up`` to the first command in it.

    python -m benchmarks.lxd [--rounds N]

A private daemon with a pool of folders, a box of 2 MB, nothing provisioned. Bar: ten take at most four times
as long as one. Exit status 1 where that is missed. In turns with it ``lxc launch`` and the server's exec
call by hand, of the same image: what the server alone needs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.cores import Cores
from benchmarks.terminal import Figures, private_engine
from core.boxes import UNDO
from core.boxes.store import BoxStore
from core.model.box import BoxKey
from core.paths import locations
from tests.support.lxd import Lxd, running, write_rootfs
from tests.support.work import RecordingWork

MACHINES = 10
BAR = 4.0
NAMES = [f"m{number:02d}" for number in range(MACHINES)]

HEAD = '[project]\nname = "bench"\nprovider = "lxd"\n'
TABLE = '[machines.{}]\nbox = "tiny"\nmemory = "64MiB"\n'


def main(rounds: int) -> int:
    with tempfile.TemporaryDirectory(prefix="bwbench") as name, running() as daemon:
        folder = Path(name)
        os.environ["LXD_DIR"] = str(daemon.folder)
        project = folder / "project"
        project.mkdir()
        tables = "".join(TABLE.format(name) for name in ("keeper", *NAMES))
        (project / "boxwright.toml").write_text(HEAD + tables)
        with private_engine(folder):
            _put_box(write_rootfs(folder / "rootfs.tar.gz"))
            return _measure(project, daemon, rounds)


def _put_box(rootfs: Path) -> None:
    store = BoxStore(locations().prepare().boxes)
    files = {"rootfs.tar.gz": rootfs}
    key = BoxKey("tiny", "1", "lxd", "amd64")
    asyncio.run(store.put_built(key=key, disks=[], files=files, fingerprint="", work=RecordingWork(UNDO)))


def _measure(project: Path, daemon: Lxd, rounds: int) -> int:
    # The engine starts, and the image is imported, before anything is measured; this one keeps it there.
    _run(project, "up", "keeper")
    (image,) = (path.rpartition("/")[2] for path in daemon.query("/1.0/images"))
    one, ten = [], []
    hand, hands = [], []
    used, used_by_hand = [Cores(daemon.folder, project.parent) for _ in range(2)]
    for _ in range(rounds):
        for times, by_hand, some in ((one, hand, NAMES[:1]), (ten, hands, NAMES)):
            times.append(used.during(lambda some=some: _run(project, "up", *some)))
            _run(project, "destroy", "--yes", *some)
            by_hand.append(used_by_hand.during(lambda some=some: _launched(daemon, image, some)))
            daemon.lxc("delete", "--force", *some)
    _run(project, "destroy", "--yes")
    figures = Figures(f"LXD: {MACHINES} containers in parallel beside one, {rounds} rounds")
    figures.show("one container", statistics.median(one), None, "s")
    figures.show(f"{MACHINES} containers", statistics.median(ten), None, "s")
    figures.show("ratio", statistics.median(ten) / statistics.median(one), BAR, "")
    figures.show("one by lxc launch", statistics.median(hand), None, "s")
    figures.show(f"{MACHINES} by lxc launch", statistics.median(hands), None, "s")
    figures.show("ratio by hand", statistics.median(hands) / statistics.median(hand), None, "")
    used.report(f"up of one and of {MACHINES}", rounds)
    used_by_hand.report(f"one and {MACHINES} by hand", rounds)
    return figures.status


def _launched(daemon: Lxd, image: str, names: list[str]) -> float:
    def launch(name: str) -> None:
        daemon.lxc("launch", image, name, "-c", "limits.memory=64MiB")
        daemon.run(name, "/bin/sh", "-c", "true")

    began = time.monotonic()
    with ThreadPoolExecutor(MACHINES) as pool:
        list(pool.map(launch, names))
    return time.monotonic() - began


def _run(project: Path, *words: str) -> float:
    program = Path(sys.executable).with_name("boxwright")
    began = time.monotonic()
    subprocess.run(
        [str(program), "--project", str(project), *words], check=True, capture_output=True, timeout=300
    )
    return time.monotonic() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    sys.exit(main(parser.parse_args().rounds))
