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


def need_unix(guest: Guest | None, kind: str, scene: Scene) -> Guest:
    """A guest with a shell of Unix. Raises ConfigError where there is none."""
    reached = need_guest(guest, kind, scene)
    if scene.facts.get("ConnType") == "winrm":
        raise ConfigError(
            f'The provisioner "{kind}" needs a shell of Unix, and {scene.source} is Windows.',
            remedy="powershell, windows-shell and file work there",
        )
    return reached


def need_windows(guest: Guest | None, kind: str, scene: Scene) -> Guest:
    """A guest that is reached over WinRM. Raises ConfigError where it is not."""
    reached = need_guest(guest, kind, scene)
    if scene.facts.get("ConnType") != "winrm":
        raise ConfigError(
            f'The provisioner "{kind}" needs Windows, reached by communicator = "winrm".',
            remedy=f'add except = ["{scene.kind}.{scene.source}"] to the provisioner',
        )
    return reached
