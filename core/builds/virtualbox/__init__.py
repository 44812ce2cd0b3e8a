"""Builds in machines of VirtualBox: the sources "virtualbox-ovf" and "virtualbox-iso"."""
