"""Machines as domains of libvirt."""

from core.providers.libvirt.provider import LibvirtProvider

__all__ = ["LibvirtProvider"]
