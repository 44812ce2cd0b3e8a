"""An LXD of its own for tests: a daemon with a private folder, a pool of folders, a bridge, nothing else.

Each daemon has a mount and cgroup view of the computer as it is, but its own LXD_DIR: what it makes lies in
there, and goes with it. It is ended by its process id.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"

GUEST = r"""#!/bin/sh
# The guest that counts: lines come over a pipe, and over its console.
n=0
deaf=
say() { echo "$1" >/dev/console; }
trap '[ "$deaf" ] || exit 0' PWR USR2 INT TERM
/bin/busybox --install -s /bin 2>/dev/null
[ -p /run/ask ] || mkfifo /run/ask
[ -p /run/answer ] || mkfifo /run/answer
ifconfig lo 127.0.0.1 up 2>/dev/null
nc -ll -p 22 -e echo SSH-2.0-none 2>/dev/null &
say ready
while :; do
  read -r word <>/run/ask || continue
  case $word in
    +) n=$((n+1)); echo $n ;;
    w) echo $n >/disk; sync; echo w ;;
    r) cat /disk 2>/dev/null || echo 0 ;;
    d) deaf=1; echo d ;;
    o) echo o; exit 0 ;;
  esac >/run/answer
done
"""


class Aside:
    """What tests in an event loop ask of a daemon, in a thread beside the loop.

    LXD lets nobody in while somebody who has connected says nothing: it looks at the first bytes of a
    connection before it takes the next one. A loop that waited for it with a connection half made would wait
    for itself.
    """

    def __init__(self, daemon: Lxd) -> None:
        self._daemon = daemon

    async def lxc(self, *arguments: str) -> str:
        return await asyncio.to_thread(self._daemon.lxc, *arguments)

    async def run(self, name: str, *command: str) -> str:
        return await asyncio.to_thread(self._daemon.run, name, *command)

    async def query(self, path: str) -> Any:
        return await asyncio.to_thread(self._daemon.query, path)

    async def objects(self) -> dict[str, list[str]]:
        return await asyncio.to_thread(self._daemon.objects)

    async def named(self, part: str) -> list[str]:
        return await asyncio.to_thread(self._daemon.named, part)


class Lxd:
    """``folder``: private, with a short path."""

    variable: ClassVar[str] = "LXD_DIR"
    """Names the folder, for the daemon and for whoever looks for it."""
    daemon: ClassVar[tuple[str, ...]] = ("lxd", "--group", "root")
    client: ClassVar[str] = "lxc"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bridge = f"bw{os.getpid() % 1_000_000}b{len(list(folder.iterdir()))}"[:15]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "unix.socket"

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, self.variable: str(self.folder), "PATH": _PATH, "HOME": str(self.folder)}

    @property
    def aside(self) -> Aside:
        return Aside(self)

    @property
    def within(self) -> tuple[str, ...]:
        """Words before commands that are to see the computer as the daemon does."""
        return ()

    def start(self) -> None:
        """Returns when it answers, with a pool."""
        self._launch()
        self.lxc("storage", "create", "default", "dir")
        self.lxc("profile", "device", "add", "default", "root", "disk", "path=/", "pool=default")

    def _launch(self) -> None:
        with (self.folder / "daemon.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.within, *self.daemon],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd="/",
                start_new_session=True,
            )
        until = time.monotonic() + 120
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError((self.folder / "daemon.log").read_text()[-3000:])
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            self._ask("/1.0/storage-pools")
        except (OSError, ValueError, AssertionError):
            return False
        return True

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def lxc(self, *arguments: str) -> str:
        _outside_of_loops()
        done = subprocess.run(
            [*self.within, self.client, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    def query(self, path: str) -> Any:
        """What the daemon answers, without the detour by its client."""
        _outside_of_loops()
        return self._ask(path)

    def _ask(self, path: str, body: object = None) -> Any:
        return json.loads(self._answer(path, body))["metadata"]

    def _answer(self, path: str, body: object = None) -> bytes:
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{'GET' if body is None else 'POST'} {path} HTTP/1.0\r\nContent-Length: {len(data)}\r\n\r\n"
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(120)
            channel.connect(str(self.socket))
            channel.sendall(head.encode() + data)
            answer = b"".join(iter(lambda: channel.recv(65536), b""))
        found = answer.partition(b"\r\n\r\n")[2]
        assert b'"type":"error"' not in found, found
        return found

    def run(self, name: str, *command: str) -> str:
        """What a command says in a container.

        Not by ``lxc exec``: LXD's client may hold a connection open on which it says nothing, and the server,
        which waits for its first bytes, does not let the client's next one in.
        """
        _outside_of_loops()
        body = {"command": command, "record-output": True, "interactive": False, "wait-for-websocket": False}
        begun = json.loads(self._answer(f"/1.0/instances/{name}/exec", body))
        ended = self._ask(f"{begun['operation']}/wait")["metadata"]
        said = self._answer(ended["output"]["1"]).decode()
        assert ended["return"] == 0, (command, said)
        return said

    def objects(self) -> dict[str, list[str]]:
        """All that the daemon knows of."""
        found = {
            kind: sorted(self.query(f"/1.0/{kind}"))
            for kind in ("instances", "images", "profiles", "storage-pools", "projects", "certificates")
        }
        found["networks"] = sorted(
            network["name"] for network in self.query("/1.0/networks?recursion=1") if network["managed"]
        )
        found["volumes"] = sorted(self.query("/1.0/storage-pools/default/volumes"))
        return found

    def named(self, part: str) -> list[str]:
        """Instances and volumes with that in their names."""
        paths = self.query("/1.0/instances") + self.query("/1.0/storage-pools/default/volumes/custom")
        return [path for path in paths if part in path]

    @contextlib.contextmanager
    def gone(self) -> Iterator[None]:
        """Kill the daemon alone, its containers run on; after the block it is there again."""
        assert self._process
        self._process.kill()
        self._process.wait(60)
        try:
            yield
        finally:
            self._launch()

    def stop(self) -> None:
        if self._process is None:
            return
        try:
            if self._process.poll() is None:
                for name in [path.rpartition("/")[2] for path in self.query("/1.0/instances")]:
                    self.lxc("delete", "--force", name)
                for network in self.query("/1.0/networks?recursion=1"):
                    if network["managed"]:
                        self.lxc("network", "delete", network["name"])
        finally:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(60)
            self._process = None
            self._unmount()

    def _unmount(self) -> None:
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for place in reversed([place for place in mounts if place.startswith(f"{self.folder}/")]):
            subprocess.run(["umount", "--lazy", place], check=False)


def _outside_of_loops() -> None:
    """See :class:`Aside`."""
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop()
        raise AssertionError("in an event loop a daemon is asked aside")


@contextlib.contextmanager
def running(make: Callable[[Path], Lxd] = Lxd) -> Iterator[Lxd]:
    folder = Path(tempfile.mkdtemp(prefix="lx"))
    daemon = make(folder)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()
        shutil.rmtree(folder)


def write_rootfs(path: Path) -> Path:
    """A root file system of 2 MB whose guest counts."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder in ("bin", "dev", "etc", "proc", "sys", "root", "run", "tmp", "mnt", "sbin"):
            (root / folder).mkdir()
        busybox = shutil.which("busybox", path=_PATH)
        assert busybox, "busybox-static is not installed"
        shutil.copyfile(busybox, root / "bin/busybox")
        (root / "bin/sh").symlink_to("busybox")
        (root / "sbin/init").write_text(GUEST)
        (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (root / "etc/group").write_text("root:x:0:\n")
        for program in ("bin/busybox", "sbin/init"):
            (root / program).chmod(0o755)
        with tarfile.open(path, "w:gz", compresslevel=1) as archive:
            archive.add(root, ".", filter=_as_root)
    return path


def _as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mtime = 1
    return entry
