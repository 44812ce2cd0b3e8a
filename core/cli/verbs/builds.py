"""build: the project's builds, and templates."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import msgspec

from core import amounts
from core.cli.context import Context
from core.cli.operating import carry_out, command_of, document, finish
from core.cli.selection import matches
from core.cli.suggestions import did_you_mean
from core.commands import CommandSpec
from core.errors import NotFoundError
from core.model.command import AnswerBuild, Command, RunBuild
from core.projects import load

_ENDINGS = (".hcl", ".json")


def run(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    """Those that are named or match, side by side; without words all of the project."""
    known = _known(context) if given.builds else ()
    templates = [word for word in given.builds if word not in known and _is_template(word)]
    words = [word for word in given.builds if word not in templates]
    commands: list[Command] = [_of_template(context, spec, given, word) for word in templates]
    if words or not templates:
        names = _chosen(context, words)
        root = context.root
        commands += [_complete(context, command_of(spec, given, project=root, name=name)) for name in names]
    outcome = carry_out(context, commands)
    output = context.output
    if output.options.json:
        output.document(document(outcome))
    else:
        for operation in outcome.operations:
            for artifact in (operation.result or {}).get("artifacts", []):
                output.line(f"{artifact['source']}: {artifact['text'] or artifact['id']}")
    return outcome.code


def _known(context: Context) -> tuple[str, ...]:
    """The builds of the project here, () where there is none: they come before folders of the same name."""
    try:
        return tuple(load(context.root).builds)
    except NotFoundError:
        return ()


def _chosen(context: Context, words: list[str]) -> list[str]:
    names = list(load(context.root).builds)
    if not names:
        raise NotFoundError(
            "This project has no builds.",
            why="A build is a table [builds.NAME] in the project's file, or a template of Packer's.",
            remedy="boxwright init --template list",
        )
    chosen: list[str] = [] if words else names
    for word in words:
        found = matches(word, names)
        if not found:
            raise NotFoundError(
                f"There is no build {word!r}.",
                why=did_you_mean(word, names) or f"There is {amounts.listed(names)}.",
            )
        chosen += [name for name in found if name not in chosen]
    return chosen


def _is_template(word: str) -> bool:
    path = Path(word).expanduser()
    if path.is_dir():
        return word in (".", "..") or "/" in word or any(path.glob("*.pkr.*"))
    return path.is_file() and word.endswith(_ENDINGS)


def _of_template(context: Context, spec: CommandSpec, given: argparse.Namespace, word: str) -> Command:
    path = Path(word).expanduser().absolute()
    name = path.name if path.is_dir() else path.name.split(".")[0]
    folder = path if path.is_dir() else path.parent
    command = command_of(spec, given, project=str(folder), name=name or "template", template=str(path))
    return _complete(context, command)


def _complete(context: Context, command: Command) -> Command:
    """With what the engine, which has an environment of its own, cannot know."""
    assert isinstance(command, RunBuild)
    return msgspec.structs.replace(
        command,
        variable_files=tuple(str(Path(file).expanduser().absolute()) for file in command.variable_files),
        environment=dict(os.environ),
        cwd=str(Path.cwd()),
        debug=context.options.debug,
    )


def answer(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    """The answer is the last word; without a build there is only one that asks."""
    words = [*given.builds, given.answer]
    *builds, word = words
    names = _chosen(context, builds)
    root = context.root
    commands: list[Command] = [AnswerBuild(project=root, name=name, answer=word) for name in names[:1]]
    return finish(context, commands)
