"""Scripts of steps: inline commands, one file or several, and the variables that they are given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from core.builds.layer_keys import file_digest
from core.builds.scene import Scene
from core.builds.settings import Table
from core.errors import ConfigError, NotFoundError
from core.guests.quoting import quote

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


class AnyScripts(Table, frozen=True, kw_only=True):
    """What every provisioner that runs scripts takes, on whatever system."""

    inline: tuple[str, ...] = ()
    script: str = ""
    scripts: tuple[str, ...] = ()
    environment_vars: tuple[str, ...] = ()
    env: dict[str, str] = msgspec.field(default_factory=dict)
    execute_command: tuple[str, ...] = ()
    valid_exit_codes: tuple[int, ...] = (0,)


class Scripts(AnyScripts, frozen=True, kw_only=True):
    """What those take that run scripts of Unix."""

    command: str = ""
    """shell-local's: one command."""
    inline_shebang: str = "/bin/sh -e"
    binary: bool = False
    use_env_var_file: bool = False
    env_var_format: str = ""
    """How each variable is written where ``{{ .Vars }}`` or a file of variables stands: ``%s`` twice. Not
    needed by shell-local, whose variables go by the environment."""


def check(given: Scripts, kind: str, scene: Scene) -> None:
    """Raises ConfigError, and NotFoundError for a script that is not there."""
    check_named(given, kind, scene, ("inline", "script", "scripts", "command"))
    if given.env_var_format and given.env_var_format.replace("%%", "").count("%s") != 2:
        raise ConfigError(
            f'"env_var_format" is {given.env_var_format!r}; it has %s twice, for the name and the value.'
        )


def check_named(
    given: AnyScripts, kind: str, scene: Scene, ways: Sequence[str] = ("inline", "script", "scripts")
) -> None:
    """What is common to all systems. Raises ConfigError, NotFoundError for a script that is not there."""
    said = [name for name in ways if getattr(given, name)]
    if len(said) != 1:
        told = f"it has {' and '.join(said)}" if said else "it has none of them"
        raise ConfigError(f'The provisioner "{kind}" needs one of inline, script and scripts; {told}.')
    for text in files(given):
        path = scene.path(text)
        if not path.is_file():
            raise NotFoundError(
                f"There is no script {path}.",
                why="Relative paths start at the folder in which the build is asked for.",
                remedy=f"ls {path.parent}",
            )
    variables(given)


def files(given: AnyScripts) -> tuple[str, ...]:
    """The scripts that are files."""
    return (given.script,) if given.script else given.scripts


def facts(given: AnyScripts, scene: Scene) -> dict[str, str]:
    """A digest of each file."""
    return {text: file_digest(scene.path(text)) for text in files(given)}


def variables(given: AnyScripts) -> dict[str, str]:
    """``environment_vars`` and ``env`` by name. Raises ConfigError for a name that no shell takes."""
    found: dict[str, str] = {}
    for text in given.environment_vars:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f'"environment_vars" has {text!r}; each is NAME=VALUE.')
        found[name] = value
    found |= given.env
    for name in found:
        if not _NAME.match(name):
            raise ConfigError(f"{name!r} is no name of a variable.", why='"environment_vars" has it.')
    return found


def with_packers(given: AnyScripts, scene: Scene) -> dict[str, str]:
    """The variables, with those that Packer gives every script before them."""
    return {
        "PACKER_BUILD_NAME": scene.source,
        "PACKER_BUILDER_TYPE": scene.kind,
        **_http(scene.facts),
        **variables(given),
    }


def _http(facts: Mapping[str, str]) -> dict[str, str]:
    names = {
        "PACKER_HTTP_ADDR": "PackerHTTPAddr",
        "PACKER_HTTP_IP": "PackerHTTPIP",
        "PACKER_HTTP_PORT": "PackerHTTPPort",
    }
    return {name: facts[fact] for name, fact in names.items() if facts.get(fact)}


def assignments(values: Mapping[str, str], form: str = "", usual: str = "{}={} ") -> str:
    """``NAME='VALUE' `` for each, as ``{{ .Vars }}`` has them; with ``form``, as ``env_var_format`` says,
    quotes within values written so that they can stand between single quotes."""
    if not form:
        return "".join(usual.format(name, quote(value)) for name, value in values.items())
    before, between, after = (part.replace("%%", "%") for part in form.split("%s"))
    return "".join(f"{before}{name}{between}{_within_quotes(value)}{after}" for name, value in values.items())


def _within_quotes(value: str) -> str:
    return value.replace("'", "'\"'\"'")


def written(given: Scripts, scene: Scene) -> list[tuple[Path, str]]:
    """The scripts as files of this computer, each with what it is called; inline commands are written into
    the build's private folder."""
    if given.script or given.scripts:
        return [(scene.path(text), text) for text in files(given)]
    lines = list(given.inline) or [given.command]
    path = scene.folder / "inline.sh"
    path.write_text("\n".join([f"#!{given.inline_shebang}", *lines, ""]))
    path.chmod(0o700)
    return [(path, lines[0][:60] + (" …" if len(lines) > 1 else ""))]
