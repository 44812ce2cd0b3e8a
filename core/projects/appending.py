"""A new machine in the text of a project file, as somebody would write it by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.items import SingleKey

_MACHINES = re.compile(r"\s*\[\[?\s*machines\b")
_HEADER = re.compile(r"\s*\[")
_WIDEST = 100
"""Columns of a list on one line."""


def with_machine(source: str, name: str, table: Mapping[str, Any]) -> str:
    """Below the machines that are there, and above the comment that belongs to what comes next; at the end
    of the file where there is none. What looks like a header and is none (in a text of several lines) can
    mislead it: whoever calls looks at what came out."""
    lines = source.splitlines(keepends=True)
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    last = max((number for number in headers if _MACHINES.match(lines[number])), default=-1)
    here = next((number for number in headers if number > last), len(lines)) if last >= 0 else len(lines)
    while here < len(lines) and here > 0 and lines[here - 1].lstrip().startswith("#"):
        here -= 1
    before, after = "".join(lines[:here]), "".join(lines[here:])
    if before and not before.endswith("\n"):
        before += "\n"
    gap = "\n" if before and not before.endswith("\n\n") and before != "\n" else ""
    return before + gap + described(name, table) + ("\n" if after else "") + after


def described(name: str, table: Mapping[str, Any]) -> str:
    """The machine's table; each provisioner has one of its own."""
    place = f"machines.{_key(name)}"
    lines = [f"[{place}]"]
    tables: list[str] = []
    for key, value in table.items():
        if key == "provision":
            for step in value:
                tables += ["", f"[[{place}.provision]]", *_lines(step)]
        else:
            lines += _lines({key: value})
    return "\n".join([*lines, *tables]) + "\n"


def _lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items()]


def _key(name: str) -> str:
    return SingleKey(name).as_string()


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = [_value(item) for item in value]
        text = f"[{', '.join(items)}]"
        return text if len(text) <= _WIDEST else "[\n" + "".join(f"  {item},\n" for item in items) + "]"
    return str(tomlkit.item(value).as_string())
