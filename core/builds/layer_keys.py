"""Keys of layers: a hash over everything that decides the state after a step, and why two differ."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.templates.model import Deferred, Secret, Settings


class LayerFacts(msgspec.Struct, frozen=True):
    """What decides one step, by name, each as a digest."""

    title: str
    parts: dict[str, str]


def facts_of(kind: str, title: str, settings: Settings, more: Mapping[str, str], salt: bytes) -> LayerFacts:
    """Facts of a step (or source): its kind, each of its settings, and ``more``, its files for instance.

    Digests are keyed with ``salt``, which never leaves this computer: what was guessed of a secret cannot
    be tried out on them.
    """
    parts = {"kind": kind}
    for name, value in settings.items():
        parts[f'"{name}"'] = _digest(_plain(value), salt)
    for name, text in more.items():
        parts[name] = _digest(text, salt)
    return LayerFacts(title, parts)


def keys(chain: Sequence[LayerFacts]) -> list[str]:
    """The key of the state after each; each depends on all before it."""
    found: list[str] = []
    before = ""
    for facts in chain:
        digest = hashlib.sha256(before.encode())
        digest.update(msgspec.json.encode(facts.parts, order="deterministic"))
        before = digest.hexdigest()[:40]
        found.append(before)
    return found


def difference(now: Sequence[LayerFacts], then: Sequence[LayerFacts], number: int) -> str:
    """Why step ``number`` cannot be taken from the last run; "" where nothing about it differs."""
    if not then:
        return "there is no earlier run"
    for at in range(number + 1):
        if at >= len(then):
            return "it is new" if at == number else "a step before it is new"
        if now[at].parts == then[at].parts:
            continue
        if at < number:
            return f"{now[at].title} before it changed"
        return _changed(now[at].parts, then[at].parts)
    return ""


def _changed(now: Mapping[str, str], then: Mapping[str, str]) -> str:
    if now.get("kind") != then.get("kind"):
        return "another step stood here"
    names = [name for name in (*now, *then) if now.get(name) != then.get(name)]
    return f"{', '.join(dict.fromkeys(names))} changed"


def file_digest(path: Path) -> str:
    """Of a file or a whole folder: names, permissions and contents; "missing" for what is not there."""
    if path.is_symlink() and not path.exists():
        return f"link {path.readlink()}"
    if path.is_file():
        with path.open("rb") as file:
            executable = "x" if path.stat().st_mode & 0o111 else "-"
            return executable + hashlib.file_digest(file, "sha256").hexdigest()
    if not path.is_dir():
        return "missing"
    digest = hashlib.sha256()
    for item in sorted(path.rglob("*")):
        name = str(item.relative_to(path))
        inner = "folder" if item.is_dir() and not item.is_symlink() else file_digest(item)
        digest.update(f"{len(name)}:{name}:{inner}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _digest(text: str, salt: bytes) -> str:
    return hmac.new(salt, text.encode("utf-8", "surrogateescape"), "sha256").hexdigest()[:24]


def _plain(value: Any) -> str:
    return msgspec.json.encode(_revealed(value), order="deterministic").decode()


def _revealed(value: Any) -> Any:
    """As JSON data; what waits for the running build as it is written."""
    if isinstance(value, Secret):
        return _revealed(value.reveal())
    if isinstance(value, Deferred):
        return value.text
    if isinstance(value, dict):
        return {str(key): _revealed(item) for key, item in value.items()}
    return [_revealed(item) for item in value] if isinstance(value, list | tuple) else value
