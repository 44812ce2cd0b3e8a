"""Drafts of templates in JSON."""

from __future__ import annotations

from typing import Any

from core.templates.converting.draft import (
    Draft,
    DraftBlock,
    DraftBuild,
    DraftVariable,
    Mixed,
    Reference,
    mixed,
)
from core.templates.converting.losses import Losses
from core.templates.golang.parser import parse
from core.templates.golang.tree import Action, Command, Constant, Piece, Text
from core.templates.jsontext import JsonNode
from core.templates.legacy.reader import JsonReading
from core.templates.legacy.texts import inner_source
from core.templates.model import PostProcessor, Source, Step, reveal
from core.templates.problems import Fault


class JsonDrafter:
    def __init__(self, reading: JsonReading, losses: Losses) -> None:
        self._reading = reading
        self._losses = losses
        self._own: dict[str, str] = {}

    def draft(self) -> Draft:
        template = self._reading.template
        build = template.builds[0]
        return Draft(
            required_version=template.required_version,
            variables=tuple(self._variables()),
            sources=tuple(
                DraftBlock(kind=one.kind, name=one.name, settings=self._builder(one), place=one.place)
                for one in template.sources
            ),
            builds=(
                DraftBuild(
                    description=template.description,
                    sources=tuple(one.name for one in build.sources),
                    provisioners=tuple(self._step(step) for step in build.provisioners),
                    on_error=None if build.on_error is None else self._step(build.on_error),
                    post_processors=tuple(
                        tuple(self._post_processor(one) for one in chain) for chain in build.post_processors
                    ),
                    place=build.place,
                ),
            ),
        )

    def _variables(self) -> list[DraftVariable]:
        found = []
        for one in self._reading.template.variables:
            node = self._reading.default(one.name)
            default = None
            if node is not None:
                default = self._data(node) if isinstance(node.value, str) else node.at.text
            found.append(
                DraftVariable(
                    name=one.name,
                    default=default,
                    value=reveal(one.value),
                    sensitive=one.sensitive,
                    place=one.place,
                )
            )
        return found

    def _builder(self, one: Source) -> dict[str, Any]:
        """A source knows its own name: references to it are written out."""
        self._own = {"name": one.name, "type": one.kind}
        try:
            return self._settings(one.id)
        finally:
            self._own = {}

    def _step(self, step: Step) -> DraftBlock:
        node, _ = self._reading.node(step.id)
        common: dict[str, Any] = {}
        for name in ("override", "pause_before", "max_retries", "timeout"):
            given = node.member(name)
            if given is not None:
                common[name] = self._data(given)
        return DraftBlock(
            kind=step.kind,
            settings=self._settings(step.id),
            only=step.only,
            exclude=step.exclude,
            common=common,
            place=step.place,
        )

    def _post_processor(self, one: PostProcessor) -> DraftBlock:
        keep = one.keep_input_artifact
        return DraftBlock(
            kind=one.kind,
            name=one.name,
            settings=self._settings(one.id),
            only=one.only,
            exclude=one.exclude,
            common={} if keep is None else {"keep_input_artifact": keep},
            place=one.place,
        )

    def _settings(self, id: str) -> dict[str, Any]:
        node, leave = self._reading.node(id)
        return {name: self._data(item) for name, (_, item) in node.value.items() if name not in leave}

    def _data(self, node: JsonNode) -> Any:
        if isinstance(node.value, list):
            return [self._data(item) for item in node.value]
        if isinstance(node.value, dict):
            return {name: self._data(item) for name, (_, item) in node.value.items()}
        if not isinstance(node.value, str):
            return node.plain
        return self._text(node) if "{{" in node.value else node.value

    def _text(self, node: JsonNode) -> str | Mixed:
        parts: list[str | Reference] = []
        try:
            pieces = parse(inner_source(node))
        except Fault:
            return str(node.value)
        for piece in pieces:
            if isinstance(piece, Text):
                parts.append(piece.text)
                continue
            reference = _reference(piece)
            if reference is not None and reference.what == "source" and reference.name in self._own:
                parts.append(self._own[reference.name])
                continue
            parts.append(piece.at.text if reference is None else reference)
            if reference is None and _loses(piece.at.text):
                what = f"{piece.at.text} stays as it is written, and means nothing in the other language."
                self._losses.add(what, piece.at.place)
        return mixed(parts)


_WITHOUT_ARGUMENT = {
    "timestamp": Reference("seconds"),
    "isotime": Reference("time"),
    "template_dir": Reference("folder", "root"),
    "pwd": Reference("folder", "cwd"),
    "uuid": Reference("uuid"),
    "build_name": Reference("source", "name"),
    "build_type": Reference("source", "type"),
}


def _reference(piece: Piece) -> Reference | None:
    """What an action of one word (and a text) stands for; None for anything else."""
    if not isinstance(piece, Action) or piece.pipeline.assigns or len(piece.pipeline.commands) != 1:
        return None
    command = piece.pipeline.commands[0]
    arguments = [one.value for one in command.arguments if isinstance(one, Constant)]
    if len(arguments) != len(command.arguments):
        return None
    if not arguments:
        return _WITHOUT_ARGUMENT.get(command.function)
    if len(arguments) == 1 and isinstance(arguments[0], str):
        return _with_argument(command, arguments[0])
    return None


def _with_argument(command: Command, name: str) -> Reference | None:
    match command.function:
        case "user":
            return Reference("variable", name)
        case "build":
            return Reference("build", name)
        case "env":
            return Reference("environment", name)
        case "isotime":
            return Reference("time", name)
    return None


def _loses(text: str) -> bool:
    """It uses what only templates in JSON have; fields of running steps are the same everywhere."""
    return any(
        word in text for word in ("user", "build_name", "template_dir", "timestamp", "isotime", "upper")
    )
