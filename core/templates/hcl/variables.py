"""Input variables: what they are declared as, and the values they get."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.model.problem import Place
from core.templates.functions.signature import Place as World
from core.templates.given import ENVIRONMENT_PREFIX, Given
from core.templates.hcl import tree
from core.templates.hcl.blocks import check_blocks, check_labels, check_settings, flag_of, text_of
from core.templates.hcl.evaluate import evaluate, truth
from core.templates.hcl.expressions import parse_expression
from core.templates.hcl.files import read_body
from core.templates.hcl.scope import Namespace, Scope
from core.templates.hcl.settings import settle
from core.templates.hcl.types import parse_type
from core.templates.model import Variable
from core.templates.problems import Fault, Problems, meant, problem
from core.templates.source import Source, Span
from core.templates.values.convert import ConversionError, convert
from core.templates.values.types import ANY, BOOL, NUMBER, STRING, Type
from core.templates.values.value import NULL, Value, text, unknown

_EMPTY = Scope(World(root="", cwd=""), {}, {})
_SETTINGS = ("type", "default", "description", "sensitive", "validation")


class Declared(msgspec.Struct, kw_only=True):
    """A variable while values are found for it."""

    name: str
    block: tree.Block | tree.Setting
    type: Type
    typed: bool
    """Has a type of its own; else its default says it."""
    default: Value | None
    sensitive: bool
    description: str
    rules: tuple[tree.Block, ...] = ()
    value: Value | None = None
    set_by: str = ""
    unclear: bool = False
    """Something is wrong in its block: what its value would be cannot be said."""

    @property
    def written(self) -> tree.Node | None:
        """What its default is written as."""
        if isinstance(self.block, tree.Setting):
            return self.block.value
        setting = self.block.body.settings.get("default")
        return None if setting is None else setting.value

    @property
    def at(self) -> Span:
        return self.block.at if isinstance(self.block, tree.Block) else self.block.name_at


def declare(bodies: list[tree.Body], scope: Scope, problems: Problems) -> dict[str, Declared]:
    """All ``variable`` and ``variables`` blocks."""
    found: dict[str, Declared] = {}
    for body in bodies:
        for block in body.blocks:
            try:
                for one in _declared(block, scope, problems):
                    if one.name in found:
                        first = found[one.name].at.place
                        why = f"It is declared in {Path(first.file).name}, line {first.line}, already."
                        raise Fault(f'The variable "{one.name}" is declared twice.', one.at, why=why)
                    found[one.name] = one
            except Fault as fault:
                problems.add(fault)
                if block.kind == "variable" and len(block.labels) == 1:
                    one = _unclear(block)
                    found.setdefault(one.name, one)
    return found


def _unclear(block: tree.Block) -> Declared:
    """A variable in whose block something is wrong: it is there, whatever its value."""
    name = block.labels[0].text
    return Declared(
        name=name,
        block=block,
        type=ANY,
        typed=False,
        default=None,
        sensitive=True,
        description="",
        unclear=True,
    )


def _declared(block: tree.Block, scope: Scope, problems: Problems) -> list[Declared]:
    if block.kind == "variables":
        check_labels(block, 0)
        check_blocks(block.body, (), 'A "variables" block', problems)
        return [_short(setting, scope) for setting in block.body.settings.values()]
    if block.kind != "variable":
        return []
    check_labels(block, 1)
    body = block.body
    check_settings(body, _SETTINGS[:-1], "A variable", problems)
    check_blocks(body, ("validation",), "A variable", problems)
    kind: Type = ANY
    if "type" in body.settings:
        kind = parse_type(body.settings["type"].value)
    default = None
    if "default" in body.settings:
        at = body.settings["default"].value.at
        default = evaluate(body.settings["default"].value, scope)
        try:
            default = convert(default, kind)
        except ConversionError as error:
            # The line of a secret is not shown.
            at = block.at if flag_of(body, "sensitive", scope, Problems()) else at
            raise Fault(
                f'The default of "{block.labels[0].text}" does not have its type: {error}.', at
            ) from None
        if "type" not in body.settings:
            kind = _type_of(default)
    return [
        Declared(
            name=block.labels[0].text,
            block=block,
            type=kind,
            typed="type" in body.settings,
            default=default,
            sensitive=bool(flag_of(body, "sensitive", scope, problems)),
            description=text_of(body, "description", scope, problems),
            rules=tuple(inner for inner in body.blocks if inner.kind == "validation"),
            unclear=any(meant(name, ["default"]) for name in body.settings.keys() - set(_SETTINGS)),
        )
    ]


def _short(setting: tree.Setting, scope: Scope) -> Declared:
    default = evaluate(setting.value, scope)
    return Declared(
        name=setting.name,
        block=setting,
        type=_type_of(default),
        typed=False,
        default=default,
        sensitive=False,
        description="",
    )


def _type_of(default: Value) -> Type:
    """Of a default: a primitive says it, a list or map may be replaced by any other."""
    return default.type if default.type in (STRING, NUMBER, BOOL) else ANY


def assign(
    declared: dict[str, Declared], given: Given, files: list[Path], scope: Scope, problems: Problems
) -> None:
    """Values from the environment, then files found beside the template, then files given, then ``--var``."""
    for one in declared.values():
        one.value = one.default
        one.set_by = "default" if one.default is not None else ""
    for name, raw in sorted(given.environment.items()):
        if name.startswith(ENVIRONMENT_PREFIX) and name.removeprefix(ENVIRONMENT_PREFIX) in declared:
            _set_text(declared[name.removeprefix(ENVIRONMENT_PREFIX)], raw, name, problems)
    for path in files:
        _assign_file(declared, path, scope, problems)
    for name, raw in given.variables:
        if name in declared:
            _set_text(declared[name], raw, "--var", problems)
        else:
            fault = Fault(
                f'--var gives a value to "{name}", which is no variable of this template.',
                None,
                remedy=meant(name, declared) or f'declare it: variable "{name}" {{}}',
            )
            problems.add(fault)


def _set_text(one: Declared, raw: str, origin: str, problems: Problems) -> None:
    """A value given as text: text for text, an expression for everything else."""
    if one.type == STRING or (one.type == ANY and not one.typed and one.default is None):
        one.value, one.set_by = text(raw), origin
        return
    source = Source(f"<value for {one.name} from {origin}>", raw)
    try:
        _set(one, evaluate(parse_expression(source), _EMPTY), origin)
    except (Fault, ConversionError) as error:
        shown = "<sensitive>" if one.sensitive else repr(raw)
        if one.type in (NUMBER, BOOL, ANY):
            try:
                _set(one, text(raw), origin)
                return
            except ConversionError:
                pass
        why = error.what if isinstance(error, Fault) and not one.sensitive else ""
        if isinstance(error, ConversionError):
            why = f"{str(error)[:1].upper()}{str(error)[1:]}."
        what = f'The value of "{one.name}" from {origin}, {shown}, is not {one.type}.'
        problems.add(Fault(what, one.at, why=why))


def _set(one: Declared, value: Value, origin: str) -> None:
    one.value, one.set_by = convert(value, one.type), origin


def _assign_file(declared: dict[str, Declared], path: Path, scope: Scope, problems: Problems) -> None:
    body = read_body(path, problems, variables=True)
    if body is None:
        return
    for block in body.blocks:
        fault = Fault(
            "A file of variables has no blocks.", block.at, remedy=f"write {block.kind} = {{ ... }}"
        )
        problems.add(fault)
    for name, setting in body.settings.items():
        one = declared.get(name)
        if one is None:
            remedy = meant(name, declared)
            problems.warn(Fault(f'"{name}" is no variable of this template.', setting.name_at, remedy=remedy))
            continue
        try:
            _set(one, evaluate(setting.value, scope), str(path))
        except ConversionError as error:
            what = f'The value of "{name}" does not have its type: {error}.'
            problems.put(problem(what, _place(setting, secret=one.sensitive)))
        except Fault as fault:
            problems.add(fault)


def _place(setting: tree.Setting, *, secret: bool) -> Place:
    """Of a value: of a secret only the file, as the line is shown with its place."""
    place = setting.value.at.place
    return Place(file=place.file) if secret else place


def namespace(declared: dict[str, Declared]) -> Namespace:
    """``var``: each variable's value; one that has none is a fault where it is used."""

    def find(name: str, at: Span) -> Value:
        one = declared[name]
        if one.value is None:
            # Reported once, by require(): what depends on it is not known.
            return unknown(f"var.{name}", one.type).marked(one.sensitive)
        return one.value.marked(one.sensitive)

    return Namespace("variable", declared, find, 'declare it: variable "NAME" {}')


def require(declared: dict[str, Declared], problems: Problems) -> None:
    """A value for each; ``validation`` blocks."""
    for one in declared.values():
        if one.value is None and not one.unclear:
            problems.add(
                Fault(
                    f'The variable "{one.name}" has no value.',
                    one.at,
                    why="It has no default.",
                    remedy=f"--var {one.name}=VALUE, or PKR_VAR_{one.name}=VALUE in the environment",
                )
            )


def validate(declared: dict[str, Declared], scope: Scope, problems: Problems) -> None:
    for one in declared.values():
        for rule in one.rules:
            try:
                _apply(rule, one, scope, problems)
            except Fault as fault:
                problems.add(fault)


def _apply(rule: tree.Block, one: Declared, scope: Scope, problems: Problems) -> None:
    check_labels(rule, 0)
    check_settings(rule.body, ("condition", "error_message"), "A validation", problems)
    condition = rule.body.settings.get("condition")
    if condition is None:
        raise Fault(
            "This validation has no condition.", rule.at, remedy=f"add condition = var.{one.name} ..."
        )
    message = _message(rule, scope, problems)
    if one.value is None:
        return
    if truth(evaluate(condition.value, scope), condition.value.at).raw is False:
        came = "its default" if one.set_by == "default" else f"from {one.set_by}"
        raise Fault(f'The value of "{one.name}" is refused: {message}', one.at, why=f"The value is {came}.")


def _message(rule: tree.Block, scope: Scope, problems: Problems) -> str:
    if "error_message" not in rule.body.settings:
        remedy = 'add error_message = "..."'
        problems.add(Fault("This validation has no error_message.", rule.at, remedy=remedy))
    return text_of(rule.body, "error_message", scope, problems)


def as_model(one: Declared) -> Variable:
    """What others see of it."""
    default, value = one.default, one.value
    messages = []
    for rule in one.rules:
        setting = rule.body.settings.get("error_message")
        if setting is not None and isinstance(setting.value, tree.Template):
            messages.append("".join(str(p.value) for p in setting.value.parts if isinstance(p, tree.Literal)))
    return Variable(
        name=one.name,
        type=str(one.type),
        description=one.description,
        default=settle((default or NULL).marked(one.sensitive and default is not None)),
        required=default is None,
        value=settle((value or NULL).marked(one.sensitive and value is not None)),
        set_by=one.set_by,
        sensitive=one.sensitive,
        validations=tuple(messages),
        place=one.at.place,
    )
