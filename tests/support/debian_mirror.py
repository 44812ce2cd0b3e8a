"""A mirror of Debian on the loopback, for guests: what they ask for is fetched by apt's own helper.

So it comes from wherever this computer's apt gets it, and a guest needs no network of its own.
"""

from __future__ import annotations

import lzma
import re
import subprocess
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HELPER = "/usr/lib/apt/apt-helper"
BASE = "/debian/"


def archive(codename: str) -> str:
    """The address from which apt gets the release's main archive."""
    said = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found = [line.split()[1] for line in said.stdout.splitlines() if line.split()[0] == codename]
    assert found, f"apt knows no archive of {codename}"
    return found[0]


def missing(codename: str, architecture: str, names: Collection[str], folder: Path) -> list[str]:
    """Components of the installer that the archive lists, and does not have. ``folder``: for trying."""
    source = archive(codename)
    listing = folder / "components.xz"
    _fetch(f"{source}dists/{codename}/main/debian-installer/binary-{architecture}/Packages.xz", listing)
    text = lzma.decompress(listing.read_bytes()).decode()
    files = dict(re.findall(r"^Package: (\S+)\n(?:.+\n)*?Filename: (\S+)$", text, re.MULTILINE))
    return [name for name in names if not _fetch(source + files[name], folder / name)]


def _fetch(address: str, target: Path) -> bool:
    ran = subprocess.run([HELPER, "download-file", address, target], capture_output=True, check=False)
    return ran.returncode == 0


@contextmanager
def mirror(codename: str, kept: Path, laid: Path | None = None) -> Iterator[int]:
    """The port on 127.0.0.1 where it listens. ``kept``: a folder for what was fetched; ``laid``: one with
    files that come before the archive's."""
    source = archive(codename)
    locks: dict[Path, threading.Lock] = {}
    lock = threading.Lock()

    def fetched(path: str) -> Path | None:
        if laid and (own := laid / path).is_file() and own.resolve().is_relative_to(laid.resolve()):
            return own
        target = kept / path
        if not target.resolve().is_relative_to(kept.resolve()):
            return None
        with lock:
            mine = locks.setdefault(target, threading.Lock())
        with mine:
            if not target.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                beside = target.with_name(f"{target.name}.part")
                if not _fetch(source + path, beside):
                    beside.unlink(missing_ok=True)
                    return None
                beside.rename(target)
        return target

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = fetched(self.path.removeprefix(BASE)) if self.path.startswith(BASE) else None
            data = found.read_bytes() if found else b""
            self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        do_HEAD = do_GET

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
