"""System packages: what is missing is listed, and installed where that may be done."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.builds import tools

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "system-packages"
TOOLS = ("sh", "dirname", "tr", "sed", "sort", "grep", "env", "cat")


class Computer:
    """A PATH of its own, with programs that only write down how they were called."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.calls = folder / "calls"
        self.declined = folder / "declined"
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found
            (self.bin / tool).symlink_to(found)
        self.user(1000)

    def program(self, name: str, body: str = "") -> None:
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.calls}\n{body}\n')
        path.chmod(0o755)

    def user(self, number: int) -> None:
        self.program("id", f"echo {number}")

    def debian(self, *installed: str) -> None:
        self.program("apt-get")
        self.program("sudo", 'exec "$@"')
        patterns = "|".join(installed) or "nothing"
        self.program("dpkg-query", f'case "$3" in {patterns}) printf installed ;; *) exit 1 ;; esac')

    def run(self, purpose: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment: Mapping[str, str] = {"PATH": str(self.bin), "DECLINED": str(self.declined), **more}
        return subprocess.run(
            [str(SCRIPT), purpose],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )

    def called(self, program: str) -> list[str]:
        if not self.calls.exists():
            return []
        return [line for line in self.calls.read_text().splitlines() if line.split()[0] == program]


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


def listed(purpose: str) -> set[str]:
    """Debian packages of a purpose, from the list itself."""
    wanted = ("run",) if purpose == "run" else ("run", "test", purpose)
    rows = [line.split() for line in SCRIPT.with_suffix(".list").read_text().splitlines()]
    return {row[2] for row in rows if row and row[0] in wanted and row[2] != "-"}


def test_root_on_debian_gets_what_is_missing(computer: Computer) -> None:
    computer.user(0)
    computer.debian("python3", "python3-venv")
    done = computer.run("run")
    assert done.returncode == 0, done.stderr
    update, install = computer.called("apt-get")
    assert update.startswith("apt-get update")
    words = install.split()
    assert words[:4] == ["apt-get", "install", "-y", "--no-install-recommends"]
    assert set(words[4:]) == listed("run") - {"python3", "python3-venv"}
    assert computer.called("sudo") == []
    assert done.stderr.startswith("These system packages are missing: ")


@pytest.mark.parametrize("purpose", ["run", "test", "bench", "netboot"])
def test_nothing_is_done_when_all_is_there(computer: Computer, purpose: str) -> None:
    computer.debian(*listed(purpose))
    done = computer.run(purpose)
    assert (done.returncode, done.stderr, computer.called("apt-get")) == (0, "", [])


def test_tests_need_more_than_the_program() -> None:
    assert "qemu-system-x86" in listed("run")
    assert {"vagrant", "packer", "tmux"} <= listed("test") - listed("run")


def test_all_tools_of_builds_are_listed() -> None:
    needed = {tool.package for tool in vars(tools).values() if isinstance(tool, tools.Tool)}
    brought_along = {"util-linux", "grub-common"}  # essential; needed by grub-pc-bin
    assert needed - brought_along <= listed("run")
    assert tools.GRUB_MODULES_PACKAGE in listed("run")


def test_a_user_is_asked_and_without_a_terminal_that_means_no(computer: Computer) -> None:
    computer.debian()
    done = computer.run("run")
    assert done.returncode == 0
    assert "To do it later: sudo apt-get install -y" in done.stderr
    assert computer.called("apt-get") == []
    assert computer.run("run").stderr == "", "a no is remembered"
    assert computer.run("run", CI="true").returncode == 0
    assert len(computer.called("apt-get")) == 2, "where nobody is asked, an earlier no does not count"


def test_under_ci_sudo_is_used_without_asking(computer: Computer) -> None:
    computer.debian()
    assert computer.run("run", CI="true").returncode == 0
    assert len(computer.called("apt-get")) == len(computer.called("sudo")) == 2


def test_a_user_without_sudo_is_told_what_root_has_to_run(computer: Computer) -> None:
    computer.debian()
    (computer.bin / "sudo").unlink()
    done = computer.run("run", CI="true")
    assert done.returncode == 1
    assert "as root run: apt-get install" in done.stderr


def test_an_installation_that_fails_is_said(computer: Computer) -> None:
    computer.user(0)
    computer.debian()
    computer.program("apt-get", '[ "$1" = update ] || exit 100')
    done = computer.run("run")
    assert done.returncode == 1
    assert "this failed: apt-get install" in done.stderr


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("dnf", "sudo dnf install -y"),
        ("pacman", "sudo pacman -S --needed"),
        ("zypper", "sudo zypper install -y"),
        ("brew", "brew install"),
    ],
)
def test_elsewhere_the_exact_command_is_printed(computer: Computer, manager: str, command: str) -> None:
    computer.program(manager)
    done = computer.run("run")
    assert done.returncode == 0
    line = done.stderr.splitlines()[-1].strip()
    assert line.startswith(command)
    packages = set(line.removeprefix(command).split())
    assert any("qemu" in name for name in packages)
    assert "-" not in packages
    assert computer.called(manager) == []


def test_without_any_package_manager_it_says_what_is_needed(computer: Computer) -> None:
    done = computer.run("run")
    assert done.returncode == 0
    assert "QEMU is missing" in done.stderr
