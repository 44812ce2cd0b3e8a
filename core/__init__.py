"""Boxwright's engine: machines and images, without any user interface."""

__version__ = "0.1.0"
