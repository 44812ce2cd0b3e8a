"""Cuts HCL2 into tokens, one at a time: what comes next depends on what was understood so far."""

from __future__ import annotations

import re
from typing import NamedTuple

from core.templates.problems import Fault
from core.templates.source import Source, Span

_BLANK = re.compile(r"[ \t\r]+")
_BLANK_LINES = re.compile(r"[ \t\r\n]+")
_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_OPERATOR = re.compile(r"\.\.\.|=>|==|!=|<=|>=|&&|\|\||[-+*/%<>=!?:.,()\[\]{}~]")
_HEREDOC = re.compile(r"<<(-?)([^\W\d][\w-]*)\r?\n")

END = "end of the file"
LINE = "end of line"
WORD = "name"
NUMBER = "number"
QUOTE = "quote"
HEREDOC = "heredoc"
OPERATOR = "operator"


class Token(NamedTuple):
    """``text`` of an operator names it; a quote or heredoc is only its beginning."""

    kind: str
    text: str
    start: int
    end: int


class Scanner:
    """Reads tokens of a source from a position; ``ignore_lines`` is set inside of brackets."""

    def __init__(self, source: Source, start: int = 0, end: int | None = None) -> None:
        self.source = source
        self.text = source.text
        self.place = start
        self.stop = len(source.text) if end is None else end
        self.ignore_lines = False
        self._ahead: Token | None = None
        self._ahead_of: tuple[int, bool] = (-1, False)

    def span(self, start: int, end: int | None = None) -> Span:
        return Span(self.source, start, self.place if end is None else end)

    def at(self, token: Token) -> Span:
        return Span(self.source, token.start, token.end)

    def peek(self) -> Token:
        """The next token, without taking it."""
        key = (self.place, self.ignore_lines)
        if self._ahead is None or self._ahead_of != key:
            self._ahead = self._read()
            self._ahead_of = key
        return self._ahead

    def next(self) -> Token:
        token = self.peek()
        self.place = token.end
        return token

    def sees(self, *operators: str) -> bool:
        token = self.peek()
        return token.kind == OPERATOR and token.text in operators

    def take(self, operator: str) -> Token | None:
        """The operator, when it comes next."""
        return self.next() if self.sees(operator) else None

    def expect(self, operator: str, remedy: str = "") -> Token:
        token = self.peek()
        if token.kind != OPERATOR or token.text != operator:
            raise self.unexpected(f'"{operator}"', remedy)
        return self.next()

    def unexpected(self, wanted: str, remedy: str = "") -> Fault:
        token = self.peek()
        if token.kind == END:
            return Fault(f"The text ends where {wanted} has to come.", self.at(token), remedy=remedy)
        shown = "The line ends" if token.kind == LINE else f"There is {self._shown(token)}"
        return Fault(f"{shown} where {wanted} has to come.", self.at(token), remedy=remedy)

    def _shown(self, token: Token) -> str:
        if token.kind == HEREDOC:
            return "a heredoc"
        return '"text"' if token.kind == QUOTE else f'"{token.text}"'

    def skip_lines(self) -> None:
        """Skips blank lines and comments."""
        while self.peek().kind == LINE:
            self.next()

    def _read(self) -> Token:
        place = self._skip_blank()
        text = self.text
        if place >= self.stop:
            return Token(END, "", self.stop, self.stop)
        first = text[place]
        if first == "\n":
            return Token(LINE, "\n", place, place + 1)
        if first == '"':
            return Token(QUOTE, first, place, place + 1)
        found = _IDENTIFIER.match(text, place, self.stop)
        if found:
            return Token(WORD, found.group(), place, found.end())
        found = _NUMBER.match(text, place, self.stop)
        if found:
            return Token(NUMBER, found.group(), place, found.end())
        found = _HEREDOC.match(text, place, self.stop)
        if found:
            return Token(HEREDOC, found.group(), place, found.end())
        found = _OPERATOR.match(text, place, self.stop)
        if found:
            return Token(OPERATOR, found.group(), place, found.end())
        raise self._stray(place)

    def _skip_blank(self) -> int:
        place = self.place
        blank = _BLANK_LINES if self.ignore_lines else _BLANK
        while place < self.stop:
            found = blank.match(self.text, place, self.stop)
            if found:
                place = found.end()
            elif self.text[place] == "#" or self.text.startswith("//", place):
                end = self.text.find("\n", place, self.stop)
                place = self.stop if end < 0 else end
            elif self.text.startswith("/*", place):
                end = self.text.find("*/", place + 2, self.stop)
                if end < 0:
                    raise Fault("This comment has no end.", self.span(place, place + 2), remedy="add */")
                place = end + 2
            else:
                break
        return place

    def _stray(self, place: int) -> Fault:
        at = self.span(place, place + 1)
        character = self.text[place]
        remedies = {
            "'": 'text stands in double quotes: "..."',
            "`": 'text stands in double quotes: "..."',
            "&": 'write "&&"',
            "|": 'write "||"',
            ";": "begin a new line instead",
            "“": 'use straight quotes: "',
            "”": 'use straight quotes: "',
        }
        return Fault(
            f"The character {character!r} means nothing here.", at, remedy=remedies.get(character, "")
        )
