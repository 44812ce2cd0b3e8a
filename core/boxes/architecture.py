"""Names of processor architectures: hypervisors, Debian and catalogues call the same one differently."""

from __future__ import annotations

import platform

_CANONICAL = {
    "x86_64": "amd64",
    "x64": "amd64",
    "aarch64": "arm64",
    "i486": "i386",
    "i586": "i386",
    "i686": "i386",
    "x86": "i386",
    "unknown": "",
}

ANY = "any"
"""Asked for, it means whichever architecture there is."""


def canonical(name: str) -> str:
    """The name that catalogues use (``amd64``, ``arm64``, ...); "" where nothing is said."""
    lowered = name.strip().lower()
    return _CANONICAL.get(lowered, lowered)


def host() -> str:
    """This machine's architecture, as catalogues call it."""
    return canonical(platform.machine())


def hardware(name: str) -> str:
    """The name that kernels and hypervisors use (``x86_64``, ``aarch64``, ...); "" is this machine's."""
    known = canonical(name) or host()
    return {"amd64": "x86_64", "arm64": "aarch64", "i386": "i386"}.get(known, known)


def agree(box: str, wanted: str) -> bool:
    """Whether a box may be used where ``wanted`` is asked for; "" and "any" agree with everything."""
    left, right = canonical(box), canonical(wanted)
    return not left or not right or right == ANY or left == right
