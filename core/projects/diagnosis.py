"""All that is wrong with the data of a project file, each with the path of the value.

msgspec stops at the first mismatch and leaves keys out of its paths. This walk over the same types
finds every mismatch; it runs only once msgspec has refused, so speed is of no matter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from core.model.project import NAME_PATTERN, ProjectFile
from core.projects.positions import Path
from core.projects.wording import as_name, bare, bounds, describe, example, instead, noun, title, toml


class Fault(NamedTuple):
    """One mismatch: where it is, and the texts of the error."""

    path: Path
    what: str
    why: str = ""
    remedy: str = ""
    at_key: bool = False
    """The key is wrong (or something is missing beside it), rather than the value."""


def diagnose(data: Any, model: type[msgspec.Struct]) -> list[Fault]:
    """Every reason why ``data``, as tomllib returned it, is not a ``model``; [] where it is one."""
    faults = list(_struct(data, bare(inspect.type_info(model)), ()))
    if model is ProjectFile:
        faults += _references(data)
    if faults:
        return faults
    try:
        msgspec.convert(data, model)
    except msgspec.ValidationError as error:
        return [Fault((), f"The file is not valid: {error}.")]
    return []


def _check(value: Any, kind: inspect.Type, path: Path) -> Iterator[Fault]:
    plain = bare(kind)
    if isinstance(plain, inspect.AnyType):
        return
    if isinstance(plain, inspect.UnionType):
        plain = _fitting(value, plain)
    if isinstance(plain, inspect.StructType) and isinstance(value, dict):
        yield from _struct(value, plain, path)
    elif isinstance(plain, inspect.DictType) and isinstance(value, dict):
        yield from _mapping(value, plain, path)
    elif isinstance(plain, inspect.VarTupleType) and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _check(item, plain.item_type, (*path, number))
    elif not _matches(value, plain):
        yield _mismatch(value, kind, path)


def _fitting(value: Any, union: inspect.UnionType) -> Any:
    """The alternative that the value is meant as; the union itself where it fits none."""
    for alternative in union.types:
        plain = bare(alternative)
        if (
            (isinstance(value, dict) and isinstance(plain, inspect.StructType | inspect.DictType))
            or (isinstance(value, list) and isinstance(plain, inspect.VarTupleType))
            or _matches(value, plain)
        ):
            return plain
    return union


def _struct(value: Any, kind: inspect.StructType, path: Path) -> Iterator[Fault]:
    known = {field.encode_name: field for field in kind.fields}
    clean = True
    for key in value if kind.cls.__struct_config__.forbid_unknown_fields else ():
        if key not in known:
            clean = False
            yield _unknown_key(key, tuple(known), path)
    for name, field in known.items():
        if name in value:
            for fault in _check(value[name], field.type, (*path, name)):
                clean = False
                yield fault
        elif field.required:
            clean = False
            yield _missing_key(name, field, path)
    if clean and kind.cls is not ProjectFile:  # whose own check is made by _references
        try:
            msgspec.convert(value, kind.cls)
        except msgspec.ValidationError as error:
            yield _refused(str(error), path)


def _references(data: Any) -> Iterator[Fault]:
    """Machines whose build is none of the project's."""
    machines, builds = data.get("machines"), data.get("builds", {})
    if not isinstance(machines, dict) or not isinstance(builds, dict):
        return
    for name, machine in machines.items():
        box = machine.get("box") if isinstance(machine, dict) else None
        build = box.get("build") if isinstance(box, dict) else None
        if isinstance(build, str) and build not in builds:
            yield Fault(
                ("machines", name, "box", "build"),
                f"There is no build {build!r} in this project.",
                remedy=instead(build, tuple(builds)) or f"add a table [builds.{build}]",
            )


def _refused(message: str, path: Path) -> Fault:
    """What a class's own check (``__post_init__``) said."""
    subject = title(path) if path else "The project file"
    return Fault(path, f"{subject}: {message}.", at_key=True)


def _mapping(value: dict[str, Any], kind: inspect.DictType, path: Path) -> Iterator[Fault]:
    key_kind = bare(kind.key_type)
    for key, item in value.items():
        if not _matches(key, key_kind):
            yield Fault(
                (*path, key),
                f"{key!r} cannot be a name here.",
                remedy="use letters, digits, '.', '_' and '-', 63 at most, beginning with a letter or digit",
                at_key=True,
            )
        yield from _check(item, kind.value_type, (*path, key))


def _matches(value: Any, kind: Any) -> bool:
    match kind:
        case inspect.StrType():
            return (
                isinstance(value, str)
                and (kind.max_length is None or len(value) <= kind.max_length)
                and (kind.pattern is None or re.search(kind.pattern, value) is not None)
            )
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return whole and not isinstance(value, bool) and _in_range(value, kind)
        case inspect.FloatType():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and _in_range(value, kind)
        case inspect.LiteralType():
            return any(value == allowed and type(value) is type(allowed) for allowed in kind.values)
    return False


def _in_range(value: float, kind: inspect.IntType | inspect.FloatType) -> bool:
    return not (
        (math.isnan(value) and (kind.ge is not None or kind.gt is not None))
        or (kind.ge is not None and value < kind.ge)
        or (kind.gt is not None and value <= kind.gt)
        or (kind.le is not None and value > kind.le)
        or (kind.lt is not None and value >= kind.lt)
    )


def _unknown_key(key: str, known: tuple[str, ...], path: Path) -> Fault:
    where = f"in {title(path)}" if path else "at the top of the project file"
    return Fault(
        (*path, key),
        f"Unknown key {key!r} {where}.",
        remedy=instead(key, known) or f"use one of: {', '.join(known)}",
        at_key=True,
    )


def _missing_key(name: str, field: inspect.Field, path: Path) -> Fault:
    if path:
        return Fault(
            path, f"{title(path)} has no {name!r}.", remedy=f"add {name} = {example(field.type)}", at_key=True
        )
    return Fault(
        path,
        f"The project file has no table [{name}].",
        remedy=f'add [{name}] with name = "web"',
        at_key=True,
    )


def _mismatch(value: Any, kind: inspect.Type, path: Path) -> Fault:
    expected = describe(kind)
    plain = bare(kind)
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    remedy = f"write {key} = {example(kind)}" if path and path[-1] == key else f"write {example(kind)}"
    shown = f"{toml(value)}, {noun(value)}"
    if isinstance(plain, inspect.LiteralType):
        remedy = instead(str(value), tuple(str(item) for item in plain.values)) or f"use {expected}"
    elif isinstance(plain, inspect.IntType | inspect.FloatType) and type(value) in (int, float):
        shown = toml(value)
        if plain.le is not None and value > plain.le:  # the largest is hardly what was meant
            remedy = f"write a number{bounds(plain)}"
        elif plain.ge is not None and value < plain.ge and path[-1] == key:
            remedy = f"write {key} = {plain.ge}"
    elif isinstance(value, str) and isinstance(plain, inspect.IntType | inspect.FloatType | inspect.BoolType):
        unquoted = value.strip().lower()
        if re.fullmatch(r"\d+|true|false", unquoted):
            remedy = f"write {unquoted} without quotes"
    elif isinstance(plain, inspect.StrType) and isinstance(value, str):
        shown = toml(value)
        if plain.pattern == NAME_PATTERN and (name := as_name(value)):
            remedy = f"write {key} = {toml(name)}"
    elif isinstance(plain, inspect.StrType) and plain.pattern is None and not isinstance(value, list | dict):
        remedy = f'write "{toml(value)}", in quotes'
    return Fault(
        path, f"{title(path) or 'The project file'} is {shown}; it has to be {expected}.", remedy=remedy
    )
