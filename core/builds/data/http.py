"""The data source ``http``: what one request brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.boxes import http
from core.errors import BoxwrightError, UsageError

_LIMIT = 16 << 20
"""Bytes of an answer: it becomes text within a template."""


async def find(settings: Mapping[str, Any], _environment: Mapping[str, str]) -> dict[str, Any]:
    url = settings["url"]
    where = http.visible(url)
    async with (
        http.client() as session,
        http.request(
            session,
            url,
            dict(settings.get("request_headers", {})),
            method=settings.get("method", "GET"),
            content=settings.get("request_body", "").encode(),
        ) as response,
    ):
        if not response.is_success:
            raise BoxwrightError(f"{where} answers {response.status_code}.", remedy="check the address")
        body = bytearray()
        async for block in response.aiter_bytes():
            body += block
            if len(body) > _LIMIT:
                raise BoxwrightError(
                    f"What {where} answers does not end.",
                    why=f"More than {_LIMIT >> 20} MiB arrived, which is too much for a template.",
                )
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise UsageError(f"What {where} answers is no text.", why="It is not UTF-8.") from None
    # As Packer's own library writes the names of headers.
    headers: dict[str, str] = {}
    for name, value in response.headers.multi_items():
        name = "-".join(word.capitalize() for word in name.split("-"))
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return {"url": url, "body": text, "request_headers": headers, "response_headers": headers}
