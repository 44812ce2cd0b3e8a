"""What VirtualBox is told, by its version; the version strings are those that packages really have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core.providers.virtualbox.worker import versions

ORIGIN: Any = SimpleNamespace(OSTypeId="Linux_64", platform=SimpleNamespace(architecture="x86"))


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("6.1.26_Ubuntur145957\n", (6, 1, 26)),
        ("WARNING: The vboxdrv kernel module is not loaded.\n6.1.50r161033\n", (6, 1, 50)),
        ("7.0.20_Debianr163906", (7, 0, 20)),
        ("7.1.4r165100", (7, 1, 4)),
        ("7.2.22_Debianr175245\n", (7, 2, 22)),
        ("nonsense", ()),
    ],
)
def test_the_version_is_read_as_programs_and_the_api_say_it(said: str, version: tuple[int, ...]) -> None:
    assert versions.read(said) == version


@pytest.mark.parametrize(
    ("said", "creation", "opening", "apart", "ranges"),
    [
        ("6.0.24", ("s", "n", [], "Linux_64", "f"), ("s",), False, False),
        ("6.1.26_Ubuntur145957", ("s", "n", [], "Linux_64", "f"), ("s",), False, False),
        ("6.1.50r161033", ("s", "n", [], "Linux_64", "f"), ("s",), False, True),
        ("7.0.20_Debianr163906", ("s", "n", [], "Linux_64", "f", "", "", ""), ("s", ""), False, True),
        ("7.1.4r165100", ("s", "n", "x86", [], "Linux_64", "f", "", "", ""), ("s", ""), True, True),
        ("7.2.22_Debianr175245", ("s", "n", "x86", [], "Linux_64", "f", "", "", ""), ("s", ""), True, True),
    ],
)
def test_each_version_is_told_what_its_api_wants(
    said: str, creation: tuple[Any, ...], opening: tuple[str, ...], apart: bool, ranges: bool
) -> None:
    version = versions.read(said)
    assert versions.creation(version, "s", "n", ORIGIN, "f") == creation
    assert versions.opening(version, "s") == opening
    machine = SimpleNamespace(firmwareSettings="apart")
    assert (versions.firmware_of(version, machine) == "apart") is apart
    assert versions.permits_ranges(version) is ranges
    assert (version < versions.OLDEST) is (said == "6.0.24")
