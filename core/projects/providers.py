"""What a project says of providers, checked by those that are installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from core.errors import UsageError
from core.model.project import Project
from core.projects.diagnosis import Fault
from core.projects.wording import instead

GROUP = "boxwright.providers"
ELSEWHERE = ("docker", "libvirt", "lxc", "lxd", "virtualbox")
"""Providers that a project may name, for computers that have them."""

ALSO = {"incus": "lxd"}
"""Providers that another one has the machines of."""


def provider_faults(project: Project) -> Iterator[Fault]:
    """Names that no provider has, and tables of providers that those refuse."""
    installed = {entry.name: entry for entry in entry_points(group=GROUP)}
    known = ("auto", *installed, *ELSEWHERE)
    wanted: list[tuple[tuple[str | int, ...], str]] = []
    wanted += [(("project", "provider"), name) for name in project.provider]
    for machine, spec in project.machines.items():
        names = (spec.provider,) if isinstance(spec.provider, str) else spec.provider
        wanted += [(("machines", machine, "provider"), name) for name in names]
        for name, entry in installed.items():
            # What 'box' names besides is for the provider that will be chosen, which need not be this one.
            table = getattr(spec, name, {})
            if isinstance(table, dict) and table:
                yield from _refusal(entry, table, ("machines", machine, name))
    for path, name in wanted:
        if name and name not in known:
            yield Fault(
                path,
                f"There is no provider {name!r}.",
                remedy=instead(ALSO.get(name, name), known) or f"use one of: {', '.join(sorted(set(known)))}",
            )


def _refusal(entry: EntryPoint, table: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[Fault]:
    try:
        provider = entry.load()()
    except Exception:  # somebody's plugin; `doctor` says what is wrong with it
        return
    try:
        provider.check(table)
    except UsageError as error:
        named = next((key for key in table if repr(key) in error.problem.what), None)
        where = path if named is None else (*path, named)
        yield Fault(where, error.problem.what, error.problem.why, error.problem.remedy, at_key=True)
