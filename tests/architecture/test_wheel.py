"""The wheel: what is installed from it runs, with its themes and samples, away from the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LOOK = """
import json, sys
sys.path.insert(0, sys.argv[1])
import core
from core import resources
from core.projects.init import templates
print(json.dumps({
    "core": core.__file__,
    "themes": sorted(item.name for item in resources.themes().iterdir()),
    "samples": sorted(item.name for item in resources.sample_projects().iterdir()),
    "templates": sorted(item.name for item in templates()),
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (found,) = folder.glob("*.whl")
    return found


def test_it_holds_the_program_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {"core", "tui", "boxwright-0.1.0.dist-info"}
    assert {"core/py.typed", "tui/py.typed", "core/cli/main.py"} <= set(names)
    assert any(name.startswith("boxwright-0.1.0.dist-info/licenses/") for name in names)


def test_themes_and_samples_are_found_after_installation(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
    ]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True, timeout=120)
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(target)], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["core"] == str(target / "core" / "__init__.py")
    assert seen["themes"] == sorted(item.name for item in (ROOT / "themes").iterdir())
    assert seen["samples"] == sorted(item.name for item in (ROOT / "sample_projects").iterdir())
    assert {"minimal", "tiny", "debian"} <= set(seen["templates"])
    assert seen["themes"]
