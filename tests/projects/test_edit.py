"""Editing project files: what was asked for changes, nothing else does."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from core.errors import BoxwrightError, BusyError, NotFoundError, UsageError
from core.projects import ProjectFileError, load
from core.projects.edit import ProjectEditor

SOURCE = """\
# The shop.

[project]
name = "shop"    # short

# Web first.
[machines.web]
memory = "512MiB"  # enough
box = "tiny"

  # Steps.
  [[machines.web.provision]]
  shell = "true"   # nothing

[machines.db]      # the base
box = "tiny"
ports = [
    { guest = 5432, host = 15432 },  # for psql
]

[builds.base.source.bootstrap]
suite = "bookworm"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "boxwright.toml").write_text(SOURCE)
    return tmp_path


def saved(project: Path) -> str:
    return (project / "boxwright.toml").read_text()


def test_a_value_changes_and_its_comment_stays(project: Path) -> None:
    editor = ProjectEditor(project)
    editor.set(("machines", "web", "memory"), "1GiB")
    result = editor.save()
    assert saved(project) == SOURCE.replace('"512MiB"  # enough', '"1GiB"  # enough')
    assert result == load(project)
    assert result.machines["web"].memory == "1GiB"


def test_a_new_value_goes_into_its_own_table(project: Path) -> None:
    editor = ProjectEditor(project)
    editor.set(("machines", "web", "cpus"), 2)
    editor.set(("machines", "db", "ssh", "user"), "me")
    editor.set(("machines", "db", "ports", 1), {"guest": 80})
    editor.save()
    changed = load(project).machines
    assert (changed["web"].cpus, changed["db"].ssh.user) == (2, "me")
    assert [port.guest for port in changed["db"].ports] == [5432, 80]
    lines = saved(project).splitlines()
    assert [line for line in SOURCE.splitlines() if line not in lines] == []


def test_values_are_taken_out(project: Path) -> None:
    editor = ProjectEditor(project)
    editor.unset(("machines", "web", "memory"))
    editor.unset(("machines", "db", "ports", 0))
    editor.save()
    assert load(project).machines["web"].memory == "512MiB"
    assert load(project).machines["db"].ports == ()
    with pytest.raises(NotFoundError, match=r"no machines\.web\.memory"):
        ProjectEditor(project).unset(("machines", "web", "memory"))


def test_machines_come_and_go(project: Path) -> None:
    editor = ProjectEditor(project)
    ports = [{"guest": 80, "host": 8080}, {"guest": 443}]
    editor.add_machine("cache", {"box": {"build": "base"}, "cpus": 1, "ports": ports})
    editor.save()
    assert list(load(project).machines) == ["web", "db", "cache"]
    assert "ports = [{ guest = 80, host = 8080 }, { guest = 443 }]\n" in saved(project)
    with pytest.raises(UsageError, match="already"):
        editor.add_machine("web", {"box": "x"})
    editor = ProjectEditor(project)
    editor.remove_machine("web")
    editor.save()
    assert list(load(project).machines) == ["db", "cache"]
    assert "# The shop." in saved(project)
    assert "# for psql" in saved(project)
    with pytest.raises(NotFoundError):
        editor.remove_machine("web")


def test_a_new_machine_does_not_come_between_a_comment_and_its_table(tmp_path: Path) -> None:
    head = '[project]\nname = "p"\n\n# The first.\n[machines.web]\nbox = "tiny"\n'
    source = 'source = { bootstrap = { suite = "bookworm" } }'
    tail = f"# A build makes a box.\n# It takes a minute.\n[builds.tiny]\n{source}\n"
    (tmp_path / "boxwright.toml").write_text(f"{head}\n{tail}")
    editor = ProjectEditor(tmp_path)
    steps = [{"shell": "apt-get update"}, {"file": "a.txt", "to": "/srv/a.txt"}]
    editor.add_machine("db", {"box": "tiny", "ports": [{"guest": 80}], "provision": steps})
    editor.save()
    new = (
        '[machines.db]\nbox = "tiny"\nports = [{ guest = 80 }]\n\n'
        '[[machines.db.provision]]\nshell = "apt-get update"\n\n'
        '[[machines.db.provision]]\nfile = "a.txt"\nto = "/srv/a.txt"\n'
    )
    assert saved(tmp_path) == f"{head}\n{new}\n{tail}"


def test_what_only_looks_like_a_header_misleads_nobody(tmp_path: Path) -> None:
    text = "[machines.web]\nbox = 'tiny'\n[[machines.web.provision]]\nshell = '''\n[machines\n[x]\n'''\n"
    (tmp_path / "boxwright.toml").write_text(f"[project]\nname = 'p'\n{text}")
    editor = ProjectEditor(tmp_path)
    editor.add_machine("db", {"box": "tiny"})
    editor.save()
    assert list(load(tmp_path).machines) == ["web", "db"]
    assert load(tmp_path).machines["web"].provision[0].shell == "[machines\n[x]\n"


def test_the_first_machine_of_a_project(tmp_path: Path) -> None:
    (tmp_path / "boxwright.toml").write_text('[project]\nname = "p"\n')
    editor = ProjectEditor(tmp_path)
    editor.add_machine("web", {"box": "tiny"})
    editor.save()
    assert saved(tmp_path) == '[project]\nname = "p"\n\n[machines.web]\nbox = "tiny"\n'


def test_what_would_not_be_valid_is_not_written(project: Path) -> None:
    editor = ProjectEditor(project)
    editor.set(("machines", "web", "cpus"), 0)
    with pytest.raises(ProjectFileError, match="cpus is 0"):
        editor.save()
    editor = ProjectEditor(project)
    editor.set(("machines", "web", "box"), {"build": "gone"})
    with pytest.raises(ProjectFileError, match="no build 'gone'"):
        editor.save()
    assert saved(project) == SOURCE
    assert [item.name for item in project.iterdir()] == ["boxwright.toml"]


def test_a_change_by_somebody_else_is_kept(project: Path) -> None:
    editor = ProjectEditor(project)
    editor.set(("machines", "web", "cpus"), 2)
    (project / "boxwright.toml").write_text(SOURCE + "# mine\n")
    with pytest.raises(BusyError, match="changed meanwhile"):
        editor.save()
    assert saved(project) == SOURCE + "# mine\n"


def test_mode_and_link_of_the_file_stay(project: Path) -> None:
    file = project / "boxwright.toml"
    file.chmod(0o640)
    real = project / "real.toml"
    file.rename(real)
    file.symlink_to(real.name)
    editor = ProjectEditor(project)
    editor.set(("machines", "web", "cpus"), 2)
    editor.save()
    assert file.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640


KEYS = st.sampled_from(
    ["cpus", "memory", "autostart", "hostname", "ssh.user", "ports", "provision", "boot_timeout"]
)
GOOD: dict[str, Any] = {
    "cpus": st.integers(1, 8),
    "memory": st.sampled_from(["64MiB", "1GiB"]),
    "autostart": st.booleans(),
    "hostname": st.text(max_size=8),
    "ssh.user": st.text(max_size=8),
    "ports": st.lists(st.fixed_dictionaries({"guest": st.integers(1, 9)}), max_size=3, unique_by=str),
    "provision": st.lists(st.fixed_dictionaries({"shell": st.text(max_size=9)}), max_size=3),
    "boot_timeout": st.floats(1, 1000),
}
SOURCES = (
    SOURCE,
    '[project]\nname="p"\n[machines]\nweb = { box = "x", cpus = 1 } # inline\ndb.box = "y"\n',
    'machines.web.box = "x"\nmachines.db.box = "y"\nproject.name = "dotted"\n',
    '[machines.web]\nbox="x"\n[project]\nname="p"\n[machines.db]\nbox="y" # apart\n',
    '[project]\r\nname="p"\r\n[machines.web]\r\nbox="x" # dos\r\n[machines.db]\r\nbox="y"\r\n',
    '[project]\nname="p"\n[machines.web]\nbox="x"\n[machines.db]\nbox="y" # no line break at the end',
)


@given(st.data())
def test_any_series_of_edits_reads_back_or_is_refused(data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(SOURCES))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "boxwright.toml"
        file.write_bytes(source.encode())
        editor = ProjectEditor(file)
        expected = tomllib.loads(source)
        try:
            if data.draw(st.booleans()):
                editor.add_machine("new", {"box": "z"})
                expected["machines"]["new"] = {"box": "z"}
            for _ in range(data.draw(st.integers(1, 4))):
                machine, key = data.draw(st.sampled_from(["web", "db"])), data.draw(KEYS)
                value = data.draw(GOOD[key])
                path = ("machines", machine, *key.split("."))
                editor.set(path, value)
                holder = expected["machines"][machine]
                for part in path[2:-1]:
                    holder = holder.setdefault(part, {})
                holder[path[-1]] = value
            editor.save()
        except BoxwrightError as error:
            event(f"refused: {SOURCES.index(source)}")
            assert "cannot be changed without" in str(error), "only the layout may be a reason"
            assert file.read_bytes() == source.encode()
            return
        assert tomllib.loads(file.read_text()) == expected
