"""Addresses may hold passwords; what the engine keeps and tells of them may not."""

from __future__ import annotations

import msgspec
import pytest

from core.engine.engine import Engine
from core.engine.secrets import hide
from core.model.command import RemoveBox
from tests.engine.fakes import ended


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("boxwright box add https://me:pa55@host/x.box", "boxwright box add https://***@host/x.box"),
        ("add 'ftp://me@host/x'", "add 'ftp://***@host/x'"),
        ("add 'https://h/x?a=1&access_token=abc&b=2'", "add 'https://h/x?a=1&access_token=***&b=2'"),
        (
            "https://h/x?X-Amz-Signature=0f&X-Amz-Credential=q#f",
            "https://h/x?X-Amz-Signature=***&X-Amz-Credential=***#f",
        ),
        ("up web", "up web"),
        ("https://host/a@b/c?version=1", "https://host/a@b/c?version=1"),
        ("mail me@host", "mail me@host"),
    ],
)
def test_secrets_in_addresses_are_hidden(text: str, hidden: str) -> None:
    assert hide(text) == hidden
    assert hide(hidden) == hidden


async def test_an_operation_keeps_no_secret(engine: Engine) -> None:
    secret = "https://me:pa55@host/x.box?token=t0ken"
    engine.scheduler._handlers = msgspec.structs.replace(
        engine.scheduler._handlers,
        subject=lambda _command: f"box:{secret}",
        title=lambda _command: f"add {secret}",
        command_line=lambda _command: f"boxwright box add {secret}",
    )
    await ended(engine, engine.submit(RemoveBox(name="x")))
    reports = b"".join(path.read_bytes() for path in engine.locations.data.rglob("*") if path.is_file())
    assert b"https://***@host/x.box" in reports
    assert b"pa55" not in reports
    assert b"t0ken" not in reports
