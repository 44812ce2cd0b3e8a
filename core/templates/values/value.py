"""Values: what expressions come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Context, Decimal
from typing import Any

from core.templates.values.types import (
    ANY,
    BOOL,
    NUMBER,
    STRING,
    AnyType,
    ListOf,
    MapOf,
    ObjectOf,
    SetOf,
    TupleOf,
    Type,
)

PRECISION = Context(prec=154, Emax=999999, Emin=-999999)
"""As many digits as Packer's 512 bits hold."""


class Unknown:
    """Known when the build runs: ``why`` says what it waits for, e.g. ``build.Host``."""

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why


class Value:
    """A value with its type. ``sensitive``: it, or what it was made from, must not be shown.

    ``raw`` is None for null, an Unknown, bool, str, int or Decimal (never a whole one), a tuple for lists,
    sets (in order, each once) and tuples, a dict for maps and objects. Immutable.
    """

    __slots__ = ("raw", "sensitive", "type")

    def __init__(self, type: Type, raw: Any, sensitive: bool = False) -> None:
        self.type = type
        self.raw = raw
        self.sensitive = sensitive

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and same(self, other)

    def __hash__(self) -> int:
        return hash(_key(self))

    def __repr__(self) -> str:
        return f"Value({self.type}, {'<sensitive>' if self.sensitive else repr(self.raw)})"

    @property
    def null(self) -> bool:
        return self.raw is None

    @property
    def unknown(self) -> bool:
        return isinstance(self.raw, Unknown)

    @property
    def is_sequence(self) -> bool:
        return isinstance(self.type, ListOf | SetOf | TupleOf)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.type, MapOf | ObjectOf)

    def marked(self, sensitive: bool = True) -> Value:
        """The same value, sensitive where it or the other was."""
        return self if self.sensitive or not sensitive else Value(self.type, self.raw, True)

    def children(self) -> Iterable[Value]:
        if isinstance(self.raw, tuple):
            return self.raw
        return self.raw.values() if isinstance(self.raw, dict) else ()

    def walk(self) -> Iterator[Value]:
        """This value and all in it."""
        yield self
        for child in self.children():
            yield from child.walk()

    @property
    def holds_sensitive(self) -> bool:
        return any(value.sensitive for value in self.walk())

    @property
    def waits_for(self) -> str:
        """What has to be known before this is; "" where all of it is known."""
        return next((value.raw.why for value in self.walk() if isinstance(value.raw, Unknown)), "")


NULL = Value(ANY, None)
TRUE = Value(BOOL, True)
FALSE = Value(BOOL, False)


def text(value: str) -> Value:
    return Value(STRING, value)


def number(value: int | float | Decimal) -> Value:
    """Raises ArithmeticError for what is no finite number, or beyond all bounds."""
    if isinstance(value, int):
        return Value(NUMBER, value)
    exact = PRECISION.create_decimal(value)
    if not exact.is_finite() or abs(exact.adjusted()) > 6000:
        raise OverflowError("the number is too large or too small")
    return Value(NUMBER, int(exact) if exact == exact.to_integral_value() else exact.normalize(PRECISION))


def boolean(value: bool) -> Value:
    return TRUE if value else FALSE


def unknown(why: str, kind: Type = ANY) -> Value:
    return Value(kind, Unknown(why))


def listing(items: Iterable[Value], element: Type = ANY) -> Value:
    """A list whose items are of the type already."""
    return Value(ListOf(element), tuple(items))


def tuple_of(items: Iterable[Value]) -> Value:
    kept = tuple(items)
    return Value(TupleOf(tuple(item.type for item in kept)), kept)


def mapping(items: Mapping[str, Value], element: Type = ANY) -> Value:
    """A map whose values are of the type already."""
    return Value(MapOf(element), dict(sorted(items.items())))


def object_of(items: Mapping[str, Value]) -> Value:
    kept = dict(sorted(items.items()))
    return Value(ObjectOf({name: item.type for name, item in kept.items()}), kept)


def set_of(items: Iterable[Value], element: Type = ANY) -> Value:
    """A set; items are of the type already and may come in any order, any number of times."""
    once = {_key(item): item for item in items}
    return Value(SetOf(element), tuple(once[key] for key in sorted(once, key=_order)))


def lift(data: Any) -> Value:
    """Python data as a value: lists become tuples, dicts objects. Raises TypeError for others."""
    match data:
        case Value():
            return data
        case None:
            return NULL
        case bool():
            return boolean(data)
        case str():
            return text(data)
        case int() | float() | Decimal():
            return number(data)
        case list() | tuple():
            return tuple_of(lift(item) for item in data)
        case dict():
            return object_of({str(key): lift(item) for key, item in data.items()})
    raise TypeError(f"{type(data).__name__} is no value")


def same(one: Value, other: Value) -> bool:
    """Equal as HCL2 sees it: a list is no tuple, a number no text."""
    return _key(one) == _key(other)


def _key(value: Value) -> tuple[Any, ...]:
    raw = value.raw
    if raw is None:
        return (0,)
    if isinstance(raw, Unknown):
        return (9, id(raw))
    if isinstance(raw, bool):
        return (1, raw)
    if isinstance(raw, int | Decimal):
        return (2, raw)
    if isinstance(raw, str):
        return (3, raw)
    if isinstance(raw, tuple):
        return (4, type(value.type).__name__, tuple(_key(item) for item in raw))
    return (5, type(value.type).__name__, tuple((name, _key(raw[name])) for name in sorted(raw)))


def _order(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Texts by their bytes, numbers by size, the rest by what they hold."""
    return (key[0], repr(key[1:])) if key[0] > 3 else key


def element_type(kind: Type) -> Type:
    """Of a list, set or map; ANY otherwise."""
    return kind.element if isinstance(kind, ListOf | SetOf | MapOf) else ANY


def is_any(kind: Type) -> bool:
    return isinstance(kind, AnyType)
