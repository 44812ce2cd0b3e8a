from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.workshop import box_of
from tests.support.tiny import tiny_image

__all__ = ["tiny_image"]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A private folder for all tests of a module."""
    made = Path(tempfile.mkdtemp(prefix="e2e"))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def tiny_box(tiny_image: Path, folder: Path) -> Path:
    """The tiny guest as a ``.box`` file."""
    return box_of(tiny_image, folder / "tiny.box")
