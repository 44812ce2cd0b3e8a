"""Guests of Xen, by libvirt's driver of it (libxl): what of them differs from QEMU's."""
