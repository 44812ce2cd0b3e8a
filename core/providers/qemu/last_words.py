"""What QEMU said before it ended, and what that means."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.errors import ProviderError
from core.providers.qemu.layout import Layout


def last_words(errors: str, layout: Layout) -> tuple[str, ...]:
    """Lines that it wrote to ``errors`` before it had a log, and then into its log."""
    return tuple(line for line in errors.splitlines() if line.strip()) + log_tail(layout)


def log_tail(layout: Layout, lines: int = 8) -> tuple[str, ...]:
    """The last lines that QEMU wrote into its log."""
    try:
        with layout.log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
    return tuple(line for line in text.splitlines() if line.strip())[-lines:]


_CAUSES = (
    (r"Failed to get .*lock", "Another process uses the machine's disk.", "end that process, then try again"),
    (r"Cannot allocate memory|cannot set up guest memory", "The computer has too little free memory.",
     "give the machine less memory, or halt another one"),
    (r"UNIX socket path .* is too long", "The folder for control sockets has too long a path.",
     "export XDG_RUNTIME_DIR=<a private folder with a short path>"),
    (r"No space left", "The host's disk is full.", "free some space, then try again"),
    (r"Could not access KVM kernel module|failed to initialize kvm", "KVM cannot be used.",
     'set accelerator = "tcg" in the machine\'s qemu table'),
    (r"unsupported machine type|CPU model .* not found|unable to find CPU model|invalid option|"
     r"is not a valid device model name|-[\w-]+: ", "QEMU does not take one of its arguments.",
     "look at the machine's qemu table: machine, cpu, args"),
)  # fmt: skip


def died(said: Sequence[str]) -> ProviderError:
    """The error for a QEMU that ended before it ran, from its last words."""
    text = "\n".join(said)
    words = _complaint(said)
    for pattern, cause, remedy in _CAUSES:
        if re.search(pattern, text):
            return ProviderError(
                "QEMU ended as it was started.", why=f"{cause} {words}", remedy=remedy, tail=tuple(said)
            )
    return ProviderError(
        "QEMU ended as it was started.",
        why=words,
        remedy="boxwright doctor, to see whether QEMU works here",
        tail=tuple(said),
    )


def _complaint(said: Sequence[str]) -> str:
    """The line that tells most: QEMU's last one about itself, without its name."""
    own = [line for line in said if re.match(r"\S*qemu-system-\w+: (?!warning)", line)]
    if own:
        return own[-1].partition(": ")[2]
    return said[-1] if said else "It said nothing."
