"""The real Incus of a newer Debian, in a folder and with mounts of its own; else it is tested as LXD is.

A process that only waits keeps the mounts, in which the folder of ``scripts/foreign-root`` is the root;
daemon and client enter them. Processes, networks and control groups are those of the computer.
"""

from __future__ import annotations

import shlex
import subprocess
import time
from pathlib import Path
from typing import ClassVar

from tests.support.lxd import Lxd

_VIEWS = ("proc", "sys", "dev", "run")


class Incus(Lxd):
    """``system``: where it is installed; ``shared``: a folder that it sees as it is here."""

    variable: ClassVar[str] = "INCUS_DIR"
    daemon: ClassVar[tuple[str, ...]] = ("/usr/libexec/incus/incusd", "--group", "root")
    client: ClassVar[str] = "incus"

    def __init__(self, folder: Path, system: Path, shared: Path) -> None:
        super().__init__(folder)
        self._system = system
        self._shared = shared
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def within(self) -> tuple[str, ...]:
        assert self._keeper
        return ("nsenter", f"--target={self._keeper.pid}", "--mount", "--root", "--wd")

    def start(self) -> None:
        ready = self.folder / "ready"
        log = self.folder / "mounts.log"
        with log.open("wb") as file:
            self._keeper = subprocess.Popen(
                ["unshare", "--mount", "--propagation=private", "sh", "-ec", self._script(ready)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd="/",
            )
        until = time.monotonic() + 120
        while not ready.exists():
            assert self._keeper.poll() is None and time.monotonic() < until, log.read_text()[-3000:]
            time.sleep(0.02)
        super().start()

    def _script(self, ready: Path) -> str:
        """A root of its own by ``pivot_root``: from within a mere ``chroot`` no container can have one."""
        root, shared = shlex.quote(str(self._system)), shlex.quote(str(self._shared))
        lines = [f"mount --bind {root} {root}", f"mount -t tmpfs tmpfs {root}/tmp", f"cd {root}"]
        lines += [f"mount --rbind /{view} {view}" for view in _VIEWS]
        lines += [f"mkdir -p .{shared} tmp/old var/lib var/log var/cache"]
        lines += [f"mount --rbind {shared} .{shared}"]
        lines += [f"mount -t tmpfs tmpfs var/{place}" for place in ("lib", "log", "cache")]
        lines += ["pivot_root . tmp/old", "umount --lazy /tmp/old"]
        return "\n".join([*lines, f"touch {shlex.quote(str(ready))}", "exec sleep infinity"])

    def stop(self) -> None:
        try:
            super().stop()
        finally:
            if self._keeper:
                self._keeper.kill()
                self._keeper.wait(60)
                self._keeper = None
