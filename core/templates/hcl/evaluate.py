"""Works expressions out."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from core.templates.hcl import operators, tree
from core.templates.hcl.calls import call
from core.templates.hcl.scope import Namespace, Scope
from core.templates.problems import Fault, meant
from core.templates.source import Span
from core.templates.values.convert import ConversionError, convert, unify
from core.templates.values.types import BOOL, NUMBER, STRING, MapOf, SetOf, describe
from core.templates.values.value import (
    Unknown,
    Value,
    lift,
    number,
    object_of,
    text,
    tuple_of,
    unknown,
)

_ITEM = " item "


def evaluate(node: tree.Node, scope: Scope) -> Value:
    """The value of an expression. Raises Fault with the place of what is wrong."""
    try:
        return _value(node, scope)
    except RecursionError:
        raise Fault("This is nested too deeply.", node.at) from None


def _value(node: tree.Node, scope: Scope) -> Value:
    return _BY_KIND[type(node)](node, scope)


def _literal(node: tree.Literal, _scope: Scope) -> Value:
    return lift(node.value)


def _name(node: tree.Name, scope: Scope) -> Value:
    found = scope.root(node.name, node.at)
    return found.whole(node.at) if isinstance(found, Namespace) else found


def _item(_node: tree.Item, scope: Scope) -> Value:
    found = scope.roots[_ITEM]
    assert isinstance(found, Value)
    return found


def _attribute(node: tree.Attribute, scope: Scope) -> Value:
    found = _named(node, scope)
    return found.whole(node.at) if isinstance(found, Namespace) else found


def _named(node: tree.Node, scope: Scope) -> Namespace | Value:
    """What a reference names: of a namespace no more is worked out than is asked for."""
    if isinstance(node, tree.Name):
        return scope.root(node.name, node.at)
    if not isinstance(node, tree.Attribute):
        return _value(node, scope)
    on = _named(node.on, scope)
    return on.get(node.name, node.at) if isinstance(on, Namespace) else member(on, node.name, node.at)


def member(value: Value, name: str, at: Span) -> Value:
    """``value.name``. Raises Fault."""
    raw = value.raw
    if isinstance(raw, Unknown):
        return unknown(raw.why).marked(value.sensitive)
    if raw is None:
        raise Fault(f'null has no "{name}".', at)
    if isinstance(raw, tuple):
        raise Fault(f'A list has no "{name}".', at, remedy=f"take one item with [0], or all with [*].{name}")
    if not isinstance(raw, dict):
        raise Fault(f'{_capital(describe(value.type))} has no "{name}".', at)
    if name not in raw:
        names = [] if value.sensitive else list(raw)
        known = f"There is {', '.join(names[:12])}." if names else ""
        noun = "map" if isinstance(value.type, MapOf) else "object"
        raise Fault(f'This {noun} has no "{name}".', at, why=known, remedy=meant(name, names))
    found: Value = raw[name]
    return found.marked(value.sensitive)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _index(node: tree.Index, scope: Scope) -> Value:
    key = _value(node.key, scope)
    if isinstance(node.on, tree.Name):
        root = scope.root(node.on.name, node.on.at)
        if isinstance(root, Namespace) and isinstance(key.raw, str):
            found = root.get(key.raw, node.at)
            return found.whole(node.at) if isinstance(found, Namespace) else found
    on = _value(node.on, scope)
    sensitive = on.sensitive or key.sensitive
    return _indexed(on, key, node).marked(sensitive)


def _indexed(on: Value, key: Value, node: tree.Index) -> Value:
    if why := (on.raw.why if isinstance(on.raw, Unknown) else "") or key.waits_for:
        return unknown(why)
    if on.null or key.null:
        raise Fault("null has no items." if on.null else "null is no index.", node.at)
    if isinstance(on.raw, dict):
        wanted = _as(key, STRING, node.key.at, "A key of a map")
        return member(on, str(wanted.raw), node.at)
    if not isinstance(on.raw, tuple):
        raise Fault(f"{_capital(describe(on.type))} has no items.", node.at)
    if isinstance(on.type, SetOf):
        raise Fault("The items of a set have no order.", node.at, remedy="make it a list: tolist(...)")
    at = _as(key, NUMBER, node.key.at, "The index of a list").raw
    if isinstance(at, Decimal):
        raise Fault("The index of a list is a whole number.", node.key.at)
    if not isinstance(at, int) or not 0 <= at < len(on.raw):
        items = f"{len(on.raw)} item{'' if len(on.raw) == 1 else 's'}"
        raise Fault(f"The list has no item {at}: it has {items}.", node.at, remedy="the first item is [0]")
    found: Value = on.raw[at]
    return found


def _as(value: Value, kind: Any, at: Span, subject: str) -> Value:
    try:
        return convert(value, kind)
    except ConversionError:
        raise Fault(f"{subject} is {describe(kind)}, not {describe(value.type)}.", at) from None


def _splat(node: tree.Splat, scope: Scope) -> Value:
    on = _value(node.on, scope)
    if isinstance(on.raw, Unknown):
        return on
    if on.null:
        return tuple_of(())
    items = on.raw if isinstance(on.raw, tuple) else (on,)
    return tuple_of(_value(node.each, scope.within({_ITEM: item})) for item in items).marked(on.sensitive)


def _call(node: tree.Call, scope: Scope) -> Value:
    return call(node, scope, _value)


def _unary(node: tree.Unary, scope: Scope) -> Value:
    value = _value(node.operand, scope)
    return operators.unary(node.operator, value, node.operand.at).marked(value.sensitive)


def _binary(node: tree.Binary, scope: Scope) -> Value:
    left, right = _value(node.left, scope), _value(node.right, scope)
    sensitive = left.holds_sensitive or right.holds_sensitive
    return operators.binary(node.operator, left, right, node.left.at, node.right.at).marked(sensitive)


def _conditional(node: tree.Conditional, scope: Scope) -> Value:
    """Both results have a type in common; only the one that is taken has to be free of faults."""
    condition = truth(_value(node.condition, scope), node.condition.at)
    if isinstance(condition.raw, Unknown):
        return unknown(condition.raw.why).marked(condition.sensitive)
    taken = _value(node.yes if condition.raw else node.no, scope)
    try:
        other = _value(node.no if condition.raw else node.yes, scope)
    except Fault:
        return taken.marked(condition.sensitive)
    common = unify((taken.type, other.type))
    if common is None:
        yes, no = (taken, other) if condition.raw else (other, taken)
        raise Fault(
            f"One result is {describe(yes.type)}, the other {describe(no.type)}.",
            node.at,
            remedy="let both have one type",
        )
    return convert(taken, common).marked(condition.sensitive)


def truth(value: Value, at: Span) -> Value:
    """The value as a condition. Raises Fault."""
    if value.null:
        raise Fault("The condition is null.", at)
    return _as(value, BOOL, at, "A condition")


def _parentheses(node: tree.Parentheses, scope: Scope) -> Value:
    return _value(node.inner, scope)


def _tuple(node: tree.TupleNode, scope: Scope) -> Value:
    return tuple_of(_value(item, scope) for item in node.items)


def _object(node: tree.ObjectNode, scope: Scope) -> Value:
    found: dict[str, Value] = {}
    sensitive = False
    for key_node, item in node.items:
        key = _value(key_node, scope)
        if isinstance(key.raw, Unknown):
            return unknown(key.raw.why)
        found[_key(key, key_node.at)] = _value(item, scope)
        sensitive = sensitive or key.sensitive
    return object_of(found).marked(sensitive)


def _key(key: Value, at: Span) -> str:
    if key.null:
        raise Fault("A key cannot be null.", at)
    return str(_as(key, STRING, at, "A key").raw)


def pairs(collection: Value, at: Span) -> list[tuple[Value, Value]]:
    """The keys (or numbers) and values of what a ``for`` goes through. Raises Fault."""
    raw = collection.raw
    if raw is None:
        raise Fault("null has no items to go through.", at)
    if isinstance(raw, dict):
        return [(text(key), raw[key].marked(collection.sensitive)) for key in sorted(raw)]
    if not isinstance(raw, tuple):
        raise Fault(f"{_capital(describe(collection.type))} has no items to go through.", at)
    if isinstance(collection.type, SetOf):
        return [(item, item.marked(collection.sensitive)) for item in raw]
    return [(number(index), item.marked(collection.sensitive)) for index, item in enumerate(raw)]


def _inner(scope: Scope, node: tree.For | tree.TemplateFor, key: Value, value: Value) -> Scope:
    return scope.within({node.key: key, node.value: value} if node.key else {node.value: value})


def _for(node: tree.For, scope: Scope) -> Value:
    collection = _value(node.collection, scope)
    if isinstance(collection.raw, Unknown):
        return unknown(collection.raw.why).marked(collection.sensitive)
    items: list[Value] = []
    keyed: dict[str, list[Value]] = {}
    sensitive = collection.sensitive
    for key, value in pairs(collection, node.collection.at):
        inner = _inner(scope, node, key, value)
        if node.condition is not None:
            wanted = truth(_value(node.condition, inner), node.condition.at)
            sensitive = sensitive or wanted.sensitive
            if isinstance(wanted.raw, Unknown):
                return unknown(wanted.raw.why).marked(sensitive)
            if not wanted.raw:
                continue
        if node.result_key is None:
            items.append(_value(node.result, inner))
            continue
        name = _value(node.result_key, inner)
        if isinstance(name.raw, Unknown):
            return unknown(name.raw.why).marked(sensitive)
        sensitive = sensitive or name.sensitive
        found = keyed.setdefault(_key(name, node.result_key.at), [])
        if found and not node.group:
            shown = "" if sensitive else f" {name.raw!r}"
            what = f"Two items have the key{shown}." if shown else "Two items have one key."
            raise Fault(what, node.result_key.at, remedy="put ... behind the value")
        found.append(_value(node.result, inner))
    if node.result_key is None:
        return tuple_of(items).marked(sensitive)
    grouped = {key: tuple_of(found) if node.group else found[0] for key, found in keyed.items()}
    return object_of(grouped).marked(sensitive)


def _template(node: tree.Template, scope: Scope) -> Value:
    if node.wrapped:
        return _value(node.parts[0], scope)
    words: list[str] = []
    sensitive = False
    waits = ""
    for part in node.parts:
        value = _value(part, scope)
        sensitive = sensitive or value.holds_sensitive
        if isinstance(value.raw, Unknown):
            waits = waits or value.raw.why
        elif value.null:
            raise Fault("null cannot be put into text.", part.at)
        else:
            words.append(str(_as(value, STRING, part.at, "What is put into text").raw))
    found = unknown(waits, STRING) if waits else text("".join(words))
    return found.marked(sensitive)


def _template_if(node: tree.TemplateIf, scope: Scope) -> Value:
    condition = truth(_value(node.condition, scope), node.condition.at)
    if isinstance(condition.raw, Unknown):
        return unknown(condition.raw.why, STRING)
    branch = node.yes if condition.raw else node.no
    found = text("") if branch is None else _template(branch, scope)
    return found.marked(condition.sensitive)


def _template_for(node: tree.TemplateFor, scope: Scope) -> Value:
    collection = _value(node.collection, scope)
    if isinstance(collection.raw, Unknown):
        return unknown(collection.raw.why, STRING)
    parts = [
        _template(node.body, _inner(scope, node, key, value))
        for key, value in pairs(collection, node.collection.at)
    ]
    waits = next((part.waits_for for part in parts if part.waits_for), "")
    found = unknown(waits, STRING) if waits else text("".join(str(part.raw) for part in parts))
    return found.marked(collection.sensitive or any(part.sensitive for part in parts))


_BY_KIND: dict[type, Callable[[Any, Scope], Value]] = {
    tree.Literal: _literal,
    tree.Name: _name,
    tree.Item: _item,
    tree.Attribute: _attribute,
    tree.Index: _index,
    tree.Splat: _splat,
    tree.Call: _call,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Conditional: _conditional,
    tree.Parentheses: _parentheses,
    tree.TupleNode: _tuple,
    tree.ObjectNode: _object,
    tree.For: _for,
    tree.Template: _template,
    tree.TemplateIf: _template_if,
    tree.TemplateFor: _template_for,
}
