"""Reading project files: what is right is read, what is wrong is said with place and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import ConfigError, NotFoundError
from core.model.problem import ExitCode
from core.model.project import BoxReference, Port, ProjectFile
from core.projects import ProjectFileError, find_root, load
from core.projects.diagnosis import diagnose
from core.projects.reader import parse
from tests.projects.documents import documents

HEAD = '[project]\nname = "shop"\n'
WEB = HEAD + '[machines.web]\nbox = "tiny"\n'
FILE = Path("/nowhere/boxwright.toml")


def wrong(source: str) -> tuple[tuple[int, int, str, str], ...]:
    """Line, column, what and remedy of everything that is wrong with a source."""
    with pytest.raises(ProjectFileError) as caught:
        parse(source, FILE)
    found = []
    for problem in caught.value.problems:
        assert problem.code == ExitCode.USAGE
        assert problem.place is not None
        assert problem.place.file == str(FILE)
        assert problem.place.text == [*source.splitlines(), ""][problem.place.line - 1]
        found.append((problem.place.line, problem.place.column, problem.what, problem.remedy))
    return tuple(found)


def test_a_whole_project_is_read(tmp_path: Path) -> None:
    (tmp_path / "boxwright.toml").write_text(
        HEAD
        + """
provider = ["libvirt", "qemu"]
[machines.web]
box = { build = "base" }
cpus = 2
ports = [{ guest = 80, host = 8080 }]
[[machines.web.provision]]
shell = "true"
[machines.db]
box = "debian/bookworm64"
provider = "qemu"
[builds.base]
source = { bootstrap = { suite = "bookworm" } }
"""
    )
    project = load(tmp_path)
    assert project == load(str(tmp_path / "boxwright.toml"))
    assert (project.root, project.name) == (str(tmp_path.resolve()), "shop")
    assert list(project.machines) == ["web", "db"]
    assert project.machines["web"].box == BoxReference(build="base")
    assert project.machines["web"].ports == (Port(guest=80, host=8080),)
    assert project.providers_for("web") == ("libvirt", "qemu")
    assert project.providers_for("db") == ("qemu",)


def test_the_project_is_looked_for_upwards(tmp_path: Path) -> None:
    (tmp_path / "boxwright.toml").write_text(HEAD)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_root(deep) == tmp_path.resolve()
    assert find_root(str(tmp_path)) == tmp_path.resolve()


def test_a_folder_without_a_project_says_how_to_get_one(tmp_path: Path) -> None:
    for look in (find_root, load):
        with pytest.raises(NotFoundError) as caught:
            look(tmp_path)
        assert caught.value.problem.remedy == "boxwright init"
    (tmp_path / "Vagrantfile").touch()
    with pytest.raises(NotFoundError, match="does not read yet"):
        load(tmp_path)
    with pytest.raises(NotFoundError, match="There is no"):
        load(tmp_path / "gone")


@pytest.mark.parametrize(
    ("source", "place", "what", "remedy"),
    [
        (WEB + 'memry = "1GiB"\n', (5, 1), "Unknown key 'memry' in machines.web", "did you mean 'memory'?"),
        (WEB + 'cpus = "2"\n', (5, 8), 'is "2", text; it has to be a whole number from 1 to 512', "write 2"),
        (WEB + "cpus = 0\n", (5, 8), "cpus is 0; it has to be a whole number from 1", "write cpus = 1"),
        (WEB + "cpus = 1.5\n", (5, 8), "cpus is 1.5", "write cpus = 1"),
        (WEB + 'memory = "1 QiB"\n', (5, 10), "a size, e.g.", 'write memory = "512MiB"'),
        (WEB + 'memory = "512"\n', (5, 10), "which is 512 bytes", "did you mean '512MiB'?"),
        (WEB + "autostart = 1\n", (5, 13), "true or false", "write autostart = true"),
        (WEB + "autostart = 1979-05-27\n", (5, 13), "a date or time", "write autostart = true"),
        (HEAD + "[machines.web]\n", (3, 11), "machines.web has no 'box'", 'add box = "debian/bookworm64"'),
        (HEAD + '[machines."a b"]\nbox = "x"\n', (3, 11), "'a b' cannot be a name", "letters, digits"),
        (HEAD + '[machines.web]\nbox = { build = "bse" }\n[builds.base.source.bootstrap]\nsuite = "s"\n',
         (4, 17), "There is no build 'bse'", "did you mean 'base'?"),
        (HEAD + '[machines.web]\nbox = { build = "x" }\n', (4, 17), "There is no build 'x'", "[builds.x]"),
        (WEB + 'ports = [{ guest = 80 }, { guest = 8, hots = 1 }]\n', (5, 39), "key 'hots'", "'host'"),
        (WEB + 'ports = [{ guest = 80 }, { guest = 80 }]\n', (5, 36), "forwarded twice", "take one"),
        (WEB + 'ports = [{ guest = 80, protocol = "tpc" }]\n', (5, 35), '"tcp" or "udp"', "mean 'tcp'?"),
        (WEB + "ports = [{ guest = 99999 }]\n", (5, 20), "guest is 99999", "write a number from 1 to 65535"),
        (WEB + 'folders = [{ host = "." }]\n', (5, 12), "no 'guest'", 'add guest = "/srv/app"'),
        (WEB + 'folders = [{ host = ".", guest = "app" }]\n', (5, 34), "abs", 'write guest = "/srv/app"'),
        ('[project]\nname = "my shop"\n', (2, 8), "letters, digits", 'write name = "my-shop"'),
        (WEB + "ports = [80]\n", (5, 10), "a table with guest, host", "write { guest = 1 }"),
        (WEB + "boot_timeout = inf\n", (5, 16), "number of seconds", "300"),
        (WEB + '[[machines.web.provision]]\nenv = { A = 1 }\nshell = "x"\n', (6, 13), "env.A is 1", '"1"'),
        (WEB + '[[machines.web.provision]]\nshell = "x"\nscript = "y"\n', (5, 16), "exactly one of", ""),
        (WEB + '[[machines.web.disks]]\nname = "d"\nsize = "1KiB"\n', (7, 8), "1 MiB is the least", ""),
        ("", (1, 1), "has no table [project]", "add [project]"),
        ("[project\n", (1, 9), "not valid TOML", "a table's header"),
        (HEAD + 'name = "again"\n', (3, 1), "not valid TOML", "only once"),
        ('a = "open\n', (1, 10), "not valid TOML", "close the quotes"),
        ("\ufeff" + HEAD, (1, 1), "not valid TOML", "byte order mark"),
        ("a = " + "1" * 5000, (0, 0), "not valid TOML", ""),
        ("a = " + "[" * 5000, (0, 0), "not valid TOML", ""),
    ],
)  # fmt: skip
def test_each_mistake_has_place_and_remedy(
    source: str, place: tuple[int, int], what: str, remedy: str
) -> None:
    if place == (0, 0):
        with pytest.raises(ProjectFileError) as caught:
            parse(source, FILE)
        assert what in caught.value.problem.what
        return
    ((line, column, said, mends),) = wrong(source)
    assert (line, column) == place
    assert what in said
    assert remedy in mends


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    source = (
        HEAD
        + 'colour = "red"\n[machines.web]\nbox = 3\nmemry = "1"\n[machines.db]\ncpus = "x"\n[buids.base]\n'
    )
    assert [(line, what) for line, _, what, _ in wrong(source)] == [
        (3, "Unknown key 'colour' in project."),
        (
            5,
            "machines.web.box is 3, a whole number; it has to be text in quotes, or a table with "
            "build, image, dockerfile.",
        ),
        (6, "Unknown key 'memry' in machines.web."),
        (7, "machines.db has no 'box'."),
        (8, 'machines.db.cpus is "x", text; it has to be a whole number from 1 to 512.'),
        (9, "Unknown key 'buids' at the top of the project file."),
    ]
    with pytest.raises(ProjectFileError) as caught:
        parse(source, FILE)
    assert "boxwright.toml:9:2: Unknown key 'buids'" in str(caught.value)
    assert len(caught.value.problem.tail) == 5


def test_two_machines_may_not_insist_on_one_host_port() -> None:
    port = "ports = [{ guest = 80, host = 8080, auto_correct = false }]\n"
    source = WEB + port + '[machines.db]\nbox = "tiny"\n'
    ((line, _, what, _),) = wrong(source + port)
    assert (line, what) == (8, "Host port 8080/tcp is asked for twice.")
    assert parse(source + port.replace("false", "true"), FILE).machines["db"].ports[0].host == 8080
    assert parse(source + port.replace("8080, ", '8080, protocol = "udp", '), FILE)


def test_a_file_that_is_not_text_or_not_readable(tmp_path: Path) -> None:
    file = tmp_path / "boxwright.toml"
    file.write_bytes(b"[project]\nname = 'caf\xe9'\n")
    with pytest.raises(ConfigError) as caught:
        load(file)
    place = caught.value.problem.place
    assert place is not None
    assert (place.line, place.column) == (2, 12)
    file.unlink()
    file.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
    file.rmdir()
    with file.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    with pytest.raises(ConfigError, match="too large"):
        load(tmp_path)


@given(st.text())
@example("[[")
@example("a.b = 1\na = 2")
def test_whatever_the_text_is_only_its_own_errors_are_raised(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text, FILE)


@given(documents())
def test_whatever_the_toml_is_it_is_refused_with_places(document: tuple[dict[str, Any], str]) -> None:
    _, source = document
    with pytest.raises(ProjectFileError) as caught:
        parse(source, FILE)
    assert all(problem.place and problem.place.line for problem in caught.value.problems)


NAMES = st.sampled_from(["web", "db", "a b", ""])
SCALARS = st.sampled_from(
    [
        "",
        "x",
        "512MiB",
        "once",
        "qemu",
        "tcp",
        "/srv",
        0,
        1,
        80,
        -1,
        2**70,
        1.0,
        1.5,
        float("nan"),
        True,
        None,
    ]
).filter(lambda value: value is not None)
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2), max_leaves=3)
PORT = st.fixed_dictionaries(
    {}, optional={"guest": ANYTHING, "host": ANYTHING, "protocol": ANYTHING, "x": SCALARS}
)
STEP = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("shell", "script", "file", "to", "mode", "run", "env", "timeout", "args"), ANYTHING
    ),
)
MACHINE = st.fixed_dictionaries(
    {"box": st.one_of(ANYTHING, st.fixed_dictionaries({"build": NAMES}))},
    optional={
        "cpus": ANYTHING,
        "memory": ANYTHING,
        "provider": ANYTHING,
        "autostart": ANYTHING,
        "boot_timeout": ANYTHING,
        "ports": st.lists(PORT, max_size=2) | ANYTHING,
        "provision": st.lists(STEP, max_size=2),
        "qemu": st.dictionaries(NAMES, ANYTHING, max_size=2),
        "unknown": SCALARS,
    },
)
PROJECTS = st.fixed_dictionaries(
    {"project": st.fixed_dictionaries({"name": st.just("p") | ANYTHING}, optional={"provider": ANYTHING})},
    optional={
        "machines": st.dictionaries(NAMES, MACHINE, max_size=2),
        "builds": st.dictionaries(NAMES, ANYTHING),
    },
)


@given(PROJECTS)
def test_the_diagnosis_finds_something_exactly_where_msgspec_refuses(data: dict[str, Any]) -> None:
    try:
        msgspec.convert(data, ProjectFile)
        refused = False
    except (msgspec.ValidationError, OverflowError):
        refused = True
    faults = diagnose(data, ProjectFile)
    assert bool(faults) == refused
    assert not any("not valid:" in fault.what for fault in faults), "the walk missed what msgspec saw"
