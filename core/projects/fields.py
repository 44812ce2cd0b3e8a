"""What a form asks for: the fields of a table of the project file, from the model that also makes the
schema and the errors."""

from __future__ import annotations

import enum
import shlex
import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import NODEFAULT, inspect

from core.errors import UsageError
from core.projects.diagnosis import diagnose
from core.projects.wording import bare, describe, example


class FieldKind(enum.StrEnum):
    """How a value is asked for."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    WORDS = "words"
    """A list of texts, written as a shell's words."""
    OPTIONS = "options"
    """A table of any keys, written as TOML: ``a = 1, b = "x"``."""
    TABLE = "table"
    TABLES = "tables"


class FormField(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a table."""

    name: str
    kind: FieldKind
    help: str = ""
    """A sentence on what it means, and which values it has."""
    required: bool = False
    default: Any = None
    """As plain TOML data; None where there is none."""
    choices: tuple[str, ...] = ()
    model: type[msgspec.Struct] | None = None
    """Of TABLE, and of each item of TABLES."""
    example: str = ""


def fields_of(model: type[msgspec.Struct]) -> tuple[FormField, ...]:
    """The keys of a table of that model, in its order."""
    kind = inspect.type_info(model)
    assert isinstance(kind, inspect.StructType)
    return tuple(_field(field) for field in kind.fields)


def _field(field: inspect.Field) -> FormField:
    described = field.type
    plain, optional = _plain(described)
    kind, model, choices = _kind(plain)
    return FormField(
        name=field.encode_name,
        kind=kind,
        help=_help(described, plain, kind),
        required=field.required,
        default=None if optional else _default(field),
        choices=choices,
        model=model,
        example=example(described).strip('"') if kind in (FieldKind.TEXT, FieldKind.NUMBER) else "",
    )


def _plain(kind: inspect.Type) -> tuple[Any, bool]:
    """The type itself, and whether None stands for its absence. The first alternative counts."""
    plain = bare(kind)
    if not isinstance(plain, inspect.UnionType):
        return plain, False
    types = [bare(item) for item in plain.types]
    wanted = [item for item in types if not isinstance(item, inspect.NoneType)]
    return wanted[0], len(wanted) < len(types)


def _kind(plain: Any) -> tuple[FieldKind, type[msgspec.Struct] | None, tuple[str, ...]]:
    match plain:
        case inspect.BoolType():
            return FieldKind.FLAG, None, ()
        case inspect.IntType() | inspect.FloatType():
            return FieldKind.NUMBER, None, ()
        case inspect.LiteralType():
            return FieldKind.CHOICE, None, tuple(str(value) for value in plain.values)
        case inspect.StructType():
            return FieldKind.TABLE, plain.cls, ()
        case inspect.VarTupleType():
            item = bare(plain.item_type)
            if isinstance(item, inspect.StructType):
                return FieldKind.TABLES, item.cls, ()
            return FieldKind.WORDS, None, ()
        case inspect.DictType():
            return FieldKind.OPTIONS, None, ()
    return FieldKind.TEXT, None, ()


def _default(field: inspect.Field) -> Any:
    if field.default is not NODEFAULT:
        return msgspec.to_builtins(field.default)
    if field.default_factory is not NODEFAULT:
        return msgspec.to_builtins(field.default_factory())
    return None


def _help(described: inspect.Type, plain: Any, kind: FieldKind) -> str:
    schema = described.extra_json_schema if isinstance(described, inspect.Metadata) else None
    if not schema and isinstance(bare(described), inspect.UnionType):
        described = bare(described).types[0]
        schema = described.extra_json_schema if isinstance(described, inspect.Metadata) else None
    said = str((schema or {}).get("description", ""))
    if said or kind in (FieldKind.FLAG, FieldKind.TABLE, FieldKind.TABLES):
        return said
    words = describe(plain)
    return f"{words[:1].upper()}{words[1:]}."


def to_text(field: FormField, value: Any) -> str:
    """A value as it stands in the form's line."""
    if value is None:
        return ""
    if field.kind is FieldKind.WORDS:
        return shlex.join(str(word) for word in value)
    if field.kind is FieldKind.OPTIONS:
        return ", ".join(f"{key} = {_toml(item)}" for key, item in value.items())
    return str(value)


def from_text(field: FormField, text: str) -> Any:
    """What a line means, as plain TOML data; None where it is empty. Raises UsageError."""
    stripped = text.strip()
    if not stripped:
        return None
    if field.kind is FieldKind.NUMBER:
        return _number(field, stripped)
    if field.kind is FieldKind.WORDS:
        try:
            return shlex.split(stripped)
        except ValueError as error:
            raise UsageError(f"{field.name} cannot be read: {error}.", remedy="close the quotes") from None
    if field.kind is FieldKind.OPTIONS:
        try:
            return tomllib.loads(f"it = {{ {stripped} }}")["it"]
        except tomllib.TOMLDecodeError as error:
            raise UsageError(
                f"{field.name} cannot be read: {error}.",
                remedy='write KEY = VALUE, KEY = "TEXT" with commas between',
            ) from None
    return text


def _number(field: FormField, text: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise UsageError(f"{field.name} is {text!r}, which is no number.")


def compact(model: type[msgspec.Struct], values: Mapping[str, Any]) -> dict[str, Any]:
    """The table that says no more than it has to: without what is empty or as it is anyway."""
    table: dict[str, Any] = {}
    for field in fields_of(model):
        value = values.get(field.name)
        if value is None or value in ("", [], {}) or (value == field.default and not field.required):
            continue
        table[field.name] = value
    return table


def first_mistake(model: type[msgspec.Struct], table: Mapping[str, Any]) -> tuple[str, str]:
    """The first thing that is wrong with a table: the key where it is ("" for the whole), and what in a
    sentence; two empty texts where nothing is."""
    for fault in diagnose(dict(table), model):
        key = str(fault.path[0]) if fault.path else ""
        return key, f"{fault.what} {fault.remedy}".strip()
    return "", ""


def _toml(value: Any) -> str:
    import tomlkit

    return str(tomlkit.item(value).as_string())
