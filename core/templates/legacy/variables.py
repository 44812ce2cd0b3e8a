"""Variables of JSON templates: all are text; defaults may use the environment and other variables."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from core.templates.functions.signature import Place as World
from core.templates.given import Given
from core.templates.golang.functions import LATER, functions
from core.templates.golang.render import CallError, LaterError, Names, render_known
from core.templates.hcl.files import read_text
from core.templates.jsontext import JsonNode, parse_json
from core.templates.legacy.texts import inner_source
from core.templates.model import Secret, Variable
from core.templates.problems import Fault, Problems, meant
from core.templates.source import Source, Span
from core.templates.values.convert import to_text


class Declared(msgspec.Struct, kw_only=True):
    name: str
    at: Span
    node: JsonNode | None
    """The default; None where null or nothing was written."""
    sensitive: bool
    value: str | None = None
    set_by: str = ""
    asked: bool = False
    """While its default is worked out."""


class Variables:
    """All variables; values are worked out when they are asked for."""

    def __init__(self, world: World, problems: Problems) -> None:
        self._world = world
        self._problems = problems
        self.declared: dict[str, Declared] = {}
        self.used_sensitive = False
        """Set when a sensitive one was asked for; whoever wants to know clears it before."""

    def declare(self, node: JsonNode | None, sensitive: JsonNode | None) -> None:
        if node is not None:
            if not isinstance(node.value, dict):
                raise Fault(f'"variables" is {node.noun}, not an object.', node.at)
            for name, (at, default) in node.value.items():
                if isinstance(default.value, list | dict):
                    what = f'The variable "{name}" is {default.noun}; it has to be text.'
                    self._problems.add(Fault(what, default.at))
                    continue
                kept = None if default.value is None else default
                self.declared[name] = Declared(name=name, at=at, node=kept, sensitive=False)
        if sensitive is not None:
            self._declare_sensitive(sensitive)

    def _declare_sensitive(self, node: JsonNode) -> None:
        if not isinstance(node.value, list):
            raise Fault(f'"sensitive-variables" is {node.noun}, not a list.', node.at)
        for item in node.value:
            if not isinstance(item.value, str) or item.value not in self.declared:
                remedy = meant(str(item.value), self.declared)
                self._problems.add(Fault(f"{item.at.text} is no variable.", item.at, remedy=remedy))
            else:
                self.declared[item.value].sensitive = True

    def assign(self, given: Given) -> None:
        """Values from files, then from ``--var``."""
        for file in given.files:
            self._assign_file(Path(self._world.cwd, file))
        for name, text in given.variables:
            self._set(name, text, "--var", None)

    def _assign_file(self, path: Path) -> None:
        text = read_text(path, self._problems)
        if text is None:
            return
        if path.name.endswith(".hcl"):
            fault = Fault(
                "Templates in JSON take files of variables in JSON.", Span(Source(str(path), text), 0, 1)
            )
            self._problems.add(fault)
            return
        try:
            document = parse_json(Source(str(path), text))
            if not isinstance(document.value, dict):
                raise Fault(f"The file holds {document.noun}, not an object.", document.at)
        except Fault as fault:
            self._problems.add(fault)
            return
        for name, (at, node) in document.value.items():
            if isinstance(node.value, list | dict) or node.value is None:
                self._problems.add(
                    Fault(f'The value of "{name}" is {node.noun}; it has to be text.', node.at)
                )
            else:
                self._set(name, to_text(node.value), str(path), at)

    def _set(self, name: str, text: str, origin: str, at: Span | None) -> None:
        one = self.declared.get(name)
        if one is None:
            # As in Packer: giving a variable a value declares it.
            what = f'"{name}" is given a value, but is no variable of this template.'
            self._problems.warn(Fault(what, at, remedy=meant(name, self.declared)))
            nowhere = Span(Source(origin, name), 0, len(name))
            one = self.declared[name] = Declared(name=name, at=at or nowhere, node=None, sensitive=False)
        one.value, one.set_by = text, origin

    def user(self, name: str) -> str:
        """What ``{{user `name`}}`` comes to. Raises CallError, LaterError where there is no value."""
        one = self.declared.get(name)
        if one is None:
            remedy = meant(name, self.declared)
            raise CallError(f'there is no variable "{name}"{f", {remedy}" if remedy else ""}')
        self.used_sensitive = self.used_sensitive or one.sensitive
        value = self._value(one)
        if value is None:
            raise LaterError(f"user `{name}`")
        return value

    def _value(self, one: Declared) -> str | None:
        if one.value is not None or one.node is None:
            return one.value
        if one.asked:
            raise CallError(f'the variable "{one.name}" needs itself')
        if not isinstance(one.node.value, str):
            found = to_text(one.node.value)
        else:
            one.asked = True
            before, self.used_sensitive = self.used_sensitive, False
            try:
                names = Names(functions(self._world, self.user, env=True), None, LATER)
                rendered = render_known(inner_source(one.node), names)
            finally:
                one.asked = False
                one.sensitive = one.sensitive or self.used_sensitive
                self.used_sensitive = before or one.sensitive
            if rendered.waits_for:
                raise CallError(f"a variable's default cannot use {rendered.waits_for}")
            found = rendered.text
        one.value, one.set_by = found, "default"
        return found

    def settle(self, strict: bool) -> None:
        """Works all out; each that cannot be is a problem, and so is one without value where ``strict``."""
        for one in self.declared.values():
            try:
                value = self._value(one)
            except LaterError:
                continue
            except CallError as error:
                at = one.node.at if one.node is not None else one.at
                self._problems.add(Fault(f'The variable "{one.name}": {error}.', at))
                continue
            except Fault as fault:
                self._problems.add(fault)
                continue
            if value is None and strict:
                remedy = f"--var {one.name}=VALUE"
                what = f'The variable "{one.name}" has no value.'
                self._problems.add(Fault(what, one.at, why="Its default is null.", remedy=remedy))

    def as_model(self) -> tuple[Variable, ...]:
        found = []
        for one in self.declared.values():
            default: Any = None if one.node is None else _plain(one.node)
            if one.sensitive and default is not None:
                default = Secret(default)
            value: Any = Secret(one.value) if one.sensitive and one.value is not None else one.value
            found.append(
                Variable(
                    name=one.name,
                    type="string",
                    default=default,
                    required=one.node is None,
                    value=value,
                    set_by=one.set_by,
                    sensitive=one.sensitive,
                    place=one.at.place,
                )
            )
        return tuple(found)


def _plain(node: JsonNode) -> str:
    value = node.value
    assert isinstance(value, bool | int | Decimal | str)
    return to_text(value)
