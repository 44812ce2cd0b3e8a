"""Reads a template in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.errors import NotFoundError
from core.model.problem import Place
from core.templates.given import Given
from core.templates.golang.functions import functions
from core.templates.golang.render import LaterError, Names, render
from core.templates.hcl.files import read_text
from core.templates.jsontext import JsonNode, parse_json
from core.templates.legacy.texts import TextReader
from core.templates.legacy.variables import Variables
from core.templates.model import Build, BuildSource, PostProcessor, Settings, Source, Step, Template
from core.templates.problems import Fault, Problems, TemplateError, meant, one_of
from core.templates.reading import Reading
from core.templates.source import Source as Text
from core.templates.source import Span
from core.templates.values.value import Value, text

KEYS = (
    "builders", "provisioners", "post-processors", "error-cleanup-provisioner", "variables",
    "sensitive-variables", "description", "min_packer_version",
)  # fmt: skip
_OF_BUILDERS = ("type", "name")
_OF_STEPS = ("type", "only", "except", "override", "pause_before", "max_retries", "timeout")
_OF_POST_PROCESSORS = ("type", "name", "only", "except", "keep_input_artifact")


class JsonReading(Reading):
    """A template in JSON that was read."""

    def __init__(
        self,
        template: Template,
        nodes: dict[str, tuple[JsonNode, tuple[str, ...]]],
        variables: Variables,
        world: Any,
    ) -> None:
        super().__init__(template)
        self._nodes = nodes
        self._variables = variables
        self._world = world

    def node(self, id: str) -> tuple[JsonNode, tuple[str, ...]]:
        """What a step, post-processor or source is written as, and which of its keys are not settings."""
        return self._nodes[id]

    def default(self, name: str) -> JsonNode | None:
        """What a variable's default is written as."""
        return self._variables.declared[name].node

    def written(self, id: str, setting: str) -> Place | None:
        """See :meth:`Reading.written`."""
        found = self._nodes[id][0].value if id in self._nodes else None
        return found[setting][0].place if isinstance(found, dict) and setting in found else None

    def evaluate(self, expression: str) -> Value:
        """A text with ``{{...}}`` as it is rendered. Raises TemplateError."""
        self._variables.used_sensitive = False
        source = Text("<expression>", expression)
        try:
            shown = render(source, Names(functions(self._world, self._variables.user)))
        except Fault as fault:
            raise TemplateError((fault.problem,)) from None
        except LaterError as later:
            open_yet = Fault(f"{later} is known when the build runs.", Span(source, 0, len(expression)))
            raise TemplateError((open_yet.problem,)) from None
        return text(shown).marked(self._variables.used_sensitive)

    def settings(self, id: str, running: Mapping[str, Any], source: Mapping[str, str]) -> Settings:
        """See :meth:`Reading.settings`; ``source`` gives ``build_name`` and ``build_type``."""
        node, common = self._nodes[id]
        build = {name: str(value) for name, value in running.items()}
        build |= {"build_name": source.get("name", ""), "build_type": source.get("type", "")}
        problems = Problems()
        found = TextReader(self._variables, self._world, problems).settings(node, common, build)
        problems.check()
        return found


def read_json(path: Path, given: Given, *, strict: bool = True) -> JsonReading:
    """The template in a file. Raises TemplateError with all that is wrong, NotFoundError.

    ``strict``: variables without a value are mistakes.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no template {path}.", remedy=f"ls {path.parent}")
    problems = Problems()
    raw = read_text(path, problems)
    problems.check()
    assert raw is not None
    try:
        document = parse_json(Text(str(path), raw))
        if not isinstance(document.value, dict):
            raise Fault(f"The template is {document.noun}, not an object.", document.at)
    except Fault as fault:
        raise TemplateError((fault.problem,)) from None
    world = given.world(path.parent)
    reader = _TemplateReader(document, Variables(world, problems), world, problems)
    template = reader.read(path, given, strict)
    problems.check()
    return JsonReading(template, reader.nodes, reader.variables, world)


class _TemplateReader:
    def __init__(self, document: JsonNode, variables: Variables, world: Any, problems: Problems) -> None:
        self.document = document
        self.variables = variables
        self.nodes: dict[str, tuple[JsonNode, tuple[str, ...]]] = {}
        self._texts = TextReader(variables, world, problems)
        self._problems = problems

    def read(self, path: Path, given: Given, strict: bool) -> Template:
        problems = self._problems
        for key, (at, _) in self.document.value.items():
            if key == "push":
                problems.warn(Fault('"push" has no meaning any more.', at, remedy="take it away"))
            elif key not in KEYS and not key.startswith("_"):
                why = f"There is {one_of(KEYS, 'and')}, and keys that begin with _ for comments."
                problems.add(Fault(f'A template has no "{key}".', at, why=why, remedy=meant(key, KEYS)))
        try:
            member = self.document.member
            self.variables.declare(member("variables"), member("sensitive-variables"))
        except Fault as fault:
            problems.add(fault)
        self.variables.assign(given)
        self.variables.settle(strict)
        sources = self._builders()
        steps = tuple(self._steps([one.name for one in sources]))
        return Template(
            language="json",
            root=str(path.parent),
            files=(str(path),),
            description=self._string(self.document, "description"),
            required_version=self._minimum(),
            variables=self.variables.as_model(),
            sources=tuple(
                Source(id=one.id, kind=one.kind, name=one.name, settings=one.settings, place=one.place)
                for one in sources
            ),
            builds=(
                Build(
                    sources=tuple(sources),
                    provisioners=steps,
                    on_error=self._on_error([one.name for one in sources]),
                    post_processors=self._chains([one.name for one in sources]),
                    place=self.document.begin.place,
                ),
            ),
            warnings=tuple(problems.warnings),
        )

    def _minimum(self) -> str:
        found = self._string(self.document, "min_packer_version")
        return f">= {found}" if found else ""

    def _string(self, node: JsonNode, key: str) -> str:
        found = node.member(key)
        if found is None or found.value is None:
            return ""
        if isinstance(found.value, list | dict | bool):
            self._problems.add(Fault(f'"{key}" is {found.noun}; it has to be text.', found.at))
            return ""
        return str(found.value) if isinstance(found.value, str) else found.at.text

    def _words(self, node: JsonNode, key: str, known: list[str]) -> tuple[str, ...]:
        """``only`` and ``except``, whose names have to be there."""
        found = node.member(key)
        if found is None:
            return ()
        items = found.value if isinstance(found.value, list) else [found]
        words = []
        for item in items:
            if not isinstance(item.value, str):
                self._problems.add(Fault(f'"{key}" is a list of names.', item.at))
            elif item.value not in known and known:
                what = f'"{key}" names "{item.value}", which is no builder of this template.'
                why = f"There is {one_of(known, 'and')}."
                self._problems.add(Fault(what, item.at, why=why, remedy=meant(item.value, known)))
            else:
                words.append(item.value)
        return tuple(words)

    def _objects(self, key: str) -> Iterator[JsonNode]:
        found = self.document.member(key)
        if found is None or found.value is None:
            return
        if not isinstance(found.value, list):
            what = f'"{key}" is {found.noun}, not a list.'
            self._problems.add(Fault(what, found.at, remedy="put it into [ ]"))
            return
        yield from found.value

    def _kind(self, node: JsonNode, noun: str) -> str:
        """Raises Fault where it has no type."""
        if not isinstance(node.value, dict):
            raise Fault(f"This {noun} is {node.noun}, not an object.", node.at)
        found = node.member("type")
        if found is None:
            raise Fault(f"This {noun} has no type.", node.begin, remedy='add "type": "..."')
        if not isinstance(found.value, str):
            raise Fault('"type" has to be text.', found.at)
        return found.value

    def _builders(self) -> list[BuildSource]:
        found: list[BuildSource] = []
        if self.document.member("builders") is None:
            remedy = 'add "builders": [{ "type": "..." }]'
            self._problems.add(Fault("The template has no builders.", self.document.begin, remedy=remedy))
        for node in self._objects("builders"):
            try:
                kind = self._kind(node, "builder")
                name = self._name(node) or kind
                if any(one.name == name for one in found):
                    at = (node.member("name") or node.member("type") or node).at
                    what = f'Two builders are called "{name}".'
                    raise Fault(what, at, remedy='give one a name of its own: "name": "..."')
                id = f"source.{len(found)}"
                self.nodes[id] = (node, _OF_BUILDERS)
                build = {"build_name": name, "build_type": kind}
                settings = self._texts.settings(node, _OF_BUILDERS, build)
                found.append(
                    BuildSource(id=id, kind=kind, name=name, settings=settings, place=node.begin.place)
                )
            except Fault as fault:
                self._problems.add(fault)
        return found

    def _name(self, node: JsonNode) -> str:
        given = node.member("name")
        if given is None:
            return ""
        rendered = self._texts.data(given, None)
        if not isinstance(rendered, str):
            raise Fault("A name is text that is known before the build runs.", given.at)
        return rendered

    def _steps(self, known: list[str]) -> Iterator[Step]:
        for number, node in enumerate(self._objects("provisioners")):
            try:
                yield self._step(node, f"provisioner.{number}", known)
            except Fault as fault:
                self._problems.add(fault)

    def _on_error(self, known: list[str]) -> Step | None:
        node = self.document.member("error-cleanup-provisioner")
        if node is None:
            return None
        try:
            return self._step(node, "on_error", known)
        except Fault as fault:
            self._problems.add(fault)
            return None

    def _step(self, node: JsonNode, id: str, known: list[str]) -> Step:
        kind = self._kind(node, "provisioner")
        self.nodes[id] = (node, _OF_STEPS)
        retries = node.member("max_retries")
        number = retries.value if retries is not None else 0
        if isinstance(number, str) and number.isdigit():
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int):
            assert retries is not None
            raise Fault('"max_retries" has to be a whole number.', retries.at)
        return Step(
            id=id,
            kind=kind,
            settings=self._texts.settings(node, _OF_STEPS, None),
            only=self._words(node, "only", known),
            exclude=self._words(node, "except", known),
            override=self._override(node, known),
            pause_before=self._string(node, "pause_before"),
            max_retries=number,
            timeout=self._string(node, "timeout"),
            place=node.begin.place,
        )

    def _override(self, node: JsonNode, known: list[str]) -> dict[str, Settings]:
        found = node.member("override")
        if found is None:
            return {}
        if not isinstance(found.value, dict):
            raise Fault('"override" holds settings by the name of a builder.', found.at)
        settings: dict[str, Settings] = {}
        for name, (at, item) in found.value.items():
            if name not in known and known:
                what = f'"override" names "{name}", which is no builder of this template.'
                self._problems.add(Fault(what, at, remedy=meant(name, known)))
            elif not isinstance(item.value, dict):
                self._problems.add(Fault(f'"override" of "{name}" is {item.noun}, not an object.', item.at))
            else:
                settings[name] = self._texts.settings(item, (), None)
        return settings

    def _chains(self, known: list[str]) -> tuple[tuple[PostProcessor, ...], ...]:
        """A name, an object, or a list of both, which is a chain."""
        found = []
        for number, node in enumerate(self._objects("post-processors")):
            items = node.value if isinstance(node.value, list) else [node]
            chain: list[PostProcessor] = []
            for item in items:
                try:
                    id = f"post-processor.{number}.{len(chain)}"
                    chain.append(self._post_processor(item, id, known))
                except Fault as fault:
                    self._problems.add(fault)
            found.append(tuple(chain))
        return tuple(found)

    def _post_processor(self, node: JsonNode, id: str, known: list[str]) -> PostProcessor:
        if isinstance(node.value, str):
            self.nodes[id] = (JsonNode({}, node.at), ())
            return PostProcessor(id=id, kind=node.value, settings={}, place=node.begin.place)
        if isinstance(node.value, list):
            raise Fault("A chain of post-processors cannot hold another one.", node.at)
        kind = self._kind(node, "post-processor")
        self.nodes[id] = (node, _OF_POST_PROCESSORS)
        keep = node.member("keep_input_artifact")
        if keep is not None and not isinstance(keep.value, bool | None):
            raise Fault('"keep_input_artifact" has to be true or false.', keep.at)
        return PostProcessor(
            id=id,
            kind=kind,
            name=self._name(node),
            settings=self._texts.settings(node, _OF_POST_PROCESSORS, None),
            only=self._words(node, "only", known),
            exclude=self._words(node, "except", known),
            keep_input_artifact=None if keep is None else keep.value,
            place=node.begin.place,
        )
