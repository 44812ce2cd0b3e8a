"""build: the project's builds, and templates."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import msgspec

from core import amounts
from core.cli.build_questions import BuildQuestions, can_ask
from core.cli.context import Context
from core.cli.displays import display_for
from core.cli.following import Follower
from core.cli.operating import carry_out, command_of, document
from core.cli.suggestions import did_you_mean
from core.commands import CommandSpec
from core.commands.names import matches
from core.errors import BoxwrightError, NotFoundError, UsageError
from core.model.command import AnswerBuild, Command, RunBuild
from core.model.operation import StepState
from core.model.query import BuildNow, GetBuild, GetOperations, Operations
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
    display = display_for(context.output, times=bool(given.timestamps))
    asks = any(isinstance(one, RunBuild) and (one.debug or one.on_error == "ask") for one in commands)
    questions = BuildQuestions(context) if asks and can_ask(context) else None
    outcome = carry_out(context, commands, Follower(context, display, questions))
    output = context.output
    if output.options.json:
        output.document(document(outcome))
    else:
        for operation in outcome.operations:
            for artifact in (operation.result or {}).get("artifacts", []):
                output.line(f"{artifact['source']}: {artifact['text'] or artifact['id']}")
                for file in artifact["files"]:
                    output.line(f"  {file}{_size(Path(file))}")
    return outcome.code


def _size(file: Path) -> str:
    return f"  {amounts.size(file.stat().st_size)}" if file.is_file() else ""


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
        if not found and (word.endswith(_ENDINGS) or "/" in word):
            raise NotFoundError(f"There is no template {word}.", remedy=f"ls {Path(word).parent}")
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
    asking = [now for now in running(context) if now.question]
    chosen = [now for now in asking if not builds or any(matches(name, [now.name]) for name in builds)]
    if not chosen:
        names = amounts.listed(sorted({now.name for now in asking}))
        raise NotFoundError(
            f"No build{f' {builds[0]!r}' if builds else ''} waits for an answer.",
            why=f"One does: {names}." if asking else "None does.",
            remedy="boxwright ops --running",
        )
    if len(chosen) > 1:
        names = amounts.listed([now.name for now in chosen])
        raise UsageError("Several builds wait for an answer.", why=f"They are {names}; name one.")
    [now] = chosen
    outcome = carry_out(context, [AnswerBuild(project=now.project, name=now.name, answer=word)])
    if context.output.options.json:
        context.output.document(document(outcome))
    else:
        for operation in outcome.operations:
            if more := (operation.result or {}).get("asks"):
                context.output.line(f"{now.name} still asks: {more}: boxwright answer {now.name} ANSWER")
    return outcome.code


def running(context: Context) -> list[BuildNow]:
    """All builds that run now, of this and of other projects."""
    found = context.session.query(GetOperations(running=True))
    assert isinstance(found, Operations)
    views: list[BuildNow] = []
    for operation in found.operations:
        if operation.command == "build.run" and operation.state is StepState.RUNNING:
            try:
                view = context.session.query(GetBuild(operation=operation.id))
            except BoxwrightError:
                continue  # It ended just now.
            assert isinstance(view, BuildNow)
            views.append(view)
    return views
