"""``dynamic "kind" { for_each = ... content { ... } }``: as many blocks as a collection has items."""

from __future__ import annotations

from collections.abc import Iterable

from core.templates.hcl import tree
from core.templates.hcl.evaluate import evaluate, pairs
from core.templates.hcl.scope import Scope
from core.templates.problems import Fault, Problems
from core.templates.values.convert import ConversionError, convert
from core.templates.values.types import STRING
from core.templates.values.value import Unknown, object_of

Expanded = list[tuple[tree.Block, Scope]]
_KNOWN = ("for_each", "iterator", "labels")


def expand(blocks: Iterable[tree.Block], scope: Scope, problems: Problems) -> Expanded:
    """Blocks with the scopes in which their bodies stand."""
    found: Expanded = []
    for block in blocks:
        if block.kind != "dynamic":
            found.append((block, scope))
            continue
        try:
            found += _copies(block, scope)
        except Fault as fault:
            problems.add(fault)
    return found


def _copies(block: tree.Block, scope: Scope) -> Expanded:
    if len(block.labels) != 1:
        raise Fault(
            "A dynamic block names the kind of its blocks.", block.at, remedy='write dynamic "KIND" { ... }'
        )
    kind = block.labels[0].text
    settings = block.body.settings
    for name, setting in settings.items():
        if name not in _KNOWN:
            raise Fault(
                f'A dynamic block has no "{name}".',
                setting.name_at,
                why="It has for_each, iterator, labels and the block content.",
                remedy="put the settings of the blocks into content { ... }",
            )
    contents = [inner for inner in block.body.blocks if inner.kind == "content"]
    if len(contents) != 1 or len(block.body.blocks) != 1:
        raise Fault("A dynamic block has one block, content { ... }.", block.at)
    if "for_each" not in settings:
        raise Fault("This dynamic block has no for_each.", block.at, remedy="add for_each = LIST")
    collection = evaluate(settings["for_each"].value, scope)
    if isinstance(collection.raw, Unknown):
        raise Fault(f"for_each has to be known now, not after {collection.raw.why}.", settings["for_each"].at)
    name = _iterator(settings.get("iterator"), kind)
    copies: Expanded = []
    for key, value in pairs(collection, settings["for_each"].value.at):
        inner = scope.within({name: object_of({"key": key, "value": value})})
        labels = _labels(settings.get("labels"), inner)
        copies.append((tree.Block(kind, labels, contents[0].body, block.at), inner))
    return copies


def _iterator(setting: tree.Setting | None, kind: str) -> str:
    if setting is None:
        return kind
    if not isinstance(setting.value, tree.Name):
        raise Fault("iterator is a name without quotes.", setting.value.at)
    return setting.value.name


def _labels(setting: tree.Setting | None, scope: Scope) -> tuple[tree.Label, ...]:
    if setting is None:
        return ()
    found = evaluate(setting.value, scope)
    at = setting.value.at
    if not isinstance(found.raw, tuple):
        raise Fault("labels is a list of text.", at)
    try:
        return tuple(tree.Label(str(convert(item, STRING).raw), at) for item in found.raw)
    except ConversionError:
        raise Fault("labels is a list of text.", at) from None
