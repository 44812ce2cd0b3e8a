"""``data`` blocks: each source of data is asked when something needs it, and only once."""

from __future__ import annotations

from functools import partial

from core.errors import BoxwrightError
from core.templates.data_kinds import DATA_KINDS, Ask, DataKind
from core.templates.hcl import tree
from core.templates.hcl.blocks import check_blocks, check_settings
from core.templates.hcl.circle import Asked
from core.templates.hcl.evaluate import evaluate
from core.templates.hcl.scope import Namespace, Scope
from core.templates.problems import Fault, Problems, meant, one_of
from core.templates.source import Span
from core.templates.values.convert import ConversionError, convert
from core.templates.values.show import plain
from core.templates.values.types import describe
from core.templates.values.value import Value, lift, object_of, unknown


class DataSources:
    """All of a template. ``ask`` is None where nobody is to be asked: what they find is open then."""

    def __init__(
        self, bodies: list[tree.Body], scope: Scope, problems: Problems, asked: Asked, ask: Ask | None
    ) -> None:
        self._scope = scope
        self._problems = problems
        self._asked = asked
        self._ask = ask
        self._known: dict[tuple[str, str], Value] = {}
        self._blocks = {
            (block.labels[0].text, block.labels[1].text): block
            for body in bodies
            for block in body.blocks
            if block.kind == "data" and len(block.labels) == 2
        }
        kinds = dict.fromkeys(kind for kind, _ in self._blocks)
        self.namespace = Namespace(
            "kind of data source", kinds, self._kind, 'declare one: data "NAME" "..." { ... }'
        )

    def work_out(self) -> None:
        """All of them: what is wrong with one that nothing needs is a mistake, too."""
        for (kind, name), block in self._blocks.items():
            try:
                self.value(kind, name, block.at)
            except Fault as fault:
                self._problems.add(fault)

    def _kind(self, kind: str, _at: Span) -> Namespace:
        names = [name for one, name in self._blocks if one == kind]
        return Namespace(f'data source "{kind}"', names, partial(self.value, kind))

    def value(self, kind: str, name: str, at: Span) -> Value:
        """What one finds. Raises Fault for a circle; what else is wrong is reported where it is, once."""
        if (kind, name) in self._known:
            return self._known[kind, name]
        block = self._blocks[kind, name]
        address = f"data.{kind}.{name}"
        with self._asked.within(address, f'data source "{kind}.{name}"', at):
            try:
                found = self._found(block, kind, address)
            except Fault as fault:
                self._problems.add(fault)
                found = unknown(address)
        self._known[kind, name] = found
        return found

    def _found(self, block: tree.Block, kind: str, address: str) -> Value:
        about = DATA_KINDS.get(kind)
        if about is None:
            if self._ask is not None:
                raise Fault(
                    f'The data source "{kind}" cannot be asked.',
                    block.at,
                    why=f"It belongs to a plugin of Packer's; Boxwright has {one_of(DATA_KINDS, 'and')}.",
                    remedy=meant(kind, DATA_KINDS) or "give the value by a variable in its place",
                )
            return unknown(address)
        settings = self._settings(block, kind, about)
        if kind == "null":
            return object_of({"output": settings["input"]})
        sensitive = about.secret or any(value.holds_sensitive for value in settings.values())
        if self._ask is None or any(value.waits_for for value in settings.values()):
            return _open(about, address).marked(sensitive)
        try:
            found = self._ask(kind, {name: plain(value) for name, value in settings.items()})
        except BoxwrightError as error:
            why = error.problem
            raise Fault(f"{address}: {why.what}", block.at, why=why.why, remedy=why.remedy) from None
        return object_of({name: lift(found[name]) for name in about.finds}).marked(sensitive)

    def _settings(self, block: tree.Block, kind: str, about: DataKind) -> dict[str, Value]:
        """Those that are set. Raises Fault for the first that is wrong."""
        noun = f'The data source "{kind}"'
        check_settings(block.body, tuple(about.settings), noun, self._problems)
        check_blocks(block.body, (), noun, self._problems)
        found: dict[str, Value] = {}
        for name, wanted in about.settings.items():
            written = block.body.settings.get(name)
            if written is None:
                continue
            try:
                value = convert(evaluate(written.value, self._scope), wanted)
            except ConversionError:
                raise Fault(f'"{name}" has to be {describe(wanted)}.', written.value.at) from None
            if value.null:
                continue
            choices = about.choices.get(name, ())
            if choices and not value.waits_for and value.raw not in choices:
                raise Fault(f'"{name}" has to be {one_of(choices)}.', written.value.at)
            found[name] = value
        for name in about.needed:
            if name not in found or found[name].raw in ("", {}, ()):
                raise Fault(f'{noun} needs "{name}".', block.at, remedy=f"add {name} = ...")
        return found


def _open(about: DataKind, address: str) -> Value:
    """What is found when somebody is asked: its names are known already."""
    return object_of({name: unknown(address) for name in about.finds})
