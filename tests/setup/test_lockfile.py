"""The lock files: complete, without addresses, and in step with pyproject.toml."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lockfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, looking at copies that a test may damage."""
    spec = importlib.util.spec_from_file_location("lockfile", ROOT / "scripts" / "lockfile.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path in (ROOT / "pyproject.toml", *ROOT.glob("requirements*.lock")):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_locks_are_in_order(lockfile: ModuleType) -> None:
    assert lockfile.check() == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("pyproject.toml", '"tomlkit>=0.13,<1"', '"tomlkit>=99"', "requirements.lock has tomlkit"),
        ("pyproject.toml", '"tomlkit>=0.13,<1"', '"leftpad>=1"', "requirements.lock has no leftpad"),
        ("requirements.lock", "tomlkit==", "tomlkit>=", "requirements.lock: not a pinned package: tomlkit>="),
        ("requirements.lock", "# Written", "--index-url x\n#", "requirements.lock holds an address"),
        (
            "requirements-libvirt.lock",
            "libvirt-python==",
            "other==",
            "requirements-libvirt.lock has no libvirt",
        ),
        (
            "requirements-dev.lock",
            "tomlkit==",
            "tomlkit @ https://x/",
            "requirements-dev.lock holds an address",
        ),
    ],
)
def test_a_damaged_lock_is_noticed(lockfile: ModuleType, file: str, old: str, new: str, fault: str) -> None:
    change(lockfile.ROOT / file, old, new)
    assert any(found.startswith(fault) for found in lockfile.check()), lockfile.check()


def test_a_package_without_hashes_is_noticed(lockfile: ModuleType) -> None:
    with (lockfile.ROOT / "requirements.lock").open("a") as stream:
        stream.write("loose==1.0\n")
    assert "requirements.lock: loose has no hash" in lockfile.check()


def test_both_locks_pin_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        lines = (ROOT / name).read_text().splitlines()
        return {line.split()[0] for line in lines if "==" in line and not line.startswith(("#", " "))}

    assert pins("requirements.lock") < pins("requirements-dev.lock")
