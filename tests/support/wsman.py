"""WinRM's remote shell over HTTP with a password, as Windows has it, and a stand-in for Windows behind it.

It knows the messages that a command takes: Create, Command, Send, Receive, Signal, Delete.
"""

from __future__ import annotations

import base64
import threading
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.windows import Windows

_RSP = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_STATE = f"{_RSP}/CommandState"
_NAMESPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "t": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "r": _RSP,
}
_ENVELOPE = (
    "<s:Envelope " + " ".join(f'xmlns:{name}="{uri}"' for name, uri in _NAMESPACES.items()) + "><s:Header>"
    "<a:RelatesTo>{id}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
)
_NOTHING_YET = (
    "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>none yet</s:Text></s:Reason>"
    '<s:Detail><f:WSManFault Code="2150858793"/></s:Detail></s:Fault>'
)


class _Running:
    """One command: its input, and what it says, piece by piece."""

    def __init__(self, windows: Windows, line: str) -> None:
        self.ended = threading.Event()
        self._input: list[bytes] = []
        self._complete = threading.Event()
        self._pieces: Iterator[tuple[str, bytes] | int | None] = windows.run(line, self._read, self.ended)

    def send(self, data: bytes, last: bool) -> None:
        self._input.append(data)
        if last:
            self._complete.set()

    def _read(self) -> bytes:
        assert self._complete.wait(30)
        return b"".join(self._input)

    def piece(self) -> tuple[str, bytes] | int | None:
        """Output with its stream, the exit status, or None where there is nothing yet."""
        return 1 if self.ended.is_set() else next(self._pieces, 0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WsmanServer

    def log_message(self, *_: Any) -> None:
        """Not on the terminal."""

    def do_POST(self) -> None:
        windows = self.server.windows
        if not windows.answers():
            self.close_connection = True
            return
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        wanted = base64.b64encode(f"{windows.user}:{windows.password}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {wanted}":
            self._answer(401, b"")
            return
        asked = ET.fromstring(data)
        id = _text(asked, "MessageID")
        action = _text(asked, "Action").rsplit("/", 1)[-1]
        self.server.actions.append(action)
        status, body = self.server.act(action, asked)
        self._answer(status, _ENVELOPE.format(id=id, body=body).encode())

    def _answer(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/soap+xml;charset=UTF-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class WsmanServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, windows: Windows) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.windows = windows
        self.actions: list[str] = []
        self._commands: dict[str, _Running] = {}
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def act(self, action: str, asked: ET.Element) -> tuple[int, str]:
        """HTTP status and body of the answer."""
        if action == "Create":
            shell = str(uuid.uuid4()).upper()
            self.windows.shells.add(shell)
            selector = f'<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>'
            made = f"<t:ResourceCreated><a:ReferenceParameters>{selector}</a:ReferenceParameters>"
            return 200, f"{made}</t:ResourceCreated><r:Shell><r:ShellId>{shell}</r:ShellId></r:Shell>"
        if action == "Command":
            id = str(uuid.uuid4()).upper()
            self._commands[id] = _Running(self.windows, _text(asked, "Command", last=True))
            return 200, f"<r:CommandResponse><r:CommandId>{id}</r:CommandId></r:CommandResponse>"
        if action == "Delete":
            self.windows.shells.discard(_text(asked, "Selector"))
            return 200, ""
        (id,) = {one.attrib["CommandId"] for one in asked.iter() if "CommandId" in one.attrib}
        command = self._commands[id]
        if action == "Send":
            (stream,) = [one for one in asked.iter() if one.tag == f"{{{_RSP}}}Stream"]
            command.send(base64.b64decode(stream.text or ""), stream.attrib.get("End") == "True")
            return 200, "<r:SendResponse/>"
        if action == "Signal":
            command.ended.set()
            return 200, "<r:SignalResponse/>"
        assert action == "Receive"
        return self._receive(id, command)

    def _receive(self, id: str, command: _Running) -> tuple[int, str]:
        piece = command.piece()
        if piece is None:
            command.ended.wait(0.2)
            return 500, _NOTHING_YET
        if isinstance(piece, int):
            state = f'<r:CommandState CommandId="{id}" State="{_STATE}/Done"><r:ExitCode>{piece}</r:ExitCode>'
            return 200, f"<r:ReceiveResponse>{state}</r:CommandState></r:ReceiveResponse>"
        name, data = piece
        text = base64.b64encode(data).decode()
        stream = f'<r:Stream Name="{name}" CommandId="{id}">{text}</r:Stream>'
        state = f'<r:CommandState CommandId="{id}" State="{_STATE}/Running"/>'
        return 200, f"<r:ReceiveResponse>{stream}{state}</r:ReceiveResponse>"


def _text(asked: ET.Element, name: str, *, last: bool = False) -> str:
    found = [one.text or "" for one in asked.iter() if one.tag.rpartition("}")[2] == name]
    return found[-1 if last else 0]
