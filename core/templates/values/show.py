"""Values as text for people, as JSON, and as plain data."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from core.templates.values.convert import to_text
from core.templates.values.types import SetOf
from core.templates.values.value import Unknown, Value

HIDDEN = "<sensitive>"


def show(value: Value, *, reveal: bool = False, indent: str = "") -> str:
    """HCL2 notation; what is sensitive is hidden, and what is not known yet says what it waits for."""
    raw = value.raw
    if value.sensitive and not reveal:
        return HIDDEN
    if isinstance(raw, Unknown):
        return f"<{raw.why}, known when the build runs>"
    inner = indent + "  "
    if isinstance(raw, tuple):
        if not raw:
            return "[]"
        items = [f"{inner}{show(item, reveal=reveal, indent=inner)},\n" for item in raw]
        shown = f"[\n{''.join(items)}{indent}]"
        return f"toset({shown})" if isinstance(value.type, SetOf) else shown
    if isinstance(raw, dict):
        if not raw:
            return "{}"
        lines = [
            f"{inner}{quote(key)} = {show(item, reveal=reveal, indent=inner)}\n" for key, item in raw.items()
        ]
        return f"{{\n{''.join(lines)}{indent}}}"
    return quote(raw) if isinstance(raw, str) else scalar(raw)


def scalar(raw: bool | int | Decimal | None) -> str:
    return "null" if raw is None else to_text(raw)


def quote(text: str) -> str:
    """Text in quotes, with HCL2's escapes."""
    shown = _escaped(text)[1:-1]
    return '"' + shown.replace("${", "$${").replace("%{", "%%{") + '"'


def plain(value: Value, hide: bool = False) -> Any:
    """Python data: None, bool, int, float, str, list or dict. Unknown parts become their description;
    with ``hide`` sensitive ones become ``<sensitive>``."""
    raw = value.raw
    if hide and value.sensitive:
        return HIDDEN
    if isinstance(raw, Unknown):
        return f"<{raw.why}>"
    if isinstance(raw, tuple):
        return [plain(item, hide) for item in raw]
    if isinstance(raw, dict):
        return {key: plain(item, hide) for key, item in raw.items()}
    return float(raw) if isinstance(raw, Decimal) else raw


def to_json(value: Value) -> str:
    """As ``jsonencode`` writes it: compact, keys sorted, ``<``, ``>`` and ``&`` escaped."""
    raw = value.raw
    if isinstance(raw, str):
        return quote_json(raw)
    if isinstance(raw, tuple):
        return f"[{','.join(to_json(item) for item in raw)}]"
    if isinstance(raw, dict):
        return f"{{{','.join(f'{quote_json(key)}:{to_json(raw[key])}' for key in sorted(raw))}}}"
    assert not isinstance(raw, Unknown)
    return scalar(raw)


def quote_json(text: str) -> str:
    """Text as JSON, with the escapes that Go adds."""
    shown = _escaped(text)
    for sign in "<>&\u2028\u2029":
        shown = shown.replace(sign, f"\\u{ord(sign):04x}")
    return shown


def _escaped(text: str) -> str:
    """As JSON, but without its escapes for backspace and form feed, which others have not."""
    words = {"\\b": "\\u0008", "\\f": "\\u000c"}
    return re.sub(
        r"\\.", lambda found: words.get(found.group(), found.group()), json.dumps(text, ensure_ascii=False)
    )
