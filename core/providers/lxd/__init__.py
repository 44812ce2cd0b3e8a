"""The LXD provider, for Incus, too."""

from core.providers.lxd.provider import LxdProvider

__all__ = ["LxdProvider"]
