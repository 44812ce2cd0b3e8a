"""What may stand in a block: checked, and named with what was meant."""

from __future__ import annotations

from collections.abc import Collection

from core.templates.hcl import tree
from core.templates.hcl.evaluate import evaluate
from core.templates.hcl.scope import Scope
from core.templates.problems import Fault, Problems, meant, one_of
from core.templates.values.convert import ConversionError, convert
from core.templates.values.types import BOOL, STRING, Type, describe
from core.templates.values.value import Value

_EXAMPLES = {
    "variable": 'variable "NAME" { ... }',
    "local": 'local "NAME" { ... }',
    "source": 'source "KIND" "NAME" { ... }',
    "data": 'data "KIND" "NAME" { ... }',
    "provisioner": 'provisioner "KIND" { ... }',
    "error-cleanup-provisioner": 'error-cleanup-provisioner "KIND" { ... }',
    "post-processor": 'post-processor "KIND" { ... }',
}


def check_labels(block: tree.Block, number: int) -> None:
    """Raises Fault where a block has more or fewer labels."""
    if len(block.labels) == number:
        return
    example = _EXAMPLES.get(block.kind, f"{block.kind} {{ ... }}")
    has = f"{len(block.labels) or 'no'} label{'' if len(block.labels) == 1 else 's'}"
    raise Fault(
        f'This "{block.kind}" block has {has}, not {number or "none"}.', block.at, remedy=f"write {example}"
    )


def check_settings(body: tree.Body, known: Collection[str], noun: str, problems: Problems) -> None:
    """Settings that there are not."""
    for name, setting in body.settings.items():
        if name not in known:
            why = f"There {'are' if len(known) > 1 else 'is'} {one_of(known, 'and')}." if known else ""
            fault = Fault(
                f'{noun} has no setting "{name}".', setting.name_at, why=why, remedy=meant(name, known)
            )
            problems.add(fault)


def check_blocks(body: tree.Body, known: Collection[str], noun: str, problems: Problems) -> None:
    """Blocks that there are not."""
    for block in body.blocks:
        if block.kind not in known:
            why = f"There {'are' if len(known) > 1 else 'is'} {one_of(known, 'and')}." if known else ""
            remedy = meant(block.kind, known)
            problems.add(Fault(f'{noun} has no block "{block.kind}".', block.at, why=why, remedy=remedy))


def typed(body: tree.Body, name: str, kind: Type, scope: Scope, problems: Problems) -> Value | None:
    """The setting's value as one of a type; None where it is absent, null, not yet known or wrong."""
    setting = body.settings.get(name)
    if setting is None:
        return None
    try:
        value = evaluate(setting.value, scope)
        if value.waits_for:
            raise Fault(f'"{name}" has to be known before the build runs.', setting.value.at)
        found = convert(value, kind)
        return None if found.null else found
    except ConversionError:
        problems.add(Fault(f'"{name}" has to be {describe(kind)}.', setting.value.at))
    except Fault as fault:
        problems.add(fault)
    return None


def text_of(body: tree.Body, name: str, scope: Scope, problems: Problems) -> str:
    found = typed(body, name, STRING, scope, problems)
    return "" if found is None else str(found.raw)


def flag_of(body: tree.Body, name: str, scope: Scope, problems: Problems) -> bool | None:
    found = typed(body, name, BOOL, scope, problems)
    return None if found is None else bool(found.raw)
