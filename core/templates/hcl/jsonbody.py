"""HCL2 written as JSON (``*.pkr.json``): the same blocks and settings, strings being templates."""

from __future__ import annotations

from collections.abc import Iterator

from core.templates.hcl import tree
from core.templates.hcl.expressions import parse_expression, parse_template
from core.templates.jsontext import JsonNode, parse_json
from core.templates.problems import Fault, Problems, meant
from core.templates.source import Source, Span

_BLOCKS: dict[str, dict[str, int]] = {
    "": {
        "packer": 0,
        "variable": 1,
        "variables": 0,
        "locals": 0,
        "local": 1,
        "source": 2,
        "data": 2,
        "build": 0,
    },
    "packer": {"required_plugins": 0},
    "variable": {"validation": 0},
    "build": {
        "source": 1,
        "provisioner": 1,
        "error-cleanup-provisioner": 1,
        "post-processor": 1,
        "post-processors": 0,
        "dynamic": 1,
    },
    "post-processors": {"post-processor": 1, "dynamic": 1},
    "provisioner": {"dynamic": 1},
    "source": {"dynamic": 1},
    "dynamic": {"content": 0},
}
"""For each kind of block: the kinds of blocks in it, and how many labels those have."""
_TYPES = ("type",)
"""Settings whose text is an expression, not a template."""


def json_body(source: Source, problems: Problems, *, variables: bool = False) -> tree.Body | None:
    """A file's content; None where it is no JSON object. ``variables``: settings only, all plain."""
    try:
        document = parse_json(source)
        if not isinstance(document.value, dict):
            raise Fault(f"The file holds {document.noun}, not an object.", document.at)
    except Fault as fault:
        problems.add(fault)
        return None
    if variables:
        settings = {
            name: tree.Setting(name, _value(node, literal=True), at, at.to(node.at))
            for name, (at, node) in document.value.items()
        }
        return tree.Body(settings, (), document.at)
    return _body("", document, problems)


def _body(kind: str, node: JsonNode, problems: Problems) -> tree.Body:
    inner = _BLOCKS.get(kind, {})
    settings: dict[str, tree.Setting] = {}
    blocks: list[tree.Block] = []
    for name, (at, item) in node.value.items():
        if name == "//" or (kind == "" and name == "_comment"):
            continue
        try:
            if name in inner:
                blocks += _blocks(name, at, item, inner[name], problems)
            elif kind == "":
                raise Fault(f'There is no block "{name}".', at, remedy=meant(name, inner))
            else:
                settings[name] = tree.Setting(name, _setting(kind, name, item), at, at.to(item.at))
        except Fault as fault:
            problems.add(fault)
    return tree.Body(settings, tuple(blocks), node.at)


def _setting(kind: str, name: str, node: JsonNode) -> tree.Node:
    if kind == "variable" and name in _TYPES and isinstance(node.value, str):
        return parse_expression(_inner_source(node))
    return _value(node, literal=False)


def _blocks(kind: str, at: Span, node: JsonNode, labels: int, problems: Problems) -> Iterator[tree.Block]:
    for names, body in _labelled(node, labels, ()):
        yield tree.Block(kind, names, _body(kind, body, problems), at)


def _labelled(
    node: JsonNode, labels: int, names: tuple[tree.Label, ...]
) -> Iterator[tuple[tuple[tree.Label, ...], JsonNode]]:
    """Each level of labels is an object by label; a list is several of the same."""
    if isinstance(node.value, list):
        for item in node.value:
            yield from _labelled(item, labels, names)
    elif not isinstance(node.value, dict):
        raise Fault(f"This is {node.noun}, not an object.", node.at)
    elif len(names) == labels:
        yield names, node
    else:
        for key, (at, item) in node.value.items():
            if key != "//":
                yield from _labelled(item, labels, (*names, tree.Label(key, at)))


def _value(node: JsonNode, *, literal: bool) -> tree.Node:
    value = node.value
    if isinstance(value, list):
        return tree.TupleNode(node.at, tuple(_value(item, literal=literal) for item in value))
    if isinstance(value, dict):
        items = [(tree.Literal(at, key), _value(item, literal=literal)) for key, (at, item) in value.items()]
        return tree.ObjectNode(node.at, tuple(items))
    if isinstance(value, str) and not literal and ("${" in value or "%{" in value):
        return parse_template(_inner_source(node))
    return tree.Literal(node.at, value)


def _inner_source(node: JsonNode) -> Source:
    """The text within the quotes, as a source whose places are those of the file."""
    exact = "\\" not in node.at.text
    return Source(node.at.source.file, node.value, origin=node.at, shift=1 if exact else None)
