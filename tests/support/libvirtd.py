"""A libvirt of its own for tests: daemons that share nothing with those of the computer.

The one of a user is unprivileged, in a user namespace; the system's is root's, and finds private folders in
place of /etc/libvirt, /var/lib/libvirt and so on, in a mount namespace. Both are ended by their process id.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import libvirt

libvirt.registerErrorHandler(lambda _context, _error: None, None)

ROOT = Path(__file__).resolve().parent.parent.parent

_SYSTEM = ("/run/libvirt", "/etc/libvirt", "/var/lib/libvirt", "/var/log/libvirt", "/var/cache/libvirt")
_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


class Libvirtd:
    """``kind``: ``session``, ``system``, or ``containers`` for the system's whose LXC driver is used;
    ``folder``: private, with a short path."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / ("run/libvirt" if self.kind == "session" else "run") / "libvirt-sock"

    @property
    def uri(self) -> str:
        if self.kind == "containers":
            return f"lxc+unix:///system?socket={self.socket}"
        return f"qemu+unix:///{self.kind}?socket={self.socket}"

    def start(self) -> None:
        """Returns when it answers."""
        log = (self.folder / "daemons.log").open("ab")
        environment = {**os.environ, "PATH": _PATH, "PYTHONPATH": str(ROOT), **self._environment()}
        self._process = subprocess.Popen(
            self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd="/"
        )
        log.close()
        until = time.monotonic() + 120
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError((self.folder / "daemons.log").read_text()[-3000:])
            time.sleep(0.02)

    def _environment(self) -> dict[str, str]:
        if self.kind != "session":
            return {}
        names = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
        for folder in ("run", "home"):
            (self.folder / folder).mkdir(exist_ok=True, mode=0o700)
        home = {name: str(self.folder / "home") for name in names}
        return {**home, "XDG_RUNTIME_DIR": str(self.folder / "run"), "TMPDIR": str(self.folder / "home")}

    def _command(self) -> list[str]:
        reaper = [sys.executable, "-m", "tests.support.reaper", str(self._pause)]
        if self.kind == "session":
            user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
            return [*user, *reaper, "libvirtd"]
        mounts = []
        for place in _SYSTEM:
            private = self.folder / place.strip("/").replace("/libvirt", "").replace("/", "-")
            private.mkdir(exist_ok=True)
            mounts.append(f"mkdir -p {place} && mount --bind {shlex.quote(str(private))} {place}")
        if Path("/dev/kvm").exists():
            # Open to all, as on most systems: where only root may use it, libvirt asks QEMU anew each time.
            device = shlex.quote(str(self.folder / "kvm"))
            mounts.append(f"mknod -m 666 {device} c 10 232 && mount --bind {device} /dev/kvm")
        if self.kind == "containers":
            # On a computer with control groups of both versions it starts no container.
            mounts.append("{ ! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified; }")
        daemons = [
            *("virtlogd", "--pid-file", str(self.folder / "virtlogd.pid"), "--"),
            *("libvirtd", "--pid-file", str(self.folder / "libvirtd.pid")),
        ]
        script = " && ".join([*mounts, f"exec {shlex.join([*reaper, *daemons])}"])
        return ["unshare", "--mount", "--propagation=private", "sh", "-c", script]

    def answers(self) -> bool:
        try:
            connection = libvirt.open(self.uri)
        except libvirt.libvirtError:
            return False
        connection.close()
        return True

    @property
    def pid(self) -> int:
        """Of libvirtd itself."""
        place = "run/libvirt/libvirtd.pid" if self.kind == "session" else "libvirtd.pid"
        return int((self.folder / place).read_text())

    @property
    def _pause(self) -> Path:
        return self.folder / "pause"

    @contextlib.contextmanager
    def gone(self) -> Iterator[None]:
        """Kill the daemon alone, its guests run on; after the block it is there again."""
        self._pause.touch()
        try:
            os.kill(self.pid, signal.SIGKILL)
            while self.answers():
                time.sleep(0.01)
            yield
        finally:
            self._pause.unlink()
            while not self.answers():
                time.sleep(0.02)

    def stop(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
            self._process = None
