"""Which provisioners run, in which order, and what is said when one fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import NotFoundError
from core.guests.ssh import SshGuest
from core.model.project import Provision
from core.provisioners.base import ProvisionError
from core.provisioners.run import fingerprints, provision, title
from tests.support.work import RecordingWork

ONCE = Provision(name="once", shell="echo once")
ALWAYS = Provision(name="always", shell="echo always", run="always")
NEVER = Provision(name="never", shell="echo never", run="never")
ALL = (ONCE, ALWAYS, NEVER)


async def spoken(guest: SshGuest, root: Path, *steps: Provision, **options: object) -> list[str]:
    work = RecordingWork()
    await provision(guest, root, steps, work=work, **options)  # type: ignore[arg-type]
    return work.output.decode().split()


async def test_the_first_time_once_and_always_run_in_order(guest: SshGuest, tmp_path: Path) -> None:
    work = RecordingWork()
    ran = await provision(guest, tmp_path, ALL, work=work)
    assert work.output == b"once\nalways\n"
    assert ran == fingerprints(tmp_path, ALL)[:2]
    assert work.states == {
        "Provision 1/3  shell: once": "done",
        "Provision 2/3  shell: always": "done",
        "Provision 3/3  shell: never": "skipped",
    }


async def test_later_only_always_runs(guest: SshGuest, tmp_path: Path) -> None:
    done = fingerprints(tmp_path, ALL)
    assert await spoken(guest, tmp_path, *ALL, done=done) == ["always"]


async def test_one_that_has_changed_is_due_again(guest: SshGuest, tmp_path: Path) -> None:
    script = tmp_path / "s.sh"
    script.write_text("echo old")
    (tmp_path / "f").write_text("old")
    steps = (Provision(script="s.sh"), Provision(file="f", to=f"{tmp_path}/g", privileged=False))
    done = fingerprints(tmp_path, steps)
    assert await spoken(guest, tmp_path, *steps, done=done) == []
    script.write_text("echo new")
    (tmp_path / "f").write_text("new")
    assert await spoken(guest, tmp_path, *steps, done=done) == ["new"]
    assert (tmp_path / "g").read_text() == "new"


async def test_forced_and_switched_off(guest: SshGuest, tmp_path: Path) -> None:
    done = fingerprints(tmp_path, ALL)
    assert await spoken(guest, tmp_path, *ALL, done=done, force=True) == ["once", "always"]
    assert await spoken(guest, tmp_path, *ALL, force=False) == []


async def test_those_named_run_and_no_others(guest: SshGuest, tmp_path: Path) -> None:
    done = fingerprints(tmp_path, ALL)
    assert await spoken(guest, tmp_path, *ALL, done=done, only=["never", "once"]) == ["once", "never"]
    with pytest.raises(NotFoundError, match="'nevr'") as caught:
        await spoken(guest, tmp_path, *ALL, only=["nevr"])
    assert "once, always, never" in caught.value.problem.why


async def test_starting_in_the_middle(guest: SshGuest, tmp_path: Path) -> None:
    assert await spoken(guest, tmp_path, *ALL, force=True, start_at=2) == ["always"]
    with pytest.raises(NotFoundError, match="4"):
        await spoken(guest, tmp_path, *ALL, start_at=4)


async def test_equal_steps_are_told_apart(tmp_path: Path) -> None:
    marks = fingerprints(tmp_path, (ONCE, ONCE, ONCE))
    assert len(set(marks)) == 3


async def test_a_failing_step_says_how_to_go_on_and_what_has_run_is_known(
    guest: SshGuest, tmp_path: Path
) -> None:
    (tmp_path / "nine.sh").write_text("echo why; exit 9")
    steps = (ONCE, Provision(script="nine.sh"), ALWAYS)
    work, ran = RecordingWork(), list[str]()
    with pytest.raises(ProvisionError) as caught:
        await provision(guest, tmp_path, steps, work=work, machine="web", ran=ran.append)
    problem = caught.value.problem
    assert problem.remedy == "boxwright provision web --start-at 2"
    assert problem.tail == ("why",)
    assert problem.files == (str(tmp_path / "nine.sh"),), "what has to be mended"
    assert "exit status 9" in problem.why
    assert ran == [fingerprints(tmp_path, steps)[0]]
    assert work.states["Provision 2/3  shell: nine.sh"] == "failed"
    assert "Provision 3/3  shell: always" not in work.states


async def test_missing_files_are_found_before_anything_runs(guest: SshGuest, tmp_path: Path) -> None:
    work = RecordingWork()
    for missing in (Provision(script="absent"), Provision(file="absent", to="/x")):
        with pytest.raises(NotFoundError, match="absent"):
            await provision(guest, tmp_path, (ONCE, missing), work=work)
    assert work.output == b""


async def test_files_and_folders_go_with_their_modes(guest: SshGuest, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a").write_text("a")
    steps = (
        Provision(file="conf", to=f"{tmp_path}/etc/app"),
        Provision(file="conf/a", to=f"{tmp_path}/etc/secret", mode="0600"),
    )
    work = RecordingWork()
    await provision(guest, tmp_path, steps, work=work)
    assert (tmp_path / "etc" / "app" / "a").read_text() == "a"
    assert (tmp_path / "etc" / "secret").stat().st_mode & 0o777 == 0o600
    assert work.progresses[-1] == (1, 1, "bytes")


async def test_a_failing_upload_is_a_failing_provisioner(guest: SshGuest, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    with pytest.raises(ProvisionError, match="/proc/x") as caught:
        await provision(
            guest, tmp_path, (Provision(file="a", to="/proc/x"),), work=RecordingWork(), machine="web"
        )
    assert "--start-at 1" in caught.value.problem.remedy


@pytest.mark.parametrize(
    ("declared", "shown"),
    [
        (Provision(name="db", shell="x"), "shell: db"),
        (Provision(shell="\n  apt-get update\napt-get install x"), "shell: apt-get update…"),
        (Provision(shell="x" * 100), "shell: " + "x" * 60 + "…"),
        (Provision(script="a.sh"), "shell: a.sh"),
        (Provision(file="a", to="/b"), "file: a → /b"),
    ],
)
def test_titles(declared: Provision, shown: str) -> None:
    assert title(declared) == shown
