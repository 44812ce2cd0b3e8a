"""Reads Go's templates."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

from core.templates.golang.tree import (
    Action,
    Command,
    Constant,
    Control,
    Field,
    NameOf,
    Piece,
    Pipeline,
    Text,
)
from core.templates.problems import Fault
from core.templates.source import Source, Span

_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<raw>`[^`]*`)|(?P<number>[+-]?\d+(?:\.\d+)?(?![\w.]))'
    r"|(?P<field>(?:\.[^\W\d]\w*)+)|(?P<name>\$\w*)|(?P<word>[^\W\d]\w*)|(?P<sign>:=|[|().,=])"
)
_SPACE = re.compile(r"\s+")
_COMMENT = re.compile(r"\{\{(-\s)?\s*/\*.*?\*/\s*(\s-)?\}\}", re.DOTALL)
_DEEPEST = 60
_REFUSED = ("define", "template", "block", "break", "continue")
_CONSTANTS = {"true": True, "false": False, "nil": None}


def parse(source: Source) -> tuple[Piece, ...]:
    """All of a text. Raises Fault."""
    reader = _Reader(source)
    found, closing = reader.pieces(())
    assert closing is None
    return found


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.place = 0
        self._depth = 0
        self._opened = 0
        self._trim = False

    def fail(self, what: str, remedy: str = "") -> NoReturn:
        end = self.text.find("}}", self.place)
        at = Span(self.source, self.place, max(self.place + 1, len(self.text) if end < 0 else end))
        raise Fault(what, at, remedy=remedy)

    def pieces(self, until: tuple[str, ...]) -> tuple[tuple[Piece, ...], str | None]:
        """Pieces up to one of the words ``until``, which is taken."""
        found: list[Piece] = []
        self._depth += 1
        if self._depth > _DEEPEST:
            self.fail("This is nested too deeply.")
        begun = self._opened
        while True:
            self._plain(found)
            if self.place >= len(self.text):
                break
            comment = _COMMENT.match(self.text, self.place)
            if comment:
                if comment[1] and found and isinstance(found[-1], Text):
                    found[-1] = Text(found[-1].at, found[-1].text.rstrip())
                self.place = comment.end()
                self._trim = bool(comment[2])
                continue
            word = self._open(found)
            if word in until:
                self._depth -= 1
                return tuple(found), word
            if word in ("end", "else"):
                self.fail(f"There is nothing that this {{{{{word}}}}} could belong to.")
            found.append(self._control(word) if word else self._action())
        if until:
            self.place = begun
            self.fail("This is never closed.", "add {{end}}")
        self._depth -= 1
        return tuple(found), None

    def _plain(self, found: list[Piece]) -> None:
        end = self.text.find("{{", self.place)
        end = len(self.text) if end < 0 else end
        text = self.text[self.place : end]
        at = Span(self.source, self.place, end)
        self.place = end
        if self._trim:
            text, self._trim = text.lstrip(), False
        if re.match(r"\{\{-\s", self.text[end : end + 4]):
            text = text.rstrip()
        if text:
            found.append(Text(at, text))

    def _open(self, found: list[Piece]) -> str:
        """Behind ``{{``; the keyword that comes next, taken, or ""."""
        self._opened = self.place
        if "}}" not in self.text[self.place :]:
            self.fail("{{ is never closed.", "add }}")
        trims = re.match(r"-\s", self.text[self.place + 2 : self.place + 4])
        self.place += 3 if trims else 2
        self._space()
        word = re.compile(r"[a-z]+\b").match(self.text, self.place)
        if word and word.group() in ("if", "with", "range", "end", "else"):
            self.place = word.end()
            if word.group() == "end" or (word.group() == "else" and not self._else_if()):
                self._close()
            return word.group()
        if word and word.group() in _REFUSED:
            self.fail(f"{{{{{word.group()}}}}} is not supported.")
        return ""

    def _else_if(self) -> bool:
        self._space()
        return self.text.startswith(("if ", "with "), self.place)

    def _close(self) -> None:
        self._space()
        if self.text.startswith("-}}", self.place) and self.text[self.place - 1].isspace():
            self.place += 3
            self._trim = True
        elif self.text.startswith("}}", self.place):
            self.place += 2
        else:
            self.fail("}} has to come here.")

    def _space(self) -> None:
        found = _SPACE.match(self.text, self.place)
        if found:
            self.place = found.end()

    def _action(self) -> Action:
        start = self._opened
        pipeline = self._pipeline()
        self._close()
        return Action(Span(self.source, start, self.place), pipeline)

    def _control(self, kind: str) -> Control:
        start = self._opened
        pipeline = self._pipeline()
        self._close()
        yes, closing = self.pieces(("else", "end"))
        no: tuple[Piece, ...] = ()
        if closing == "else":
            if self._else_if():
                word = "if" if self.text.startswith("if", self.place) else "with"
                self.place += len(word)
                no = (self._control(word),)
            else:
                no, _ = self.pieces(("end",))
        return Control(Span(self.source, start, self.place), kind, pipeline, yes, no)

    def _token(self) -> re.Match[str] | None:
        self._space()
        return _TOKEN.match(self.text, self.place)

    def _pipeline(self) -> Pipeline:
        self._space()
        start = self.place
        assigned = re.compile(r"(\$\w+)(?:\s*,\s*(\$\w+))?\s*:?=(?!=)").match(self.text, self.place)
        names: tuple[str, ...] = ()
        if assigned:
            names = tuple(name for name in assigned.groups() if name)
            self.place = assigned.end()
        commands = [self._command()]
        while (token := self._token()) and token.group() == "|":
            self.place = token.end()
            commands.append(self._command())
        return Pipeline(Span(self.source, start, self.place), tuple(commands), names)

    def _command(self) -> Command:
        self._space()
        start = self.place
        function = ""
        arguments: list[Piece] = []
        while (token := self._token()) and token.group() not in ("|", ")", ",", "=", ":="):
            word = token["word"]
            if word and word not in _CONSTANTS:
                self.place = token.end()
                at = Span(self.source, token.start(), token.end())
                if not arguments and not function:
                    function = word
                else:
                    arguments.append(Command(at, word, ()))
                continue
            arguments.append(self._operand(token))
        if not function and not arguments:
            self.fail("A function, a field or a value has to come here.", 'write text in "..." or `...`')
        if not function and len(arguments) > 1:
            self.place = start
            self.fail("Something that is no function is given arguments.")
        return Command(Span(self.source, start, self.place), function, tuple(arguments))

    def _operand(self, token: re.Match[str]) -> Piece:
        self.place = token.end()
        at = Span(self.source, token.start(), token.end())
        found: Piece
        if token["string"] is not None:
            found = Constant(at, self._unquote(token["string"]))
        elif token["raw"] is not None:
            found = Constant(at, token["raw"][1:-1])
        elif token["number"] is not None:
            number = Decimal(token["number"])
            found = Constant(at, int(number) if number == number.to_integral_value() else float(number))
        elif token["field"] is not None:
            return Field(at, None, tuple(token["field"][1:].split(".")))
        elif token["name"] is not None:
            found = NameOf(at, token["name"])
        elif token["word"] is not None:
            found = Constant(at, _CONSTANTS[token["word"]])
        elif token.group() == ".":
            return Field(at, None, ())
        else:
            found = self._parentheses(token)
        following = _TOKEN.match(self.text, self.place)
        if following and following["field"]:
            self.place = following.end()
            at = Span(self.source, at.start, self.place)
            return Field(at, found, tuple(following["field"][1:].split(".")))
        return found

    def _parentheses(self, token: re.Match[str]) -> Piece:
        if token.group() != "(":
            self.place = token.start()
            self.fail(f"{token.group()!r} means nothing here.")
        self._depth += 1
        if self._depth > _DEEPEST:
            self.fail("This is nested too deeply.")
        inner = self._pipeline()
        closing = self._token()
        if closing is None or closing.group() != ")":
            self.fail('")" has to come here.')
        self.place = closing.end()
        self._depth -= 1
        return inner

    def _unquote(self, text: str) -> Any:
        try:
            return json.loads(text, strict=False)
        except ValueError:
            self.fail("An escape in this text means nothing.", "write text with backslashes in `...`")
