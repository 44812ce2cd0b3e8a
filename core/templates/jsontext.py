"""JSON with places: every value knows the line and column that it was read from."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

from core.templates.problems import Fault
from core.templates.source import Source, Span

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,4})?")
_STRING = re.compile(r'"([^"\\\x00-\x1f]|\\(["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_DEEPEST = 80


class JsonNode(msgspec.Struct, frozen=True):
    """``value`` is None, bool, int, Decimal, str, a list of nodes, or a dict of (key's place, node)."""

    value: Any
    at: Span

    @property
    def plain(self) -> Any:
        """Without places; Decimal numbers as float."""
        if isinstance(self.value, list):
            return [item.plain for item in self.value]
        if isinstance(self.value, dict):
            return {key: item.plain for key, (_, item) in self.value.items()}
        return float(self.value) if isinstance(self.value, Decimal) else self.value

    def member(self, key: str) -> JsonNode | None:
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return found[1] if found is not None else None

    @property
    def begin(self) -> Span:
        """Where it begins: the place of something whose text is not for everybody's eyes."""
        return Span(self.at.source, self.at.start, self.at.start + 1)

    @property
    def noun(self) -> str:
        names = {bool: "true or false", str: "text", list: "a list", dict: "an object", type(None): "null"}
        return names.get(type(self.value), "a number")


def parse_json(source: Source) -> JsonNode:
    """Raises Fault with the place of the mistake."""
    reader = _Reader(source)
    if source.text.startswith("\ufeff"):
        reader.place = 1
    found = reader.value(0)
    reader.space()
    if reader.place < len(source.text):
        reader.fail("There is something behind the end of the document.")
    return found


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.place = 0

    def fault(self, what: str, remedy: str = "", start: int | None = None) -> Fault:
        start = self.place if start is None else start
        return Fault(what, Span(self.source, start, max(self.place, start + 1)), remedy=remedy)

    def fail(self, what: str, remedy: str = "", start: int | None = None) -> NoReturn:
        raise self.fault(what, remedy, start)

    def space(self) -> str:
        """Skips blanks; the character that comes next, "" at the end."""
        found = _SPACE.match(self.text, self.place)
        assert found is not None
        self.place = found.end()
        if self.text.startswith(("//", "/*"), self.place) or self.text.startswith("#", self.place):
            self.fail("JSON has no comments.", 'write "_comment": "..." instead')
        return self.text[self.place : self.place + 1]

    def value(self, depth: int) -> JsonNode:
        first = self.space()
        start = self.place
        if depth > _DEEPEST:
            self.fail("This is nested too deeply.")
        if first == "{":
            return self._object(depth)
        if first == "[":
            return self._array(depth)
        if first == '"':
            return JsonNode(self._string(), Span(self.source, start, self.place))
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self.text.startswith(word, start):
                self.place += len(word)
                return JsonNode(value, Span(self.source, start, self.place))
        found = _NUMBER.match(self.text, start)
        if found:
            self.place = found.end()
            return JsonNode(self._number(found.group(), start), Span(self.source, start, self.place))
        if not first:
            self.fail("The file ends where a value has to come.")
        remedy = "text stands in double quotes" if first == "'" or first.isalpha() else ""
        raise self.fault(f"There is {first!r} where a value has to come.", remedy)

    def _number(self, text: str, start: int) -> int | Decimal:
        try:
            number = Decimal(text)
        except InvalidOperation:
            self.fail("This number is too large.", start=start)
        if abs(number.adjusted()) > 6000:
            self.fail("This number is too large or too small.", start=start)
        return int(number) if number == number.to_integral_value() else number

    def _string(self) -> str:
        found = _STRING.match(self.text, self.place)
        if found is None:
            end = self.text.find("\n", self.place)
            start, self.place = self.place, len(self.text) if end < 0 else end
            body = self.text[start + 1 : self.place]
            wrong = re.search(r'\\(?!["\\/bfnrtu])|\\u(?![0-9a-fA-F]{4})', body)
            if wrong and '"' in body:
                self.place = start + 1 + wrong.end() + 1
                self.fail(
                    "This escape means nothing in JSON.",
                    "write \\\\ for a backslash",
                    start + 1 + wrong.start(),
                )
            self.fail("This text has no closing quote on its line.", "write \\n for a new line", start)
        self.place = found.end()
        decoded: str = msgspec.json.decode(found.group().encode("utf-8", "surrogatepass"), type=str)
        return decoded

    def _array(self, depth: int) -> JsonNode:
        start = self.place
        self.place += 1
        items: list[JsonNode] = []
        if self.space() == "]":
            self.place += 1
            return JsonNode(items, Span(self.source, start, self.place))
        while True:
            items.append(self.value(depth + 1))
            following = self.space()
            if following == "]":
                self.place += 1
                return JsonNode(items, Span(self.source, start, self.place))
            self._comma(following, "]", start)

    def _object(self, depth: int) -> JsonNode:
        start = self.place
        self.place += 1
        items: dict[str, tuple[Span, JsonNode]] = {}
        if self.space() == "}":
            self.place += 1
            return JsonNode(items, Span(self.source, start, self.place))
        while True:
            if self.space() != '"':
                self.fail("A key has to come here.", "keys stand in double quotes")
            begun = self.place
            key = self._string()
            at = Span(self.source, begun, self.place)
            if self.space() != ":":
                self.fail('":" has to come behind the key.')
            self.place += 1
            item = self.value(depth + 1)
            if key in items:
                first = items[key][0].place
                raise Fault(
                    f'"{key}" stands twice.',
                    at,
                    why=f"It is in line {first.line} already.",
                    remedy="take one of them away",
                )
            items[key] = (at, item)
            following = self.space()
            if following == "}":
                self.place += 1
                return JsonNode(items, Span(self.source, start, self.place))
            self._comma(following, "}", start)

    def _comma(self, following: str, closing: str, start: int) -> None:
        if following != ",":
            if not following:
                self.fail(f'The file ends; "{closing}" is missing.', start=start)
            self.fail(f'"," or "{closing}" has to come here.', "put a comma behind the line before")
        self.place += 1
        after = self.place
        if self.space() == closing:
            self.place = after
            self.fail("There is nothing behind this comma.", "take it away", after - 1)
