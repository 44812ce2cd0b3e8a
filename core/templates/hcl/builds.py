"""Sources and builds of HCL2 templates."""

from __future__ import annotations

from pathlib import Path

from core.templates.hcl import tree
from core.templates.hcl.blocks import check_blocks, check_labels, check_settings, text_of, typed
from core.templates.hcl.dynamic import expand
from core.templates.hcl.scope import Scope
from core.templates.hcl.settings import settings_of
from core.templates.hcl.steps import StepReader
from core.templates.model import Build, BuildSource, PostProcessor, Source, Step
from core.templates.problems import Fault, Problems, meant, one_of
from core.templates.source import Span
from core.templates.values.show import plain
from core.templates.values.types import STRING, ListOf

_BLOCKS = (
    "source",
    "provisioner",
    "error-cleanup-provisioner",
    "post-processor",
    "post-processors",
    "hcp_packer_registry",
)
_SETTINGS = ("name", "description", "sources")


class BuildReader:
    """Reads ``source``, ``data`` and ``build`` blocks."""

    def __init__(self, outer: Scope, scope: Scope, steps: StepReader, problems: Problems) -> None:
        """``outer`` is where sources stand, ``scope`` where builds do: they know ``build`` and ``source``."""
        self._outer = outer
        self._scope = scope
        self._problems = problems
        self.steps = steps
        self._sources: dict[str, Source] = {}

    def sources(self, bodies: list[tree.Body], kind: str) -> tuple[Source, ...]:
        """The blocks of one kind, ``source`` or ``data``, by their addresses."""
        found: dict[str, Source] = {}
        spans: dict[str, Span] = {}
        for block in (block for body in bodies for block in body.blocks if block.kind == kind):
            try:
                check_labels(block, 2)
                one = self._source(block)
                if one.address in found:
                    first = spans[one.address].place
                    why = f"It is declared in {Path(first.file).name}, line {first.line}, already."
                    raise Fault(f'The {kind} "{one.address}" is declared twice.', block.at, why=why)
                found[one.address], spans[one.address] = one, block.at
            except Fault as fault:
                self._problems.add(fault)
        if kind == "source":
            self._sources = found
        return tuple(found.values())

    def _source(self, block: tree.Block) -> Source:
        kind, name = (label.text for label in block.labels)
        id = f"{block.kind}.{kind}.{name}"
        self.steps.bodies[id] = (block.body, self._outer, ())
        settings = settings_of(block.body, self._outer, self._problems)
        return Source(id=id, kind=kind, name=name, settings=settings, place=block.at.place)

    def builds(self, bodies: list[tree.Body]) -> tuple[Build, ...]:
        found: list[Build] = []
        for block in (block for body in bodies for block in body.blocks if block.kind == "build"):
            try:
                check_labels(block, 0)
                found.append(self._build(block, f"build.{len(found)}"))
            except Fault as fault:
                self._problems.add(fault)
        return tuple(found)

    def _build(self, block: tree.Block, id: str) -> Build:
        problems, scope, body = self._problems, self._scope, block.body
        inner = expand(body.blocks, scope, problems)
        listed = tree.Body({}, tuple(found for found, _ in inner), body.at)
        check_settings(body, _SETTINGS, "A build", problems)
        check_blocks(listed, _BLOCKS, "A build", problems)
        for found, _ in inner:
            if found.kind == "hcp_packer_registry":
                problems.warn(Fault("Nothing is sent to a registry: this block is left out.", found.at))
        before = len(problems)
        sources = self._build_sources(body, inner, id)
        if not sources and len(problems) == before:
            problems.add(
                Fault("This build has no sources.", block.at, remedy='add sources = ["source.KIND.NAME"]')
            )
        steps: list[Step] = []
        on_error = None
        for found, within in inner:
            if found.kind == "provisioner":
                step = self.steps.step(found, within, f"{id}.provisioner.{len(steps)}")
                steps += [step] if step is not None else []
            elif found.kind == "error-cleanup-provisioner":
                if on_error is not None:
                    problems.add(Fault("A build has only one error-cleanup-provisioner.", found.at))
                on_error = self.steps.step(found, within, f"{id}.on_error")
        chains = self.steps.chains(inner, f"{id}.post-processor")
        everything: list[Step | PostProcessor] = [*steps, *(one for chain in chains for one in chain)]
        self._check_only(everything, sources, inner)
        return Build(
            name=text_of(body, "name", scope, problems),
            description=text_of(body, "description", scope, problems),
            sources=tuple(sources),
            provisioners=tuple(steps),
            on_error=on_error,
            post_processors=chains,
            place=block.at.place,
        )

    def _build_sources(
        self, body: tree.Body, inner: list[tuple[tree.Block, Scope]], id: str
    ) -> list[BuildSource]:
        found: list[BuildSource] = []
        listed = typed(body, "sources", ListOf(STRING), self._scope, self._problems)
        for address in plain(listed) if listed is not None else ():
            at = body.settings["sources"].value
            try:
                span = _item_span(at, address)
                source = self._find(address, span)
                one = BuildSource(
                    id=source.id,
                    kind=source.kind,
                    name=source.name,
                    settings=source.settings,
                    place=span.place,
                )
                self._add(found, one, span)
            except Fault as fault:
                self._problems.add(fault)
        for block, scope in inner:
            if block.kind != "source":
                continue
            try:
                check_labels(block, 1)
                self._add(found, self._overridden(block, scope, f"{id}.source.{len(found)}"), block.at)
            except Fault as fault:
                self._problems.add(fault)
        return found

    def _overridden(self, block: tree.Block, scope: Scope, id: str) -> BuildSource:
        """``source "null.one" { ... }``: what stands here goes over the source's own."""
        source = self._find(block.labels[0].text, block.labels[0].at)
        name = text_of(block.body, "name", scope, self._problems) or source.name
        own = settings_of(block.body, scope, self._problems, ("name",))
        for setting in set(own) & set(source.settings):
            if isinstance(own[setting], list) and setting not in block.body.settings:
                own[setting] = [*source.settings[setting], *own[setting]]
        self.steps.bodies[id] = (block.body, scope, ("name",))
        settings = {**source.settings, **own}
        return BuildSource(
            id=id,
            kind=source.kind,
            name=name,
            base=source.id,
            settings=settings,
            place=block.at.place,
        )

    def _add(self, found: list[BuildSource], one: BuildSource, at: Span) -> None:
        if any(other.address == one.address for other in found):
            raise Fault(
                f'The build has the source "{one.address}" twice.',
                at,
                remedy=f'give one a name of its own: source "{one.address}" {{ name = "..." }}',
            )
        found.append(one)

    def _find(self, address: str, at: Span) -> Source:
        plain_address = address.removeprefix("source.").removeprefix("sources.")
        source = self._sources.get(plain_address)
        if source is None:
            known = ", ".join(self._sources)
            why = f"There is {known}." if known else "The template has no source at all."
            raise Fault(
                f'There is no source "{plain_address}".',
                at,
                why=why,
                remedy=meant(plain_address, self._sources),
            )
        return source

    def _check_only(
        self,
        steps: list[Step | PostProcessor],
        sources: list[BuildSource],
        blocks: list[tuple[tree.Block, Scope]],
    ) -> None:
        """What ``only`` and ``except`` name is there."""
        known = {one.address for one in sources} | {one.name for one in sources}
        names = sorted(one.address for one in sources)
        for step in steps:
            for word, given in (("only", step.only), ("except", step.exclude)):
                for name in given:
                    if name not in known and sources:
                        body = self.steps.bodies[step.id][0]
                        self._problems.add(
                            Fault(
                                f'"{word}" names "{name}", which is no source of this build.',
                                _item_span(body.settings[word].value, name),
                                why=f"There is {one_of(names, 'and')}.",
                                remedy=meant(name, known),
                            )
                        )


def _item_span(node: tree.Node, text: str) -> Span:
    """Where in a list of text one of them stands; the list where it was not written out."""
    if isinstance(node, tree.TupleNode):
        for item in node.items:
            if text in item.at.text:
                return item.at
    return node.at
