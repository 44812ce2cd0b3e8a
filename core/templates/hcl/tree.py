"""The syntax of HCL2 as data: expressions, string templates, bodies."""

from __future__ import annotations

from typing import Any

import msgspec

from core.templates.source import Span


class Node(msgspec.Struct, frozen=True):
    """An expression; ``at`` is the piece of text that it was read from."""

    at: Span


class Literal(Node, frozen=True):
    """A number, text, true, false or null: int, Decimal, str, bool or None."""

    value: Any


class Name(Node, frozen=True):
    """The first word of a reference."""

    name: str


class Attribute(Node, frozen=True):
    """``on.name``"""

    on: Node
    name: str


class Index(Node, frozen=True):
    """``on[key]``"""

    on: Node
    key: Node


class Item(Node, frozen=True):
    """Inside of a splat: the element at hand."""


class Splat(Node, frozen=True):
    """``on[*].each`` (full) or ``on.*.each``; ``each`` is applied to an Item."""

    on: Node
    each: Node


class Call(Node, frozen=True):
    """``name(arguments)``; ``expand``: the last one stands for several (``...``)."""

    name: str
    arguments: tuple[Node, ...]
    expand: bool
    name_at: Span


class Unary(Node, frozen=True):
    operator: str
    operand: Node


class Binary(Node, frozen=True):
    operator: str
    left: Node
    right: Node


class Conditional(Node, frozen=True):
    condition: Node
    yes: Node
    no: Node


class Parentheses(Node, frozen=True):
    inner: Node


class TupleNode(Node, frozen=True):
    items: tuple[Node, ...]


class ObjectNode(Node, frozen=True):
    items: tuple[tuple[Node, Node], ...]


class For(Node, frozen=True):
    """``[for k, v in collection : value if condition]``, or with ``result_key`` in braces."""

    key: str
    """"" where only one name was given."""
    value: str
    collection: Node
    result_key: Node | None
    result: Node
    condition: Node | None
    group: bool
    """``...`` behind the result: several values of one key make a list."""


class Template(Node, frozen=True):
    """Text with interpolations; a single interpolation alone keeps its type."""

    parts: tuple[Node, ...]
    wrapped: bool
    """Nothing but one interpolation: ``"${x}"``."""


class TemplateIf(Node, frozen=True):
    condition: Node
    yes: Template
    no: Template | None


class TemplateFor(Node, frozen=True):
    key: str
    value: str
    collection: Node
    body: Template


class Setting(msgspec.Struct, frozen=True):
    """``name = value`` in a body."""

    name: str
    value: Node
    name_at: Span
    at: Span


class Label(msgspec.Struct, frozen=True):
    text: str
    at: Span


class Block(msgspec.Struct, frozen=True):
    """``kind "label" { ... }``; ``at`` is its header."""

    kind: str
    labels: tuple[Label, ...]
    body: Body
    at: Span


class Body(msgspec.Struct, frozen=True):
    """What stands between braces, or in a file."""

    settings: dict[str, Setting]
    blocks: tuple[Block, ...]
    at: Span
