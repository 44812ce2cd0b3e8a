"""Figures, each beside its bar: one module a subject, each a program."""

import os

# As on a user's machine: with bytecode that is kept, also where Python was told to leave none behind.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
