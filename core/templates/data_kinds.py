"""The kinds of data sources: what each is told, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from core.templates.values.types import BOOL, NUMBER, STRING, ListOf, MapOf, Type

Ask = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""What the data source of a kind finds, with these settings (plain data, nothing hidden). Called from
whichever thread reads the template. Raises BoxwrightError."""


class DataKind(msgspec.Struct, frozen=True, kw_only=True):
    settings: Mapping[str, Type]
    finds: tuple[str, ...]
    """Names of what it finds."""
    needed: tuple[str, ...] = ()
    """Settings that it cannot do without."""
    choices: Mapping[str, tuple[str, ...]] = {}
    """All that a setting can be."""
    secret: bool = False
    """What it finds must not be shown."""


_ACCOUNT: dict[str, Type] = {
    "access_key": STRING, "secret_key": STRING, "token": STRING, "profile": STRING, "region": STRING,
    "custom_endpoint_ec2": STRING, "insecure_skip_tls_verify": BOOL, "max_retries": NUMBER,
}  # fmt: skip

DATA_KINDS: Mapping[str, DataKind] = {
    "null": DataKind(settings={"input": STRING}, needed=("input",), finds=("output",)),
    "http": DataKind(
        settings={
            "url": STRING,
            "method": STRING,
            "request_headers": MapOf(STRING),
            "request_body": STRING,
        },
        needed=("url",),
        choices={"method": ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")},
        # Packer calls the headers of the answer so, too.
        finds=("url", "body", "request_headers", "response_headers"),
    ),
    "amazon-ami": DataKind(
        settings={
            **_ACCOUNT,
            "filters": MapOf(STRING),
            "owners": ListOf(STRING),
            "most_recent": BOOL,
            "include_deprecated": BOOL,
        },
        needed=("filters", "owners"),
        finds=("id", "name", "creation_date", "owner", "owner_name", "tags"),
    ),
    "amazon-secretsmanager": DataKind(
        settings={
            **_ACCOUNT,
            "name": STRING,
            "key": STRING,
            "version_id": STRING,
            "version_stage": STRING,
        },
        needed=("name",),
        finds=("value", "secret_string", "version_id"),
        secret=True,
    ),
}
