"""A real SSH server for the tests of this folder."""

from tests.guests.conftest import guest, sshd

__all__ = ["guest", "sshd"]
