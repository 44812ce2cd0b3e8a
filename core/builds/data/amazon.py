"""The data sources ``amazon-ami`` and ``amazon-secretsmanager``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from core.builds.amazon.account import Account, Ec2, Service, account_of
from core.builds.amazon.images import find_source
from core.builds.amazon.settings import AmazonSettings, read
from core.errors import ConfigError, NotFoundError

_FILTER = ("filters", "owners", "most_recent", "include_deprecated")
_SECRET = ("name", "key", "version_id", "version_stage")
_ENDPOINTS = ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL")


async def find_image(settings: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    wanted = {name: settings[name] for name in _FILTER if name in settings}
    given = read({**_without(settings, _FILTER), "source_ami_filter": wanted})
    image = await find_source(Ec2(_account(given, environment)), given)
    return {
        "id": image["ImageId"],
        "name": image.get("Name", ""),
        "creation_date": image.get("CreationDate", ""),
        "owner": image.get("OwnerId", ""),
        "owner_name": image.get("ImageOwnerAlias", ""),
        "tags": {tag["Key"]: tag["Value"] for tag in image.get("Tags", ())},
    }


async def find_secret(settings: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    account = _account(read(_without(settings, _SECRET)), environment)
    endpoint = next((environment[name] for name in _ENDPOINTS if environment.get(name)), "")
    service = Service(msgspec.structs.replace(account, endpoint=endpoint), "secretsmanager")
    name = settings["name"]
    version = {"VersionStage": settings.get("version_stage", "AWSCURRENT")}
    if settings.get("version_id"):
        version = {"VersionId": settings["version_id"]}
    found = await service.call("get_secret_value", SecretId=name, **version)
    text = found.get("SecretString", "")
    return {
        "value": _part(text, settings.get("key", ""), name),
        "secret_string": text,
        "version_id": found["VersionId"],
    }


def _without(settings: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in names}


def _account(given: AmazonSettings, environment: Mapping[str, str]) -> Account:
    if not given.region:
        raise ConfigError("No region of Amazon is named.", remedy='add region = "eu-central-1"')
    return account_of(given, environment)


def _part(text: str, key: str, name: str) -> str:
    """One value of a secret that is an object of JSON; the only one, where none is named."""
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        if key:
            raise ConfigError(f"The secret {name} has no keys.", why="It is no object of JSON.")
        return text
    if not key and len(values) == 1:
        key = next(iter(values))
    if not key:
        return text
    if key not in values:
        raise NotFoundError(f"The secret {name} has no key {key!r}.")
    value = values[key]
    return value if isinstance(value, str) else json.dumps(value)
