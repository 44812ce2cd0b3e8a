"""Functions that encode and decode: base64, CSV, JSON, YAML, URLs."""

from __future__ import annotations

import base64
import binascii
import codecs
import csv
import io
import json
import urllib.parse
from decimal import Decimal
from typing import Any

from core.templates.functions.signature import FunctionError, function
from core.templates.values.show import quote_json, scalar, to_json
from core.templates.values.types import ANY, STRING
from core.templates.values.value import Value, lift, listing, object_of, text


@function("base64encode", STRING)
def base64encode(given: str) -> str:
    return base64.b64encode(given.encode()).decode()


@function("base64decode", STRING)
def base64decode(given: str) -> str:
    try:
        return base64.b64decode(given, validate=True).decode()
    except binascii.Error:
        raise FunctionError("that is not base64", 0) from None
    except UnicodeDecodeError:
        raise FunctionError("what is encoded there is not UTF-8 text", 0) from None


@function("base64gzip", STRING)
def base64gzip(given: str) -> str:
    import gzip

    return base64.b64encode(gzip.compress(given.encode(), mtime=0)).decode()


@function("textencodebase64", STRING, STRING)
def textencodebase64(given: str, encoding: str) -> str:
    try:
        return base64.b64encode(given.encode(_codec(encoding))).decode()
    except UnicodeError:
        raise FunctionError(f"the text has characters that {encoding} has not", 0) from None


@function("textdecodebase64", STRING, STRING)
def textdecodebase64(given: str, encoding: str) -> str:
    codec = _codec(encoding)
    try:
        return base64.b64decode(given, validate=True).decode(codec)
    except (ValueError, binascii.Error):
        raise FunctionError(f"that is not base64 of {encoding} text", 0) from None


def _codec(encoding: str) -> str:
    try:
        found = codecs.lookup(encoding)
    except (LookupError, ValueError):
        raise FunctionError(f"there is no encoding {encoding!r}", 1) from None
    if not found._is_text_encoding:
        raise FunctionError(f"{encoding!r} is no encoding of text", 1)
    return encoding


@function("urlencode", STRING)
def urlencode(given: str) -> str:
    return urllib.parse.quote_plus(given, safe="")


@function("urldecode", STRING)
def urldecode(given: str) -> str:
    try:
        return urllib.parse.unquote_plus(given, errors="strict")
    except UnicodeDecodeError:
        raise FunctionError("what is encoded there is not UTF-8 text", 0) from None


@function("csvdecode", STRING)
def csvdecode(given: str) -> Value:
    try:
        rows = [row for row in csv.reader(io.StringIO(given), strict=True) if row]
    except csv.Error as error:
        raise FunctionError(f"that is not CSV: {error}", 0) from None
    if not rows:
        raise FunctionError("the first line has to name the columns", 0)
    heads = rows[0]
    if len(set(heads)) < len(heads):
        raise FunctionError("two columns have the same name", 0)
    if any(len(row) != len(heads) for row in rows):
        raise FunctionError("a line has more or fewer fields than the first", 0)
    found = [object_of(dict(zip(heads, map(text, row), strict=True))) for row in rows[1:]]
    return listing(found, found[0].type if found else ANY)


@function("jsonencode", ANY, nulls=True, values=True)
def jsonencode(value: Value) -> str:
    return to_json(value)


@function("jsondecode", STRING)
def jsondecode(given: str) -> Value:
    try:
        return lift(json.loads(given, parse_float=Decimal, parse_constant=_no_constant))
    except (ValueError, RecursionError) as error:
        raise FunctionError(f"that is not JSON: {error}", 0) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no value")


@function("yamlencode", ANY, nulls=True, values=True)
def yamlencode(value: Value) -> str:
    return _yaml(value, "").lstrip("\n") + "\n"


def _yaml(value: Value, indent: str) -> str:
    """Block style, keys in quotes, as Packer writes it."""
    raw = value.raw
    if isinstance(raw, str):
        lines = raw[:-1].split("\n")
        block = raw.endswith("\n") and not raw.startswith((" ", "\n")) and not raw.endswith("\n\n")
        if block and all(line.isprintable() for line in lines):
            return "|\n" + "\n".join(f"{indent}{line}" if line else "" for line in lines)
        return _yaml_text(raw)
    if isinstance(raw, tuple):
        items = [_yaml(item, indent + "  ") for item in raw]
        lines = [f"{indent}- {item.lstrip() if item.startswith(chr(10)) else item}" for item in items]
        return "\n" + "\n".join(lines) if items else "[]"
    if isinstance(raw, dict):
        lines = []
        for key in sorted(raw):
            inner = _yaml(raw[key], indent + ("" if isinstance(raw[key].raw, tuple) else "  "))
            lines.append(f"{indent}{_yaml_text(key)}:{'' if inner.startswith(chr(10)) else ' '}{inner}")
        return "\n" + "\n".join(lines) if raw else "{}"
    assert raw is None or isinstance(raw, bool | int | Decimal)
    return scalar(raw)


def _yaml_text(text: str) -> str:
    """In quotes; YAML wants what cannot be printed as an escape."""
    shown = quote_json(text)
    if shown.isprintable():
        return shown
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in shown)


@function("yamldecode", STRING)
def yamldecode(given: str) -> Value:
    import yaml

    try:
        return lift(_data(yaml.load(given, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError) as error:
        first = str(error).split("\n", 1)[0]
        raise FunctionError(f"that is not YAML: {first}", 0) from None


def _data(found: Any) -> Any:
    """YAML's dates as text; keys as text."""
    if isinstance(found, dict):
        return {key if isinstance(key, str) else _key(key): _data(item) for key, item in found.items()}
    if isinstance(found, list):
        return [_data(item) for item in found]
    if isinstance(found, bytes):
        return base64.b64encode(found).decode()
    return found.isoformat() if hasattr(found, "isoformat") else found


def _key(key: Any) -> str:
    if isinstance(key, bool | int | float) or key is None:
        return scalar(lift(key).raw)
    raise TypeError("a key of a map is text")
