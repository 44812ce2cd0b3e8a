"""A tiny Windows in memory: files, when it started, and as much of cmd and PowerShell as tests write."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping

Piece = tuple[str, bytes] | int | None
"""Output and the stream that it comes by; the exit status; None: nothing yet."""

_ENCODED = re.compile(r"-EncodedCommand (\S+)")
_PATH = re.compile(r"FromPSPath\('((?:[^']|'')*)'\)")
_PS = re.compile(r"\. (\S+); &'([^']+)'")
_TASK = re.compile(r"Arguments = '/c \"((?:[^']|'')*) > \"(\S+)\" 2>&1\"'")
_REGISTERED = re.compile(
    r"RegisterTaskDefinition\('(\S+)', \$task, 6, '((?:[^']|'')*)', \$password, \$logon\)"
)
_SET = re.compile(r'set "(\w+)=([^"]*)" && ')


class Windows:
    def __init__(self, user: str = "vagrant", password: str = "a secret of the guest") -> None:
        self.user = user
        self.password = password
        self.files: dict[str, bytes] = {}
        self.lines: list[str] = []
        """Every command line; those of PowerShell decoded."""
        self.shells: set[str] = set()
        """Those that are open."""
        self.accounts = {user: password, "SYSTEM": ""}
        self.tasks: dict[str, str] = {}
        """Names of scheduled tasks, and who they run as."""
        self.elevated: list[tuple[str, str]] = []
        """Each command line that a task ran, and who as."""
        self.started = 1
        self.silent = 0
        """How many requests it leaves without an answer."""
        self.restarts = True
        self.off: Callable[[], None] = lambda: None
        """Takes the power from whatever it runs in."""

    def answers(self) -> bool:
        self.silent -= 1
        return self.silent < 0

    def run(self, line: str, read: Callable[[], bytes], ended: threading.Event) -> Iterator[Piece]:
        found = _ENCODED.search(line)
        script = base64.b64decode(found[1]).decode("utf-16-le") if found else ""
        self.lines.append(script or line)
        if script:
            yield from self._script(script, read)
        elif line.startswith("shutdown /r"):
            if self.restarts:
                self.started += 1
                self.silent = 3
                self.shells.clear()
            yield 0
        elif line.startswith("shutdown /s"):
            self.off()
            yield 0
        elif line.startswith(("del ", "schtasks ")):
            for name in re.findall(r'"([^"]+)"', line):
                self.files.pop(name.replace("\\", "/"), None)
                self.tasks.pop(name, None)
            yield 0
        elif line == "wait":
            yield "stdout", b"waiting\r\n"
            while True:
                yield None
        elif found := _PS.search(line):
            values = dict(re.findall(r"\$env:(\w+) = '((?:[^']|'')*)'", self._text(found[1])))
            named = {name: value.replace("''", "'") for name, value in values.items()}
            yield from self._lines(self._text(found[2]), named, r"\$env:(\w+)")
        else:
            named = dict(_SET.findall(line))
            word = _SET.sub("", line)
            text = self._text(word.strip('"')) if word.startswith('"') else word
            yield from self._lines(text, named, r"%(\w+)%")

    def _text(self, path: str) -> str:
        return self.files[path].decode("utf-8-sig")

    def _script(self, script: str, read: Callable[[], bytes]) -> Iterator[Piece]:
        if "LastBootUpTime" in script:
            yield "stdout", f"{self.started}\r\n".encode()
            yield 0
            return
        if "Set-Date" in script:
            yield 0
            return
        if "Schedule.Service" in script:
            yield from self._task(script, base64.b64decode(read()).decode())
            return
        found = _PATH.search(script)
        assert found
        path = found[1].replace("''", "'")
        if "FromBase64String" in script:
            self.files[path] = b"".join(base64.b64decode(line) for line in read().split())
            yield "stdout", hashlib.sha256(self.files[path]).hexdigest().encode() + b"\r\n"
        elif path not in self.files:
            yield 44
        else:
            yield "stdout", base64.b64encode(self.files[path]) + b"\r\n"
        yield 0

    def _task(self, script: str, password: str) -> Iterator[Piece]:
        command, registered = _TASK.search(script), _REGISTERED.search(script)
        assert command and registered
        line, log = command[1].replace("''", "'"), command[2].replace("\\", "/")
        name, user = registered[1], registered[2].replace("''", "'")
        if self.accounts.get(user) != password:
            yield "stderr", b"The user name or password is incorrect.\r\n"
            yield 1
            return
        self.tasks[name] = user
        self.elevated.append((user, line))
        self.files[log] = b""
        for piece in self.run(line, lambda: b"", threading.Event()):
            if isinstance(piece, tuple):
                self.files[log] += piece[1]
                yield "stdout", piece[1]
            elif piece is None:
                yield None
            else:
                del self.tasks[name]
                yield piece
                return

    def _lines(self, text: str, values: Mapping[str, str], variable: str) -> Iterator[Piece]:
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            said = re.sub(variable, lambda found: values.get(found[1], ""), rest.strip('"'))
            if word in ("echo", "Write-Output"):
                yield "stdout", f"{said}\r\n".encode()
            elif word == "Write-Error":
                yield "stderr", f"{said}\r\n".encode()
            elif word == "exit":
                yield int(rest.split()[-1])
                return
            elif not line.startswith(("@", "$", "rem")):
                yield "stderr", f"'{word}' is not recognized\r\n".encode()
                yield 9009
                return
        yield 0
