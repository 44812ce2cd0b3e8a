"""``required_plugins``, and constraints on versions."""

from __future__ import annotations

from core.templates.hcl import tree
from core.templates.hcl.evaluate import evaluate
from core.templates.hcl.scope import Scope
from core.templates.model import Requirement
from core.templates.problems import Fault, Problems
from core.templates.values.show import plain
from core.templates.versions import is_constraint


def requirements(bodies: list[tree.Body], scope: Scope, problems: Problems) -> tuple[Requirement, ...]:
    """All plugins that ``packer`` blocks name."""
    found: list[Requirement] = []
    for block in (block for body in bodies for block in body.blocks if block.kind == "packer"):
        version = block.body.settings.get("required_version")
        if version is not None:
            _check_constraint(version.value, scope, problems)
        for inner in block.body.blocks:
            if inner.kind == "required_plugins":
                for setting in inner.body.settings.values():
                    try:
                        found.append(_requirement(setting, scope))
                    except Fault as fault:
                        problems.add(fault)
    return tuple(found)


def _check_constraint(node: tree.Node, scope: Scope, problems: Problems) -> None:
    try:
        value = evaluate(node, scope).raw
        if not isinstance(value, str) or not is_constraint(value):
            raise Fault(
                "That is no constraint on versions.", node.at, remedy='write it like ">= 1.7.0, < 2.0.0"'
            )
    except Fault as fault:
        problems.add(fault)


def _requirement(setting: tree.Setting, scope: Scope) -> Requirement:
    data = plain(evaluate(setting.value, scope))
    if isinstance(data, str):
        data = {"version": data}
    if not isinstance(data, dict) or not all(isinstance(item, str) for item in data.values()):
        raise Fault(
            f'The plugin "{setting.name}" needs a version and a source.',
            setting.value.at,
            remedy='write { version = ">= 1.0", source = "github.com/OWNER/NAME" }',
        )
    version = data.get("version", "")
    if version and not is_constraint(version):
        raise Fault("That is no constraint on versions.", setting.value.at, remedy='write it like ">= 1.0"')
    return Requirement(
        name=setting.name, version=version, source=data.get("source", ""), place=setting.name_at.place
    )
