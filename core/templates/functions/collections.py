"""Functions on lists, maps and objects."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from core.templates.functions.signature import FunctionError, function
from core.templates.values.convert import convert, unify
from core.templates.values.types import ANY, BOOL, NUMBER, STRING, ListOf, MapOf, TupleOf
from core.templates.values.value import (
    Value,
    element_type,
    listing,
    mapping,
    number,
    object_of,
    same,
    text,
    tuple_of,
)

Number = int | Decimal
Items = tuple[Value, ...]


def sequence(value: Value, argument: int) -> Items:
    """The items of a list, set or tuple. Raises FunctionError for anything else."""
    if not isinstance(value.raw, tuple):
        raise FunctionError("that is not a list", argument)
    return value.raw


def entries(value: Value, argument: int) -> dict[str, Value]:
    """Of a map or object. Raises FunctionError for anything else."""
    if not isinstance(value.raw, dict):
        raise FunctionError("that is not a map", argument)
    return value.raw


def whole(value: Number, argument: int, least: int = 0) -> int:
    if value != int(value) or value < least:
        raise FunctionError(f"that has to be a whole number, {least} or more", argument)
    return int(value)


def alike(items: Sequence[Value]) -> Value:
    """A list, where the items have a type in common; a tuple otherwise."""
    common = unify(item.type for item in items)
    return tuple_of(items) if common is None else listing([convert(item, common) for item in items], common)


@function("length", ANY, values=True)
def length(value: Value) -> int:
    if isinstance(value.raw, str):
        from core.templates.functions.graphemes import clusters

        return len(clusters(value.raw))
    if not isinstance(value.raw, tuple | dict):
        raise FunctionError("that has no length: it is not a list, a map or text", 0)
    return len(value.raw)


@function("element", ANY, NUMBER, values=True)
def element(items: Value, index: Value) -> Value:
    found = sequence(items, 0)
    if not found:
        raise FunctionError("an empty list has no elements", 0)
    raw = index.raw
    assert isinstance(raw, int | Decimal)
    return found[whole(raw, 1) % len(found)]


@function("index", ANY, ANY, values=True)
def index(items: Value, wanted: Value) -> Value:
    """Where ``wanted`` is in a list. (Packer's index is Terraform's.)"""
    for place, item in enumerate(sequence(items, 0)):
        if same(item, wanted) or _alike(item, wanted):
            return number(place)
    raise FunctionError("the list has no such item", 1)


def _alike(item: Value, wanted: Value) -> bool:
    kinds = (STRING, NUMBER, BOOL)
    common = unify((item.type, wanted.type)) if item.type in kinds and wanted.type in kinds else None
    return common is not None and same(convert(item, common), convert(wanted, common))


@function("contains", ANY, ANY, values=True)
def contains(items: Value, wanted: Value) -> bool:
    return any(same(item, wanted) or _alike(item, wanted) for item in sequence(items, 0))


@function("concat", ANY, rest=ANY, values=True)
def concat(*lists: Value) -> Value:
    found = [item for at, one in enumerate(lists) for item in sequence(one, at)]
    if all(isinstance(one.type, ListOf) for one in lists):
        return alike(found)
    return tuple_of(found)


@function("coalesce", ANY, rest=ANY, nulls=True, values=True)
def coalesce(*values: Value) -> Value:
    """The first that is neither null nor empty text."""
    common = unify(value.type for value in values)
    if common is None:
        raise FunctionError("all arguments have to be of the same type")
    for value in values:
        if not value.null and value.raw != "":
            return convert(value, common)
    raise FunctionError("all arguments are null or empty")


@function("coalescelist", ANY, rest=ANY, nulls=True, values=True)
def coalescelist(*lists: Value) -> Value:
    for at, one in enumerate(lists):
        if not one.null and sequence(one, at):
            return one
    raise FunctionError("all lists are null or empty")


@function("compact", ListOf(STRING))
def compact(items: Items) -> Value:
    return listing([item for item in items if item.raw], STRING)


@function("distinct", ANY, values=True)
def distinct(items: Value) -> Value:
    kept: dict[Value, Value] = {}
    for item in sequence(items, 0):
        kept.setdefault(item, item)
    return alike(list(kept))


@function("flatten", ANY, values=True)
def flatten(items: Value) -> Value:
    found: list[Value] = []

    def add(one: Value) -> None:
        for item in sequence(one, 0):
            if isinstance(item.raw, tuple):
                add(item)
            else:
                found.append(item)

    add(items)
    return tuple_of(found)


@function("chunklist", ANY, NUMBER, values=True)
def chunklist(items: Value, size: Value) -> Value:
    found = sequence(items, 0)
    assert isinstance(size.raw, int | Decimal)
    step = whole(size.raw, 1) or max(1, len(found))
    kind = element_type(items.type)
    chunks = [alike(found[start : start + step]) for start in range(0, len(found), step)]
    return alike(chunks) if chunks else listing([], ListOf(kind))


@function("keys", ANY, values=True)
def keys(value: Value) -> Value:
    found = [text(key) for key in sorted(entries(value, 0))]
    return listing(found, STRING) if isinstance(value.type, MapOf) else tuple_of(found)


@function("values", ANY, values=True)
def values(value: Value) -> Value:
    found = entries(value, 0)
    items = [found[key] for key in sorted(found)]
    return listing(items, value.type.element) if isinstance(value.type, MapOf) else tuple_of(items)


@function("lookup", ANY, STRING, ANY, optional=1, values=True)
def lookup(value: Value, key: Value, *default: Value) -> Value:
    assert isinstance(key.raw, str)
    found = entries(value, 0)
    if key.raw in found:
        return found[key.raw]
    if default:
        return convert(default[0], element_type(value.type))
    raise FunctionError(f"the map has no {key.raw!r}", 1, "give lookup a third argument, the default")


@function("merge", rest=ANY, nulls=True, values=True)
def merge(*maps: Value) -> Value:
    found: dict[str, Value] = {}
    for at, one in enumerate(maps):
        if not one.null:
            found |= entries(one, at)
    kinds = {str(one.type) for one in maps if not one.null}
    first = next((one.type for one in maps if not one.null), None)
    if isinstance(first, MapOf) and len(kinds) == 1:
        return mapping(found, first.element)
    return object_of(found)


@function("zipmap", ListOf(STRING), ANY, values=True)
def zipmap(names: Value, items: Value) -> Value:
    given = [str(name.raw) for name in sequence(names, 0)]
    found = sequence(items, 1)
    if len(given) != len(found):
        raise FunctionError(f"there are {len(given)} keys, but {len(found)} values")
    if isinstance(items.type, ListOf):
        return mapping(dict(zip(given, found, strict=True)), items.type.element)
    return object_of(dict(zip(given, found, strict=True)))


@function("range", NUMBER, rest=NUMBER)
def numbers(*limits: Number) -> Value:
    if len(limits) > 3:
        raise FunctionError("range takes 1 to 3 arguments")
    start, end = (0, limits[0]) if len(limits) == 1 else limits[:2]
    step: Number = limits[2] if len(limits) == 3 else (1 if end >= start else -1)
    if step == 0 or ((step > 0) != (end >= start) and end != start):
        raise FunctionError("with this step the end is never reached", len(limits) - 1)
    found: list[Value] = []
    at: Number = start
    while (at < end) if step > 0 else (at > end):
        found.append(number(at))
        if len(found) > 1024:
            raise FunctionError("there are more than 1024 numbers in it")
        at = at + step if isinstance(at, int) and isinstance(step, int) else Decimal(at) + step
    return listing(found, NUMBER)


@function("reverse", ANY, values=True)
def reverse(items: Value) -> Value:
    found = sequence(items, 0)[::-1]
    return tuple_of(found) if isinstance(items.type, TupleOf) else listing(found, element_type(items.type))


@function("slice", ANY, NUMBER, NUMBER, values=True)
def cut(items: Value, start: Value, end: Value) -> Value:
    found = sequence(items, 0)
    assert isinstance(start.raw, int | Decimal)
    assert isinstance(end.raw, int | Decimal)
    first, last = whole(start.raw, 1), whole(end.raw, 2)
    if last > len(found):
        raise FunctionError(f"the list has only {len(found)} items", 2)
    if first > last:
        raise FunctionError("the start is behind the end", 1)
    part = found[first:last]
    return tuple_of(part) if isinstance(items.type, TupleOf) else listing(part, element_type(items.type))


@function("sort", ListOf(STRING))
def sort(items: Items) -> Value:
    if any(item.null for item in items):
        raise FunctionError("there is null among the items", 0)
    return listing(sorted(items, key=lambda item: str(item.raw).encode(errors="surrogatepass")), STRING)


@function("one", ANY, values=True)
def one(items: Value) -> Any:
    found = sequence(items, 0)
    if len(found) > 1:
        raise FunctionError(f"there are {len(found)} items, not one or none", 0)
    return found[0] if found else None


@function("alltrue", ListOf(BOOL))
def alltrue(items: Items) -> bool:
    return all(item.raw for item in items)


@function("anytrue", ListOf(BOOL))
def anytrue(items: Items) -> bool:
    return any(item.raw for item in items)
