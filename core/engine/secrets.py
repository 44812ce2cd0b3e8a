"""Keeping what is secret out of titles, command lines, logs and the journal."""

from __future__ import annotations

import re

_USER = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/\s'\"@]*@")
_QUERY = re.compile(
    r"(?P<name>[?&][^=&\s'\"]*(?:token|secret|password|passwd|signature|credential|key|sig)[^=&\s'\"]*=)[^&\s'\"#]+",
    re.IGNORECASE,
)


def hide(text: str) -> str:
    """``text`` with users, passwords, tokens and signatures of addresses replaced by ``***``."""
    return _QUERY.sub(r"\g<name>***", _USER.sub(r"\g<scheme>***@", text))
