"""Types as they are written: ``string``, ``list(number)``, ``object({ name = string })``."""

from __future__ import annotations

from core.templates.hcl import tree
from core.templates.problems import Fault, meant
from core.templates.values.types import (
    ANY,
    BOOL,
    NUMBER,
    STRING,
    ListOf,
    MapOf,
    ObjectOf,
    SetOf,
    TupleOf,
    Type,
)

_WORDS: dict[str, Type] = {"string": STRING, "number": NUMBER, "bool": BOOL, "any": ANY}
_COLLECTIONS = ("list", "set", "map")
_ALL = (*_WORDS, *_COLLECTIONS, "tuple", "object")


def parse_type(node: tree.Node) -> Type:
    """The type that an expression names. Raises Fault."""
    if isinstance(node, tree.Parentheses):
        return parse_type(node.inner)
    if isinstance(node, tree.Template) and len(node.parts) == 1 and isinstance(node.parts[0], tree.Literal):
        return _quoted(node, str(node.parts[0].value))
    if isinstance(node, tree.Name):
        if node.name in _WORDS:
            return _WORDS[node.name]
        if node.name in _COLLECTIONS:
            return _collection(node.name, ANY)
    if isinstance(node, tree.Call) and node.name in _ALL and node.name not in _WORDS:
        return _made(node)
    shown = node.name if isinstance(node, tree.Name | tree.Call) else node.at.text
    raise Fault(
        f'"{shown}" is no type.',
        node.at,
        why="There are string, number, bool, any, list(T), set(T), map(T), tuple([T]), object({k = T}).",
        remedy=meant(shown, _ALL),
    )


def _collection(name: str, element: Type) -> Type:
    if name == "map":
        return MapOf(element)
    if name == "set":
        return SetOf(element)
    return ListOf(element)


def _quoted(node: tree.Template, word: str) -> Type:
    """``"string"``, the notation of old."""
    if word == "string":
        return STRING
    if word in ("list", "map"):
        return _collection(word, ANY)
    raise Fault(f'"{word}" is no type.', node.at, remedy="a type stands without quotes: type = string")


def _made(node: tree.Call) -> Type:
    if len(node.arguments) != 1 or node.expand:
        raise Fault(f"{node.name} takes one type.", node.at, remedy=f"write {_example(node.name)}")
    inner = node.arguments[0]
    if node.name in _COLLECTIONS:
        return _collection(node.name, parse_type(inner))
    if node.name == "tuple":
        if not isinstance(inner, tree.TupleNode):
            raise Fault("tuple takes a list of types.", inner.at, remedy=f"write {_example('tuple')}")
        return TupleOf(tuple(parse_type(item) for item in inner.items))
    if not isinstance(inner, tree.ObjectNode):
        raise Fault("object takes names with types.", inner.at, remedy=f"write {_example('object')}")
    attributes: dict[str, Type] = {}
    optional: set[str] = set()
    for key, kind in inner.items:
        name = _key(key)
        if isinstance(kind, tree.Call) and kind.name == "optional" and len(kind.arguments) == 1:
            optional.add(name)
            kind = kind.arguments[0]
        attributes[name] = parse_type(kind)
    return ObjectOf(attributes, frozenset(optional))


def _key(node: tree.Node) -> str:
    if isinstance(node, tree.Literal) and isinstance(node.value, str):
        return node.value
    if isinstance(node, tree.Template) and all(isinstance(part, tree.Literal) for part in node.parts):
        return "".join(str(part.value) for part in node.parts if isinstance(part, tree.Literal))
    raise Fault("The name of an attribute is plain text.", node.at)


def _example(name: str) -> str:
    return {"tuple": "tuple([string, number])", "object": "object({ name = string })"}.get(
        name, f"{name}(string)"
    )
