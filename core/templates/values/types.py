"""The types of values in HCL2 templates."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Primitive(msgspec.Struct, frozen=True):
    """``string``, ``number`` or ``bool``."""

    name: str

    def __str__(self) -> str:
        return self.name


class AnyType(msgspec.Struct, frozen=True):
    """Not known, or of no importance."""

    def __str__(self) -> str:
        return "any"


class ListOf(msgspec.Struct, frozen=True):
    element: Type

    def __str__(self) -> str:
        return f"list({self.element})"


class SetOf(msgspec.Struct, frozen=True):
    element: Type

    def __str__(self) -> str:
        return f"set({self.element})"


class MapOf(msgspec.Struct, frozen=True):
    element: Type

    def __str__(self) -> str:
        return f"map({self.element})"


class TupleOf(msgspec.Struct, frozen=True):
    elements: tuple[Type, ...]

    def __str__(self) -> str:
        return f"tuple([{', '.join(map(str, self.elements))}])"


class ObjectOf(msgspec.Struct, frozen=True):
    """``optional`` attributes may be left out; they are null then."""

    attributes: dict[str, Type]
    optional: frozenset[str] = frozenset()

    def __str__(self) -> str:
        def one(name: str, kind: Type) -> str:
            return f"{name} = optional({kind})" if name in self.optional else f"{name} = {kind}"

        return f"object({{{', '.join(one(*item) for item in self.attributes.items())}}})"


Type: TypeAlias = Primitive | AnyType | ListOf | SetOf | MapOf | TupleOf | ObjectOf

STRING = Primitive("string")
NUMBER = Primitive("number")
BOOL = Primitive("bool")
ANY = AnyType()

_NOUNS = {"string": "text", "number": "a number", "bool": "true or false"}


def describe(kind: Type) -> str:
    """In words: ``a list of text``."""
    match kind:
        case Primitive():
            return _NOUNS[kind.name]
        case TupleOf():
            return "a list"
        case ListOf():
            return "a list" if kind.element == ANY else f"a list, each item {describe(kind.element)}"
        case SetOf():
            return "a set" if kind.element == ANY else f"a set, each item {describe(kind.element)}"
        case MapOf():
            return "a map" if kind.element == ANY else f"a map, each value {describe(kind.element)}"
        case ObjectOf():
            return f"an object with {', '.join(kind.attributes)}" if kind.attributes else "an object"
    return "any value"
