"""HTTP as boxes need it: clear errors, bounded documents, no secrets in messages.

Proxies and certificates come from the environment (HTTP_PROXY, NO_PROXY, SSL_CERT_FILE, ...).
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import msgspec

import core
from core.boxes.streams import kind_of
from core.errors import BoxwrightError, NotFoundError, UsageError

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT = 15.0
READ_TIMEOUT = 45.0
_TRIES = 3
RETRY_DELAY = 0.5
"""Seconds before the first repetition; doubled before each further one."""


class TransientError(BoxwrightError):
    """Something that may work when it is tried again."""


class Document(msgspec.Struct, frozen=True):
    """The beginning of what an address gives, or all of it where that is JSON."""

    kind: str
    """As :func:`core.boxes.streams.kind_of` has it."""
    data: bytes
    url: str
    """Where it really came from, after redirects."""


def visible(url: str) -> str:
    """An address without passwords, tokens and signatures: fit for messages, logs and records."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))
    except ValueError:
        return url.split("?")[0]


def without_password(url: str) -> str:
    """An address that can be asked again, but for the user and password that it may hold."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


@asynccontextmanager
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client for a few requests. Raises UsageError where the environment's proxies are wrong."""
    module = await asyncio.to_thread(importlib.import_module, "httpx")
    timeout = module.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT)
    headers = {"User-Agent": f"boxwright/{core.__version__}", "Accept-Encoding": "identity"}
    try:
        made = module.AsyncClient(follow_redirects=True, max_redirects=10, timeout=timeout, headers=headers)
    except (ValueError, ImportError, OSError) as error:
        raise UsageError(
            "The network settings of the environment cannot be used.",
            why=f"{error}",
            remedy="look at HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE",
        ) from error
    async with made:
        yield made


@asynccontextmanager
async def request(
    session: httpx.AsyncClient,
    url: str,
    headers: dict[str, str],
    *,
    method: str = "GET",
    content: bytes = b"",
) -> AsyncIterator[httpx.Response]:
    """A request whose answer is read in the block; what goes wrong meanwhile becomes a BoxwrightError."""
    import httpx

    try:
        async with session.stream(method, url, headers=headers, content=content or None) as response:
            yield response
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise UsageError(f"{visible(url)!r} is not an address.", why=f"{error}") from error
    except httpx.TooManyRedirects as error:
        raise BoxwrightError(
            f"{visible(url)} leads from one address to the next without end.",
            remedy="check the address in a browser",
        ) from error
    except httpx.TransportError as error:
        raise _transport(url, error) from error


def _transport(url: str, error: Exception) -> BoxwrightError:
    why = f"{error}" or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in why:
        return BoxwrightError(
            f"The server of {visible(url)} cannot show that it is the right one.",
            why=why,
            remedy="export SSL_CERT_FILE=<the certificates to trust>",
        )
    return TransientError(
        f"The connection to {urlsplit(url).hostname} failed.",
        why=why,
        remedy="check the address and the network, then run the same command again",
    )


def refused(url: str, status: int) -> BoxwrightError | None:
    """The error for an answer that brings nothing; None where it is a good one."""
    where = visible(url)
    if status in (200, 206):
        return None
    if status in (404, 410):
        return NotFoundError(
            f"There is nothing at {where}.",
            why=f"The server answers {status}.",
            remedy="check the name or address",
        )
    if status in (401, 403, 407):
        return BoxwrightError(
            f"The server does not give out {where}.",
            why=f"It answers {status}: it wants to know who asks.",
            remedy="check the name, or put user and password into ~/.netrc",
        )
    if status in (408, 429) or status >= 500:
        return TransientError(
            f"The server of {where} has a problem.",
            why=f"It answers {status}.",
            remedy="run the same command again later",
        )
    return BoxwrightError(f"The server answers {status} for {where}.", remedy="check the address")


async def fetch(url: str, *, limit: int, accept: str = "*/*") -> Document:
    """What is at ``url``: a JSON document as a whole, of anything else only its beginning.

    Raises NotFoundError, BoxwrightError for a document longer than ``limit`` bytes, TransientError
    after a few tries.
    """
    for attempt in range(_TRIES):
        try:
            async with client() as session:
                return await _fetch(session, url, limit, accept)
        except TransientError:
            if attempt == _TRIES - 1:
                raise
            await asyncio.sleep(RETRY_DELAY * 2**attempt)
    raise AssertionError("unreachable")


async def _fetch(session: httpx.AsyncClient, url: str, limit: int, accept: str) -> Document:
    async with request(session, url, {"Accept": accept}) as response:
        if error := refused(url, response.status_code):
            raise error
        final = str(response.url)
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) >= 512 and kind_of(bytes(data[:1024])) != "json":
                break
            if len(data) > limit:
                raise BoxwrightError(
                    f"The document at {visible(url)} does not end.",
                    why=f"More than {limit >> 20} MiB arrived; a catalogue is far smaller.",
                    remedy="check the address in a browser",
                )
        return Document(kind_of(bytes(data[:1024])), bytes(data), final)
