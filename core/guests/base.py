"""What a guest is, whichever way it is reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypedDict, Unpack

import msgspec

Output = Callable[[bytes], None]
"""Called with output as it comes, as bytes; must be quick."""


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """How a command in a guest ended."""

    status: int
    """Exit status; 128 + n for a command that signal n ended; -1 where the connection broke."""
    signal: str = ""


class Transfer(Protocol):
    """Told about the progress of an upload or download: bytes so far, and in all (None: unknown)."""

    def __call__(self, done: int, total: int | None) -> None: ...


class Running(TypedDict, total=False):
    """How a command line is run."""

    stdin: bytes | None
    stdout: Output | None
    stderr: Output | None
    env: Mapping[str, str] | None
    pty: bool
    timeout: float | None
    """Seconds."""


class Sending(TypedDict, total=False):
    """How a file or folder gets into a guest."""

    mode: int | None
    owner_root: bool
    exclude: Sequence[str]
    """Patterns of names that stay behind."""
    transfer: Transfer | None


class Shell(Protocol):
    """A pseudo-terminal in the guest. Output goes to the callback given when it was opened."""

    async def write(self, data: bytes) -> None: ...

    def resize(self, columns: int, rows: int) -> None: ...

    async def wait(self) -> Ran: ...

    async def close(self) -> None: ...


class Guest(Protocol):
    """A guest that answers."""

    async def run(self, command: str, **how: Unpack[Running]) -> Ran:
        """Run a command line in the guest's shell and stream its output."""

    async def upload(self, source: Path, target: str, **how: Unpack[Sending]) -> None:
        """A file or a whole folder. Missing parents of ``target`` are made. ``target`` ending in "/" (or an
        existing folder, for a file) means: into it, under the same name."""

    async def download(
        self, source: str, target: Path, *, transfer: Transfer | None = None
    ) -> tuple[str, ...]:
        """A file or a whole folder, beside its place first and then renamed. Returns the names that
        were left out as unsafe: links that lead out of the folder, devices and pipes."""

    async def shell(
        self, output: Output, *, columns: int = 80, rows: int = 24, term: str = "xterm-256color"
    ) -> Shell: ...

    async def close(self) -> None: ...
