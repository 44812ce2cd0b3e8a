"""Bodies of blocks whose settings are a plugin's: worked out as data, whatever they are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.templates.hcl import tree
from core.templates.hcl.dynamic import expand
from core.templates.hcl.evaluate import evaluate
from core.templates.hcl.scope import Scope
from core.templates.model import Deferred, Secret, Settings
from core.templates.problems import Fault, Problems
from core.templates.values.show import plain
from core.templates.values.value import Unknown, Value


def settings_of(body: tree.Body, scope: Scope, problems: Problems, leave: Iterable[str] = ()) -> Settings:
    """The settings and nested blocks of a body, without those to ``leave``. A fault leaves its setting out
    and goes to ``problems``."""
    left = set(leave)
    found: Settings = {}
    for setting in body.settings.values():
        if setting.name in left:
            continue
        try:
            found[setting.name] = settle(evaluate(setting.value, scope), setting.value)
        except Fault as fault:
            problems.add(fault)
    for block, inner in expand(body.blocks, scope, problems):
        if block.kind in left:
            continue
        name = block.kind
        item = settings_of(block.body, inner, problems)
        for label in reversed(block.labels):
            item = {label.text: item}
        earlier = found.setdefault(name, [])
        if not isinstance(earlier, list):
            problems.add(Fault(f'"{name}" is a setting and a block at once.', block.at))
        else:
            earlier.append(item)
    return found


def settle(value: Value, node: tree.Node | None = None) -> Any:
    """A value as a setting: plain data, Secret, Deferred."""
    if value.sensitive:
        if value.waits_for:
            return Deferred(node.at.text if node is not None else "", value.waits_for)
        return Secret(plain(value))
    if isinstance(value.raw, Unknown):
        return Deferred(node.at.text if node is not None else f"${{{value.raw.why}}}", value.raw.why)
    if isinstance(value.raw, tuple):
        items = node.items if isinstance(node, tree.TupleNode) else [None] * len(value.raw)
        return [settle(item, inner) for item, inner in zip(value.raw, items, strict=True)]
    if isinstance(value.raw, dict):
        return {key: settle(item) for key, item in value.raw.items()}
    return plain(value)
