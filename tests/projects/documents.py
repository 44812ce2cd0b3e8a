"""TOML documents for property tests, written in as many ways as the format allows."""

from __future__ import annotations

import datetime
from typing import Any

from hypothesis import strategies as st

BARE = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789_-", min_size=1, max_size=6)
KEYS = st.one_of(BARE, BARE, st.text(max_size=5))
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        ["# not a comment", '"', "'", '"""', "'''", "a]b", "}", ",", "[x]", "\\", "a\nb", "=", ""]
    ),
)
SCALARS = st.one_of(
    TEXTS,
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False),
    st.dates(),
    st.datetimes(min_value=datetime.datetime(1000, 1, 1)).map(lambda at: at.replace(microsecond=0)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
DATA = st.dictionaries(KEYS, VALUES, max_size=5)


@st.composite
def documents(draw: st.DrawFn, data: st.SearchStrategy[dict[str, Any]] = DATA) -> tuple[dict[str, Any], str]:
    """Data, and a source that says the same; headers, dots, quotes and gaps as they fall."""
    content = draw(data)
    writer = _Writer(draw)
    writer.table((), content)
    return content, "".join(writer.parts)


class _Writer:
    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.parts: list[str] = []

    def chance(self) -> bool:
        return self.draw(st.booleans())

    def gap(self) -> str:
        return self.draw(st.sampled_from(["", " ", "  ", "\t"]))

    def break_(self) -> str:
        return self.draw(st.sampled_from(["\n", "\n\n", "  # [no.table] a = 1\n", "\r\n", "\n  \n# 'x\n"]))

    def key(self, text: str) -> str:
        if text and all(c.isascii() and (c.isalnum() or c in "_-") for c in text) and self.chance():
            return text
        if "'" not in text and not any(ord(c) < 32 or ord(c) == 127 for c in text) and self.chance():
            return f"'{text}'"
        return basic(text)

    def dotted(self, path: tuple[str, ...]) -> str:
        return f"{self.gap()}.{self.gap()}".join(self.key(part) for part in path)

    def table(self, path: tuple[str, ...], content: dict[str, Any]) -> None:
        """Pairs first, then the tables that get headers of their own."""
        later = []
        for key, value in content.items():
            headed = isinstance(value, dict) or (
                isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
            )
            if headed and self.chance():
                later.append((key, value))
            elif isinstance(value, dict) and value and self.chance():
                self.dots((key,), value)
            else:
                self.parts += [
                    self.gap(),
                    self.key(key),
                    self.gap(),
                    "=",
                    self.gap(),
                    self.value(value),
                    self.break_(),
                ]
        for key, value in later:
            for item in value if isinstance(value, list) else [value]:
                many = isinstance(value, list)
                header = f"{self.gap()}{self.dotted((*path, key))}{self.gap()}"
                self.parts += [f"[[{header}]]" if many else f"[{header}]", self.break_()]
                self.table((*path, key), item)

    def dots(self, path: tuple[str, ...], content: dict[str, Any]) -> None:
        for key, value in content.items():
            if isinstance(value, dict) and value and self.chance():
                self.dots((*path, key), value)
            else:
                self.parts += [self.dotted((*path, key)), " = ", self.value(value), self.break_()]

    def value(self, value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            wide = self.draw(st.sampled_from(["", " ", "\n", " # ], x\n\t"]))
            inner = f",{wide}".join(self.value(item) for item in value)
            return f"[{wide}{inner}{wide}{',' if value and self.chance() else ''}{wide}]"
        if isinstance(value, dict):
            pairs = [f"{self.gap()}{self.key(k)} = {self.value(v)}{self.gap()}" for k, v in value.items()]
            return "{" + ",".join(pairs) + "}"
        if isinstance(value, datetime.datetime):
            return value.isoformat(sep=self.draw(st.sampled_from([" ", "T"])))
        return value.isoformat() if isinstance(value, datetime.date) else repr(value)

    def text(self, value: str) -> str:
        plain = not any((ord(c) < 32 and c != "\n") or ord(c) == 127 for c in value)
        if plain and "\n" not in value and "'" not in value and self.chance():
            return f"'{value}'"
        if (
            plain
            and "'''" not in value
            and not value.startswith("\n")
            and not value.endswith("'")
            and self.chance()
        ):
            return f"'''{value}'''"
        if self.chance():
            return f'""{basic(value)}""'
        return basic(value)


def basic(text: str) -> str:
    """A text in double quotes."""
    out = []
    for c in text:
        if c in '"\\':
            out.append("\\" + c)
        elif ord(c) < 32 or ord(c) == 127:
            out.append(f"\\u{ord(c):04x}")
        else:
            out.append(c)
    return '"' + "".join(out) + '"'
