"""Debian's docker-registry on the loopback: whoever asks has to log in."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bcrypt

from tests.support.tiny import free_port

_CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/storage}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}", secret: tests}}
auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}
"""


class Registry:
    def __init__(self, port: int, user: str, password: str) -> None:
        self.address = f"127.0.0.1:{port}"
        self.user = user
        self.password = password

    def ask(self, path: str, method: str = "GET") -> tuple[dict[str, Any], str]:
        """What it answers at ``/v2/PATH``, and the digest of what was asked for."""
        who = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        headers = {"Authorization": f"Basic {who}", "Accept": kind}
        request = urllib.request.Request(f"http://{self.address}/v2/{path}", headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"{}"), answer.headers.get("Docker-Content-Digest", "")


@contextmanager
def registry(folder: Path, user: str, password: str) -> Iterator[Registry]:
    """``folder``: a private one for all that it keeps."""
    found = Registry(free_port(), user, password)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    (folder / "htpasswd").write_text(f"{user}:{hashed}\n")
    port = found.address.rpartition(":")[2]
    (folder / "config.yml").write_text(_CONFIG.format(folder=folder, port=port))
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        ["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log, cwd="/"
    )
    try:
        _wait(found, process, folder)
        yield found
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _wait(found: Registry, process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            found.ask("")
        except urllib.error.HTTPError:
            raise
        except OSError:
            assert process.poll() is None and time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.05)
        else:
            return
