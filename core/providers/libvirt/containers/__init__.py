"""Machines as containers of libvirt's LXC driver: the same code, where a folder stands for the disks,
processes of the host for the guest, and relays of the engine's for the user network."""
