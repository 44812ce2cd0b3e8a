"""Fixtures of the tests of builds."""

from tests.support.tiny import tiny_image, tiny_store

__all__ = ["tiny_image", "tiny_store"]
