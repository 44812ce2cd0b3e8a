"""Builds in machines of libvirt, from a volume or image to a volume in a storage pool."""
