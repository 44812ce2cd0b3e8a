"""Which values can stand for which types, and the one type that several values have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from core.templates.values.types import (
    ANY,
    BOOL,
    NUMBER,
    STRING,
    AnyType,
    ListOf,
    MapOf,
    ObjectOf,
    Primitive,
    SetOf,
    TupleOf,
    Type,
    describe,
)
from core.templates.values.value import (
    NULL,
    Unknown,
    Value,
    boolean,
    listing,
    mapping,
    number,
    set_of,
    text,
)

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


class ConversionError(ValueError):
    """A value that is not, and cannot become, of the type; the message is a sentence without its end."""


def convert(value: Value, kind: Type, where: str = "") -> Value:
    """The value as one of type ``kind``. ``where`` is the path to it, for errors. Raises ConversionError."""
    if isinstance(kind, AnyType) or value.type == kind:
        return value
    if value.raw is None:
        return Value(kind, None, value.sensitive)
    if isinstance(value.raw, Unknown):
        return Value(kind, value.raw, value.sensitive)
    return _convert(value, kind, where).marked(value.sensitive)


def _convert(value: Value, kind: Type, where: str) -> Value:
    match kind:
        case Primitive():
            return _primitive(value, kind, where)
        case ListOf() | SetOf():
            items = _items(value, kind, where)
            each = [convert(item, kind.element, f"{where}[{index}]") for index, item in enumerate(items)]
            element = _common(each, kind.element, where)
            each = [convert(item, element) for item in each]
            return listing(each, element) if isinstance(kind, ListOf) else set_of(each, element)
        case MapOf():
            if not isinstance(value.raw, dict):
                raise _mismatch(value, kind, where)
            found = {key: convert(item, kind.element, f"{where}.{key}") for key, item in value.raw.items()}
            element = _common(list(found.values()), kind.element, where)
            return mapping({key: convert(item, element) for key, item in found.items()}, element)
        case TupleOf():
            items = _items(value, kind, where)
            if len(items) != len(kind.elements):
                raise ConversionError(
                    f"{_subject(where)} has {len(items)} items, not the {len(kind.elements)} that it needs"
                )
            pairs = enumerate(zip(items, kind.elements, strict=True))
            return Value(kind, tuple(convert(item, one, f"{where}[{i}]") for i, (item, one) in pairs))
        case ObjectOf():
            return _object(value, kind, where)
    return value


def _primitive(value: Value, kind: Primitive, where: str) -> Value:
    raw = value.raw
    if kind == STRING and isinstance(raw, bool | int | Decimal | str):
        return text(to_text(raw))
    if kind == NUMBER and isinstance(raw, str) and _NUMBER.fullmatch(raw):
        return number(Decimal(raw))
    if kind == BOOL and isinstance(raw, str) and raw in _BOOLS:
        return boolean(_BOOLS[raw])
    raise _mismatch(value, kind, where)


def to_text(raw: bool | int | Decimal | str) -> str:
    """A primitive as HCL2 writes it into text."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int):
        return _digits(raw)
    return raw if isinstance(raw, str) else f"{raw:f}"


def _digits(raw: int) -> str:
    """``str()`` has a limit on digits."""
    return f"{Decimal(raw):f}" if abs(raw).bit_length() > 14000 else str(raw)


def _object(value: Value, kind: ObjectOf, where: str) -> Value:
    if not isinstance(value.raw, dict):
        raise _mismatch(value, kind, where)
    missing = [name for name in kind.attributes if name not in value.raw and name not in kind.optional]
    if missing:
        raise ConversionError(f"{_subject(where)} has no {missing[0]!r}, which it needs")
    found = {}
    for name, one in sorted(kind.attributes.items()):
        found[name] = convert(value.raw.get(name, NULL), one, f"{where}.{name}")
    return Value(ObjectOf({name: item.type for name, item in found.items()}), found)


def _items(value: Value, kind: Type, where: str) -> tuple[Value, ...]:
    if not isinstance(value.raw, tuple):
        raise _mismatch(value, kind, where)
    return value.raw


def _common(items: Sequence[Value], wanted: Type, where: str) -> Type:
    """The element type of a collection; where ``wanted`` leaves it open, what its items share."""
    if not _open(wanted):
        return wanted
    if not items:
        return wanted
    common = unify(item.type for item in items)
    if common is None:
        raise ConversionError(
            f"the items of {_subject(where)[:1].lower()}{_subject(where)[1:]} have different types"
        )
    return common


def _open(kind: Type) -> bool:
    match kind:
        case AnyType():
            return True
        case ListOf() | SetOf() | MapOf():
            return _open(kind.element)
    return False


def _mismatch(value: Value, kind: Type, where: str) -> ConversionError:
    return ConversionError(f"{_subject(where)} is {describe(value.type)}, not {describe(kind)}")


def _subject(where: str) -> str:
    return where.removeprefix(".") or "The value"


def unify(kinds: Iterable[Type]) -> Type | None:
    """The type that values of all these types can be converted to without loss; None where there is none."""
    once = {str(kind): kind for kind in kinds}
    types = [kind for kind in once.values() if not isinstance(kind, AnyType)]
    if not types:
        return ANY
    if len(types) == 1:
        return types[0]
    if all(isinstance(kind, Primitive) for kind in types):
        return STRING if STRING in types else None
    if all(isinstance(kind, ListOf | SetOf | TupleOf) for kind in types):
        return _unify_sequences(types)
    if all(isinstance(kind, MapOf | ObjectOf) for kind in types):
        return _unify_mappings(types)
    return None


def _unify_sequences(types: Sequence[Type]) -> Type | None:
    tuples = [kind for kind in types if isinstance(kind, TupleOf)]
    if len(tuples) == len(types) and len({len(kind.elements) for kind in tuples}) == 1:
        each = [unify(column) for column in zip(*(kind.elements for kind in tuples), strict=True)]
        found = [one for one in each if one is not None]
        return TupleOf(tuple(found)) if len(found) == len(each) else None
    inner: list[Type] = []
    for kind in types:
        inner += kind.elements if isinstance(kind, TupleOf) else [_element(kind)]
    element = unify(inner)
    if element is None:
        return None
    only_sets = all(isinstance(kind, SetOf) for kind in types)
    return SetOf(element) if only_sets else ListOf(element)


def _unify_mappings(types: Sequence[Type]) -> Type | None:
    objects = [kind for kind in types if isinstance(kind, ObjectOf)]
    if len(objects) == len(types) and len({frozenset(kind.attributes) for kind in objects}) == 1:
        found = {}
        for name in objects[0].attributes:
            common = unify(kind.attributes[name] for kind in objects)
            if common is None:
                return None
            found[name] = common
        return ObjectOf(found)
    inner: list[Type] = []
    for kind in types:
        inner += kind.attributes.values() if isinstance(kind, ObjectOf) else [_element(kind)]
    element = unify(inner)
    return None if element is None else MapOf(element)


def _element(kind: Type) -> Type:
    assert isinstance(kind, ListOf | SetOf | MapOf)
    return kind.element
