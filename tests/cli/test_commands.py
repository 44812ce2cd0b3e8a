"""Commands against an engine behind its socket: what they print, and how they exit."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from core.commands.spec import CommandSpec
from core.model.problem import ExitCode
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("stage")


def states(boxwright: Run) -> dict[str, str]:
    machines = boxwright("status", "--json").json["machines"]
    return {machine["key"]["name"]: machine["state"] for machine in machines}


def test_up_without_names_takes_those_that_start_by_themselves(shop: Path, boxwright: Run) -> None:
    ran = boxwright("up")
    assert ran.code == ExitCode.DONE
    assert "[web]   hello from web" in ran.out
    assert "[db]   hello from db" in ran.out
    found = states(boxwright)
    assert [name for name, state in found.items() if state == "running"] == ["web", "db"]


def test_names_and_patterns(shop: Path, boxwright: Run) -> None:
    assert boxwright("up", "n*", "web").code == ExitCode.DONE
    assert {n for n, state in states(boxwright).items() if state == "running"} == {"web", "noisy"}
    ran = boxwright("halt", "/^w/")
    assert (ran.code, states(boxwright)["web"]) == (ExitCode.DONE, "stopped")


def test_each_failure_is_told_with_its_remedy_and_its_log(shop: Path, boxwright: Run) -> None:
    ran = boxwright("up", "web", "bad")
    assert ran.code == ExitCode.FAILED
    assert "up bad failed: The provisioner failed." in ran.err
    assert "  │ line one\n  │ line two\n" in ran.err
    assert "To mend it: boxwright provision bad --start-at 1" in ran.err
    assert "The whole log: boxwright logs 000002" in ran.err
    assert "up web: done" in ran.out
    assert "hello from bad" in boxwright("logs", "bad").out
    assert "hello from bad" in boxwright("logs", "2", "--step", "3").out
    assert boxwright("logs", "2", "--step", "1").out == ""
    assert boxwright("logs", "2", "--step", "9").code == ExitCode.NOT_FOUND


def test_quiet_says_nothing_unless_something_is_wrong(shop: Path, boxwright: Run) -> None:
    ran = boxwright("up", "web", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert "The provisioner failed." in boxwright("up", "bad", "--quiet").err


def test_output_of_guests_is_harmless_in_a_pipe(shop: Path, boxwright: Run) -> None:
    ran = boxwright("up", "noisy")
    assert "\x1b" not in ran.out
    assert "[noisy]   green\n[noisy]   100%\n[noisy]   cleared\n[noisy]   bad bytes \ufffd\ufffd\n" in ran.out
    assert len(ran.out) < 250_000


def test_what_is_done_already_is_no_failure(shop: Path, boxwright: Run) -> None:
    ran = boxwright("halt", "web")
    assert (ran.code, ran.err) == (0, "web is not created. Nothing to do for it.\n")
    assert boxwright("destroy", "web").code == 0
    assert boxwright("halt").err == "No machine of this project is created.\n"
    boxwright("up", "web")
    boxwright("suspend", "web")
    assert boxwright("suspend", "web").code == 0
    assert boxwright("resume").code == 0
    boxwright("halt")
    ran = boxwright("halt")
    assert (ran.code, ran.err) == (0, "web is stopped already. Nothing to do for it.\n")


def test_what_cannot_be_done_is_refused_with_the_remedy(shop: Path, boxwright: Run) -> None:
    ran = boxwright("provision", "web")
    assert ran.code == ExitCode.FAILED
    assert ran.err == "error: web is not created, not running.\n  To mend it: boxwright up web\n"
    assert boxwright("suspend").code == ExitCode.DONE


def test_what_no_machine_can_is_a_failure(
    shop: Path, boxwright: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxwright("up")
    monkeypatch.setattr(CommandSpec, "refusal", lambda *_: "fake has no move while running.")
    ran = boxwright("migrate", "fake://elsewhere")
    assert ran.code == ExitCode.FAILED
    assert "web: fake has no move while running. Nothing to do for it.\n" in ran.err
    assert ran.err.endswith("error: fake has no move while running.\n")


def test_the_only_machine_that_cannot_is_a_failure_without_its_name_too(shop: Path, boxwright: Run) -> None:
    boxwright("up", "web")
    boxwright("halt", "web")
    ran = boxwright("provision", "--only", "nope")
    assert ran.code == ExitCode.FAILED
    assert ran.err == "error: web is stopped, not running.\n  To mend it: boxwright up web\n"
    assert boxwright("download", "/srv", "here", "web").err == ran.err


def test_status_of_a_file_that_cannot_be_read_does_not_count_its_machines(shop: Path, boxwright: Run) -> None:
    (shop / "boxwright.toml").write_text('[project]\nname = "one"\n[machines.web]\ncpus = "two"\n')
    ran = boxwright("status")
    assert ran.code == ExitCode.USAGE
    assert ran.out == ""
    assert "machines.web" in ran.err


def test_unknown_names_are_guessed(shop: Path, boxwright: Run) -> None:
    ran = boxwright("up", "webb")
    assert ran.code == ExitCode.NOT_FOUND
    assert "There is no machine 'webb' in this project." in ran.err
    assert "Did you mean 'web'?" in ran.err
    assert boxwright("up", "q*").code == ExitCode.NOT_FOUND
    assert boxwright("build", "bas").code == ExitCode.NOT_FOUND
    assert "There is no template no.pkr.hcl." in boxwright("build", "no.pkr.hcl").err
    assert boxwright("logs", "wep").code == ExitCode.NOT_FOUND
    assert boxwright("ops", "show", "99").code == ExitCode.NOT_FOUND
    assert boxwright("box", "show", "tiny").code == ExitCode.NOT_FOUND


def test_where_a_word_is_missing_the_words_are_listed(boxwright: Run) -> None:
    ran = boxwright("snapshot")
    assert ran.code == ExitCode.USAGE
    assert "One of: save, list, restore, delete." in ran.err


def test_a_pattern_that_is_none_and_a_project_that_is_not_there_have_remedies(
    shop: Path, boxwright: Run
) -> None:
    assert "To mend it: put '\\'" in boxwright("halt", "/[/").err
    missing = boxwright("status", "--project", "/nowhere/shop")
    assert missing.code == ExitCode.NOT_FOUND
    assert "To mend it: boxwright init --project /nowhere/shop" in missing.err


def test_a_project_may_be_given_by_its_file(shop: Path, boxwright: Run) -> None:
    assert boxwright("status", "--project=boxwright.toml").code == ExitCode.DONE
    assert boxwright("init", "--project=boxwright.toml").code == ExitCode.USAGE
    assert boxwright("init", "--project=boxwright.toml", "--force").out.startswith("Wrote boxwright.toml\n")
    (shop / "other.toml").write_text("")
    ran = boxwright("status", "--project", "other.toml")
    assert ran.code == ExitCode.USAGE
    assert "is not a project file" in ran.err


def test_destroying_asks_and_without_a_terminal_refuses(shop: Path, boxwright: Run) -> None:
    boxwright("up", "web")
    boxwright("snapshot", "save", "before")
    ran = boxwright("destroy", "web")
    assert ran.code == ExitCode.USAGE
    assert "What would go: web (running) with its disks and 1 snapshot." in ran.err
    assert "To mend it: add --yes" in ran.err
    assert states(boxwright)["web"] == "running"
    assert boxwright("destroy", "web", "--yes").code == ExitCode.DONE
    assert states(boxwright)["web"] == "not created"


def test_snapshots(shop: Path, boxwright: Run) -> None:
    boxwright("up")
    assert boxwright("snapshot", "save", "web", "one").code == ExitCode.DONE
    assert boxwright("snapshot", "save", "two").code == ExitCode.DONE
    listed = [(s["machine"], s["name"]) for s in boxwright("snapshot", "list", "--json").json["snapshots"]]
    assert listed == [("web", "one"), ("web", "two"), ("db", "two")]
    assert boxwright("snapshot", "restore", "two").code == ExitCode.USAGE
    assert boxwright("snapshot", "restore", "one", "-y").code == ExitCode.DONE
    missing = boxwright("snapshot", "delete", "db", "one", "-y")
    assert (missing.code, "no snapshot 'one' of db" in missing.err) == (ExitCode.NOT_FOUND, True)
    assert "There are: one and two." in boxwright("snapshot", "delete", "zzz", "-y").err
    assert boxwright("snapshot", "delete", "one", "-y").code == ExitCode.DONE
    assert "one" not in boxwright("snapshot", "list", "web").out


def test_ports(shop: Path, boxwright: Run) -> None:
    assert "ports are those of machines that run" not in boxwright("port").out
    boxwright("up", "web")
    assert boxwright("port", "web", "--guest", "22").out == "2222\n"
    assert "80 was in use" in boxwright("port").out
    assert boxwright("port", "--guest", "99").code == ExitCode.NOT_FOUND


def test_transfers_find_their_machine(shop: Path, boxwright: Run) -> None:
    (shop / "file").write_text("x")
    assert boxwright("upload", "missing", "/tmp", "web").code == ExitCode.NOT_FOUND
    assert boxwright("upload", "file", "/tmp", "web").code == ExitCode.FAILED
    boxwright("up")
    ran = boxwright("upload", "file", "/tmp")
    assert (ran.code, "upload takes one machine; this project has 6" in ran.err) == (ExitCode.USAGE, True)

    def sent(*words: str) -> dict[str, str]:
        result = boxwright(*words, "--json").json["operations"][0]
        return {"machine": result["subject"].rpartition(":")[2], **result["result"]}

    assert sent("upload", "file", "/tmp/f", "web") == {
        "machine": "web", "source": f"{shop}/file", "target": "/tmp/f",
    }  # fmt: skip
    assert sent("upload", "file", "db:/tmp/f")["machine"] == "db"
    assert sent("download", "web:/etc/hosts", "here") == {
        "machine": "web", "source": "/etc/hosts", "target": f"{shop}/here",
    }  # fmt: skip
    boxwright("destroy", "web", "-y")
    assert sent("download", "/etc/hosts", "here")["machine"] == "db"


def test_a_machines_id_works_from_everywhere(
    shop: Path, boxwright: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxwright("up", "web")
    id = boxwright("status", "--json").json["machines"][0]["id"]
    monkeypatch.chdir(tmp_path)
    assert boxwright("halt", "web").code == ExitCode.NOT_FOUND
    assert boxwright("halt", id[:6]).code == ExitCode.DONE
    assert "stopped" in boxwright("global-status").out


def test_global_status_names_projects_that_are_gone(shop: Path, boxwright: Run) -> None:
    boxwright("up", "web")
    id = boxwright("global-status", "--json").json["machines"][0]["id"]
    os.chdir("/")
    (shop / "boxwright.toml").unlink()
    shop.rmdir()
    ran = boxwright("global-status")
    assert "the project's folder is gone" in ran.out
    assert f"boxwright destroy {id}" in ran.out
    assert boxwright("destroy", id, "--yes").code == ExitCode.DONE
    assert boxwright("global-status").out == "No machine is created in any project.\n"


def test_ssh_needs_one_machine_that_answers(shop: Path, boxwright: Run) -> None:
    several = boxwright("ssh")
    assert several.code == ExitCode.USAGE
    assert "ssh takes one machine; this means 6" in several.err
    down = boxwright("ssh", "web", "-c", "true")
    assert down.code == ExitCode.FAILED
    assert down.err == (
        "error: web cannot be reached.\n  It is not created.\n  To mend it: boxwright up web\n"
    )
    assert boxwright("ssh-config").code == ExitCode.FAILED


def test_ssh_config_is_understood_by_openssh(shop: Path, boxwright: Run, tmp_path: Path) -> None:
    boxwright("up")
    config = tmp_path / "config"
    config.write_text(boxwright("ssh-config").out)
    for name in ("web", "db"):
        said = subprocess.run(
            ["ssh", "-F", str(config), "-G", name], capture_output=True, text=True, check=True
        ).stdout
        assert "port 2222\n" in said
        assert "user vagrant\n" in said
    assert boxwright("ssh-config", "web", "--host", "shop").out.startswith("Host shop\n")
    assert boxwright("ssh-config", "--host", "shop").code == ExitCode.USAGE


def test_the_log_is_that_of_the_last_operation_that_wrote(shop: Path, boxwright: Run) -> None:
    boxwright("up", "web")
    boxwright("halt", "web")
    assert boxwright("logs", "web").out == "hello from web\n"
    boxwright("up", "db")
    boxwright("destroy", "db", "-y")
    assert boxwright("logs", "db").out == "hello from db\n"


def test_where_no_operation_wrote_the_last_one_is_named(shop: Path, boxwright: Run) -> None:
    assert boxwright("box", "update").out.splitlines()[-1] == "Everything is up to date."
    ran = boxwright("logs")
    assert ran.code == ExitCode.NOT_FOUND
    assert "No operation wrote anything." in ran.err
    assert "To mend it: boxwright ops show 000001" in ran.err


def test_what_runs_is_told_in_columns_of_its_own(shop: Path, boxwright: Run) -> None:
    down = boxwright("status").out
    assert "UP FOR" not in down
    boxwright("up", "web")
    heads, *rows = boxwright("status").out.splitlines()
    assert "UP FOR" in heads
    begin = heads.index("UP FOR")
    web = next(row for row in rows if row.startswith("web "))
    assert re.match(r"\d+ s( |$)", web[begin:])


def test_nothing_to_prune(shop: Path, boxwright: Run) -> None:
    assert boxwright("box", "prune").out.splitlines()[-1] == "Nothing to remove."
    assert boxwright("box", "prune", "-y").out.splitlines()[-1] == "Nothing to remove."


def test_operations_are_listed_and_shown(shop: Path, boxwright: Run) -> None:
    boxwright("up", "bad")
    boxwright("up", "web")
    ran = boxwright("ops")
    assert [line.split()[:3] for line in ran.out.splitlines()[1:]] == [
        ["000002", "up", "web"], ["000001", "up", "bad"],
    ]  # fmt: skip
    assert boxwright("ops", "--running").out == "Nothing runs.\n"
    assert len(boxwright("ops", "-n", "1", "--json").json["operations"]) == 1
    shown = boxwright("ops", "show", "1").out
    assert "✗ Provision 1/1" in shown
    assert "failed: The provisioner failed." in shown
    assert "has ended before (done)" in boxwright("ops", "cancel", "2").out


def test_a_broken_project_file_is_told_with_place_and_caret(shop: Path, boxwright: Run) -> None:
    boxwright("up", "web")
    (shop / "boxwright.toml").write_text(
        '[project]\nname = "shop"\n[machines.web]\nbox = "tiny"\nmemry = 1\n'
    )
    for verb in ("validate", "status"):
        ran = boxwright(verb)
        assert ran.code == ExitCode.USAGE
        assert f"{shop}/boxwright.toml:5:1: error: " in ran.err
        assert "5 | memry = 1\n   | ^^^^^\n" in ran.err
    assert "running" in boxwright("status").out
    assert boxwright("up").code == ExitCode.USAGE
    assert boxwright("halt", "web").code == ExitCode.DONE
    assert boxwright("validate", "--json").json["valid"] is False


def test_all_mistakes_are_counted(shop: Path, boxwright: Run) -> None:
    (shop / "boxwright.toml").write_text('[project]\nname = 3\n[machines.web]\nbox = "tiny"\ncpus = "x"\n')
    ran = boxwright("validate")
    assert ran.err.count(": error: ") == 2
    assert ran.err.endswith("2 mistakes.\n")


def test_where_there_is_no_project_the_way_to_one_is_shown(
    boxwright: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for verb in ("status", "up", "ssh", "build", "validate"):
        ran = boxwright(verb)
        assert ran.code == ExitCode.NOT_FOUND, verb
        assert "boxwright init BOX" in ran.err
        assert "boxwright --project DIR" in ran.err
    assert boxwright("status", "--project", "nowhere").code == ExitCode.NOT_FOUND


def test_init_makes_a_project_that_is_valid(
    boxwright: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Wrote boxwright.toml" in boxwright("init", "debian/bookworm64", "--name", "mine").out
    assert 'box = "debian/bookworm64"' in (tmp_path / "boxwright.toml").read_text()
    assert boxwright("validate").code == ExitCode.DONE
    assert boxwright("init", "other").code == ExitCode.USAGE
    assert boxwright("init", "other", "--force").code == ExitCode.DONE
    assert boxwright("init", "--template", "nonsense").code == ExitCode.NOT_FOUND
    assert "minimal" in boxwright("init", "--template", "list").out
    assert boxwright("--project", "sub", "init", "x").code == ExitCode.DONE
    assert (tmp_path / "sub" / "boxwright.toml").exists()


def test_the_engine_is_shown_and_stopped(shop: Path, boxwright: Run) -> None:
    assert "0 running or waiting" in boxwright("engine", "status").out
    assert boxwright("engine", "stop").code == ExitCode.DONE
    assert boxwright("engine", "status", "--json").json["running"] is False
    assert boxwright("engine", "stop").out == "No engine runs.\n"


def test_a_broken_pipe_ends_quietly(shop: Path) -> None:
    script = "set -o pipefail; python -m core.cli.main help | head -1; echo ${PIPESTATUS[0]}"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PATH": _path()}
    ran = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""
    assert ran.stdout.splitlines()[0].startswith("usage:")
    assert ran.stdout.splitlines()[1] in ("0", "141")


def _path() -> str:
    import sys

    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"
