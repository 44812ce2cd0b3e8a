"""``boxwright build`` beside the real ``packer build``, in one run.

    python -m benchmarks.build [--rounds N] [--debian] [--boot-wait 1s]

Both build one template: the same disk image, shell provisioners, a Vagrant box. The image is the tiny
system with OpenSSH's sftp-server in it, by which Packer copies its scripts, or Debian's. Packer waits for
``boot_wait`` (10 s where a template says nothing) before it tries to log in, whatever the machine does;
Boxwright only where it types. Bars: cold (one provisioner) at most 0.6 of Packer's time; with the last of
five provisioners changed at most 0.15; nothing changed at most 2 s; two sources side by side at most 1.2
times the slower alone. Exit status 1 where one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.guests import insecure
from core.model.project import Bootstrap, Source
from tests.support.tiny import TINY, image_of

COLD = 0.6
CHANGED = 0.15
UNCHANGED = 2.0
PARALLEL = 1.2

DEBIAN = Source(bootstrap=Bootstrap(suite="bookworm"))
SFTP = "/usr/lib/openssh/sftp-server"
"""Of this computer; it needs nothing but libc."""
_INSTALL = (
    "chmod 755 sftp-server",
    "sudo mkdir -p /usr/lib/openssh",
    "sudo cp sftp-server /usr/lib/sftp-server",
    "sudo mv sftp-server /usr/lib/openssh/sftp-server",
)


class Subject(msgspec.Struct, frozen=True):
    """What is built from."""

    image: Path
    memory: int
    """MiB."""
    boot_wait: str = ""


def template(subject: Subject, key: Path, steps: Sequence[str], names: Sequence[str] = ("one",)) -> str:
    """In JSON, which both read."""
    more = {"boot_wait": subject.boot_wait} if subject.boot_wait else {}
    builders = [
        {
            "type": "qemu",
            "name": name,
            "iso_url": str(subject.image),
            "iso_checksum": "none",
            "disk_image": True,
            "disk_size": "5G",
            "format": "qcow2",
            "accelerator": "tcg",
            "headless": True,
            "memory": subject.memory,
            "ssh_username": "vagrant",
            "ssh_file_transfer_method": "sftp",
            "ssh_private_key_file": str(key),
            "ssh_timeout": "10m",
            "shutdown_command": "sudo poweroff",
            "output_directory": f"out-{name}",
            # Packer's own default is not there in QEMU 7.2.
            "qemuargs": [["-display", "none"]],
            **more,
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
    def __init__(self, folder: Path, subject: Subject) -> None:
        self.folder = folder
        self.subject = subject
        self.key = folder / "key"
        self.key.write_text(insecure.ED25519_PRIVATE)
        self.key.chmod(0o600)
        self.environment = {**os.environ, "BOXWRIGHT_HOME": str(folder / "home")}
        self.environment |= {"PACKER_CACHE_DIR": str(folder / "packer_cache"), "CHECKPOINT_DISABLE": "1"}

    def write(self, steps: Sequence[str], names: Sequence[str] = ("one",)) -> None:
        (self.folder / "t.json").write_text(template(self.subject, self.key, steps, names))

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
        took = time.monotonic() - began
        print(f"  {Path(command[0]).name} {' '.join(command[1:])}: {took:.2f} s", file=sys.stderr, flush=True)
        return took

    def with_sftp(self) -> None:
        """Put what Packer needs into the image that is built from."""
        document = json.loads(template(self.subject, self.key, ["true"]))
        document["provisioners"] = [
            {"type": "file", "source": SFTP, "destination": "sftp-server"},
            {"type": "shell", "inline": list(_INSTALL)},
        ]
        document["post-processors"] = []
        (self.folder / "t.json").write_text(json.dumps(document))
        self.boxwright("--no-cache")
        image = self.folder / "subject.qcow2"
        (self.folder / "out-one" / "packer-one").rename(image)
        self.clean()
        self.subject = msgspec.structs.replace(self.subject, image=image)

    def stop(self) -> None:
        command = [str(Path(sys.executable).with_name("boxwright")), "engine", "stop", "--force", "--yes"]
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
    parser.add_argument("--debian", action="store_true", help="a whole Debian in place of the tiny system")
    parser.add_argument("--boot-wait", default="", help="Packer's setting, e.g. 1s")
    given = parser.parse_args(arguments)
    source, memory = (DEBIAN, 512) if given.debian else (TINY, 256)
    folder = Path(tempfile.mkdtemp(prefix="bb"))
    bench = Bench(folder, Subject(image_of(source), memory, given.boot_wait))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    try:
        if not given.debian:
            bench.with_sftp()
        return 0 if report(measure(bench, given.rounds)) else 1
    finally:
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
