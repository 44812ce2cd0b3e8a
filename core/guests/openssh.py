"""The same guest for the OpenSSH client: a piece of configuration, and a command line to execute.

Imports nothing heavy: the command line uses it on every ``ssh``.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from core.errors import UsageError
from core.model.machine import Endpoint

_QUOTED = frozenset(' \t"#=,\\')


def ssh_config(host_alias: str, endpoint: Endpoint) -> str:
    """A ``Host`` block that ends with a newline; ``ssh -F FILE HOST_ALIAS`` then reaches the guest."""
    lines = [f"Host {host_alias}"]
    lines += [f"  {name} {value}" for name, value in _options(endpoint)]
    return "\n".join(lines) + "\n"


def ssh_command(
    endpoint: Endpoint,
    *,
    command: str | None = None,
    extra: Sequence[str] = (),
    tty: bool | None = None,
) -> list[str]:
    """The arguments of an OpenSSH client for the guest, to be executed without a shell.

    ``command`` runs in the guest in place of a login shell. ``extra`` is what the user gave after
    ``--``: options for ssh come before the destination, everything from the first word that is no
    option on is a command. ``tty``: True forces a terminal, False refuses one, None leaves it to ssh.
    The user's own configuration is not read: it may hold settings for every host that do not fit here.
    """
    argv = ["ssh", "-F", "none"]
    for name, value in _options(endpoint):
        argv += ["-o", f"{name}={value}"]
    if tty is not None:
        # Twice: even where standard input is not a terminal.
        argv.append("-tt" if tty else "-T")
    options, words = split_extra(extra)
    argv += [*options, endpoint.host]
    if command is not None:
        argv.append(command)
    return argv + words


def ssh_line(endpoint: Endpoint) -> str:
    """For somebody to copy into a shell: it reaches the guest, whatever that user's own files say, and leaves
    them as they are."""
    words = ["ssh", "-F", "none", "-p", str(endpoint.port)]
    if endpoint.identity:
        words += ["-i", endpoint.identity]
    if endpoint.known_hosts:
        words += ["-o", f"UserKnownHostsFile={_path(endpoint.known_hosts)}"]
    return shlex.join([*words, f"{endpoint.user}@{endpoint.host}"])


_WITH_VALUE = frozenset("BbcDEeFIiJLlmOopQRSWw")


def split_extra(extra: Sequence[str]) -> tuple[list[str], list[str]]:
    """Options for ssh, and the words of a command, as ssh itself would tell them apart."""
    words = list(extra)
    taken = 0
    while taken < len(words):
        word = words[taken]
        if word == "--":
            return words[:taken], words[taken + 1 :]
        if not word.startswith("-") or word == "-":
            break
        taken += 1 + _wants_next(word)
    return words[:taken], words[taken:]


def _wants_next(word: str) -> bool:
    """Whether an option's value is the next word: ``-L 80:x:80``, but not ``-L80:x:80`` or ``-v``."""
    for position, letter in enumerate(word[1:], start=1):
        if letter in _WITH_VALUE:
            return position == len(word) - 1
    return False


def _options(endpoint: Endpoint) -> list[tuple[str, str]]:
    options = [
        ("HostName", endpoint.host),
        ("Port", str(endpoint.port)),
        ("User", _value(endpoint.user)),
    ]
    if endpoint.identity:
        options += [
            ("IdentityFile", _path(endpoint.identity)),
            ("IdentitiesOnly", "yes"),
            ("PasswordAuthentication", "no"),
        ]
    if endpoint.known_hosts:
        options += [
            ("UserKnownHostsFile", _path(endpoint.known_hosts)),
            ("GlobalKnownHostsFile", "/dev/null"),
            ("StrictHostKeyChecking", "yes"),
            ("UpdateHostKeys", "no"),
        ]
    else:
        options += [
            ("UserKnownHostsFile", "/dev/null"),
            ("GlobalKnownHostsFile", "/dev/null"),
            ("StrictHostKeyChecking", "no"),
        ]
    options += [
        ("Ciphers", "^aes128-gcm@openssh.com"),
        ("Compression", "no"),
        ("LogLevel", "ERROR"),
        ("ForwardAgent", "yes" if endpoint.forward_agent else "no"),
        ("ServerAliveInterval", "10"),
        ("ServerAliveCountMax", "3"),
    ]
    return options


def _path(path: str) -> str:
    """A path as a value of the configuration: ``%`` begins a token there."""
    if "${" in path:
        raise UsageError(
            f"OpenSSH cannot be given the path {path!r}.",
            why="'${' stands for an environment variable in its configuration, and cannot be escaped.",
            remedy="export BOXWRIGHT_HOME=<a folder without '${' in its name>",
        )
    return _value(path.replace("%", "%%"))


def _value(text: str) -> str:
    if any(letter in text for letter in "\n\r\0"):
        raise UsageError(f"{text!r} cannot stand in an OpenSSH configuration: it holds a line break.")
    if not text or _QUOTED & set(text) or "'" in text:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text
