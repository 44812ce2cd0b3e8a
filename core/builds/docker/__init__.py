"""Builds in containers: the source "docker" and what its post-processors share."""
