"""Go's layouts of times: ``2006-01-02T15:04:05Z07:00`` written as another time."""

from __future__ import annotations

import datetime
import re

_PARTS = re.compile(
    r"January|Jan|Monday|Mon|MST|2006|Z07:00|Z0700|-07:00|-0700|-07|[.,]0+(?!\d)|[.,]9+(?!\d)|002|01|02|03|04|05|06"
    r"|15|PM|pm|_2|1|2|3|4|5"
)


def format_time(when: datetime.datetime, layout: str) -> str:
    """``when`` in the form in which ``layout`` shows Go's reference time."""
    return _PARTS.sub(lambda found: _part(found.group(), when), layout)


def _part(word: str, when: datetime.datetime) -> str:
    zone = when.strftime("%z") or "+0000"
    colon = f"{zone[:3]}:{zone[3:5]}"
    hour = when.hour % 12 or 12
    if word[0] in ".,":
        digits = f"{when.microsecond:06}000"[: len(word) - 1].ljust(len(word) - 1, "0")
        shown = f"{word[0]}{digits}"
        return shown.rstrip("0").rstrip(word[0]) if word[1] == "9" else shown
    return {
        "January": when.strftime("%B"), "Jan": when.strftime("%b"),
        "Monday": when.strftime("%A"), "Mon": when.strftime("%a"), "MST": when.strftime("%Z") or "UTC",
        "2006": f"{when.year:04}", "06": f"{when.year % 100:02}",
        "Z07:00": "Z" if zone == "+0000" else colon, "Z0700": "Z" if zone == "+0000" else zone,
        "-07:00": colon, "-0700": zone, "-07": zone[:3],
        "01": f"{when.month:02}", "1": str(when.month), "02": f"{when.day:02}", "2": str(when.day),
        "_2": f"{when.day:2}", "002": f"{when.timetuple().tm_yday:03}", "15": f"{when.hour:02}",
        "03": f"{hour:02}", "3": str(hour), "04": f"{when.minute:02}", "4": str(when.minute),
        "05": f"{when.second:02}", "5": str(when.second),
        "PM": "PM" if when.hour > 11 else "AM", "pm": "pm" if when.hour > 11 else "am",
    }[word]  # fmt: skip
