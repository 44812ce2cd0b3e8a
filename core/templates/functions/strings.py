"""Functions on text."""

from __future__ import annotations

import re
from decimal import Decimal

from core.templates.functions.formatting import format_text
from core.templates.functions.regular import compiled, replacement
from core.templates.functions.signature import FunctionError, function
from core.templates.values.types import ANY, NUMBER, STRING, ListOf
from core.templates.values.value import Value, listing, object_of, text, tuple_of

Number = int | Decimal


@function("upper", STRING)
def upper(given: str) -> str:
    return given.upper()


@function("lower", STRING)
def lower(given: str) -> str:
    return given.lower()


@function("title", STRING)
def title(given: str) -> str:
    return re.sub(r"(?<![\w'’])\w", lambda found: found.group().title(), given)


@function("chomp", STRING)
def chomp(given: str) -> str:
    return re.sub(r"(?:\r\n?|\n)*\Z", "", given)


@function("trim", STRING, STRING)
def trim(given: str, characters: str) -> str:
    return given.strip(characters)


@function("trimprefix", STRING, STRING)
def trimprefix(given: str, prefix: str) -> str:
    return given.removeprefix(prefix)


@function("trimsuffix", STRING, STRING)
def trimsuffix(given: str, suffix: str) -> str:
    return given.removesuffix(suffix)


@function("trimspace", STRING)
def trimspace(given: str) -> str:
    return given.strip()


@function("strrev", STRING)
def strrev(given: str) -> str:
    from core.templates.functions.graphemes import clusters

    return "".join(reversed(clusters(given)))


@function("strlen", STRING)
def strlen(given: str) -> int:
    from core.templates.functions.graphemes import clusters

    return len(clusters(given))


@function("substr", STRING, NUMBER, NUMBER)
def substr(given: str, offset: Number, length: Number) -> str:
    from core.templates.functions.graphemes import clusters

    if offset != int(offset) or length != int(length):
        raise FunctionError("offset and length are whole numbers", 1)
    found = clusters(given)
    start = int(offset) if offset >= 0 else max(0, len(found) + int(offset))
    return "".join(found[start:] if length < 0 else found[start : start + int(length)])


@function("startswith", STRING, STRING)
def startswith(given: str, prefix: str) -> bool:
    return given.startswith(prefix)


@function("endswith", STRING, STRING)
def endswith(given: str, suffix: str) -> bool:
    return given.endswith(suffix)


@function("strcontains", STRING, STRING)
def strcontains(given: str, part: str) -> bool:
    return part in given


@function("split", STRING, STRING)
def split(separator: str, given: str) -> Value:
    parts = given.split(separator) if separator else list(given)
    return listing([text(part) for part in parts], STRING)


@function("join", STRING, ListOf(STRING), rest=ListOf(STRING))
def join(separator: str, *lists: tuple[Value, ...]) -> str:
    items = [item for one in lists for item in one]
    if any(item.null for item in items):
        raise FunctionError("there is null among the items", 1)
    return separator.join(str(item.raw) for item in items)


@function("indent", NUMBER, STRING)
def indent(spaces: Number, given: str) -> str:
    if not 0 <= spaces <= 10000:
        raise FunctionError("the number of spaces is 0 or more", 0)
    return given.replace("\n", "\n" + " " * int(spaces))


@function("replace", STRING, STRING, STRING)
def replace(given: str, old: str, new: str) -> str:
    """A search in slashes is a regular expression."""
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        return regex_replace(given, old[1:-1], new)
    return given.replace(old, new)


@function("regex_replace", STRING, STRING, STRING)
def regex_replace(given: str, pattern: str, new: str) -> str:
    found = compiled(pattern, 1)
    return found.sub(replacement(found, new), given)


@function("regex", STRING, STRING)
def regex(pattern: str, given: str) -> Value:
    found = compiled(pattern, 0).search(given)
    if found is None:
        raise FunctionError("the pattern does not match", 1)
    return _captured(found)


@function("regexall", STRING, STRING)
def regexall(pattern: str, given: str) -> Value:
    found = [_captured(one) for one in compiled(pattern, 0).finditer(given)]
    return listing(found, found[0].type if found else ANY)


def _captured(found: re.Match[str]) -> Value:
    """Named groups make an object, others a tuple, none the text itself."""
    names = found.re.groupindex
    if names and len(names) < found.re.groups:
        raise FunctionError("a pattern has either named groups or groups without names", 0)
    if names:
        return object_of({name: _group(found[name]) for name in names})
    if found.re.groups:
        return tuple_of(_group(group) for group in found.groups())
    return text(found.group())


def _group(given: str | None) -> Value:
    return Value(STRING, None) if given is None else text(given)


@function("format", STRING, rest=ANY, nulls=True, values=True)
def format_values(pattern: Value, *arguments: Value) -> str:
    return format_text(_pattern(pattern), arguments)


@function("formatlist", STRING, rest=ANY, nulls=True, values=True)
def formatlist(pattern: Value, *arguments: Value) -> Value:
    lengths = {len(argument.raw) for argument in arguments if argument.is_sequence and not argument.null}
    if len(lengths) > 1:
        raise FunctionError("all lists have to be of the same length")
    rows = []
    for row in range(lengths.pop() if lengths else 1):
        each = [a.raw[row] if a.is_sequence and not a.null else a for a in arguments]
        rows.append(text(format_text(_pattern(pattern), each)))
    return listing(rows, STRING)


def _pattern(given: Value) -> str:
    if not isinstance(given.raw, str):
        raise FunctionError("null is not text", 0)
    return given.raw
