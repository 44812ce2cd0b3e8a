"""The real VirtualBox of Debian's moving distribution, in a folder and in namespaces of its own.

``scripts/foreign-root`` installs it once. A run of the tests enters it with private mounts, processes
and settings, so that two runs share nothing but the files of the programs.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from core.providers.virtualbox.host import PREFIX_VARIABLE, PYTHON_VARIABLE
from tests.support.foreign import ROOT

_WITNESS = """
import json, sys, vboxapi
manager = vboxapi.VirtualBoxManager()
box = manager.getVirtualBox()
print(json.dumps(box.version), flush=True)

def disks(media):
    for medium in media:
        yield f"{medium.id} {medium.location}"
        yield from disks(manager.getArray(medium, "children"))

for line in sys.stdin:
    machines = manager.getArray(box, "machines")
    interfaces = manager.getArray(box.host, "networkInterfaces")
    kind = manager.constants.HostNetworkInterfaceType_HostOnly
    found = {
        "machines": [f"{one.id} {one.name if one.accessible else '?'}" for one in machines],
        "disks": list(disks(manager.getArray(box, "hardDisks"))),
        "host-only networks": [one.name for one in interfaces if one.interfaceType == kind],
        "NAT networks": [one.networkName for one in manager.getArray(box, "NATNetworks")],
    }
    print(json.dumps({name: sorted(entries) for name, entries in found.items()}), flush=True)
"""
"""Says what VirtualBox has, as often as it is asked. It keeps VBoxSVC from ending by itself, too: whoever
comes while it does so waits for ten seconds."""


class VirtualBox:
    """``system``: where it is installed; ``folder``: private, for its settings; ``shared``: folders that it
    sees as they are here."""

    def __init__(self, system: Path, folder: Path, shared: list[Path]) -> None:
        self.system = system
        self.folder = folder
        self._shared = shared
        self._process: subprocess.Popen[bytes] | None = None
        self._witness: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.joinpath("home").mkdir()
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation=private"]
        log = (self.folder / "namespace.log").open("wb")
        self._process = subprocess.Popen(
            [*command, "sh", "-ec", self._script()], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/"
        )
        log.close()
        until = time.monotonic() + 120
        while not (self.folder / "ready").exists():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError((self.folder / "namespace.log").read_text()[-3000:])
            time.sleep(0.02)
        # Alone, as it writes the lists of its components now.
        self.manage("list", "vms")
        self._call_witness()

    def _call_witness(self) -> None:
        self._witness = subprocess.Popen(
            [*self.prefix, "python3", "-c", _WITNESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._witness.stdout and self._witness.stdout.readline(), "VBoxSVC cannot be reached"

    def _script(self) -> str:
        system = shlex.quote(str(self.system))
        lines = [f"mkdir -p {system}/etc/vbox"]
        lines += [f"mount -t tmpfs tmpfs {system}/{place}" for place in ("tmp", "etc/vbox")]
        lines += [f"mount -t proc proc {system}/proc", f"mount --rbind /dev {system}/dev"]
        for path in self._shared:
            target = shlex.quote(f"{self.system}{path}")
            lines += [f"mkdir -p {target}", f"mount --bind {shlex.quote(str(path))} {target}"]
        stay = f"touch {shlex.quote(str(self.folder / 'ready'))}; exec sleep infinity"
        lines.append(f"exec chroot {system} sh -c {shlex.quote(stay)}")
        return "\n".join(lines)

    @property
    def _inside(self) -> int:
        """The first process in there."""
        assert self._process
        pid = self._process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    @property
    def prefix(self) -> list[str]:
        enter = ["nsenter", f"--target={self._inside}", "--mount", "--pid", "--root", "--wd"]
        home = self.folder / "home"
        return [*enter, "env", f"HOME={home}", f"VBOX_USER_HOME={home}", "LANG=C.UTF-8"]

    @property
    def environment(self) -> dict[str, str]:
        """What the provider needs to know of it."""
        return {PREFIX_VARIABLE: shlex.join(self.prefix), PYTHON_VARIABLE: "/usr/bin/python3"}

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            [*self.prefix, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert not check or ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
        return ended

    def manage(self, *arguments: str) -> str:
        return self.run("VBoxManage", "-q", *arguments).stdout

    def listing(self) -> dict[str, list[str]]:
        """All that VirtualBox has: machines, disks, networks."""
        assert self._witness and self._witness.stdin and self._witness.stdout
        self._witness.stdin.write(b"\n")
        self._witness.stdin.flush()
        found: dict[str, list[str]] = json.loads(self._witness.stdout.readline())
        return found

    @property
    def daemon(self) -> int | None:
        """Process id of VBoxSVC."""
        namespace = Path(f"/proc/{self._inside}/ns/pid").readlink()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "comm").read_text().strip() != "VBoxSVC" or _state(process) == "Z":
                    continue
                if (process / "ns/pid").readlink() == namespace:
                    return int(process.name)
            except OSError:
                continue
        return None

    @contextlib.contextmanager
    def small_disk(self, folder: Path) -> Iterator[None]:
        """It sees a disk of a few KiB at that place."""
        inside = ["nsenter", f"--target={self._inside}", "--mount"]
        place = f"{self.system}{folder}"
        subprocess.run([*inside, "mount", "-t", "tmpfs", "-o", "size=12k", "none", place], check=True)
        try:
            yield
        finally:
            subprocess.run([*inside, "umount", place], check=True)

    def kill_daemon(self) -> None:
        pid = self.daemon
        assert pid, "VBoxSVC does not run"
        os.kill(pid, signal.SIGKILL)
        while self.daemon == pid:
            time.sleep(0.01)
        self._call_witness()

    def stop(self) -> None:
        if self._witness and self._witness.stdin:
            self._witness.stdin.close()
        if self._process:
            self._process.kill()
            self._process.wait(60)
            self._process = None
        if self._witness:
            self._witness.wait(60)


def _state(process: Path) -> str:
    return (process / "stat").read_text().rpartition(")")[2].split()[0]


def make_box(virtualbox: VirtualBox, folder: Path, *, disk: Path, appliance: str = "box.ovf") -> Path:
    """A box as Vagrant has them for VirtualBox, exported by it from a machine with ``disk`` (a raw image)."""
    work = folder / "making"
    work.mkdir(parents=True)
    name = f"making-{folder.name}"
    manage = virtualbox.manage
    manage("convertfromraw", str(disk), str(work / "disk.vmdk"), "--format", "VMDK")
    manage("createvm", "--name", name, "--basefolder", str(work), "--register", "--ostype", "Linux_64")
    manage("modifyvm", name, "--memory", "64", "--nic1", "nat", "--audio-enabled", "off")
    manage("storagectl", name, "--name", "SATA", "--add", "sata", "--portcount", "1")
    place = ("--storagectl", "SATA", "--port", "0", "--device", "0", "--type", "hdd")
    manage("storageattach", name, *place, "--medium", str(work / "disk.vmdk"))
    manage("export", name, "--output", str(folder / appliance))
    manage("unregistervm", name, "--delete")
    shutil.rmtree(work)
    (folder / "metadata.json").write_text('{"provider": "virtualbox"}')
    return folder


def seen(root: Path) -> list[Path]:
    """Folders that the worker in there has to see: the run's own, the sources, the packages."""
    found = [root, ROOT]
    packages = Path(sys.prefix)
    if not packages.is_relative_to(ROOT):
        found.append(packages)
    return found
