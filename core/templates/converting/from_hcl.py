"""Drafts of HCL2 templates: references to variables stay, everything else is worked out."""

from __future__ import annotations

from typing import Any

from core.templates.converting.draft import (
    Draft,
    DraftBlock,
    DraftBuild,
    DraftVariable,
    Reference,
    mixed,
)
from core.templates.converting.losses import Losses
from core.templates.hcl import tree
from core.templates.hcl.dynamic import expand
from core.templates.hcl.evaluate import evaluate
from core.templates.hcl.reader import HclReading
from core.templates.hcl.scope import Scope
from core.templates.model import Build, BuildSource, PostProcessor, Step, Variable, reveal
from core.templates.problems import Fault, Problems
from core.templates.values.show import plain

_NOTHING = object()


class HclDrafter:
    def __init__(self, reading: HclReading, losses: Losses) -> None:
        self._reading = reading
        self._losses = losses
        self._plain = {
            one.name for one in reading.template.variables if one.type in ("string", "number", "bool", "any")
        }

    def draft(self) -> Draft:
        template = self._reading.template
        for one in template.data:
            self._losses.add(f'The source of data "{one.address}" is left out.', one.place)
        for variable in template.variables:
            for message in variable.validations:
                what = f'The validation of "{variable.name}" is left out: {message}'
                self._losses.add(what, variable.place)
        names = self._source_names()
        return Draft(
            required_version=template.required_version,
            requirements=tuple((one.name, one.version, one.source) for one in template.requirements),
            variables=tuple(self._variables()),
            sources=tuple(
                self._source(source, names) for build in template.builds for source in build.sources
            ),
            builds=tuple(self._build(build, names) for build in template.builds),
        )

    def _source_names(self) -> dict[str, str]:
        """One name for each source of each build; the kind goes before those that two have."""
        used = [one for build in self._reading.template.builds for one in build.sources]
        names = [one.name for one in used]
        return {
            one.address: one.name if names.count(one.name) == 1 else f"{one.kind}-{one.name}" for one in used
        }

    def _variables(self) -> list[DraftVariable]:
        found = []
        for one in self._reading.template.variables:
            if one.type == "any" and isinstance(one.value, list | dict):
                self._plain.discard(one.name)
            found.append(
                DraftVariable(
                    name=one.name,
                    type=one.type,
                    description=one.description,
                    default=self._default(one),
                    value=reveal(one.value),
                    sensitive=one.sensitive,
                    place=one.place,
                )
            )
        return found

    def _default(self, one: Variable) -> Any:
        """As it is written, where that is plain; what calls made of it is named, or left out."""
        node = self._reading.defaults.get(one.name)
        while isinstance(node, tree.Parentheses) or (isinstance(node, tree.Template) and node.wrapped):
            node = node.inner if isinstance(node, tree.Parentheses) else node.parts[0]
        if node is None:
            return None
        if isinstance(node, tree.Call) and node.name == "env" and len(node.arguments) == 1:
            name = plain(evaluate(node.arguments[0], self._reading.scope))
            return mixed([Reference("environment", str(name))])
        if "(" in node.at.text and not isinstance(node, tree.Literal):
            if one.sensitive:
                self._losses.add(f'The default of "{one.name}" is left out: it is sensitive.', one.place)
                return None
            what = f'The default of "{one.name}" is written as the value that it has now.'
            self._losses.add(what, one.place)
        return reveal(one.default)

    def _source(self, source: BuildSource, names: dict[str, str]) -> DraftBlock:
        settings = {**(self._settings(source.base) if source.base else {}), **self._settings(source.id)}
        return DraftBlock(kind=source.kind, name=names[source.address], settings=settings, place=source.place)

    def _build(self, build: Build, names: dict[str, str]) -> DraftBuild:
        return DraftBuild(
            name=build.name,
            description=build.description,
            sources=tuple(names[one.address] for one in build.sources),
            provisioners=tuple(self._step(step, names) for step in build.provisioners),
            on_error=None if build.on_error is None else self._step(build.on_error, names),
            post_processors=tuple(
                tuple(self._post_processor(one, names) for one in chain) for chain in build.post_processors
            ),
            place=build.place,
        )

    def _step(self, step: Step, names: dict[str, str]) -> DraftBlock:
        common: dict[str, Any] = {}
        for name in ("override", "pause_before", "max_retries", "timeout"):
            given = getattr(step, name)
            if given:
                common[name] = reveal(given)
        if step.name:
            self._losses.add(f'The name "{step.name}" of a provisioner is left out.', step.place)
        return DraftBlock(
            kind=step.kind,
            settings=self._settings(step.id),
            only=tuple(_renamed(one, names) for one in step.only),
            exclude=tuple(_renamed(one, names) for one in step.exclude),
            common=common,
            place=step.place,
        )

    def _post_processor(self, one: PostProcessor, names: dict[str, str]) -> DraftBlock:
        keep = one.keep_input_artifact
        return DraftBlock(
            kind=one.kind,
            name=one.name,
            settings=self._settings(one.id),
            only=tuple(_renamed(name, names) for name in one.only),
            exclude=tuple(_renamed(name, names) for name in one.exclude),
            common={} if keep is None else {"keep_input_artifact": keep},
            place=one.place,
        )

    def _settings(self, id: str) -> dict[str, Any]:
        body, scope, leave = self._reading.body(id)
        return self._body(body, scope, set(leave))

    def _body(self, body: tree.Body, scope: Scope, leave: set[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for setting in body.settings.values():
            if setting.name not in leave:
                data = self._data(setting.value, scope)
                if data is not _NOTHING:
                    found[setting.name] = data
        for block, inner in expand(body.blocks, scope, Problems()):
            found.setdefault(block.kind, []).append(self._body(block.body, inner, set()))
        return found

    def _data(self, node: tree.Node, scope: Scope) -> Any:
        if isinstance(node, tree.Parentheses):
            return self._data(node.inner, scope)
        if isinstance(node, tree.TupleNode):
            return [item for one in node.items if (item := self._data(one, scope)) is not _NOTHING]
        if isinstance(node, tree.ObjectNode):
            items = {str(plain(evaluate(key, scope))): self._data(one, scope) for key, one in node.items}
            return {key: item for key, item in items.items() if item is not _NOTHING}
        if isinstance(node, tree.Template) and not node.wrapped:
            parts: list[Any] = [self._part(part, scope) for part in node.parts]
            return _NOTHING if any(part is _NOTHING for part in parts) else mixed(parts)
        if isinstance(node, tree.Template):
            node = node.parts[0]
        reference = self._reference(node)
        return self._worked_out(node, scope) if reference is None else mixed([reference])

    def _part(self, node: tree.Node, scope: Scope) -> Any:
        if isinstance(node, tree.Literal):
            return str(plain(evaluate(tree.Template(node.at, (node,), False), scope)))
        reference = self._reference(node)
        if reference is not None:
            return reference
        return self._worked_out(tree.Template(node.at, (node,), False), scope)

    def _reference(self, node: tree.Node) -> Reference | None:
        if not isinstance(node, tree.Attribute) or not isinstance(node.on, tree.Name):
            return None
        match node.on.name:
            case "var" if node.name in self._plain:
                return Reference("variable", node.name)
            case "build":
                return Reference("build", node.name)
            case "source":
                return Reference("source", node.name)
            case "path":
                return Reference("folder", node.name)
        return None

    def _worked_out(self, node: tree.Node, scope: Scope) -> Any:
        """The value that an expression has now; named where another run could have another one."""
        try:
            value = evaluate(node, scope)
        except Fault as fault:
            self._losses.add(f"{node.at.text} is left out: {fault.what}", node.at.place)
            return _NOTHING
        if value.waits_for or value.holds_sensitive:
            why = "It is sensitive." if value.holds_sensitive else f"It needs {value.waits_for}."
            self._losses.add(f"{node.at.text} cannot be said in the other language.", node.at.place, why)
            return _NOTHING
        if not isinstance(node, tree.Literal):
            what = f"{node.at.text} is written as the value that it has now."
            self._losses.add(what, node.at.place)
        return plain(value)


def _renamed(name: str, names: dict[str, str]) -> str:
    return names.get(name, name)
