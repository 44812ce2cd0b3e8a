"""Adding a box of 500 MB: ours against ``vagrant box add`` of the same file.

    python benchmarks/box_add.py [--megabytes 500] [--rounds 3] [--json]

Makes a disk image full of this system's own files, packs it, and adds it with both, each in a process
of its own with an empty store, one after the other, several times; the best time of each counts.
Ends with status 1 where ours takes more than 0.6 of Vagrant's time or 100 MB of memory or more.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.model.work import Silence

ROOT = Path(__file__).parents[1]
MOST_RATIO = 0.6
MOST_MEMORY = 100e6


def make_box(folder: Path, megabytes: int) -> Path:
    """A qcow2 image of about this size in a tar.gz as Vagrant makes it.

    Its content is what disks hold: the programs, libraries and texts of this system, one after the other.
    """
    raw, image = folder / "disk.raw", folder / "box.img"
    with raw.open("wb") as file:
        for path in sorted(Path("/usr").rglob("*")):
            if file.tell() >= megabytes << 20:
                break
            if path.is_file() and not path.is_symlink() and os.access(path, os.R_OK):
                with path.open("rb") as source:
                    shutil.copyfileobj(source, file)
        file.truncate(megabytes << 20)
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw, image], check=True)
    raw.unlink()
    size = -(-megabytes // 1024)
    metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": size}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    (folder / "Vagrantfile").write_text('Vagrant.configure("2") do |config|\nend\n')
    path = folder / "large.box"
    names = ["metadata.json", "Vagrantfile", "box.img"]
    subprocess.run(["tar", "-C", folder, "-czf", path, *names], check=True)
    for name in names:
        (folder / name).unlink()
    return path


def add_here(folder: Path, box: Path) -> None:
    """What the child process does."""
    from core.boxes.actions import add_box
    from core.boxes.store import BoxStore
    from core.model.command import AddBox

    store = BoxStore(folder)
    command = AddBox(source=str(box), name="bench")
    asyncio.run(add_box(store, command, providers=("qemu", "libvirt"), linked={}, work=Silence()))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"memory": peak_memory(), "cpu": used.ru_utime + used.ru_stime}))


def peak_memory() -> int:
    """Bytes of this program alone: what getrusage says includes the parent's at the time of the fork."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("this system does not say how much memory a program used")


def time_ours(folder: Path, box: Path) -> dict[str, float]:
    store = folder / "store"
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--child", store, box],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - started
    shutil.rmtree(store)
    return {"seconds": seconds, **json.loads(done.stdout)}


def time_vagrant(folder: Path, box: Path) -> dict[str, float]:
    home = folder / "vagrant"
    environment = {**os.environ, "VAGRANT_HOME": str(home), "VAGRANT_CHECKPOINT_DISABLE": "1"}
    subprocess.run(["vagrant", "box", "list"], env=environment, capture_output=True, check=True)
    started = time.perf_counter()
    subprocess.run(
        ["vagrant", "box", "add", "--name", "bench", box], env=environment, capture_output=True, check=True
    )
    seconds = time.perf_counter() - started
    shutil.rmtree(home)
    return {"seconds": seconds}


def measure(megabytes: int, rounds: int) -> dict[str, float]:
    folder = Path(tempfile.mkdtemp(prefix="box-add-"))
    try:
        box = make_box(folder, megabytes)
        ours, theirs = [], []
        for _ in range(rounds):
            os.sync()
            ours.append(time_ours(folder, box))
            os.sync()
            theirs.append(time_vagrant(folder, box))
        best, best_vagrant = (min(each["seconds"] for each in times) for times in (ours, theirs))
        return {
            "archive_bytes": box.stat().st_size,
            "seconds": round(best, 2),
            "cpu_seconds": round(min(each["cpu"] for each in ours), 2),
            "vagrant_seconds": round(best_vagrant, 2),
            "ratio": round(best / best_vagrant, 3),
            "peak_memory_bytes": max(each["memory"] for each in ours),
        }
    finally:
        shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        add_here(*options.child)
        return 0
    found = measure(options.megabytes, options.rounds)
    if options.json:
        print(json.dumps(found))
    else:
        print(f"box add, {options.megabytes} MB ({found['archive_bytes'] / 1e6:.0f} MB packed)")
        print(f"  boxwright  {found['seconds']:6.2f} s, {found['cpu_seconds']:.2f} s of CPU")
        print(f"  vagrant    {found['vagrant_seconds']:6.2f} s")
        print(f"  ratio      {found['ratio']:6.3f}   (at most {MOST_RATIO})")
        print(f"  memory     {found['peak_memory_bytes'] / 1e6:6.1f} MB (under {MOST_MEMORY / 1e6:.0f})")
    return int(found["ratio"] > MOST_RATIO or found["peak_memory_bytes"] >= MOST_MEMORY)


if __name__ == "__main__":
    sys.exit(main())
