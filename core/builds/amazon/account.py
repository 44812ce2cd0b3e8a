"""An account at Amazon in one region: who asks, and the calls, each in a thread of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import msgspec

from core.boxes.threads import Stop, in_thread
from core.builds.amazon.settings import AmazonSettings
from core.errors import BoxwrightError, ProviderError

_CONNECT, _READ = 15.0, 60.0
"""Seconds that a call may take at most: one that was sent is waited for even where a build is cancelled."""

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class AmazonError(BoxwrightError):
    """Amazon refused a call."""

    def __init__(self, what: str, *, why: str, reason: str) -> None:
        super().__init__(what, why=why)
        self.reason = reason
        """Amazon's own word, e.g. ``InvalidAMIID.NotFound``."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and where. Without keys boto3 looks for them: a profile, a role of this computer, ..."""

    region: str
    endpoint: str = ""
    """Another address than Amazon's own."""
    access_key: str = ""
    secret_key: str = ""
    token: str = ""
    profile: str = ""
    verify: bool = True
    retries: int = 0
    credentials_file: str = ""
    config_file: str = ""

    def __repr__(self) -> str:
        return f"Account(region={self.region!r})"


def account_of(given: AmazonSettings, environment: Mapping[str, str]) -> Account:
    """Settings go before the variables of whoever asked for the build, those before what boto3 finds."""
    access, secret, token = given.access_key, given.secret_key, given.token
    profile = given.profile or environment.get("AWS_PROFILE", "")
    if not (access or given.profile):
        access, secret, token = (environment.get(name, "") for name in _KEYS)
    return Account(
        region=given.region,
        endpoint=given.custom_endpoint_ec2,
        access_key=access,
        secret_key=secret,
        token=token,
        profile="" if access else profile,
        verify=not given.insecure_skip_tls_verify,
        retries=given.max_retries,
        credentials_file=environment.get("AWS_SHARED_CREDENTIALS_FILE", ""),
        config_file=environment.get("AWS_CONFIG_FILE", ""),
    )


def need_boto() -> None:
    """Raises ProviderError where boto3 is not installed. It is not loaded for that."""
    from importlib.util import find_spec

    if find_spec("boto3") is None:
        raise ProviderError(
            "The Python module boto3 is not installed.",
            why="It speaks with Amazon.",
            remedy=f"{sys.executable} -m pip install 'boto3>=1.40,<2'",
        )


class Service:
    """The calls of one account at one service. Whatever was asked for has ended, or failed, when a call
    returns."""

    def __init__(self, account: Account, name: str = "ec2") -> None:
        self.account = account
        self.name = name

    async def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """One call of the service's interface, by boto3's name. Raises AmazonError, ProviderError."""
        return await in_thread(partial(self._call, name, arguments), Stop())

    def _call(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        import botocore.exceptions as errors

        try:
            found: dict[str, Any] = getattr(_client(self.account, self.name), name)(**arguments)
            return found
        except errors.ClientError as error:
            about = error.response.get("Error", {})
            reason = str(about.get("Code", ""))
            raise AmazonError(
                f"Amazon refused {_words(name)}.",
                why=f"{reason}: {about.get('Message', '')}".strip(": "),
                reason=reason,
            ) from None
        except (errors.NoCredentialsError, errors.PartialCredentialsError, errors.ProfileNotFound) as error:
            raise ProviderError(
                "There are no credentials for Amazon.",
                why=f"{error}.",
                remedy="aws configure, or the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ) from None
        except (errors.BotoCoreError, errors.HTTPClientError, ValueError) as error:
            where = self.account.endpoint or f"Amazon in {self.account.region}"
            raise ProviderError(f"{where} cannot be asked.", why=f"{error}.") from None


class Ec2(Service):
    """The calls of EC2."""

    async def all(
        self, name: str, key: str, filters: Mapping[str, str], more: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """What a ``describe`` finds by filters; ``more`` are other arguments of it."""
        asked = [{"Name": field, "Values": [text]} for field, text in filters.items()]
        found = await self.call(name, Filters=asked, **(more or {}))
        things: list[dict[str, Any]] = found[key]
        return things


@lru_cache(maxsize=4)
def _client(account: Account, service: str) -> Any:
    """Kept, as reading the description of all calls takes a third of a second."""
    need_boto()
    import boto3
    import botocore.session
    from botocore.config import Config

    own = botocore.session.Session(profile=account.profile or None)
    for variable, file in (
        ("credentials_file", account.credentials_file),
        ("config_file", account.config_file),
    ):
        if file:
            own.set_config_variable(variable, file)
    retries = {"mode": "standard", "total_max_attempts": account.retries + 1 if account.retries else 4}
    return boto3.Session(botocore_session=own).client(
        service,
        region_name=account.region,
        endpoint_url=account.endpoint or None,
        verify=None if account.verify else False,
        aws_access_key_id=account.access_key or None,
        aws_secret_access_key=account.secret_key or None,
        aws_session_token=account.token or None,
        config=Config(connect_timeout=_CONNECT, read_timeout=_READ, retries=retries),
    )


def _words(name: str) -> str:
    return f'"{name.replace("_", " ")}"'


def write(path: Path, account: Account) -> None:
    """For whoever undoes what the build began, as nothing of this may stand in the journal."""
    from core.guests.hostkeys import write_private

    write_private(path, msgspec.json.encode(account))


def read(path: Path) -> Account | None:
    """None where it was removed, as the build was done."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Account)
    except FileNotFoundError:
        return None
