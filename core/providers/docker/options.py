"""Options of the Docker provider: ``[machines.<name>.docker]`` in the project file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from core.errors import UsageError
from core.providers.docker.address import parse
from core.providers.options import read_table


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """``docs/docker.md`` says what each does."""

    image: str = ""
    dockerfile: str = ""
    build_context: str = ""
    build_args: dict[str, str] = {}
    target: str = ""
    platform: str = ""
    pull: Literal["missing", "always", "never"] = "missing"
    command: str | tuple[str, ...] = ()
    entrypoint: str | tuple[str, ...] = ()
    environment: dict[str, str] = {}
    user: str = ""
    workdir: str = ""
    volumes: tuple[str, ...] = ()
    network: str = ""
    links: tuple[str, ...] = ()
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    init: bool = False
    tty: bool = True
    health_timeout: float = 60.0
    communicator: Literal["exec", "ssh"] = "exec"
    host: str = ""
    certificates: str = ""


class Volume(msgspec.Struct, frozen=True):
    """Something of the host, or a volume of Docker's, in the container."""

    source: str
    """Path on the host, or name of a volume; "" for one that has no name."""
    target: str
    mode: str = ""
    """``ro``, ``rw``, ``z``, ... as Docker has it."""

    @property
    def named(self) -> bool:
        return bool(self.source) and not self.source.startswith(("/", ".", "~"))


def read_options(options: Mapping[str, Any]) -> Options:
    """Raises UsageError where the table is wrong."""
    found = read_table(options, Options, "Docker")
    if found.image and found.dockerfile:
        raise UsageError(
            "A container is made from an image or from a Dockerfile, not from both.",
            remedy="remove 'image' or 'dockerfile'",
        )
    if found.host:
        parse(found.host)
    for text in found.volumes:
        read_volume(text)
    for text in found.links:
        if text.count(":") > 1 or not text.strip(":"):
            raise UsageError(f"A link is written as MACHINE or MACHINE:ALIAS, not {text!r}.")
    return found


def read_volume(text: str) -> Volume:
    """From ``source:target``, ``source:target:mode`` or ``target``. Raises UsageError."""
    parts = text.split(":")
    if len(parts) == 1:
        parts = ["", *parts]
    if len(parts) > 3 or not parts[1].startswith("/"):
        raise UsageError(
            f"A volume is written as SOURCE:/TARGET or SOURCE:/TARGET:ro, not {text!r}.",
            why="The target is an absolute path in the container.",
        )
    return Volume(*parts)


def argv(words: str | tuple[str, ...]) -> list[str] | None:
    """A text is for the shell; None for nothing."""
    if isinstance(words, str):
        return ["/bin/sh", "-c", words] if words.strip() else None
    return list(words) or None
