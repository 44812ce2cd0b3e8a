"""Functions on sets."""

from __future__ import annotations

import itertools

from core.templates.functions.collections import sequence
from core.templates.functions.signature import FunctionError, function
from core.templates.values.convert import convert, unify
from core.templates.values.types import ANY, SetOf, Type
from core.templates.values.value import Value, listing, set_of, tuple_of

_MOST = 100_000


def _alike(sets: tuple[Value, ...]) -> tuple[list[list[Value]], Type]:
    """The items of all sets as one type, and that type."""
    common = unify(item.type for at, one in enumerate(sets) for item in sequence(one, at))
    if common is None:
        raise FunctionError("the items of these sets have different types")
    return [[convert(item, common) for item in sequence(one, at)] for at, one in enumerate(sets)], common


@function("setunion", ANY, rest=ANY, values=True)
def setunion(*sets: Value) -> Value:
    found, kind = _alike(sets)
    return set_of(itertools.chain(*found), kind)


@function("setintersection", ANY, rest=ANY, values=True)
def setintersection(*sets: Value) -> Value:
    found, kind = _alike(sets)
    shared = set(found[0]).intersection(*map(set, found[1:]))
    return set_of(shared, kind)


@function("setsubtract", ANY, ANY, values=True)
def setsubtract(*sets: Value) -> Value:
    found, kind = _alike(sets)
    return set_of(set(found[0]) - set(found[1]), kind)


@function("setsymmetricdifference", ANY, ANY, values=True)
def setsymmetricdifference(*sets: Value) -> Value:
    found, kind = _alike(sets)
    return set_of(set(found[0]) ^ set(found[1]), kind)


@function("sethaselement", ANY, ANY, values=True)
def sethaselement(items: Value, wanted: Value) -> bool:
    return wanted in sequence(items, 0)


@function("setproduct", ANY, rest=ANY, values=True)
def setproduct(*sets: Value) -> Value:
    each = [sequence(one, at) for at, one in enumerate(sets)]
    size = 1
    for items in each:
        size *= len(items)
    if size > _MOST:
        raise FunctionError(f"there are {size} combinations")
    rows = [tuple_of(row) for row in itertools.product(*each)]
    common = unify(row.type for row in rows)
    if common is None:
        return tuple_of(rows)
    rows = [convert(row, common) for row in rows]
    if all(isinstance(one.type, SetOf) for one in sets):
        return set_of(rows, common)
    return listing(rows, common)
