"""Completion: the candidates, and the scripts in the real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.cli.completion.candidates import FILES, FOLDERS, candidates
from core.cli.completion.scripts import SCRIPTS
from tests.cli.conftest import Run
from tests.cli.terminal import TerminalRun

ENVIRONMENT = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PS1": "$ "}


def words(line: str) -> list[str]:
    return [word for word, _ in candidates(line.split(" "))]


def test_verbs_and_their_second_words(shop: Path) -> None:
    assert words("sta") == ["status"]
    assert {"up", "box", "snapshot", "help"} <= set(words(""))
    assert words("snapshot ") == ["save", "list", "restore", "delete"]
    assert words("--json box sh") == ["show"]
    assert words("nonsense ") == []


def test_options_of_the_command_and_of_all(shop: Path) -> None:
    assert words("up --pro") == ["--provision", "--provider", "--project"]
    assert words("up --no-p") == ["--no-provision"]
    assert words("ssh --co") == ["--command"]
    assert words("--js") == ["--json"]
    assert words("--project ") == [FOLDERS[0]]


def test_names_come_from_the_project_where_no_engine_runs(shop: Path) -> None:
    assert words("up ") == ["web", "db", "slow", "stubborn", "bad", "noisy"]
    assert words("up web d") == ["db"]
    assert words("ssh web ") == []
    assert words("build ") == ["base"]
    assert words("provision --only ") == ["packages"]
    assert words("upload ") == [FILES[0]]
    assert words("upload x d") == ["db:"]
    assert words("upload x y s") == ["slow", "stubborn"]
    assert words("box show ") == []
    assert words("logs ")[:1] == ["web"]
    assert words("completion ") == ["bash", "zsh", "fish"]
    assert words("help snapshot r") == ["restore"]
    assert words("init --template mini") == ["minimal"]


def test_outside_of_a_project_there_are_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert words("up ") == []
    assert words("build ") == []


@pytest.mark.usefixtures("stage")
def test_an_engine_that_runs_knows_more(shop: Path, boxwright: Run) -> None:
    boxwright("up", "web")
    boxwright("snapshot", "save", "web", "before")
    assert ("web", "running") in candidates(["halt", ""])
    assert words("snapshot restore b") == ["before", "bad"]
    assert ("000001", "up web: done") in candidates(["ops", "show", ""])
    assert words("ops cancel ") == []
    assert words(f"--project {shop} up we") == ["web"]


def test_no_engine_is_started_by_the_tab_key(shop: Path, boxwright: Run) -> None:
    assert boxwright("__complete", "up", "").out.splitlines()[0] == "web"
    assert boxwright("engine", "status", "--json").json["running"] is False


def test_candidates_never_fail(boxwright: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.cli.completion.candidates.candidates", lambda words: 1 / 0)
    ran = boxwright("__complete", "up", "")
    assert (ran.out, ran.err) == ("", "")


@pytest.mark.parametrize("shell", [shell for shell in SCRIPTS if shutil.which(shell)])
def test_the_scripts_are_valid(shell: str) -> None:
    subprocess.run([shell, "-n"], input=SCRIPTS[shell], text=True, check=True, timeout=30)


def test_bash(shop: Path) -> None:
    (shop / "a file").touch()
    with TerminalRun(program=("bash", "--norc", "-i"), env=ENVIRONMENT, cwd=shop) as run:
        run.wait_for("$")
        run.type("source <(boxwright completion bash)\r")
        run.type("boxwright glo\t")
        run.wait_for("boxwright global-status")
        run.type("\x15boxwright snapshot sav\tsl\t")
        run.wait_for("boxwright snapshot save slow")
        run.type("\x15boxwright up \t\t")
        run.wait_for("noisy")
        run.type("\x15boxwright upload a\\ f\t")
        run.wait_for("boxwright upload a\\ file")
        run.type("d\t/tmp")
        run.wait_for("db:/tmp")
        run.type("\x15exit\r")
        run.end()


if shutil.which("zsh"):

    def test_zsh(shop: Path, tmp_path: Path) -> None:
        with TerminalRun(program=("zsh", "-f", "-i"), env=ENVIRONMENT, cwd=shop) as run:
            run.type(f"autoload -U compinit; compinit -u -d {tmp_path}/dump; PS1='ready> '\r")
            run.wait_for("\nready>")
            run.type("source <(boxwright completion zsh)\r")
            run.type("boxwright glo\t")
            run.wait_for("boxwright global-status")
            run.type("\x15boxwright snapshot sav\tsl\t")
            run.wait_for("boxwright snapshot save slow")
            run.type("\x15boxwright upload boxw\t")
            run.wait_for("boxwright upload boxwright.toml")
            run.type("\x15exit\r")
            run.end()


if shutil.which("fish"):

    def test_fish(shop: Path) -> None:
        def asked(line: str) -> list[str]:
            script = f"boxwright completion fish | source; complete -C '{line}'"
            ran = subprocess.run(
                ["fish", "-N", "-c", script],
                cwd=shop,
                env={**os.environ, **ENVIRONMENT},
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
            return [text.partition("\t")[0] for text in ran.stdout.splitlines()]

        assert asked("boxwright glo") == ["global-status"]
        assert asked("boxwright snapshot ") == ["delete", "list", "restore", "save"]
        assert asked("boxwright up sl") == ["slow"]
        assert asked("boxwright upload boxw") == ["boxwright.toml"]
