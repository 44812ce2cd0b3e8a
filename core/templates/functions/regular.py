"""Regular expressions of Go (RE2's syntax) by way of Python's."""

from __future__ import annotations

import re
from collections.abc import Callable

from core.templates.functions.signature import FunctionError

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_PARTS = re.compile(
    r"\\Q(?P<literal>.*?)(?:\\E|$)|\\z|\\x\{(?P<hex>[0-9a-fA-F]{1,6})\}|\\.|\[:(?P<class>\^?\w+):\]"
    r"|\(\?(?P<flags>[imsU-]+)\)|\(\?P<|\(\?<(?![=!])|\(\?(?P<ahead><?[=!])|[*+?}]\+",
    re.DOTALL,
)


def compiled(pattern: str, argument: int) -> re.Pattern[str]:
    """Raises FunctionError for what RE2 has not, and for what is no regular expression."""
    try:
        return re.compile(_python(pattern), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise FunctionError(f"the regular expression is wrong: {error}", argument) from None


def _python(pattern: str) -> str:
    """``pattern`` in Python's syntax, which differs in flags, anchors and classes."""

    def one(found: re.Match[str]) -> str:
        whole = found.group()
        if found["literal"] is not None:
            return re.escape(found["literal"])
        if whole == "\\z":
            return "\\Z"
        if found["hex"]:
            return re.escape(chr(int(found["hex"], 16)))
        if found["class"]:
            return _class(found["class"])
        if found["flags"]:
            return _flags(found["flags"])
        if whole == "(?<":
            return "(?P<"
        if found["ahead"]:
            raise re.error("it looks ahead or behind, which these expressions cannot")
        if whole[0] in "*+?}" and whole[1:] == "+":
            raise re.error(f"{whole} repeats a repetition")
        return whole

    translated = _PARTS.sub(one, pattern)
    leading = re.match(r"(?:\(\?[ims]+\))+", translated)
    if leading:
        return translated
    return _close_flags(translated)


def _class(name: str) -> str:
    inner = _CLASSES.get(name.removeprefix("^"))
    if inner is None or name.startswith("^"):
        raise re.error(f"there is no class [:{name}:]")
    return inner


def _flags(letters: str) -> str:
    if "U" in letters or "-" in letters:
        raise re.error(f"the flags (?{letters}) are not supported; put (?i), (?m) or (?s) first")
    return f"(?{letters})"


def _close_flags(translated: str) -> str:
    """Flags in the middle hold up to the end of their group; Python wants them as a group's own."""
    found = re.search(r"(?<!\\)\(\?([ims]+)\)", translated)
    if found is None:
        return translated
    if translated.count("(", 0, found.start()) != translated.count(")", 0, found.start()):
        raise re.error("flags within a group are not supported; put them first")
    rest = _close_flags(translated[found.end() :])
    return f"{translated[: found.start()]}(?{found[1]}:{rest})"


def replacement(pattern: re.Pattern[str], new: str) -> Callable[[re.Match[str]], str]:
    """What stands for a match: ``$1``, ``${1}``, ``$name``, ``${name}`` are groups, ``$$`` a dollar sign."""

    def one(found: re.Match[str]) -> str:
        def group(reference: re.Match[str]) -> str:
            name = reference[1] or reference[2]
            if name is None:
                return "$"
            if name.isdigit():
                return (found[int(name)] or "") if int(name) <= pattern.groups else ""
            return (found[name] or "") if name in pattern.groupindex else ""

        return re.sub(r"\$(?:\{(\w+)\}|(\w+)|\$)", group, new)

    return one
