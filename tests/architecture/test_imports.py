"""Who may know whom, looked at in running programs: what import-linter reads, seen from the other side."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import core

ROOT = Path(__file__).resolve().parents[2]
INTERFACE = {"tui", "textual", "rich", "bittty", "pyghostty"}
HEAVY = {
    "textual",
    "rich",
    "asyncssh",
    "boto3",
    "pypsrp",
    "botocore",
    "cryptography",
    "docker",
    "libvirt",
    "httpx",
    "qemu",
    "zstandard",
    "tomlkit",
}

IMPORT_ALL = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""

RUN = """
import contextlib, io, json, sys
from core.cli.main import main
out = io.StringIO()
with contextlib.redirect_stdout(out):
    try:
        code = main(sys.argv[1:])
    except SystemExit as stop:
        code = stop.code
print(json.dumps({"code": int(code or 0), "out": out.getvalue(), "modules": sorted(sys.modules)}))
"""


def run(program: str, *arguments: str, cwd: Path | None = None) -> object:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def tops(modules: object) -> set[str]:
    assert isinstance(modules, list)
    return {str(name).partition(".")[0] for name in modules}


def test_the_whole_core_loads_without_any_user_interface() -> None:
    names = [module.name for module in pkgutil.walk_packages(core.__path__, "core.")]
    assert len(names) > 50
    names = [name for name in names if not name.endswith(".__main__")]
    assert tops(run(IMPORT_ALL, json.dumps(names))) & INTERFACE == set()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "boxwright.toml").write_text('[project]\nname = "p"\n[machines.web]\nbox = "tiny"\n')
    return tmp_path


@pytest.mark.parametrize("line", ["version", "help", "status --help", "validate", "completion bash"])
def test_small_commands_load_nothing_heavy(project: Path, line: str) -> None:
    seen = run(RUN, *line.split(), cwd=project)
    assert isinstance(seen, dict)
    assert (seen["code"], tops(seen["modules"]) & HEAVY) == (0, set())
    assert seen["out"]


def test_status_loads_nothing_heavy(project: Path) -> None:
    try:
        for line in ("status", "global-status", "status --json"):
            seen = run(RUN, *line.split(), cwd=project)
            assert isinstance(seen, dict)
            assert (seen["code"], tops(seen["modules"]) & HEAVY) == (0, set()), line
            assert ("web" in seen["out"]) == (line != "global-status")
    finally:
        run(RUN, "engine", "stop", "--yes", cwd=project)


def test_the_workbench_starts_without_readers_of_project_files() -> None:
    loaded = run(IMPORT_ALL, json.dumps(["tui.app", "tui.program", "tui.workbench"]))
    assert isinstance(loaded, list)
    assert not [name for name in loaded if name.startswith("core.projects")]


def test_the_model_imports_nothing_of_ours() -> None:
    names = [module.name for module in pkgutil.iter_modules([str(ROOT / "core" / "model")], "core.model.")]
    loaded = run(IMPORT_ALL, json.dumps(names))
    assert isinstance(loaded, list)
    ours = {name for name in loaded if name.startswith("core.") and not name.startswith("core.model")}
    assert ours == set()
