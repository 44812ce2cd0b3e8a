"""scripts/setup: what it does the first time, that it does nothing the second, and what makes it begin again.

Python is replaced by a program that writes down how it was called; the real set-up is what this
very suite runs in.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PYTHON = """#!/bin/sh
echo "$*" >>{calls}
case "$*" in
    -c*) exit {version} ;;
    --version) echo "Python 3.11.2" ;;
    *venv*) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
    *--editable*) : >.venv/bin/boxwright; chmod +x .venv/bin/boxwright ;;
    *pip*) exit {pip} ;;
esac
"""


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.bin = folder / "bin"
        self.calls_file = folder / "calls"
        shutil.copytree(ROOT / "scripts", self.folder / "scripts")
        for name in (
            "pyproject.toml",
            "requirements.lock",
            "requirements-dev.lock",
            "requirements-libvirt.lock",
        ):
            shutil.copy(ROOT / name, self.folder)
        (self.folder / "scripts" / "system-packages").write_text(
            f'#!/bin/sh\necho "system $1" >>{self.calls_file}\n'
        )
        self.bin.mkdir()
        self.python()

    def python(self, *, version: int = 0, pip: int = 0) -> None:
        path = self.bin / "python3"
        path.write_text(PYTHON.format(calls=self.calls_file, version=version, pip=pip))
        path.chmod(0o755)

    def setup(self, purpose: str = "run", **more: str) -> subprocess.CompletedProcess[str]:
        self.calls_file.write_text("")
        return subprocess.run(
            [str(self.folder / "scripts" / "setup"), purpose],
            env={"PATH": f"{self.bin}:/usr/bin:/bin", **more},
            capture_output=True,
            text=True,
            timeout=30,
        )

    @property
    def calls(self) -> list[str]:
        return [
            line for line in self.calls_file.read_text().splitlines() if not line.startswith(("-c", "--v"))
        ]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_first_time_everything_is_installed_from_the_lock(checkout: Checkout) -> None:
    done = checkout.setup()
    assert done.returncode == 0, done.stderr
    system, venv, packages, project, bytecode = checkout.calls
    assert system == "system run"
    assert venv == "-m venv --clear .venv"
    assert "--no-deps --require-hashes --requirement requirements.lock" in packages
    assert "--no-deps --no-build-isolation --editable ." in project
    assert bytecode == "-m compileall -q core tui"


def test_the_second_time_nothing_is_called(checkout: Checkout) -> None:
    checkout.setup()
    done = checkout.setup()
    assert (done.returncode, done.stderr, checkout.calls_file.read_text()) == (0, "", "")


def test_tests_and_checks_take_the_larger_lock_and_checks_no_system_packages(checkout: Checkout) -> None:
    checkout.setup("run")
    checkout.setup("test")
    assert any("requirements-dev.lock" in call for call in checkout.calls)
    assert any("requirements-libvirt.lock" in call for call in checkout.calls)
    checkout.setup("check")
    assert not any("requirements-libvirt.lock" in call for call in checkout.calls)
    assert not any(call.startswith("system") for call in checkout.calls)
    assert checkout.setup("run").stderr == "", "the smaller purpose stays ready"


@pytest.mark.parametrize(
    "changed", ["requirements.lock", "pyproject.toml", "scripts/setup", "scripts/system-packages.list"]
)
def test_a_change_of_what_it_depends_on_is_noticed(checkout: Checkout, changed: str) -> None:
    checkout.setup()
    with (checkout.folder / changed).open("a") as stream:
        stream.write("\n# another line\n")
    checkout.setup()
    assert len(checkout.calls) == 4, "system packages, the lock, the project, its bytecode; Python stays"


def test_a_moved_checkout_is_set_up_again(checkout: Checkout) -> None:
    checkout.setup()
    moved = checkout.folder.with_name("moved")
    checkout.folder.rename(moved)
    checkout.folder = moved
    checkout.setup()
    assert any("--editable" in call for call in checkout.calls)


def test_an_installation_that_fails_is_not_taken_for_done(checkout: Checkout) -> None:
    checkout.python(pip=1)
    done = checkout.setup()
    assert done.returncode == 1
    assert "pip could not install requirements.lock" in done.stderr
    shutil.rmtree(checkout.folder / ".venv")
    checkout.python()
    assert checkout.setup().returncode == 0
    assert len(checkout.calls) == 5


def test_without_a_fitting_python_it_says_what_is_needed(checkout: Checkout) -> None:
    checkout.python(version=1)
    for name in ("python3.14", "python3.13", "python3.12", "python3.11"):
        (checkout.bin / name).symlink_to("python3")
    script = checkout.folder / "scripts" / "setup"
    script.write_text(script.read_text().replace("/usr/bin/python3", "/nowhere/python3"))
    done = checkout.setup()
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr
    assert "PYTHON=" in done.stderr


def test_a_python_can_be_named(checkout: Checkout) -> None:
    os.rename(checkout.bin / "python3", checkout.bin / "mine")  # noqa: PTH104
    done = checkout.setup(PYTHON=str(checkout.bin / "mine"))
    assert done.returncode == 0, done.stderr
    assert "-m venv --clear .venv" in checkout.calls


def test_an_unknown_purpose_is_refused(checkout: Checkout) -> None:
    assert checkout.setup("fly").returncode == 2
