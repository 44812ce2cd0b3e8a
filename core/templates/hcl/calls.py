"""Calls of functions; those that need more than their arguments' values are here."""

from __future__ import annotations

from collections.abc import Callable

from core.templates.functions.files import read
from core.templates.functions.signature import FunctionError
from core.templates.hcl import tree
from core.templates.hcl.expressions import parse_template
from core.templates.hcl.scope import Scope
from core.templates.hcl.types import parse_type
from core.templates.problems import Fault, meant
from core.templates.source import Source, Span
from core.templates.values.convert import ConversionError, convert
from core.templates.values.value import Unknown, Value, boolean, text, unknown

Evaluate = Callable[[tree.Node, Scope], Value]

LAZY = ("can", "convert", "env", "templatefile", "try")
"""Functions that are not in the table."""
REMOTE = {
    "aws_secretsmanager": "AWS",
    "aws_secretsmanager_raw": "AWS",
    "consul_key": "Consul",
    "consul_keys": "Consul",
    "vault": "Vault",
}
"""Functions of Packer that ask a service."""


def call(node: tree.Call, scope: Scope, value: Evaluate) -> Value:
    """The value of a call. Raises Fault."""
    name = node.name
    if name in scope.refused:
        raise Fault(f'The function "{name}" cannot be used here.', node.name_at, why=scope.refused[name])
    if name == "try":
        return _try(node, scope, value)
    if name == "can":
        return _can(node, scope, value)
    if name == "convert":
        return _convert(node, scope, value)
    arguments, spans = _arguments(node, scope, value)
    if name == "templatefile":
        return _templatefile(node, scope, value, arguments)
    if name == "env":
        return _env(node, scope, arguments)
    function = scope.functions.get(name)
    if function is None:
        raise _unknown_function(node, scope)
    try:
        return function(scope.place, arguments)
    except FunctionError as error:
        at = spans[error.argument] if 0 <= error.argument < len(spans) else node.at
        if any(argument.holds_sensitive for argument in arguments):
            raise Fault(
                f"{name} refuses its arguments.", at, why="What is wrong with them is not shown."
            ) from None
        raise Fault(f"{name}: {error}.", at, remedy=error.remedy) from None


def _unknown_function(node: tree.Call, scope: Scope) -> Fault:
    if node.name in REMOTE:
        return Fault(
            f'The function "{node.name}" is not supported.',
            node.name_at,
            why=f"It asks {REMOTE[node.name]}, which Boxwright does not do.",
            remedy="use a variable, and give it with PKR_VAR_NAME or --var",
        )
    known = [*scope.functions, *LAZY]
    return Fault(f'There is no function "{node.name}".', node.name_at, remedy=meant(node.name, known))


def _arguments(node: tree.Call, scope: Scope, value: Evaluate) -> tuple[list[Value], list[Span]]:
    arguments = [value(argument, scope) for argument in node.arguments]
    spans = [argument.at for argument in node.arguments]
    if node.expand:
        last = arguments.pop()
        at = spans.pop()
        if isinstance(last.raw, Unknown):
            return [*arguments, last], [*spans, at]
        if not isinstance(last.raw, tuple):
            raise Fault("Only a list can be expanded with ...", at)
        arguments += [item.marked(last.sensitive) for item in last.raw]
        spans += [at] * len(last.raw)
    return arguments, spans


def _try(node: tree.Call, scope: Scope, value: Evaluate) -> Value:
    if not node.arguments:
        raise Fault("try needs at least one argument.", node.at)
    faults = []
    for argument in node.arguments:
        try:
            return value(argument, scope)
        except Fault as fault:
            faults.append(fault)
    raise Fault("try: none of the arguments could be worked out.", node.at, why=faults[-1].what)


def _can(node: tree.Call, scope: Scope, value: Evaluate) -> Value:
    if len(node.arguments) != 1:
        raise Fault("can takes one argument.", node.at)
    try:
        found = value(node.arguments[0], scope)
    except Fault:
        return boolean(False)
    return unknown(found.waits_for) if found.waits_for else boolean(True)


def _convert(node: tree.Call, scope: Scope, value: Evaluate) -> Value:
    if len(node.arguments) != 2:
        raise Fault("convert takes a value and a type.", node.at, remedy="write convert(VALUE, list(string))")
    kind = parse_type(node.arguments[1])
    try:
        return convert(value(node.arguments[0], scope), kind)
    except ConversionError as error:
        raise Fault(f"convert: {error}.", node.arguments[0].at) from None


def _env(node: tree.Call, scope: Scope, arguments: list[Value]) -> Value:
    if len(arguments) != 1 or not isinstance(arguments[0].raw, str):
        raise Fault("env takes the name of a variable of the environment.", node.at)
    return text(scope.place.environment.get(arguments[0].raw, ""))


def _templatefile(node: tree.Call, scope: Scope, value: Evaluate, arguments: list[Value]) -> Value:
    if len(arguments) != 2 or not isinstance(arguments[0].raw, str):
        raise Fault("templatefile takes a file and an object with its variables.", node.at)
    if why := arguments[1].waits_for:
        return unknown(why)
    name, given = arguments[0].raw, arguments[1].raw
    if not isinstance(given, dict):
        raise Fault("The variables of templatefile are an object.", node.arguments[-1].at)
    try:
        content = read(scope.place, name).decode()
    except FunctionError as error:
        raise Fault(f"templatefile: {error}.", node.arguments[0].at, remedy=error.remedy) from None
    except UnicodeDecodeError:
        raise Fault(f"templatefile: {name} is not UTF-8 text.", node.arguments[0].at) from None
    inner = Scope(
        scope.place,
        scope.functions,
        dict(given),
        refused={**scope.refused, "templatefile": "A template's file cannot have templates of its own."},
    )
    found = value(parse_template(Source(name, content)), inner)
    return found.marked(arguments[1].holds_sensitive or arguments[0].sensitive)
