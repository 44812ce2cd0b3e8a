"""With --json every command prints JSON on standard output, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.verb import HELP
from core.commands import COMMANDS
from tests.cli.conftest import Run

LINES: dict[str, tuple[str, ...]] = {
    "machine.up": ("up", "up bad", "up nonsense"),
    "machine.halt": ("halt web", "halt db"),
    "machine.suspend": ("suspend", "suspend noisy"),
    "machine.resume": ("resume",),
    "machine.migrate": ("migrate noisy qemu:///session",),
    "machine.reload": ("reload web",),
    "machine.destroy": ("destroy", "destroy web --yes"),
    "machine.recover": ("recover", "recover web"),
    "destroyed.list": ("destroyed list",),
    "destroyed.prune": ("destroyed prune --yes",),
    "machine.clone": ("clone web", "clone", "clone noisy --count 0"),
    "machine.provision": ("provision",),
    "machine.ssh": ("ssh", "ssh web", "ssh noisy -c true"),
    "machine.serial": ("serial", "serial web", "serial noisy --log"),
    "machine.ssh-config": ("ssh-config", "ssh-config noisy"),
    "machine.upload": ("upload boxwright.toml /tmp web", "upload boxwright.toml /tmp"),
    "machine.download": ("download /etc/hosts here web",),
    "machine.port": ("port", "port --guest 22 web", "port --guest 1"),
    "machine.status": ("status", "status web"),
    "machine.global-status": ("global-status",),
    "snapshot.save": ("snapshot save web s",),
    "snapshot.list": ("snapshot list",),
    "snapshot.restore": ("snapshot restore s", "snapshot restore s --yes"),
    "snapshot.delete": ("snapshot delete s --yes",),
    "box.add": ("box add /nowhere.box", "box add boxwright.toml --name x"),
    "box.list": ("box list", "box list x*"),
    "box.show": ("box show nothing",),
    "box.outdated": ("box outdated",),
    "box.search": ("box search x --server http://127.0.0.1:9",),
    "box.update": ("box update",),
    "box.remove": ("box remove nothing",),
    "box.prune": ("box prune", "box prune -n"),
    "box.verify": ("box verify",),
    "box.import": ("box import /nowhere",),
    "build.run": ("build", "build nonsense"),
    "build.answer": ("answer base retry", "answer"),
    "build.screen": ("screen", "screen base --output x.png"),
    "layer.list": ("layer list",),
    "layer.prune": ("layer prune", "layer prune --keep nonsense"),
    "template.inspect": ("template inspect good.json", "template inspect nowhere.json"),
    "template.validate": ("template validate good.json", "template validate bad.pkr.hcl"),
    "template.console": ("template console -e 1+1", "template console -e nope"),
    "template.fmt": ("template fmt --check", "template fmt good.json"),
    "template.convert": ("template convert good.json --to hcl", "template convert good.json --to xml"),
    "project.init": ("init", "init --template list"),
    "project.validate": ("validate",),
    "operation.list": ("ops", "ops --running"),
    "operation.show": ("ops show 1", "ops show 99"),
    "operation.logs": ("logs web", "logs nonsense", "logs -f web"),
    "operation.cancel": ("ops cancel 1", "ops cancel"),
    "engine.status": ("engine status",),
    "engine.log": ("engine log",),
    "doctor": ("doctor",),
    "workbench": ("workbench", ""),
    "completion": ("completion bash", "completion nonsense"),
    "version": ("version",),
    "help": ("help", "help up", "help box", "up --help", "help nonsense"),
    "engine.stop": ("engine stop", "engine stop"),
}
STREAMS = {"operation.logs", "engine.log"}
"""One document per line, any number of lines."""


def test_no_command_is_left_out() -> None:
    assert set(LINES) == {spec.id for spec in (*COMMANDS, HELP)}


@pytest.mark.usefixtures("stage")
def test_every_command(shop: Path, boxwright: Run) -> None:
    boxwright("up", "web", "db", "noisy", "-q")
    (shop / "good.json").write_text('{"builders": [{"type": "null"}]}')
    (shop / "bad.pkr.hcl").write_text("locals {\n  a = nope\n}\n")
    problems = []
    for id, lines in LINES.items():
        for line in lines:
            ran = boxwright(*line.split(), "--json")
            documents = ran.out.splitlines()
            if id not in STREAMS and len(documents) != 1:
                problems.append(f"{line}: {len(documents)} documents")
            for text in documents:
                if not isinstance(json.loads(text), dict):
                    problems.append(f"{line}: {text[:80]}")
            if ran.code and documents and "error" in (last := json.loads(documents[-1])):
                assert last["error"]["code"] == ran.code
                assert last["error"]["what"] in ran.err
            if "Traceback" in ran.err or "mistake in Boxwright" in ran.err or "a bug" in ran.err:
                problems.append(f"{line}: {ran.err}")
    assert problems == []


def test_a_mistake_of_ours_is_reported_not_thrown(
    boxwright: Run, monkeypatch: pytest.MonkeyPatch, boxwright_home: Path
) -> None:
    monkeypatch.setattr("core.cli.verbs.general.version", lambda *_: 1 / 0)
    ran = boxwright("version", "--json")
    assert ran.code == 1
    assert ran.json["error"]["what"] == "ZeroDivisionError: division by zero"
    assert "This is a mistake in Boxwright; the report is in" in ran.err
    assert "Traceback" not in ran.err
    reports = list((boxwright_home / "reports").iterdir())
    assert "ZeroDivisionError" in reports[0].read_text()
    assert reports[0].stat().st_mode & 0o077 == 0
    assert "Traceback" in boxwright("version", "--debug").err
