"""Fixtures of the tests of builds."""

from tests.support.tiny import tiny_image

__all__ = ["tiny_image"]
