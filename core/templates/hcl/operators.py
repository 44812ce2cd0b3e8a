"""The operators of HCL2."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from core.templates.problems import Fault
from core.templates.source import Span
from core.templates.values.convert import ConversionError, convert
from core.templates.values.types import BOOL, NUMBER, Type, describe
from core.templates.values.value import PRECISION, Value, boolean, number, same, unknown

Number = int | Decimal


def _add(left: Number, right: Number) -> Number:
    return left + right if isinstance(left, int) and isinstance(right, int) else PRECISION.add(left, right)


def _subtract(left: Number, right: Number) -> Number:
    return (
        left - right if isinstance(left, int) and isinstance(right, int) else PRECISION.subtract(left, right)
    )


def _multiply(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > 20000:
            raise OverflowError
        return left * right
    return PRECISION.multiply(left, right)


def _divide(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int) and right and left % right == 0:
        return left // right
    return PRECISION.divide(left, right)


def _modulo(left: Number, right: Number) -> Number:
    """Has the sign of the left one."""
    if isinstance(left, int) and isinstance(right, int):
        size = abs(left) % abs(right)
        return -size if left < 0 else size
    return PRECISION.remainder(left, right)


_ARITHMETIC: dict[str, Callable[[Any, Any], Number]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _modulo,
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def operand(value: Value, kind: Type, at: Span, sign: str) -> Value:
    """The value as what an operator takes. Raises Fault."""
    if value.null:
        raise Fault(f'"{sign}" cannot take null.', at)
    try:
        return convert(value, kind)
    except ConversionError:
        raise Fault(f'"{sign}" takes {describe(kind)}, not {describe(value.type)}.', at) from None


def unary(sign: str, value: Value, at: Span) -> Value:
    taken = operand(value, NUMBER if sign == "-" else BOOL, at, sign)
    if why := taken.waits_for:
        return unknown(why, taken.type)
    if sign == "!":
        return boolean(not taken.raw)
    assert isinstance(taken.raw, int | Decimal)
    return number(-taken.raw)


def binary(sign: str, left: Value, right: Value, left_at: Span, right_at: Span) -> Value:
    """The value of ``left sign right``; sensitive marks are the caller's. Raises Fault."""
    if sign in ("==", "!="):
        if why := left.waits_for or right.waits_for:
            return unknown(why, BOOL)
        return boolean(same(left, right) == (sign == "=="))
    kind = BOOL if sign in ("&&", "||") else NUMBER
    one = operand(left, kind, left_at, sign)
    other = operand(right, kind, right_at, sign)
    if sign in ("&&", "||"):
        return _logical(sign, one, other)
    if why := one.waits_for or other.waits_for:
        return unknown(why, BOOL if sign in _COMPARISONS else NUMBER)
    if sign in _COMPARISONS:
        return boolean(_COMPARISONS[sign](one.raw, other.raw))
    if sign in "/%" and other.raw == 0:
        raise Fault("Nothing can be divided by 0.", right_at)
    try:
        return number(_ARITHMETIC[sign](one.raw, other.raw))
    except ArithmeticError:
        raise Fault("The result is too large.", left_at.to(right_at)) from None


def _logical(sign: str, one: Value, other: Value) -> Value:
    decisive = sign == "||"
    for value in (one, other):
        if value.raw is decisive:
            return boolean(decisive)
    if why := one.waits_for or other.waits_for:
        return unknown(why, BOOL)
    return boolean(not decisive)
