"""Steps in a guest, where there has to be one."""

from __future__ import annotations

from core.builds.scene import Scene
from core.errors import ConfigError
from core.guests.base import Guest


def need_guest(guest: Guest | None, kind: str, scene: Scene) -> Guest:
    """Raises ConfigError where the source has nothing to log in to."""
    if guest is None:
        raise ConfigError(
            f'The provisioner "{kind}" needs a guest, and the source {scene.source} has none.',
            remedy=f'add except = ["{scene.kind}.{scene.source}"] to the provisioner, or give the source'
            " a communicator",
        )
    return guest
