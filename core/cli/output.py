"""What a command prints, and where: results on standard output, the rest on standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, TextIO

import msgspec

from core.cli import look as looks
from core.cli.look import Look
from core.cli.options import Options


class Output:
    """The two streams of a command, dressed as they can show it.

    With ``--json`` standard output carries JSON and nothing else: ``line`` then writes nothing,
    and what is told along the way goes to standard error.
    """

    def __init__(
        self, options: Options | None = None, *, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.options = options or Options()
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        wanted = self.options.colour
        self.look: Look = looks.for_stream(self.out, wanted=wanted)
        self.err_look: Look = looks.for_stream(self.err, wanted=wanted)
        self.documents = 0
        """JSON documents printed so far."""

    @property
    def progress(self) -> TextIO:
        """Where operations are shown: standard output, or standard error where that is for JSON."""
        return self.err if self.options.json else self.out

    @property
    def progress_look(self) -> Look:
        return self.err_look if self.options.json else self.look

    @property
    def width(self) -> int:
        """Columns of the terminal; 0 where the output goes elsewhere and need not fit."""
        return looks.columns(self.out)

    def line(self, text: str = "") -> None:
        """A line of the result, for people."""
        if not self.options.json:
            self.out.write(f"{text}\n")

    def lines(self, texts: Sequence[str]) -> None:
        for text in texts:
            self.line(text)

    def document(self, data: Any) -> None:
        """A JSON document on a line of its own (indented where a person looks at it)."""
        self.documents += 1
        encoded = msgspec.json.encode(data)
        if self.out.isatty():
            encoded = msgspec.json.format(encoded, indent=2)
        self.out.write(encoded.decode() + "\n")
        self.out.flush()

    def result(self, data: Any, lines: Sequence[str]) -> None:
        """The result in the form that was asked for."""
        if self.options.json:
            self.document(data)
        else:
            self.lines(lines)

    def note(self, text: str) -> None:
        """Something worth knowing; not with --quiet."""
        if not self.options.quiet:
            self.tell(text)

    def tell(self, text: str) -> None:
        """Something that must be read."""
        self.err.write(f"{text}\n")
        self.err.flush()

    def flush(self) -> None:
        self.out.flush()
        self.err.flush()
