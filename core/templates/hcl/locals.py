"""Locals: each is worked out when it is first asked for; one that needs itself is named with its circle."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.templates.hcl import tree
from core.templates.hcl.blocks import check_blocks, check_labels, check_settings, flag_of
from core.templates.hcl.circle import Asked
from core.templates.hcl.evaluate import evaluate
from core.templates.hcl.scope import Namespace, Scope
from core.templates.hcl.settings import settle
from core.templates.model import Local
from core.templates.problems import Fault, Problems
from core.templates.source import Span
from core.templates.values.value import Value, unknown


class _Declared(msgspec.Struct, frozen=True):
    name: str
    value: tree.Node
    sensitive: bool
    at: Span


class Locals:
    """All locals of a template; ``scope`` is set once the other roots are known."""

    def __init__(self, bodies: list[tree.Body], scope: Scope, problems: Problems, asked: Asked) -> None:
        self._problems = problems
        self._declared: dict[str, _Declared] = {}
        self._known: dict[str, Value] = {}
        self._asked = asked
        self.scope = scope
        for body in bodies:
            for block in body.blocks:
                try:
                    for one in self._read(block):
                        self._keep(one)
                except Fault as fault:
                    problems.add(fault)
        self.namespace = Namespace("local", self._declared, self.value, "declare it: locals { NAME = ... }")

    def _read(self, block: tree.Block) -> list[_Declared]:
        if block.kind == "locals":
            check_labels(block, 0)
            check_blocks(block.body, (), 'A "locals" block', self._problems)
            return [_Declared(s.name, s.value, False, s.name_at) for s in block.body.settings.values()]
        if block.kind != "local":
            return []
        check_labels(block, 1)
        check_settings(block.body, ("expression", "sensitive"), "A local", self._problems)
        check_blocks(block.body, (), "A local", self._problems)
        if "expression" not in block.body.settings:
            raise Fault("This local has no value.", block.at, remedy="add expression = VALUE")
        sensitive = bool(flag_of(block.body, "sensitive", self.scope, self._problems))
        return [_Declared(block.labels[0].text, block.body.settings["expression"].value, sensitive, block.at)]

    def _keep(self, one: _Declared) -> None:
        if one.name in self._declared:
            first = self._declared[one.name].at.place
            why = f"It is declared in {Path(first.file).name}, line {first.line}, already."
            raise Fault(f'The local "{one.name}" is declared twice.', one.at, why=why)
        self._declared[one.name] = one

    def value(self, name: str, at: Span) -> Value:
        """A local's value. Raises Fault for a circle; other faults are reported where they are, once."""
        if name in self._known:
            return self._known[name]
        one = self._declared[name]
        with self._asked.within(f"local.{name}", f'local "{name}"', at):
            try:
                found = evaluate(one.value, self.scope).marked(one.sensitive)
            except Fault as fault:
                self._problems.add(fault)
                found = unknown(f"local.{name}")
        self._known[name] = found
        return found

    def as_model(self) -> tuple[Local, ...]:
        """All of them, worked out."""
        found = []
        for name, one in self._declared.items():
            value = self.value(name, one.at)
            kept = settle(value, one.value)
            sensitive = value.holds_sensitive
            found.append(Local(name=name, value=kept, sensitive=sensitive, place=one.at.place))
        return tuple(found)
