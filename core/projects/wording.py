"""The words of errors in project files: types, values and paths, as a person would say them."""

from __future__ import annotations

import datetime
import math
import re
from typing import Any

from msgspec import inspect

from core.projects.positions import Path


def bare(kind: inspect.Type) -> Any:
    """A type without its descriptions; an enumeration as its values."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.EnumType):
        return inspect.LiteralType(tuple(sorted(member.value for member in kind.cls)))
    return kind


def describe(kind: inspect.Type) -> str:
    """In words, what values a type has: ``a whole number from 1 to 512``."""
    plain = bare(kind)
    match plain:
        case inspect.StrType() if isinstance(kind, inspect.Metadata) and plain.pattern:
            said = str((kind.extra_json_schema or {}).get("description", "")).rstrip(".")
            return (
                f"text in this form: {said[:1].lower()}{said[1:]}" if said else f"text like {plain.pattern}"
            )
        case inspect.StrType():
            return "text in quotes" if plain.pattern is None else f"text that matches {plain.pattern}"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return f"a whole number{bounds(plain)}"
        case inspect.FloatType():
            return f"a number{bounds(plain)}"
        case inspect.LiteralType():
            values = [toml(value) for value in plain.values]
            return " or ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)
        case inspect.VarTupleType():
            return f"a list, each item {describe(plain.item_type)}"
        case inspect.StructType():
            return f"a table with {', '.join(field.encode_name for field in plain.fields[:6])}"
        case inspect.DictType():
            return "a table"
        case inspect.UnionType():
            kinds = [item for item in plain.types if not isinstance(bare(item), inspect.NoneType)]
            return ", or ".join(describe(item) for item in kinds)
    return "something else"


def bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    """`` from 1 to 512``, `` above 0``, or ""."""
    low = kind.ge if kind.ge is not None else kind.gt
    if low is None:
        return ""
    if kind.le is not None:
        return f" from {low} to {kind.le}"
    return f" above {low}" if kind.gt is not None else f", at least {low}"


def as_name(text: str) -> str:
    """The nearest text that may be a name: ``my-shop`` for ``my shop``; "" where nothing is left."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")
    return plain[:63].rstrip("-._")


def example(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.Metadata) and kind.extra_json_schema:
        examples = kind.extra_json_schema.get("examples")
        if examples:
            return toml(examples[0])
    plain = bare(kind)
    match plain:
        case inspect.BoolType():
            return "true"
        case inspect.IntType() | inspect.FloatType():
            return str(max(1, math.ceil(plain.ge or 0)))
        case inspect.LiteralType():
            return toml(plain.values[0])
        case inspect.VarTupleType():
            return f"[{example(plain.item_type)}]"
        case inspect.StructType():
            inner = [f"{item.encode_name} = {example(item.type)}" for item in plain.fields if item.required]
            return "{ " + ", ".join(inner) + " }" if inner else "{ ... }"
        case inspect.DictType():
            return f"{{ NAME = {example(plain.value_type)} }}"
        case inspect.UnionType():
            return example(plain.types[0])
    return '"..."'


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = value if len(value) <= 40 else value[:37] + "..."
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, dict):
        return "{ ... }" if value else "{}"
    if isinstance(value, list):
        return "[ ... ]" if value else "[]"
    return str(value)[:40]


def noun(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case str():
            return "text"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a table"
        case datetime.date() | datetime.time():
            return "a date or time"
    return type(value).__name__


def title(path: Path) -> str:
    """How a path is written: ``machines.web.ports[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def instead(word: str, known: tuple[str, ...]) -> str:
    """``did you mean 'memory'?`` or ""."""
    import difflib

    close = difflib.get_close_matches(word.lower().replace("-", "_"), known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""
