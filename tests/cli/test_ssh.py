"""ssh through the real OpenSSH, both ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.model.problem import ExitCode
from tests.cli.conftest import ROOT, Run
from tests.cli.terminal import TerminalRun
from tests.support.sshd import Sshd

PROGRAM = (sys.executable, "-m", "core.cli.main")


@pytest.fixture
def web(server: Sshd, shop: Path, stage: object, boxwright: Run) -> Sshd:
    """A machine that answers."""
    assert boxwright("up", "web").code == ExitCode.DONE
    return server


def ran(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.usefixtures("web")
class TestSsh:
    def test_a_commands_output_and_status_pass_through(self) -> None:
        done = ran("ssh", "-c", "echo out; echo err >&2; cat; exit 7", stdin="typed\n")
        assert (done.returncode, done.stdout, done.stderr) == (7, "out\ntyped\n", "err\n")

    def test_what_comes_after_two_dashes_goes_to_openssh(self) -> None:
        assert ran("ssh", "web", "--", "-q", "echo", "hello").stdout == "hello\n"
        assert ran("ssh", "web", "-c", "tty", "--", "-tt").stdout.startswith("/dev/pts/")

    def test_json_holds_output_and_status(self) -> None:
        done = ran("ssh", "web", "-c", "echo out; exit 3", "--json")
        assert done.returncode == 3
        assert json.loads(done.stdout) == {
            "machine": "web", "command": "echo out; exit 3", "status": 3, "stdout": "out\n", "stderr": "",
        }  # fmt: skip

    def test_the_agent_is_lent_only_when_asked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "agent"
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.PIPE)
        assert agent.stdout is not None
        agent.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        asked = ("-c", 'test -S "$SSH_AUTH_SOCK"')
        try:
            assert ran("ssh", "web", "-A", *asked).returncode == 0
            assert ran("ssh", "web", *asked).returncode == 1
        finally:
            agent.terminate()
            agent.communicate()

    def test_a_shell_in_the_terminal(self) -> None:
        with TerminalRun("ssh") as run:
            run.type("echo $((6 * 7)); stty size\r")
            run.wait_for("42\n24 80")
            run.type("exit 5\r")
            assert run.end() == 5

    def test_ctrl_c_is_the_guests(self) -> None:
        script = "trap 'echo caught; exit 4' INT; echo begun; while :; do sleep 0.1; done"
        with TerminalRun("ssh", "web", "-c", script, "--", "-t") as run:
            run.wait_for("begun")
            run.type("\x03")
            run.wait_for("caught")
            assert run.end() == 4

    def test_the_configuration_reaches_the_guest(self, tmp_path: Path, boxwright: Run) -> None:
        config = tmp_path / "config"
        config.write_text(boxwright("ssh-config").out)
        done = subprocess.run(
            ["ssh", "-F", str(config), "web", "echo", "hello"], capture_output=True, text=True, timeout=60
        )
        assert (done.stdout, done.stderr) == ("hello\n", "")

    def test_a_changed_host_key_is_refused(self, web: Sshd) -> None:
        web.known_hosts.write_text(web.known_hosts.read_text().replace("AAAAC3", "AAAAC4"))
        done = ran("ssh", "-c", "true")
        assert done.returncode == 255
        assert "Host key verification failed" in done.stderr

    def test_without_an_openssh_client_the_remedy_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        done = ran("ssh", "-c", "true")
        assert done.returncode == ExitCode.FAILED
        assert "apt-get install openssh-client" in done.stderr
