"""Finds the files that come along with the program: themes and sample projects."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder ``themes`` or ``sample_projects``, in a checkout and in an installation alike.

    A wheel keeps them in ``core/share``, a checkout beside ``core``.
    """
    installed = _PACKAGE / "share" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def themes() -> Path:
    return folder("themes")


def sample_projects() -> Path:
    return folder("sample_projects")
