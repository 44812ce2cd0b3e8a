"""``boxwright build`` beside the real ``packer build``, in one run.

    python -m benchmarks.build [--rounds N]

Both build one template: the same disk image, shell provisioners, a Vagrant box. Bars: cold (one provisioner)
at most 0.6 of Packer's time; with the last of five provisioners changed at most 0.15; nothing changed at most
2 s; two sources side by side at most 1.2 times the slower alone. Exit status 1 where one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.guests import insecure
from core.model.project import Bootstrap, Source
from tests.support.tiny import image_of

COLD = 0.6
CHANGED = 0.15
UNCHANGED = 2.0
PARALLEL = 1.2

DEBIAN = Source(bootstrap=Bootstrap(suite="bookworm"))


def template(image: Path, key: Path, steps: Sequence[str], names: Sequence[str] = ("one",)) -> str:
    """In JSON, which both read."""
    builders = [
        {
            "type": "qemu",
            "name": name,
            "iso_url": str(image),
            "iso_checksum": "none",
            "disk_image": True,
            "disk_size": "5G",
            "format": "qcow2",
            "accelerator": "tcg",
            "headless": True,
            "memory": 512,
            "ssh_username": "vagrant",
            "ssh_private_key_file": str(key),
            "ssh_timeout": "10m",
            "shutdown_command": "sudo poweroff",
            "output_directory": f"out-{name}",
            # Packer's own default is not there in QEMU 7.2.
            "qemuargs": [["-display", "none"]],
        }
        for name in names
    ]
    return json.dumps(
        {
            "builders": builders,
            "provisioners": [{"type": "shell", "inline": [step]} for step in steps],
            "post-processors": [{"type": "vagrant", "output": "{{.BuildName}}.box"}],
        }
    )


class Bench:
    def __init__(self, folder: Path, image: Path) -> None:
        self.folder = folder
        self.image = image
        self.key = folder / "key"
        self.key.write_text(insecure.ED25519_PRIVATE)
        self.key.chmod(0o600)
        self.environment = {**os.environ, "BOXWRIGHT_HOME": str(folder / "home")}
        self.environment |= {"PACKER_CACHE_DIR": str(folder / "packer_cache"), "CHECKPOINT_DISABLE": "1"}

    def write(self, steps: Sequence[str], names: Sequence[str] = ("one",)) -> None:
        (self.folder / "t.json").write_text(template(self.image, self.key, steps, names))

    def clean(self) -> None:
        for path in (*self.folder.glob("*.box"), *self.folder.glob("out-*")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def packer(self) -> float:
        self.clean()
        return self._timed(["packer", "build", "-color=false", "t.json"])

    def boxwright(self, *options: str) -> float:
        return self._timed([str(Path(sys.executable).with_name("boxwright")), "build", "t.json", *options])

    def _timed(self, command: Sequence[str]) -> float:
        began = time.monotonic()
        ran = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=900
        )
        if ran.returncode:
            print(ran.stdout[-3000:], ran.stderr[-3000:], file=sys.stderr)
            raise SystemExit(f"{command[0]} failed")
        return time.monotonic() - began

    def stop(self) -> None:
        command = [str(Path(sys.executable).with_name("boxwright")), "engine", "stop", "--force"]
        subprocess.run(command, env=self.environment, capture_output=True)


def measure(bench: Bench, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {
        name: [] for name in ("packer", "cold", "changed", "unchanged", "alone", "two")
    }
    five = [f"echo step {number}" for number in range(1, 6)]
    for turn in range(rounds):
        bench.write(["uname -a"])
        found["packer"].append(bench.packer())
        bench.clean()
        found["cold"].append(bench.boxwright("--no-cache"))
        found["unchanged"].append(bench.boxwright())
        bench.write(five)
        bench.boxwright("--force")
        bench.write([*five[:4], f"echo changed {turn}"])
        found["changed"].append(bench.boxwright("--force"))
        bench.clean()
        bench.write(["uname -a"], ("left", "right"))
        alone = max(bench.boxwright("--no-cache", "--only", name) for name in ("left", "right"))
        found["alone"].append(alone)
        bench.clean()
        found["two"].append(bench.boxwright("--no-cache"))
        bench.clean()
    return found


def report(found: dict[str, list[float]]) -> bool:
    middle = {name: statistics.median(times) for name, times in found.items()}
    packer, alone = middle["packer"], middle["alone"]
    lines: list[tuple[str, float, float, float]] = [
        ("cold", middle["cold"], middle["cold"] / packer, COLD),
        ("last of five changed", middle["changed"], middle["changed"] / packer, CHANGED),
        ("two sources", middle["two"], middle["two"] / alone, PARALLEL),
    ]
    print(f"packer build                {packer:7.2f} s")
    good = True
    for name, seconds, ratio, bar in lines:
        good = good and ratio <= bar
        print(f"{name:26}  {seconds:7.2f} s   {ratio:5.2f} (at most {bar})")
    unchanged = middle["unchanged"]
    print(f"nothing changed             {unchanged:7.2f} s           (at most {UNCHANGED} s)")
    return good and unchanged <= UNCHANGED


def main(arguments: Any = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args(arguments)
    # The tiny system has no scp, by which Packer copies its scripts.
    image = image_of(DEBIAN)
    folder = Path(tempfile.mkdtemp(prefix="bb"))
    bench = Bench(folder, image)
    try:
        return 0 if report(measure(bench, given.rounds)) else 1
    finally:
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
