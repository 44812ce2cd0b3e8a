"""The full check: files that a project names are looked for as well."""

from __future__ import annotations

from pathlib import Path

from core.projects.validate import problems

SOURCE = """\
[project]
name = "p"
[machines.web]
box = "x"
folders = [{ host = "src", guest = "/src" }]
ssh.identity = "keys/id"
[[machines.web.provision]]
script = "setup.sh"
[[machines.web.provision]]
file = "site.conf"
to = "/etc/site.conf"
[builds.base.source.bootstrap]
suite = "bookworm"
[[builds.base.provision]]
script = "."
"""


def test_missing_files_are_named_with_their_places(tmp_path: Path) -> None:
    (tmp_path / "boxwright.toml").write_text(SOURCE)
    found = problems(tmp_path)
    assert [(item.place.line, item.what) for item in found if item.place] == [
        (5, "There is no folder 'src'."),
        (6, "There is no key file 'keys/id'."),
        (8, "There is no script 'setup.sh'."),
        (10, "There is no file 'site.conf'."),
        (15, "'.' is not a script, but a folder."),
    ]
    assert str(tmp_path / "setup.sh") in found[2].why


def test_a_project_with_all_of_its_files_has_no_problem(tmp_path: Path) -> None:
    (tmp_path / "boxwright.toml").write_text(SOURCE.replace('"."', '"setup.sh"'))
    (tmp_path / "src").mkdir()
    (tmp_path / "keys").mkdir()
    for name in ("keys/id", "setup.sh", "site.conf"):
        (tmp_path / name).touch()
    assert problems(tmp_path) == ()


def test_providers_are_asked_about_their_tables(tmp_path: Path) -> None:
    (tmp_path / "boxwright.toml").write_text(
        """\
[project]
name = "p"
provider = ["libvirt", "qmu"]
[machines.web]
box = "x"
provider = "nothing"
[machines.web.qemu]
display = "none"
colour = "red"
"""
    )
    found = [(item.place.line, item.what, item.remedy) for item in problems(tmp_path) if item.place]
    assert [(line, what) for line, what, _ in found] == [
        (3, "There is no provider 'qmu'."),
        (6, "There is no provider 'nothing'."),
        (9, "The QEMU provider has no option 'colour'."),
    ]
    assert found[0][2] == "did you mean 'qemu'?"
    assert found[1][2].startswith("use one of: auto, ")


def test_machines_of_incus_are_those_of_the_provider_of_lxd(tmp_path: Path) -> None:
    (tmp_path / "boxwright.toml").write_text('[project]\nname = "p"\nprovider = "incus"\n')
    (found,) = problems(tmp_path)
    assert found.what == "There is no provider 'incus'."
    assert found.remedy == "did you mean 'lxd'?"


def test_one_mistake_does_not_hide_another(tmp_path: Path) -> None:
    (tmp_path / "boxwright.toml").write_text(
        """\
[project]
name = "my shop"
provider = "nothing"
[machines.web]
box = { build = "gone" }
cpus = "many"
folders = [{ host = "src" }, { host = "missing", guest = "/missing" }]
ports = [{ guest = 0 }, { guest = 80, host = 8080, auto_correct = false }]
[[machines.web.provision]]
script = "setup.sh"
[machines.db]
boxx = "debian/bookworm64"
memory = "1"
ports = [{ guest = 80, host = 8080, auto_correct = false }]
[builds.base]
memory = "1"
[builds.base.source.bootstrap]
suit = "bookworm"
[[builds.base.provision]]
script = "base.sh"
"""
    )
    assert [(item.place.line, item.what.split(";")[0]) for item in problems(tmp_path) if item.place] == [
        (2, 'project.name is "my shop"'),
        (3, "There is no provider 'nothing'."),
        (5, "There is no build 'gone' in this project."),
        (6, 'machines.web.cpus is "many", text'),
        (7, "machines.web.folders[0] has no 'guest'."),
        (7, "There is no folder 'missing'."),
        (8, "machines.web.ports[0].guest is 0"),
        (10, "There is no script 'setup.sh'."),
        (11, "machines.db has no 'box'."),
        (12, "Unknown key 'boxx' in machines.db."),
        (13, "memory is '1', which is 1 bytes"),
        (14, "Host port 8080/tcp is asked for twice."),
        (16, "memory is '1', which is 1 bytes"),
        (17, "builds.base.source.bootstrap has no 'suite'."),
        (18, "Unknown key 'suit' in builds.base.source.bootstrap."),
        (20, "There is no script 'base.sh'."),
    ]
