"""``boxwright up`` beside the same QEMU command line started by hand, and beside ``vagrant up``.

    python -m benchmarks.up [--rounds N] [--without-vagrant]

All are timed to the first answered SSH command, in turns, on one tiny box. Bars: ``up`` takes at most
1.5 s over QEMU by hand, and less than ``vagrant up`` (vagrant-libvirt, driver qemu) of the same box; a
second machine from the same box writes less than 5 MB before it boots. Exit status 1 where one is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import json
import os
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.boxes import UNDO
from core.boxes.pack import write_box
from core.guests.keys import insecure_keys
from core.model.machine import Disk
from tests.support.tiny import TINY, free_port, image_of
from tests.support.work import RecordingWork

OVER = 1.5
BYTES = 5_000_000
_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000

PROJECT = """\
[project]
name = "bench"
provider = "{provider}"
[machines.one]
box = "tiny"
memory = "160MiB"
[machines.two]
box = "tiny"
memory = "160MiB"
"""

VAGRANTFILE = """\
Vagrant.configure("2") do |config|
  config.vm.box = "tiny"
  config.vm.guest = :tinycore
  config.vm.synced_folder ".", "/vagrant", disabled: true
  config.ssh.shell = "sh"
  config.ssh.insert_key = false
  config.vm.provider :libvirt do |libvirt|
    libvirt.driver = "qemu"
    libvirt.cpu_mode = "custom"
    libvirt.cpu_model = "qemu64"
    libvirt.memory = 160
    libvirt.cpus = 1
  end
end
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without-vagrant", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bw-up-", dir="/tmp"))
    try:
        return _compare(folder, options.rounds, not options.without_vagrant)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _compare(folder: Path, rounds: int, with_vagrant: bool) -> int:
    box = folder / "tiny.box"
    disk = Disk(path=str(image_of(TINY)))
    asyncio.run(write_box(box, disks=[disk], work=RecordingWork(UNDO)))
    ours, by_hand, vagrant = [], [], []
    with Boxwright(folder, box) as boxwright:
        for _ in range(rounds):
            ours.append(boxwright.up())
            by_hand.append(boxwright.same_by_hand())
            boxwright.run("destroy", "one", "--yes")
        written = boxwright.written_for_a_second_machine()
    if with_vagrant:
        stand_apart(folder)
        with Vagrant(folder, box) as peer:
            vagrant = [peer.up() for _ in range(rounds)]
    return _report(ours, by_hand, vagrant, written)


def _report(ours: Sequence[float], by_hand: Sequence[float], vagrant: Sequence[float], written: int) -> int:
    mine, plain = statistics.median(ours), statistics.median(by_hand)
    checks = {
        f"up {mine:.2f} s, QEMU by hand {plain:.2f} s: {mine - plain:+.2f} s (bar: +{OVER} s)": mine
        <= plain + OVER,
        f"a second machine writes {written / 1e6:.2f} MB before it boots (bar: 5 MB)": written < BYTES,
    }
    if vagrant:
        theirs = statistics.median(vagrant)
        checks[f"vagrant up {theirs:.2f} s: ours is {mine / theirs:.2f} of it (bar: 1)"] = mine < theirs
    for text, good in checks.items():
        print(f"{'ok    ' if good else 'MISSED'}  {text}")
    return 0 if all(checks.values()) else 1


def until_ssh_answers(port: int, user: str, identities: Sequence[str], limit: float = 120.0) -> None:
    keys = [word for identity in identities for word in ("-i", identity)]
    options = [
        *("-o", "StrictHostKeyChecking=no"),
        *("-o", "UserKnownHostsFile=/dev/null"),
        *("-o", "IdentitiesOnly=yes"),
        *("-o", "BatchMode=yes"),
        *("-o", "ConnectTimeout=1"),
        *("-o", "PubkeyAcceptedAlgorithms=+ssh-rsa"),
    ]
    command = ["ssh", *options, *keys, "-p", str(port), f"{user}@127.0.0.1", "true"]
    end = time.monotonic() + limit
    while subprocess.run(command, capture_output=True, check=False).returncode != 0:
        if time.monotonic() > end:
            raise SystemExit("the guest started by hand never answered")
        time.sleep(0.05)


class Boxwright:
    """A private home with the box, and an engine that runs already."""

    def __init__(self, folder: Path, box: Path, provider: str = "qemu") -> None:
        self.project = folder / "bench"
        self.project.mkdir()
        (self.project / "boxwright.toml").write_text(PROJECT.format(provider=provider))
        self.home = folder / "home"
        self.box = box
        self.hand = folder / "hand"
        self.keys = folder / "keys"
        self.keys.mkdir()

    def __enter__(self) -> Boxwright:
        self.run("box", "add", str(self.box), "--name", "tiny")
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("one", "two"):
            self.run("destroy", name, "--yes", check=False)
        self.run("engine", "stop", "--force", check=False)

    def run(self, *words: str, check: bool = True) -> str:
        boxwright = Path(sys.executable).with_name("boxwright")
        environment = {**os.environ, "BOXWRIGHT_HOME": str(self.home)}
        done = subprocess.run(
            [str(boxwright), *words],
            cwd=self.project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise SystemExit(f"boxwright {shlex.join(words)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def up(self) -> float:
        """Seconds from the command to the first answered SSH command."""
        begin = time.monotonic()
        self.run("up", "one")
        self.run("ssh", "one", "-c", "true")
        return time.monotonic() - begin

    def same_by_hand(self) -> float:
        """The command line of the machine that runs now, on a fresh overlay, in another folder, with another
        port for SSH; the machine itself is halted first."""
        machine = json.loads(self.run("status", "one", "--json"))["machines"][0]
        folder = self.home / "machines" / machine["id"]
        line = _command_line(folder / "qemu" / "qemu.pid")
        backing = _backing_file(folder / "qemu" / "disk0.qcow2")
        forwarded = next(forward["host"] for forward in machine["ports"] if forward["guest"] == 22)
        sockets = next(word.split("path=")[1].split(",")[0] for word in line if "path=" in word)
        self.run("halt", "one", "--force")
        shutil.rmtree(self.hand, ignore_errors=True)
        (self.hand / "qemu").mkdir(parents=True)
        port = free_port()
        changes = {
            str(folder): str(self.hand),
            str(Path(sockets).parent): str(self.hand),
            f":{forwarded}-": f":{port}-",
        }
        for old, new in changes.items():
            line = [word.replace(old, new) for word in line]
        begin = time.monotonic()
        overlay = self.hand / "qemu" / "disk0.qcow2"
        _run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", backing, str(overlay))
        _run(*line)
        until_ssh_answers(port, "vagrant", [str(path) for path in insecure_keys(self.keys)])
        seconds = time.monotonic() - begin
        os.kill(int((self.hand / "qemu" / "qemu.pid").read_text().split()[0]), signal.SIGKILL)
        return seconds

    def written_for_a_second_machine(self) -> int:
        """Bytes on the disk of a machine's folder once it is created, before its guest could write."""
        self.run("up", "one")
        before = _size(self.home)
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("boxwright")), "up", "two"],
            cwd=self.project,
            env={**os.environ, "BOXWRIGHT_HOME": str(self.home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            status = json.loads(self.run("status", "two", "--json"))["machines"]
            machine = next(each for each in status if each["key"]["name"] == "two")
            if machine["id"] and any(self.home.glob(f"machines/{machine['id']}/**/*.pid")):
                break
        written = _size(self.home) - before
        process.wait()
        return written


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def _command_line(pid_file: Path) -> list[str]:
    pid = int(pid_file.read_text().split()[0])
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]


def _backing_file(overlay: Path) -> str:
    return str(
        json.loads(_run("qemu-img", "info", "-U", "--output=json", str(overlay)))["full-backing-filename"]
    )


def _size(folder: Path) -> int:
    """Bytes that files take on the disk."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_blocks * 512
    return total


class Vagrant:
    """The real one, with a libvirt of its own where none runs."""

    def __init__(self, folder: Path, box: Path) -> None:
        self.folder = folder / "vagrant"
        self.folder.mkdir()
        (self.folder / "Vagrantfile").write_text(VAGRANTFILE)
        self.environment = {**os.environ, "VAGRANT_HOME": str(folder / "vagrant-home")}
        self.box = box
        self._daemons = contextlib.ExitStack()

    def __enter__(self) -> Vagrant:
        self._daemons.enter_context(a_libvirt())
        self.run("box", "add", "--name", "tiny", str(self.box))
        return self

    def __exit__(self, *_: object) -> None:
        self.run("destroy", "-f", check=False)
        for line in _run("virsh", "-c", "qemu:///system", "vol-list", "default").splitlines():
            if line.strip().startswith("tiny_vagrant_box_image_"):
                _run("virsh", "-c", "qemu:///system", "vol-delete", line.split()[0], "default")
        self._daemons.close()

    def up(self) -> float:
        begin = time.monotonic()
        self.run("up", "--provider=libvirt")
        self.run("ssh", "-c", "true")
        seconds = time.monotonic() - begin
        self.run("destroy", "-f")
        return seconds

    def run(self, *words: str, check: bool = True) -> None:
        done = subprocess.run(
            ["vagrant", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise SystemExit(f"vagrant {shlex.join(words)}:\n{done.stdout}{done.stderr}")


def stand_apart(folder: Path) -> None:
    """From now on this process and all that it starts have a network of their own, with no bridges of other
    runs in it, no state of an earlier libvirt, and a /dev/kvm that is open to all, as on most systems.

    Where only root may use that, libvirt asks QEMU anew what it can do before each domain, which takes longer
    than anything else.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(_CLONE_NEWNS | _CLONE_NEWNET) != 0:
        return
    _run("mount", "--make-rprivate", "/")
    _run("ip", "link", "set", "lo", "up")
    Path("/run/libvirt").mkdir(exist_ok=True)
    _run("mount", "-t", "tmpfs", "none", "/run/libvirt")
    kvm = Path("/dev/kvm")
    if kvm.exists() and not kvm.stat().st_mode & 0o006:
        device = folder / "kvm"
        _run("mknod", "-m", "666", str(device), "c", "10", "232")
        _run("mount", "--bind", str(device), str(kvm))


@contextlib.contextmanager
def a_libvirt() -> Iterator[None]:
    """virtlogd and libvirtd, where they do not run already; ended again by their process ids."""
    if _libvirt_answers():
        yield
        return
    daemons = [subprocess.Popen([name]) for name in ("virtlogd", "libvirtd")]
    try:
        while not _libvirt_answers():
            time.sleep(0.2)
        yield
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait()


def _libvirt_answers() -> bool:
    command = ["virsh", "-c", "qemu:///system", "list"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    raise SystemExit(main())
