"""The terminal's clipboard (OSC 52), which also works over SSH and inside tmux."""

from __future__ import annotations

import base64

CAP = 74_994
"""Bytes of text: what terminals take at most, 100,000 characters of base64 with what is around them."""


def sequence(text: str, *, tmux: bool) -> str:
    """What to write to the terminal; "" for more than the cap. tmux passes it on only where it is told to, or
    wrapped: it gets both."""
    data = text.encode("utf-8", "replace")
    if len(data) > CAP:
        return ""
    code = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    if not tmux:
        return code
    return f"{code}\x1bPtmux;{code.replace(chr(27), chr(27) * 2)}\x1b\\"
