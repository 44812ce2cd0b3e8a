"""Packer's ``run_command``: the arguments of ``docker run``, read here, as no such program is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core.errors import ConfigError
from core.model.project import parse_size

_FLAGS = {
    "-d": "detach", "--detach": "detach", "-i": "interactive", "--interactive": "interactive", "-t": "tty",
    "--tty": "tty", "--init": "init", "--privileged": "privileged", "--read-only": "read-only",
}  # fmt: skip
"""Those without a value."""

_OPTIONS = {
    "-e": "env", "--env": "env", "-u": "user", "--user": "user", "-w": "workdir", "--workdir": "workdir",
    "-h": "hostname", "--hostname": "hostname", "-v": "volume", "--volume": "volume", "-m": "memory",
    "--memory": "memory", "--cpus": "cpus", "--net": "network", "--network": "network", "--dns": "dns",
    "--add-host": "add-host", "--cap-add": "cap-add", "--cap-drop": "cap-drop", "--tmpfs": "tmpfs",
    "--security-opt": "security-opt", "--shm-size": "shm-size", "--entrypoint": "entrypoint",
    "--cgroupns": "cgroupns", "--device": "device", "--runtime": "runtime",
}  # fmt: skip
"""Those with one; a list where it may be given several times."""

_HOST = {
    "volume": "Binds", "dns": "Dns", "add-host": "ExtraHosts", "cap-add": "CapAdd", "cap-drop": "CapDrop",
    "security-opt": "SecurityOpt",
}  # fmt: skip


def container(words: Sequence[str], image: str) -> dict[str, Any]:
    """The body of the call that makes the container. Raises ConfigError for what is not understood."""
    body: dict[str, Any] = {"Image": image, "HostConfig": {}}
    rest = iter(words)
    for word in rest:
        if word == "--":
            named = next(rest, "")
        elif word.startswith("-") and word != "-":
            for name, value in _read(word, rest):
                _put(body, name, value)
            continue
        else:
            named = word
        if named != image:
            raise ConfigError(
                f'"run_command" names {named!r} where the image has to stand.',
                remedy='write "{{.Image}}" there',
            )
        command = list(rest)
        if command:
            body["Cmd"] = command
        return body
    raise ConfigError('"run_command" names no image.', remedy='end it with "{{.Image}}"')


def _read(word: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Name and value of an option, or of each of several short ones: ``-dit``."""
    name, equals, value = word.partition("=")
    if name in _FLAGS:
        if not equals or value != "false":
            yield _FLAGS[name], ""
        return
    if name in _OPTIONS:
        given = value if equals else next(rest, None)
        if given is None:
            raise ConfigError(f'"run_command" has {word} without a value.')
        yield _OPTIONS[name], given
        return
    short = [f"-{letter}" for letter in word[1:]]
    if not word.startswith("--") and all(letter in _FLAGS for letter in short):
        for letter in short:
            yield _FLAGS[letter], ""
        return
    raise ConfigError(
        f'"run_command" has {word}, which is not supported.',
        why=f"There is {', '.join(sorted({*_FLAGS, *_OPTIONS}))}.",
    )


def _put(body: dict[str, Any], name: str, value: str) -> None:
    host = body["HostConfig"]
    if name in _HOST:
        host.setdefault(_HOST[name], []).append(value)
    elif name == "env":
        body.setdefault("Env", []).append(value)
    elif name == "device":
        host.setdefault("Devices", []).append(_device(value))
    elif name == "tmpfs":
        place, _, options = value.partition(":")
        host.setdefault("Tmpfs", {})[place] = options
    elif name in ("memory", "shm-size"):
        host[{"memory": "Memory", "shm-size": "ShmSize"}[name]] = _bytes(name, value)
    elif name == "cpus":
        host["NanoCpus"] = _nano(value)
    else:
        plain: dict[str, tuple[dict[str, Any], str, Any]] = {
            "interactive": (body, "OpenStdin", True),
            "tty": (body, "Tty", True),
            "entrypoint": (body, "Entrypoint", [value] if value else []),
            "user": (body, "User", value),
            "workdir": (body, "WorkingDir", value),
            "hostname": (body, "Hostname", value),
            "network": (host, "NetworkMode", value),
            "cgroupns": (host, "CgroupnsMode", value),
            "runtime": (host, "Runtime", value),
            "init": (host, "Init", True),
            "privileged": (host, "Privileged", True),
            "read-only": (host, "ReadonlyRootfs", True),
        }
        if name in plain:
            where, key, data = plain[name]
            where[key] = data


def _bytes(name: str, value: str) -> int:
    """Docker's units are powers of 1024, with or without a B."""
    try:
        return parse_size(value.lower().removesuffix("b"))
    except ValueError:
        raise ConfigError(f'"run_command" has --{name} {value!r}, which is no size.') from None


def _nano(value: str) -> int:
    try:
        return int(float(value) * 1e9)
    except ValueError:
        raise ConfigError(f'"run_command" has --cpus {value!r}, which is no number.') from None


def _device(text: str) -> dict[str, str]:
    """``/dev/fuse``, ``/dev/a:/dev/b``, ``/dev/a:/dev/b:rw``."""
    parts = text.split(":")
    return {
        "PathOnHost": parts[0],
        "PathInContainer": parts[1] if len(parts) > 1 else parts[0],
        "CgroupPermissions": parts[2] if len(parts) > 2 else "rwm",
    }
