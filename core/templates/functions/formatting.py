"""``format``: the verbs of printf, as HCL2 has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from core.templates.functions.signature import FunctionError
from core.templates.values.convert import ConversionError, convert
from core.templates.values.show import quote_json, to_json
from core.templates.values.types import BOOL, NUMBER, STRING, Type
from core.templates.values.value import Value

_VERB = re.compile(
    r"%(?P<flags>[ +#0-]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?:\[(?P<index>\d+)\])?(?P<verb>.?)",
    re.DOTALL,
)
_WIDEST = 10000


def format_text(pattern: str, arguments: Sequence[Value]) -> str:
    """Raises FunctionError for wrong verbs, and arguments that are missing, left over or do not fit."""
    used: set[int] = set()
    following = 0

    def one(found: re.Match[str]) -> str:
        nonlocal following
        verb = found["verb"]
        if verb == "%" and not found["flags"] and not found["width"]:
            return "%"
        if verb not in tuple("vtbdoxXeEfgGsq"):
            raise FunctionError(f"the format has the unknown verb {found.group()!r}", 0)
        index = int(found["index"]) - 1 if found["index"] else following
        following = index + 1
        if not 0 <= index < len(arguments):
            raise FunctionError(f"there is no argument for {found.group()!r}", 0)
        used.add(index)
        return _write(found, verb, arguments[index], index + 1)

    done = _VERB.sub(one, pattern)
    if len(used) < len(arguments) and following < len(arguments) and "[" not in pattern:
        raise FunctionError(f"the format uses only {following} of {len(arguments)} arguments", following + 1)
    return done


def _write(found: re.Match[str], verb: str, value: Value, argument: int) -> str:
    flags, width = found["flags"], min(int(found["width"] or 0), _WIDEST)
    precision = None if found["precision"] is None else min(int(found["precision"] or 0), _WIDEST)
    if verb == "v":
        if "#" in flags or value.null or isinstance(value.raw, tuple | dict):
            return _pad(to_json(value), flags, width)
        verb = "t" if isinstance(value.raw, bool) else "s" if isinstance(value.raw, str) else "g"
    if value.null:
        raise FunctionError(f"null cannot be written with %{verb}", argument)
    if verb == "t":
        return _pad("true" if _as(value, BOOL, argument) else "false", flags, width)
    if verb in "sq":
        text = str(_as(value, STRING, argument))
        text = text if precision is None else text[:precision]
        return _pad(quote_json(text) if verb == "q" else text, flags, width)
    number = _as(value, NUMBER, argument)
    assert isinstance(number, int | Decimal)
    return _number(number, verb, flags, width, precision)


def _as(value: Value, kind: Type, argument: int) -> object:
    try:
        return convert(value, kind).raw
    except ConversionError as error:
        raise FunctionError(f"{str(error)[:1].lower()}{str(error)[1:]}", argument) from None


def _number(number: int | Decimal, verb: str, flags: str, width: int, precision: int | None) -> str:
    sign = "-" if number < 0 else "+" if "+" in flags else " " if " " in flags else ""
    size = -number if number < 0 else number
    if verb in "dboxX":
        whole = int(size)
        digits = f"{whole:{'d' if verb == 'd' else verb}}".rjust(precision or 0, "0")
        prefix = {"b": "0b", "o": "0", "x": "0x", "X": "0X"}.get(verb, "") if "#" in flags else ""
        body = prefix + digits
    elif verb in "gG" and precision is None:
        body = _shortest(size)
        body = body.upper() if verb == "G" else body
    else:
        kept = 6 if precision is None else precision
        body = (
            f"{Decimal(size):.{kept}{verb}}" if verb in "fF" else _exponent(f"{Decimal(size):.{kept}{verb}}")
        )
    if "0" in flags and "-" not in flags:
        return sign + body.rjust(width - len(sign), "0")
    return _pad(sign + body, flags, width)


def _shortest(size: int | Decimal) -> str:
    """Go's ``%g``: exponents from 21 digits on, and below 0.0001."""
    if size == 0:
        return "0"
    exact = Decimal(size)
    if -4 <= exact.adjusted() < 21:
        return f"{exact:f}"
    return _exponent(f"{exact.normalize():e}")


def _exponent(shown: str) -> str:
    """With two digits at least: e+05."""
    return re.sub(r"([eE][+-]?)(\d)$", r"\g<1>0\2", shown)


def _pad(text: str, flags: str, width: int) -> str:
    return text.ljust(width) if "-" in flags else text.rjust(width, "0" if "0" in flags else " ")
