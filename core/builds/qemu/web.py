"""The web server that an installation takes its answers from: ``http_directory`` and ``http_content``."""

from __future__ import annotations

import functools
import http.server
import io
import random
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from core.errors import BoxwrightError

GUEST_SIDE = "10.0.2.2"
"""What QEMU's own network calls the host's loopback."""


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, or texts by their paths."""

    def __init__(
        self,
        *arguments: Any,
        directory: str,
        content: Mapping[str, str],
        asked: Callable[[str], None],
    ) -> None:
        self._content = content
        self._asked = asked
        super().__init__(*arguments, directory=directory)

    def send_head(self) -> Any:
        if not self._content:
            return super().send_head()
        text = self._content.get(unquote(urlsplit(self.path).path))
        if text is None:
            self.send_error(404)
            return None
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        return io.BytesIO(data)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        self._asked(f"{self.command} {self.path}: {getattr(code, 'value', code)}")

    def log_error(self, format: str, *args: Any) -> None:
        """Said by log_request already."""

    def list_directory(self, path: Any) -> None:
        self.send_error(404)


class WebServer:
    """Listens from when it is made until ``close``. ``asked`` is told each request, from another thread."""

    def __init__(
        self,
        directory: Path,
        content: Mapping[str, str],
        *,
        address: str,
        ports: range,
        asked: Callable[[str], None],
    ) -> None:
        paths = {f"/{path.lstrip('/')}": text for path, text in content.items()}
        handler = functools.partial(_Handler, directory=str(directory), content=paths, asked=asked)
        self._server = _listening(address, ports, handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _listening(address: str, ports: range, handler: Any) -> http.server.ThreadingHTTPServer:
    for port in random.sample(ports, len(ports)):
        try:
            server = http.server.ThreadingHTTPServer((address, port), handler)
        except OSError:
            continue
        server.daemon_threads = True
        return server
    raise BoxwrightError(
        f"No port from {ports.start} to {ports.stop - 1} is free for the build's web server.",
        remedy="set http_port_min and http_port_max to others",
    )
