"""Functions on numbers."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.templates.functions.signature import FunctionError, function
from core.templates.values.types import ANY, NUMBER, ListOf
from core.templates.values.value import PRECISION

Number = int | Decimal


@function("abs", NUMBER)
def absolute(number: Number) -> Number:
    return -number if number < 0 else number


@function("ceil", NUMBER)
def ceil(number: Number) -> int:
    return int(Decimal(number).to_integral_value(ROUND_CEILING))


@function("floor", NUMBER)
def floor(number: Number) -> int:
    return int(Decimal(number).to_integral_value(ROUND_FLOOR))


@function("log", NUMBER, NUMBER)
def log(number: Number, base: Number) -> float:
    if number <= 0 or base <= 0 or base == 1:
        raise FunctionError("a logarithm needs a number above 0, and a base above 0 that is not 1")
    return math.log(number) / math.log(base)


@function("max", NUMBER, rest=NUMBER)
def largest(*numbers: Number) -> Number:
    return max(numbers)


@function("min", NUMBER, rest=NUMBER)
def smallest(*numbers: Number) -> Number:
    return min(numbers)


@function("pow", NUMBER, NUMBER)
def power(number: Number, exponent: Number) -> Number:
    if number == 0 and exponent < 0:
        raise FunctionError("0 has no negative powers", 1)
    if number < 0 and exponent != int(exponent):
        raise FunctionError("a negative number has only whole powers", 1)
    return PRECISION.power(Decimal(number), Decimal(exponent))


@function("signum", NUMBER)
def signum(number: Number) -> int:
    return (number > 0) - (number < 0)


@function("parseint", ANY, NUMBER)
def parseint(text: object, base: Number) -> int:
    if not isinstance(text, str):
        raise FunctionError("the number has to be given as text", 0)
    if not 2 <= base <= 62 or base != int(base):
        raise FunctionError("the base is a whole number from 2 to 62", 1)
    digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    body = text.removeprefix("-").removeprefix("+") if text[:2] not in ("-+", "+-") else ""
    if base <= 36:
        body = body.lower()
    total = 0
    for digit in body:
        found = digits.find(digit)
        if found < 0 or found >= base:
            raise FunctionError(f"{text!r} is no whole number in base {base}", 0)
        total = total * int(base) + found
    if not body:
        raise FunctionError(f"{text!r} is no whole number in base {base}", 0)
    return -total if text.startswith("-") else total


@function("sum", ListOf(NUMBER), values=False)
def total(numbers: tuple[object, ...]) -> Number:
    if not numbers:
        raise FunctionError("there is nothing to add up", 0)
    found: Number = 0
    for item in numbers:
        raw = getattr(item, "raw", None)
        if not isinstance(raw, int | Decimal):
            raise FunctionError("null cannot be added", 0)
        found = raw + found if isinstance(raw, int) and isinstance(found, int) else PRECISION.add(raw, found)
    return found
