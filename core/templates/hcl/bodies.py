"""Reads whole files: settings and blocks. Goes on behind a mistake, to name the next one too."""

from __future__ import annotations

import re

from core.templates.hcl import tree
from core.templates.hcl.expressions import ExpressionReader
from core.templates.hcl.tokens import END, LINE, QUOTE, WORD, Scanner, Token
from core.templates.problems import Fault, Problems
from core.templates.source import Source

_DEEPEST = 60


def parse_body(source: Source, problems: Problems) -> tree.Body:
    """A file's settings and blocks; what is wrong goes to ``problems``, and is left out."""
    reader = _BodyReader(source, problems)
    start = 1 if source.text.startswith("\ufeff") else 0
    reader.scanner.place = start
    settings, blocks = reader.content(closing=False)
    return tree.Body(settings, blocks, reader.scanner.span(0, len(source.text)))


class _BodyReader:
    def __init__(self, source: Source, problems: Problems) -> None:
        self.scanner = Scanner(source)
        self._problems = problems
        self._depth = 0

    def content(self, *, closing: bool) -> tuple[dict[str, tree.Setting], tuple[tree.Block, ...]]:
        """Items up to the end of the file, or to a brace, which is left."""
        settings: dict[str, tree.Setting] = {}
        blocks: list[tree.Block] = []
        while True:
            begun = self.scanner.place
            try:
                self.scanner.skip_lines()
                begun = self.scanner.peek().start
                if self.scanner.peek().kind == END or (closing and self.scanner.sees("}")):
                    return settings, tuple(blocks)
                item = self._item()
                if isinstance(item, tree.Block):
                    blocks.append(item)
                elif item.name in settings:
                    first = settings[item.name].at.place
                    raise Fault(
                        f'"{item.name}" is set twice.',
                        item.name_at,
                        why=f"It is set in line {first.line} already.",
                        remedy="take one of them away",
                    )
                else:
                    settings[item.name] = item
            except Fault as fault:
                self._problems.add(fault)
                self._go_on(begun)

    def _go_on(self, begun: int) -> None:
        """Behind what a mistake is in, with the quotes, heredocs and braces that opened there."""
        scanner = self.scanner
        scanner.ignore_lines = False
        place = _behind(scanner.text, begun, max(scanner.place, begun))
        if place == begun and scanner.text.startswith("}", place):
            place += 1
        scanner.place = place

    def _item(self) -> tree.Setting | tree.Block:
        scanner = self.scanner
        token = scanner.peek()
        if token.kind == QUOTE:
            raise Fault(
                "The name of a setting stands without quotes.", scanner.at(token), remedy="write NAME = VALUE"
            )
        if token.kind != WORD:
            raise scanner.unexpected("a setting or block")
        scanner.next()
        if scanner.take("="):
            return self._setting(token)
        if scanner.sees(":"):
            raise scanner.unexpected('"="', f"write {token.text} = VALUE")
        return self._block(token)

    def _setting(self, name: Token) -> tree.Setting:
        scanner = self.scanner
        if scanner.peek().kind == LINE:
            raise Fault(f'"{name.text}" has no value.', scanner.at(name), remedy=f"write {name.text} = VALUE")
        value = ExpressionReader(scanner).expression()
        end = scanner.peek()
        if end.kind not in (LINE, END) and not (self._depth and scanner.sees("}")):
            raise scanner.unexpected("a new line", "put each setting on a line of its own")
        return tree.Setting(name.text, value, scanner.at(name), scanner.span(name.start))

    def _block(self, name: Token) -> tree.Block:
        scanner = self.scanner
        labels: list[tree.Label] = []
        while scanner.peek().kind in (QUOTE, WORD):
            labels.append(self._label())
        header = scanner.span(name.start)
        if not scanner.sees("{"):
            raise scanner.unexpected('"=" or "{"', f"write {name.text} = VALUE, or {name.text} {{ ... }}")
        opened = scanner.next()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Fault("This is nested too deeply.", header)
        settings, blocks = self.content(closing=True)
        self._depth -= 1
        if not scanner.sees("}"):
            raise Fault(
                f'This "{name.text}" block is never closed.', header, remedy="add } behind its last line"
            )
        scanner.next()
        body = tree.Body(settings, blocks, scanner.span(opened.start))
        end = scanner.peek()
        if end.kind not in (LINE, END) and not (self._depth and scanner.sees("}")):
            raise scanner.unexpected("a new line")
        return tree.Block(name.text, tuple(labels), body, header)

    def _label(self) -> tree.Label:
        scanner = self.scanner
        token = scanner.peek()
        if token.kind == WORD:
            scanner.next()
            return tree.Label(token.text, scanner.at(token))
        found = ExpressionReader(scanner).expression()
        if not isinstance(found, tree.Template) or not all(isinstance(p, tree.Literal) for p in found.parts):
            raise Fault("A label is plain text.", found.at, why="It cannot have interpolations.")
        return tree.Label(
            "".join(part.value for part in found.parts if isinstance(part, tree.Literal)), found.at
        )


_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"?')
_HEREDOC = re.compile(r"<<-?([^\W\d][\w-]*)\r?\n")
_FRESH = re.compile(r'[ \t]*[^\W\d][\w-]*(?:[ \t]*=[^=>]|([ \t]+("[^"\n]*"|[\w-]+))*[ \t]*\{)')


def _behind(text: str, begun: int, mistake: int) -> int:
    """Where to go on after an item at ``begun`` with a mistake at ``mistake`` or later."""
    place, braces, brackets = begun, 0, 0
    while place < len(text):
        character = text[place]
        if character == '"':
            found = _QUOTED.match(text, place)
            place = found.end() if found else place + 1
            continue
        heredoc = _HEREDOC.match(text, place) if character == "<" else None
        if heredoc:
            closing = re.compile(rf"^[ \t]*{re.escape(heredoc[1])}[ \t]*$", re.MULTILINE)
            end = closing.search(text, heredoc.end())
            place = end.end() if end else heredoc.end()
            continue
        if text.startswith("/*", place):
            end_of_comment = text.find("*/", place + 2)
            place = len(text) if end_of_comment < 0 else end_of_comment + 2
            continue
        if character == "#" or text.startswith("//", place):
            end_of_line = text.find("\n", place)
            place = len(text) if end_of_line < 0 else end_of_line
            continue
        if character == "\n" and place >= mistake and braces <= 0 and _ends(text, place, brackets):
            return place
        if character == "}" and braces <= 0 and place >= mistake:
            return place
        braces += {"{": 1, "}": -1}.get(character, 0)
        brackets += {"[": 1, "(": 1, "]": -1, ")": -1}.get(character, 0)
        place += 1
    return place


def _ends(text: str, line_end: int, brackets: int) -> bool:
    """No bracket is open, or what follows looks like the next item all the same."""
    return (
        brackets <= 0
        or _FRESH.match(text, line_end + 1) is not None
        or text[line_end + 1 : line_end + 2] == "}"
    )
