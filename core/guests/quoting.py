"""Words and environments for a POSIX shell in the guest."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from core.errors import UsageError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def quote(word: str) -> str:
    """``word`` as one literal word. Raises UsageError for a NUL character, which no shell can pass on."""
    if "\0" in word:
        raise UsageError(
            "A NUL character cannot be passed to a guest.",
            why=f"It stands in {word[:60]!r}.",
            remedy="remove the character, or send the data as a file",
        )
    return shlex.quote(word)


def exports(env: Mapping[str, str]) -> str:
    """Lines that export ``env``; each ends with a newline. Raises UsageError for an impossible name."""
    lines = []
    for name, value in env.items():
        if not _NAME.match(name):
            raise UsageError(
                f"{name!r} cannot be the name of an environment variable.",
                why="Letters, digits and '_' are allowed; the first one is not a digit.",
            )
        lines.append(f"export {name}={quote(value)}\n")
    return "".join(lines)


def path_word(path: str) -> str:
    """A path of the guest as one word, where a leading ``~/`` still means the account's home."""
    if path == "~":
        return '"$HOME"'
    if path.startswith("~/"):
        return '"$HOME"/' + quote(path[2:]) if path[2:] else '"$HOME"/'
    return quote(f"./{path}" if path.startswith("-") else path)


def as_root(command: str) -> str:
    """A command line that runs ``command`` in a shell as root: at once where the account is root
    already, else through ``sudo -n``, which never asks for a password."""
    word = quote(command)
    return f'if [ "$(id -u)" = 0 ]; then exec sh -c {word}; else exec sudo -n -H -- sh -c {word}; fi'
