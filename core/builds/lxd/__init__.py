"""Builds in containers of LXD and Incus: the source "lxd", its layers, and the image that comes of it."""
