"""The providers that are installed: those of the entry-point group ``boxwright.providers``."""

from __future__ import annotations

import logging
from importlib.metadata import entry_points

from core.model.provider import Probe
from core.providers.base import Provider

GROUP = "boxwright.providers"

_log = logging.getLogger(__name__)


def installed_providers() -> tuple[dict[str, Provider], tuple[Probe, ...]]:
    """Instances by name, and for those that cannot even be loaded a probe that says why."""
    providers: dict[str, Provider] = {}
    broken: list[Probe] = []
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            providers[entry.name] = entry.load()()
        except Exception as error:
            # Anybody's plugin; whatever is wrong with it, the others must work.
            _log.warning("provider %s: %r", entry.name, error)
            package = getattr(error, "name", None) or (entry.dist.name if entry.dist else entry.value)
            broken.append(
                Probe(
                    provider=entry.name,
                    usable=False,
                    why=f"It cannot be loaded: {error}",
                    remedy=f"pip install --force-reinstall {package}",
                )
            )
    return providers, tuple(broken)
