"""The fenced blocks of the documents."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", *(
    str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md"))
))  # fmt: skip


class Block(NamedTuple):
    """A fenced block: its document, the line it begins at, its language, the words after that, its text."""

    document: str
    line: int
    language: str
    marks: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def blocks() -> Iterator[Block]:
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        for found in re.finditer(r"^```(\S*)([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, found.start()) + 1
            yield Block(document, line, found[1], tuple(found[2].split()), found[3])


def commands(block: Block) -> Iterator[list[str]]:
    """The simple commands of a shell block, as words."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        command: list[str] = []
        for word in words:
            if word in ("&&", "||", "|", ";"):
                yield command
                command = []
            else:
                command.append(word)
        if command:
            yield command
