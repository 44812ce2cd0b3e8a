"""Machines as containers of Docker."""

from core.providers.docker.provider import DockerProvider

__all__ = ["DockerProvider"]
