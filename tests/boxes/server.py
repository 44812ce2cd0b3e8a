"""An HTTP server on loopback that behaves as badly as a test wants."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType


@dataclass
class Resource:
    """What the server has at a path, and how it gives it out."""

    data: bytes = b""
    status: int = 200
    content_type: str = "application/octet-stream"
    etag: str = '"one"'
    ranges: bool = True
    """Understand Range and If-Range."""
    cut_after: int | None = None
    """Close each connection after so many bytes of body."""
    declared: int | None = None
    """A Content-Length that is not the data's."""
    chunked: bool = False
    """Say no length; the end of the connection is the end."""
    endless: bytes = b""
    """Repeat this until the client goes away."""
    redirect: str = ""
    gate: threading.Event | None = None
    """After ``cut_after`` bytes wait for this instead of closing."""
    then: Callable[[Resource], None] | None = None
    """Called after each answer, to change what the next one will be."""


@dataclass
class Asked:
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = b""


class Server:
    """Runs in a thread while used as a context; ``url`` has no slash at its end."""

    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}
        self.asked: list[Asked] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.asked.append(Asked(self.path, dict(self.headers.items()), self.command, body))
                resource = outer.resources.get(self.path.split("?")[0])
                try:
                    _answer(self, resource)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                finally:
                    self.close_connection = True
                if resource and resource.then:
                    resource.then(resource)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def put(self, path: str, resource: Resource | bytes) -> str:
        """Make something available; returns its address."""
        self.resources[path] = Resource(resource) if isinstance(resource, bytes) else resource
        return self.url + path

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _answer(handler: http.server.BaseHTTPRequestHandler, resource: Resource | None) -> None:
    if resource is None:
        handler.send_error(404)
        return
    if resource.redirect:
        handler.send_response(302)
        handler.send_header("Location", resource.redirect)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    if resource.endless:
        handler.send_response(200)
        handler.send_header("Content-Type", resource.content_type)
        handler.end_headers()
        while True:
            handler.wfile.write(resource.endless * 512)
    start, status = _start(handler, resource)
    body = resource.data[start:]
    if status == 416:
        body = b""
    handler.send_response(status)
    handler.send_header("Content-Type", resource.content_type)
    if resource.etag:
        handler.send_header("ETag", resource.etag)
    if status == 206:
        total = len(resource.data)
        handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
    if status == 416:
        handler.send_header("Content-Range", f"bytes */{len(resource.data)}")
    if not resource.chunked:
        length = len(body) if resource.declared is None else resource.declared - start
        handler.send_header("Content-Length", str(length))
    handler.end_headers()
    if resource.cut_after is None:
        handler.wfile.write(body)
        return
    handler.wfile.write(body[: resource.cut_after])
    handler.wfile.flush()
    if resource.gate:
        resource.gate.wait(20)
        handler.wfile.write(body[resource.cut_after :])


def _start(handler: http.server.BaseHTTPRequestHandler, resource: Resource) -> tuple[int, int]:
    """Where to begin, and with which status."""
    found = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    if not found or not resource.ranges or resource.status != 200:
        return 0, resource.status
    condition = handler.headers.get("If-Range")
    if condition and condition != resource.etag:
        return 0, 200
    start = int(found[1])
    return (start, 206) if start < len(resource.data) else (start, 416)
