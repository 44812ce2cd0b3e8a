"""Works Go's templates out, wholly or as far as can be known yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from core.templates.golang.parser import parse
from core.templates.golang.tree import (
    Action,
    Command,
    Constant,
    Control,
    Field,
    NameOf,
    Piece,
    Pipeline,
    Text,
)
from core.templates.problems import Fault, meant
from core.templates.source import Source, Span

Call = Callable[..., Any]


class LaterError(Exception):
    """Not known before the build runs; the message says what."""


class CallError(ValueError):
    """What a function has against its arguments: a sentence without its end."""


class Names(msgspec.Struct, frozen=True):
    """``functions`` by name, and the data that the dot stands for; None: not known yet."""

    functions: Mapping[str, Call]
    dot: Any = None
    later: tuple[str, ...] = ()
    """Functions that only the running build has."""


class Rendered(msgspec.Struct, frozen=True):
    text: str
    waits_for: str = ""
    """What is still open in ``text``, which is a template then; "" where it is plain text."""


def render(source: Source, names: Names) -> str:
    """The whole text. Raises Fault, also for what is not known."""
    variables: dict[str, Any] = {}
    return "".join(_render(piece, names, variables) for piece in parse(source))


def render_known(source: Source, names: Names) -> Rendered:
    """What can be known; the rest stays as it is written. Raises Fault."""
    parts: list[tuple[bool, str]] = []
    waits = ""
    variables: dict[str, Any] = {}
    for piece in parse(source):
        try:
            parts.append((False, _render(piece, names, variables)))
        except LaterError as later:
            waits = waits or str(later)
            parts.append((True, piece.at.text))
    if waits and variables:
        # What is open may use the variables that were set.
        return Rendered(source.text, waits)
    if not waits:
        return Rendered("".join(text for _, text in parts))
    return Rendered("".join(text if open else _escaped(text) for open, text in parts), waits)


def _escaped(text: str) -> str:
    """Text that comes to itself when the template is rendered."""
    return text.replace("{{", '{{"{{"}}')


def _render(piece: Piece, names: Names, variables: dict[str, Any]) -> str:
    match piece:
        case Text():
            return piece.text
        case Action():
            value = _pipeline(piece.pipeline, names, variables)
            return "" if piece.pipeline.assigns else written(value)
        case Control():
            return _control(piece, names, variables)
    raise AssertionError(piece)


def written(value: Any) -> str:
    """As Go prints it."""
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{' '.join(written(item) for item in value)}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{written(value[key])}' for key in sorted(value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _control(piece: Control, names: Names, variables: dict[str, Any]) -> str:
    inner = dict(variables)
    value = _pipeline(piece.pipeline, names, inner)
    if piece.kind == "range":
        return _range(piece, value, names, inner)
    branch = piece.yes if value else piece.no
    within = msgspec.structs.replace(names, dot=value) if piece.kind == "with" and value else names
    return "".join(_render(one, within, inner) for one in branch)


def _range(piece: Control, value: Any, names: Names, variables: dict[str, Any]) -> str:
    if isinstance(value, dict):
        items = [(key, value[key]) for key in sorted(value)]
    elif isinstance(value, list | tuple):
        items = list(enumerate(value))
    elif value is None:
        items = []
    else:
        raise Fault("range goes through lists and maps only.", piece.pipeline.at)
    if not items:
        return "".join(_render(one, names, variables) for one in piece.no)
    written_items = []
    for key, item in items:
        inner = dict(variables)
        if piece.pipeline.assigns:
            inner |= zip(piece.pipeline.assigns[::-1], (item, key), strict=False)
        within = msgspec.structs.replace(names, dot=item)
        written_items.append("".join(_render(one, within, inner) for one in piece.yes))
    return "".join(written_items)


def _pipeline(pipeline: Pipeline, names: Names, variables: dict[str, Any]) -> Any:
    handed: tuple[Any, ...] = ()
    for command in pipeline.commands:
        handed = (_command(command, names, variables, handed),)
    for name in pipeline.assigns:
        variables[name] = handed[0]
    return handed[0]


def _command(command: Command, names: Names, variables: dict[str, Any], handed: tuple[Any, ...]) -> Any:
    arguments = [_operand(argument, names, variables) for argument in command.arguments]
    if not command.function:
        if handed:
            raise Fault("Only a function can take what | hands on.", command.at)
        return arguments[0]
    if command.function in names.later:
        raise LaterError(command.function)
    function = names.functions.get(command.function)
    if function is None:
        at = Span(command.at.source, command.at.start, command.at.start + len(command.function))
        known = [*names.functions, *names.later]
        raise Fault(f'There is no function "{command.function}".', at, remedy=meant(command.function, known))
    try:
        return function(*arguments, *handed)
    except CallError as error:
        raise Fault(f"{command.function}: {error}.", command.at) from None
    except TypeError:
        raise Fault(f"{command.function} does not take these arguments.", command.at) from None


def _operand(piece: Piece, names: Names, variables: dict[str, Any]) -> Any:
    match piece:
        case Constant():
            return piece.value
        case NameOf():
            if piece.name == "$":
                return names.dot
            if piece.name not in variables:
                raise LaterError(piece.name)
            return variables[piece.name]
        case Field():
            return _field(piece, names, variables)
        case Pipeline():
            return _pipeline(piece, names, variables)
        case Command():
            return _command(piece, names, variables, ())
    raise AssertionError(piece)


def _field(piece: Field, names: Names, variables: dict[str, Any]) -> Any:
    if piece.on is None:
        if names.dot is None:
            raise LaterError(piece.at.text)
        value = names.dot
    else:
        value = _operand(piece.on, names, variables)
    for name in piece.names:
        if not isinstance(value, Mapping) or name not in value:
            known = list(value) if isinstance(value, Mapping) else []
            why = f"There is {', '.join('.' + one for one in known)}." if known else ""
            raise Fault(f'There is no ".{name}" here.', piece.at, why=why, remedy=meant(name, known))
        value = value[name]
    return value
