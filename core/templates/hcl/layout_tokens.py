"""All tokens of an HCL2 file, comments, quotes and line ends among them: nothing is lost."""

from __future__ import annotations

import re

import msgspec

from core.templates.hcl.expressions import ExpressionReader
from core.templates.hcl.strings import heredoc
from core.templates.hcl.tokens import Scanner
from core.templates.problems import Fault
from core.templates.source import Source, Span

OPEN = frozenset({"{", "[", "(", "${", "%{", "${~", "%{~"})
CLOSE = frozenset({"}", "]", ")", "$}", "$~}"})
"""The end of an interpolation is ``$}`` here, so that it is no brace of an object."""

_TOKEN = re.compile(
    r"(?P<blank>[ \t\r]+)|(?P<line>\n)|(?P<comment>#[^\n]*|//[^\n]*|/\*.*?\*/)"
    r"|(?P<heredoc><<-?[^\W\d][\w-]*\r?\n)|(?P<word>[^\W\d][\w-]*)|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r'|(?P<quote>")|(?P<sign>\.\.\.|=>|==|!=|<=|>=|&&|\|\||[-+*/%<>=!?:.,()\[\]{}~])',
    re.DOTALL,
)
_LITERAL = re.compile(r'(?:[^"\\$%\n]|\\.|\$\$\{|%%\{|[$%](?!\{))+', re.DOTALL)


class Token(msgspec.Struct):
    """``spaces`` stand before it. ``kind``: line, comment, heredoc, word, number, open-quote, close-quote,
    text (within quotes) or sign."""

    kind: str
    text: str
    spaces: int = 0

    @property
    def depth(self) -> int:
        """What it changes in the nesting of brackets."""
        if self.kind != "sign":
            return 0
        return (self.text in OPEN) - (self.text in CLOSE)

    @property
    def written(self) -> str:
        return self.text.removeprefix("$") if self.text in ("$}", "$~}") else self.text


def tokens(source: Source) -> list[Token]:
    """All tokens of a file that can be parsed. Raises Fault."""
    reader = _Reader(source)
    reader.read("")
    return reader.found


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.place = 1 if source.text.startswith("\ufeff") else 0
        self.found: list[Token] = []

    def read(self, until: str) -> None:
        """Up to the brace that closes an interpolation (``until``), or the end."""
        braces = 0
        while self.place < len(self.text):
            token = _TOKEN.match(self.text, self.place)
            if token is None:
                at = Span(self.source, self.place, self.place + 1)
                raise Fault(f"The character {self.text[self.place]!r} means nothing here.", at)
            kind, text = token.lastgroup or "", token.group()
            if kind == "blank":
                self.place = token.end()
            elif kind == "heredoc":
                self._heredoc(text)
            elif kind == "quote":
                self._quoted()
            elif until and kind == "sign" and braces == 0 and text in ("}", "~"):
                ending = "~}" if text == "~" else "}"
                self.found.append(Token("sign", f"${ending}"))
                self.place += len(ending)
                return
            else:
                braces += {"{": 1, "}": -1}.get(text, 0)
                self.found.append(Token(kind, text.rstrip("\r") if kind == "comment" else text))
                self.place = token.end()

    def _heredoc(self, opening: str) -> None:
        """As a single token: what stands in it is not touched."""
        reader = ExpressionReader(Scanner(self.source))
        start = self.place
        _, self.place = heredoc(self.source, opening, start + len(opening), len(self.text), reader.inner)
        self.found.append(Token("heredoc", self.text[start : self.place].replace("\r\n", "\n").rstrip("\r")))

    def _quoted(self) -> None:
        self.found.append(Token("open-quote", '"'))
        self.place += 1
        while self.place < len(self.text):
            literal = _LITERAL.match(self.text, self.place)
            if literal:
                self.found.append(Token("text", literal.group()))
                self.place = literal.end()
            elif self.text[self.place] == '"':
                self.found.append(Token("close-quote", '"'))
                self.place += 1
                return
            else:
                tilde = self.text.startswith("~", self.place + 2)
                self.found.append(Token("sign", self.text[self.place : self.place + 2 + tilde]))
                self.place += 2 + tilde
                self.read("}")
