"""The functions of strings in templates: Packer's, and those that Go's templates always have."""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.templates.functions.signature import Place as World
from core.templates.golang.render import CallError, LaterError, written
from core.templates.golang.times import format_time
from core.templates.reading import SPEAKS

LATER = ("build", "build_name", "build_type")
"""Functions of a running build."""
_REMOTE = ("consul_key", "vault", "aws_secretsmanager")


def functions(
    world: World,
    variables: Callable[[str], str],
    build: Mapping[str, str] | None = None,
    *,
    env: bool = False,
) -> dict[str, Callable[..., Any]]:
    """All functions. ``variables`` finds the value of a user variable (may raise CallError).
    ``build`` has what is known of the running build: ``build_name``, ``build_type``, and ID, Host and so on.
    ``env``: the environment may be read, as in the defaults of variables."""
    when = datetime.datetime.fromtimestamp(world.clock, datetime.UTC)
    found: dict[str, Callable[..., Any]] = {
        "timestamp": lambda: str(int(world.clock)),
        "isotime": lambda layout="": format_time(when, _text(layout)) if layout else _rfc3339(when),
        "strftime": lambda layout: when.strftime(_text(layout)),
        "template_dir": lambda: world.root,
        "pwd": lambda: world.cwd,
        "packer_version": lambda: SPEAKS,
        "uuid": lambda: str(uuid.uuid4()),
        "clean_resource_name": lambda text: re.sub(r"[^a-zA-Z0-9-]", "-", _text(text)),
        "upper": lambda text: _text(text).upper(),
        "lower": lambda text: _text(text).lower(),
        "replace": lambda old, new, count, text: _text(text).replace(_text(old), _text(new), _count(count)),
        "replace_all": lambda old, new, text: _text(text).replace(_text(old), _text(new)),
        "split": _split,
        **_GO,
    }
    for name in _REMOTE:
        found[name] = _remote(name)
    found["user"] = lambda name: variables(_text(name))
    found["env"] = (lambda name: world.environment.get(_text(name), "")) if env else _no_env
    if build is not None:
        found |= _running(build)
    return found


def _running(build: Mapping[str, str]) -> dict[str, Callable[..., Any]]:
    def member(name: str) -> str:
        if name not in build:
            raise LaterError(f"build {name}")
        return build[name]

    return {
        "build": member,
        "build_name": lambda: member("build_name"),
        "build_type": lambda: member("build_type"),
    }


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise CallError(f"{written(value)} is not text")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int):
        raise CallError(f"{written(value)} is no whole number")
    return value


def _rfc3339(when: datetime.datetime) -> str:
    return when.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _no_env(_name: str) -> str:
    raise CallError("the environment can only be read by the default of a variable")


def _remote(name: str) -> Callable[..., Any]:
    def refuse(*_arguments: Any) -> Any:
        raise CallError(f"{name} asks a service, which Boxwright does not do; use a variable")

    return refuse


def _split(text: str, separator: str, index: int) -> str:
    parts = _text(text).split(_text(separator))
    if not 0 <= _count(index) < len(parts):
        raise CallError(f"there are only {len(parts)} parts")
    return parts[index]


def _compare(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def run(left: Any, right: Any) -> bool:
        if isinstance(left, str) != isinstance(right, str):
            raise CallError("text and numbers cannot be compared")
        return compare(left, right)

    return run


def _eq(left: Any, *others: Any) -> bool:
    if not others:
        raise CallError("it needs two arguments")
    return any(left == other for other in others)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        try:
            value = value[key]
        except KeyError:
            return None
        except (IndexError, TypeError):
            raise CallError(f"there is no item {written(key)}") from None
    return value


def _slice(value: Sequence[Any], *limits: int) -> Any:
    if not isinstance(value, str | list) or not all(0 <= _count(at) <= len(value) for at in limits):
        raise CallError("that part is not there")
    start, end = (*limits, 0, len(value))[:2] if len(limits) != 1 else (limits[0], len(value))
    return value[start:end]


def _printf(pattern: str, *values: Any) -> str:
    from core.templates.functions.formatting import format_text
    from core.templates.functions.signature import FunctionError
    from core.templates.values.value import lift

    try:
        return format_text(_text(pattern), [lift(value) for value in values])
    except FunctionError as error:
        raise CallError(str(error)) from None


def _print(*values: Any) -> str:
    shown = ""
    for at, value in enumerate(values):
        gap = at and not isinstance(value, str) and not isinstance(values[at - 1], str)
        shown += (" " if gap else "") + written(value)
    return shown


def _and(*values: Any) -> Any:
    return next((value for value in values if not value), values[-1])


def _or(*values: Any) -> Any:
    return next((value for value in values if value), values[-1])


def _length(value: Any) -> int:
    if not isinstance(value, str | list | tuple | dict):
        raise CallError(f"{written(value)} has no length")
    return len(value.encode()) if isinstance(value, str) else len(value)


_GO: dict[str, Callable[..., Any]] = {
    "and": _and,
    "or": _or,
    "not": lambda value: not value,
    "len": _length,
    "index": _index,
    "slice": _slice,
    "print": _print,
    "println": lambda *values: " ".join(written(value) for value in values) + "\n",
    "printf": _printf,
    "eq": _eq,
    "ne": lambda left, right: left != right,
    "lt": _compare(lambda left, right: left < right),
    "le": _compare(lambda left, right: left <= right),
    "gt": _compare(lambda left, right: left > right),
    "ge": _compare(lambda left, right: left >= right),
    "js": lambda value: json.dumps(written(value))[1:-1],
}
