"""Amounts as people read them: durations, sizes, rates, ages."""

from __future__ import annotations

from collections.abc import Sequence


def duration(seconds: float) -> str:
    """``0.4 s``, ``12.3 s``, ``2 min 05 s``, ``1 h 02 min``, ``3 d 4 h``."""
    seconds = max(0.0, seconds)
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def whole(seconds: float) -> str:
    """As ``duration``, in whole seconds: ``12 s``, ``2 min 05 s``."""
    seconds = round(max(0.0, seconds))
    if seconds < 100:
        return f"{seconds} s" if seconds < 60 else f"1 min {seconds - 60:02d} s"
    return duration(seconds)


def clock(seconds: float) -> str:
    """Time left: ``0:42``, ``12:05``, ``1:02:03``."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def size(number: float) -> str:
    """Bytes: ``512 B``, ``1.5 KiB``, ``2.0 GiB``."""
    amount = float(max(0.0, number))
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 999.95 or unit == "TiB":
            break
        amount /= 1024
    if unit == "B":
        return f"{int(amount)} B"
    return f"{amount:.1f} {unit}" if amount < 99.95 else f"{amount:.0f} {unit}"


def ago(then: float, now: float) -> str:
    """``just now``, ``5 min ago``, ``3 h ago``, ``2 d ago``; "" for no time at all."""
    if not then:
        return ""
    seconds = max(0.0, now - then)
    if seconds < 10:
        return "just now"
    if seconds < 60:
        return f"{int(seconds)} s ago"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 48 * 3600:
        return f"{int(seconds // 3600)} h ago"
    return f"{int(seconds // 86400)} d ago"


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 machine``, ``2 machines``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
