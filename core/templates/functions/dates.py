"""Functions on dates and times; all read the one moment at which the template was read."""

from __future__ import annotations

import datetime
import re

from core.templates.functions.signature import FunctionError, Place, function
from core.templates.values.types import STRING

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def moment(place: Place) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(place.clock, datetime.UTC).replace(microsecond=0)


def parse(given: str, argument: int) -> datetime.datetime:
    """A time in RFC 3339's form. Raises FunctionError."""
    found = _RFC3339.fullmatch(given)
    try:
        if not found:
            raise ValueError
        return datetime.datetime.fromisoformat(given.replace("Z", "+00:00"))
    except ValueError:
        raise FunctionError(
            f"{given!r} is not a time", argument, 'write it like "2024-05-31T12:00:00Z"'
        ) from None


def write(when: datetime.datetime) -> str:
    shown = when.replace(microsecond=0).isoformat()
    return shown.removesuffix("+00:00") + "Z" if shown.endswith("+00:00") else shown


def duration(given: str, argument: int) -> datetime.timedelta:
    """Of ``1h30m``, ``-10s``. Raises FunctionError."""
    body = given.removeprefix("-").removeprefix("+")
    parts = _DURATION.findall(body)
    if body != "0" and (not parts or "".join(number + unit for number, unit in parts) != body):
        raise FunctionError(f"{given!r} is not a duration", argument, 'write it like "1h30m" or "-10s"')
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    return datetime.timedelta(seconds=-seconds if given.startswith("-") else seconds)


@function("timestamp", place=True)
def timestamp(place: Place) -> str:
    return write(moment(place))


@function("timeadd", STRING, STRING)
def timeadd(given: str, added: str) -> str:
    try:
        return write(parse(given, 0) + duration(added, 1))
    except OverflowError:
        raise FunctionError("that time is out of reach", 1) from None


@function("formatdate", STRING, STRING)
def formatdate(pattern: str, given: str) -> str:
    when = parse(given, 1)
    return re.sub(r"'(?:[^']|'')*'?|([A-Za-z])\1*", lambda found: _part(found.group(), when), pattern)


def _part(word: str, when: datetime.datetime) -> str:
    if word.startswith("'"):
        if len(word) < 2 or not word.endswith("'"):
            raise FunctionError("a quoted part has no closing quote", 0)
        return word[1:-1].replace("''", "'")
    hour = when.hour % 12 or 12
    zone = when.strftime("%z")
    colon = f"{zone[:3]}:{zone[3:5]}"
    utc = zone == "+0000"
    shown = {
        "YYYY": f"{when.year:04}", "YY": f"{when.year % 100:02}",
        "MMMM": when.strftime("%B"), "MMM": when.strftime("%b"), "MM": f"{when.month:02}",
        "M": str(when.month), "DD": f"{when.day:02}", "D": str(when.day),
        "EEEE": when.strftime("%A"), "EEE": when.strftime("%a"),
        "hh": f"{when.hour:02}", "h": str(when.hour), "HH": f"{hour:02}", "H": str(hour),
        "AA": "PM" if when.hour > 11 else "AM", "aa": "pm" if when.hour > 11 else "am",
        "mm": f"{when.minute:02}", "m": str(when.minute), "ss": f"{when.second:02}", "s": str(when.second),
        "Z": "Z" if utc else colon, "ZZZ": "UTC" if utc else zone, "ZZZZ": zone, "ZZZZZ": colon,
    }  # fmt: skip
    if word not in shown:
        raise FunctionError(f"{word!r} means nothing in a date's format", 0, "put text into single quotes")
    return shown[word]


@function("isotime", STRING, optional=1, place=True)
@function("legacy_isotime", STRING, optional=1, place=True)
def legacy_isotime(place: Place, pattern: str = "") -> str:
    from core.templates.golang.times import format_time

    when = datetime.datetime.fromtimestamp(place.clock, datetime.UTC)
    return format_time(when, pattern) if pattern else write(when)


@function("legacy_strftime", STRING, place=True)
@function("strftime", STRING, place=True)
def legacy_strftime(place: Place, pattern: str) -> str:
    return datetime.datetime.fromtimestamp(place.clock, datetime.UTC).strftime(pattern)
