"""A Docker of its own for tests: containerd and dockerd, which share nothing with those of the computer.

All lies in a private folder, and the file systems of containers in a mount namespace. Networks are without
rules of the firewall: what tests need of them works without, and nothing is left of them.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shlex
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import docker.errors
import requests

from tests.support.certificates import make_certificates
from tests.support.libvirtd import ROOT
from tests.support.tiny import free_port

BUSYBOX = Path("/bin/busybox")

_NAMES = """
    awk cat chmod chown cp cut dd echo env false grep gzip head hostname httpd id ip kill ln ls mkdir mkfifo
    mv nc nslookup ping printf ps pwd readlink rm sed sh sleep sort stat stty tail tar test touch tr true tty
    uname wc wget
"""

_CONTAINERD = """
version = 2
root = "{folder}/containerd"
state = "{folder}/containerd.run"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{folder}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
path = "{folder}/opt"
"""


class Dockerd:
    """``folder``: private, with a short path. ``more``: further arguments of dockerd."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.folder = folder
        self.more = more
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "docker.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def certificates(self) -> Path:
        """What a client over TLS needs."""
        return self.folder / "certificates"

    @property
    def far(self) -> str:
        """Where it listens over TLS."""
        return f"tcp://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns when it answers."""
        if os.geteuid():
            raise AssertionError("dockerd has to be started by root: run the tests as root")
        (self.folder / "containerd.toml").write_text(_CONTAINERD.format(folder=self.folder))
        self.certificates.mkdir()
        make_certificates(self.certificates)
        log = (self.folder / "daemons.log").open("ab")
        self._process = subprocess.Popen(
            self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
            env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
        )  # fmt: skip
        log.close()
        self._wait()

    def _wait(self) -> None:
        assert self._process
        until = time.monotonic() + 120
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError((self.folder / "daemons.log").read_text()[-3000:])
            time.sleep(0.02)

    def _command(self) -> list[str]:
        # Ranges of networks of this daemon alone: two at the same time do not collide, and neither do
        # those of projects (10.213) and of tests (10.214).
        pool = f"base=10.{224 + secrets.randbelow(30)}.{secrets.randbelow(16) * 16}.0/20,size=26"
        folder = self.folder
        reaper = [sys.executable, "-m", "tests.support.reaper", str(folder / "pause")]
        daemons = [
            *("containerd", "--config", str(folder / "containerd.toml"), "--log-level", "error", "--"),
            *("dockerd", "--containerd", str(folder / "containerd.sock"), "--host", self.url),
            *("--data-root", str(folder / "data"), "--exec-root", str(folder / "run")),
            *("--pidfile", str(folder / "dockerd.pid"), "--config-file", str(folder / "daemon.json")),
            *("--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"),
            *("--host", self.far, "--tlsverify", "--tlscacert", str(self.certificates / "ca.pem")),
            *("--tlscert", str(self.certificates / "server-cert.pem")),
            *("--tlskey", str(self.certificates / "server-key.pem")),
            *("--default-address-pool", pool, "--log-level", "warn", *self.more),
        ]
        (folder / "daemon.json").write_text("{}")
        wait = f"while [ -e {folder}/pause ]; do sleep 0.02; done"
        script = f"{wait}; exec {shlex.join([*reaper, *daemons])}"
        return ["unshare", "--mount", "--propagation=private", "sh", "-c", script]

    def answers(self) -> bool:
        try:
            with self.client() as client:
                client.ping()
        except (docker.errors.DockerException, requests.RequestException, OSError):
            return False
        return True

    def said(self, image: str, *command: str) -> bytes:
        """What a container of the image writes until it has ended."""
        with self.client() as client:
            container = client.containers.create(image, list(command) or None)
            try:
                container.start()
                container.wait()
                # Only now: logs that are followed may end before they have begun.
                return bytes(container.logs())
            finally:
                container.remove(force=True)

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        """Somebody else at the daemon."""
        client = docker.DockerClient(base_url=self.url, timeout=30, version="1.41")
        try:
            yield client
        finally:
            client.close()

    @property
    def pid(self) -> int:
        return int((self.folder / "dockerd.pid").read_text())

    def send(self, number: signal.Signals) -> None:
        """To dockerd alone, e.g. SIGSTOP: it hangs."""
        os.kill(self.pid, number)

    @contextlib.contextmanager
    def gone(self, number: signal.Signals = signal.SIGKILL) -> Iterator[None]:
        """End the daemon; after the block it is there again. Its containers end with its return."""
        pause = self.folder / "pause"
        pause.touch()
        try:
            before = self.pid
            os.kill(before, number)
            while Path(f"/proc/{before}").exists():
                time.sleep(0.01)
            yield
        finally:
            (self.folder / "dockerd.pid").unlink(missing_ok=True)
            pause.unlink()
            self._wait()

    def objects(self) -> dict[str, list[str]]:
        """All that there is at the daemon, by kind: what a test compares before and after."""
        with self.client() as client:
            return {
                "containers": sorted(found.name for found in client.containers.list(all=True)),
                "images": sorted(found["Id"] for found in client.api.images(all=True)),
                "networks": sorted(found.name for found in client.networks.list()),
                "volumes": sorted(found.name for found in client.volumes.list()),
            }

    def load(self, name: str, files: dict[str, str] | None = None, changes: tuple[str, ...] = ()) -> str:
        """An image with BusyBox, and the files given (a script where it begins with "#!"); returns its id."""
        with self.client() as client:
            repository, _, tag = name.partition(":")
            client.api.import_image_from_data(
                root_file_system(files or {}),
                repository=repository,
                tag=tag or "latest",
                changes=list(changes),
            )
            return str(client.images.get(name).id)

    def stop(self) -> None:
        if self._process is None:
            return
        unreachable = (docker.errors.DockerException, requests.RequestException, OSError)
        with contextlib.suppress(*unreachable), self.client() as client:
            for container in client.containers.list(all=True):
                container.remove(force=True, v=True)
            client.networks.prune()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)
        self._process = None


def root_file_system(files: dict[str, str]) -> bytes:
    """A tar archive: BusyBox under all of its names, an account, and ``files`` by path."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for folder in ("bin", "etc", "root", "tmp", "proc", "sys", "dev", "home"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        _add(archive, "bin/busybox", BUSYBOX.read_bytes(), 0o755)
        for name in _NAMES.split():
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)
        accounts = "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000:Bob:/home:/bin/sh\n"
        for name, text in {"etc/passwd": accounts, "etc/group": "root:x:0:\nbob:x:1000:\n", **files}.items():
            _add(archive, name.lstrip("/"), text.encode(), 0o755 if text.startswith("#!") else 0o644)
    return target.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))
