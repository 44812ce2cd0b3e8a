"""A private OpenSSH server on loopback: the real thing, for the tests of guests and provisioners.

It runs as the user of the tests, logs that user in, and has a home folder, host keys and
authorized_keys of its own in a temporary folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from core.model.machine import Endpoint

_CONFIG = """
{first}
Port {port}
ListenAddress 127.0.0.1
{host_keys}
AuthorizedKeysFile {home}/.ssh/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
PrintLastLog no
LogLevel ERROR
MaxStartups 100
SetEnv HOME={home}
{extra}
"""


def available() -> str:
    """Path of sshd, "" where OpenSSH's server is not installed."""
    return shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin") or ""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def make_key(path: Path, kind: str = "ed25519") -> Path:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "test", "-f", str(path)], check=True, timeout=60
    )
    return path


class Sshd:
    """One server; ``home`` is the home folder that logins see."""

    def __init__(self, folder: Path, *, extra: str = "", port: int = 0) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.port = port or free_port()
        self.first = ""
        """Lines for the configuration; the first one of a kind counts."""
        self.extra = extra
        self.password = ""
        """Of this user for this server alone; takes root."""
        (self.home / ".ssh").mkdir(parents=True, exist_ok=True, mode=0o700)
        self.authorized_keys = self.home / ".ssh" / "authorized_keys"
        self.host_key = make_key(folder / "host_ed25519")
        self.client_key = make_key(folder / "client_ed25519")
        self.authorized_keys.write_text((folder / "client_ed25519.pub").read_text())
        self.authorized_keys.chmod(0o600)
        self.known_hosts = folder / "known_hosts"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            host="127.0.0.1",
            port=self.port,
            user=getpass.getuser(),
            identity=str(self.client_key),
            known_hosts=str(self.known_hosts),
        )

    def authorize(self, *lines: str) -> None:
        self.authorized_keys.write_text("".join(line.strip() + "\n" for line in lines))

    def authorized(self) -> list[str]:
        return self.authorized_keys.read_text().splitlines()

    def new_host_key(self) -> None:
        """As a guest that was installed anew: takes effect at the next start."""
        for path in (self.host_key, self.host_key.with_name(self.host_key.name + ".pub")):
            path.unlink()
        make_key(self.host_key)

    def start(self) -> None:
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = self.folder / "sshd_config"
        config.write_text(
            _CONFIG.format(
                first=self.first,
                port=self.port,
                host_keys=f"HostKey {self.host_key}",
                home=self.home,
                extra=self.extra,
            )
        )
        self._process = subprocess.Popen(
            [*self._own_password(), available(), "-D", "-e", "-f", str(config)],
            stdin=subprocess.DEVNULL,
            stderr=(self.folder / "sshd.log").open("ab"),
            start_new_session=True,
        )

    def _own_password(self) -> list[str]:
        """What runs the server where /etc/shadow is another."""
        if not self.password:
            return []
        words = ["openssl", "passwd", "-6", "-stdin"]
        hashed = subprocess.run(words, input=self.password, check=True, capture_output=True, text=True).stdout
        shadow = self.folder / "shadow"
        shadow.write_text(f"{getpass.getuser()}:{hashed.strip()}:19000:0:99999:7:::\n")
        shadow.chmod(0o600)
        bound = f'mount --bind {shadow} /etc/shadow && exec "$@"'
        return ["unshare", "--mount", "--propagation=private", "sh", "-c", bound, "sh"]

    async def started(self) -> Sshd:
        """Start, and wait until it listens."""
        self.start()
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                assert self._process is not None
                assert self._process.poll() is None, (self.folder / "sshd.log").read_text()
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return self

    def stop(self) -> None:
        """End the server and every session of it."""
        if self._process is None:
            return
        for pid in (*self.sessions(), self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(timeout=60)
        self._process = None

    def sessions(self) -> list[int]:
        """Processes of the sessions that this server runs (sshd's own, not the commands)."""
        assert self._process is not None
        found = [self._process.pid]
        for pid in found:
            found.extend(_children(pid))
        return [pid for pid in found[1:] if _name(pid).startswith("sshd")]


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
