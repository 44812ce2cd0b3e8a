"""The settings of the source "lxd": Packer's, and a few of our own."""

from __future__ import annotations

from typing import Any

import msgspec

from core.builds.declared import bootstrap_of, refuse_both
from core.builds.settings import Table, decode, duration
from core.errors import ConfigError
from core.model.project import Bootstrap
from core.providers.lxd.options import Options
from core.providers.lxd.place import Place, place_of
from core.templates.model import Settings


class LxdSettings(Table, frozen=True, kw_only=True):
    image: str = ""
    """An alias or fingerprint at the server, or e.g. ``images:debian/12``."""
    bootstrap: dict[str, Any] = msgspec.field(default_factory=dict)
    """Instead of an image: what the source "bootstrap" takes. The image is made from packages then."""
    output_image: str = "packer-{{ build_name }}"
    """Alias of the image that is made; "" for none."""
    container_name: str = ""
    """What the container is called meanwhile; without one a name that nobody has."""
    publish_properties: dict[str, str] = msgspec.field(default_factory=dict)
    skip_publish: bool = False
    launch_config: dict[str, str] = msgspec.field(default_factory=dict)
    profile: str = "default"
    init_sleep: str = ""
    """Seconds, as a number or with a unit; none without it, as a command runs as soon as the container has
    started."""
    command_wrapper: str = ""
    """Read, not needed: nothing is run on the host to get into the container."""
    communicator: str = "lxd"
    virtual_machine: bool = False
    remote: str = ""
    """Ours: ``https://host:port`` of a server elsewhere."""
    project: str = ""
    """Ours: the project of the server."""
    pool: str = ""
    """Ours: the storage pool of the container."""
    network: str = ""
    """Ours: the network of its card; without one as the profile says."""

    @property
    def place(self) -> Place:
        return place_of(Options(remote=self.remote, project=self.project))

    @property
    def patience(self) -> float:
        """Seconds between the start and the first step. Raises ConfigError."""
        text = self.init_sleep
        return float(text) if text.isdecimal() else duration(text, "init_sleep")

    @property
    def declared(self) -> Bootstrap | None:
        """Raises ConfigError for a bootstrap that is none."""
        return bootstrap_of(self.bootstrap)

    def check(self) -> None:
        """Raises ConfigError for what cannot work."""
        refuse_both("lxd", self.image, self.bootstrap)
        _ = self.declared, self.patience
        if self.virtual_machine:
            raise ConfigError(
                "virtual_machine = true is not supported.",
                why="Builds at LXD and Incus are made in containers.",
                remedy='a source "qemu" makes images for virtual machines',
            )
        if self.communicator != "lxd":
            raise ConfigError(
                f'A container is not reached by "{self.communicator}".',
                why="Commands run in it by the server's own exec; it needs no SSH server.",
                remedy='remove "communicator"',
            )


def read(settings: Settings) -> LxdSettings:
    return decode(settings, LxdSettings, 'source "lxd"')
