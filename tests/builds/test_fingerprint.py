"""A fingerprint changes with everything that goes into a box, and with nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.builds import fingerprint as module
from core.builds import recipe
from core.builds.fingerprint import fingerprint
from core.errors import NotFoundError
from core.model.project import Bootstrap, BuildSpec, Project, Provision, Source

TINY = Bootstrap(suite="bookworm", flavour="tiny")
DEBIAN = Bootstrap(suite="bookworm")


def project(root: Path, source: Bootstrap = DEBIAN, *provision: Provision, name: str = "shop") -> Project:
    spec = BuildSpec(source=Source(bootstrap=source), provision=provision)
    return Project(root=str(root), file=str(root / "boxwright.toml"), name=name, builds={"base": spec})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "files" / "deep").mkdir(parents=True)
    (folder / "setup.sh").write_text("echo one\n")
    (folder / "files" / "a.txt").write_text("a")
    (folder / "files" / "deep" / "link").symlink_to("../a.txt")
    return folder


def whole(root: Path) -> Project:
    return project(root, DEBIAN, Provision(script="setup.sh"), Provision(file="files", to="/srv/files"))


def test_it_is_a_sha256_and_the_same_each_time_and_in_each_folder(root: Path, tmp_path: Path) -> None:
    first = fingerprint(whole(root), "base")
    shutil.copytree(root, tmp_path / "elsewhere", symlinks=True)

    assert len(bytes.fromhex(first)) == 32
    assert fingerprint(whole(root), "base") == first
    assert fingerprint(whole(tmp_path / "elsewhere"), "base") == first


@pytest.mark.parametrize(
    "source",
    [
        TINY,
        msgspec.structs.replace(DEBIAN, suite="trixie"),
        msgspec.structs.replace(DEBIAN, packages=("nginx",)),
        msgspec.structs.replace(DEBIAN, size="5GiB"),
        msgspec.structs.replace(DEBIAN, components=("main", "contrib")),
    ],
    ids=["flavour", "suite", "packages", "size", "components"],
)
def test_it_changes_with_the_source(root: Path, source: Bootstrap) -> None:
    assert fingerprint(project(root, source), "base") != fingerprint(project(root), "base")


def relink(root: Path) -> None:
    link = root / "files" / "deep" / "link"
    link.unlink()
    link.symlink_to("../b.txt")


EDITS: dict[str, Callable[[Path], object]] = {
    "the script": lambda root: (root / "setup.sh").write_text("echo two\n"),
    "the script goes": lambda root: (root / "setup.sh").unlink(),
    "a file": lambda root: (root / "files" / "a.txt").write_text("b"),
    "a mode": lambda root: (root / "files" / "a.txt").chmod(0o755),
    "a new empty folder": lambda root: (root / "files" / "new").mkdir(),
    "a new name": lambda root: (root / "files" / "a.txt").rename(root / "files" / "b.txt"),
    "where a link leads": relink,
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_it_changes_with_every_file_that_a_provisioner_names(
    root: Path, edit: Callable[[Path], object]
) -> None:
    before = fingerprint(whole(root), "base")
    edit(root)
    assert fingerprint(whole(root), "base") != before


def test_it_does_not_change_with_what_no_provisioner_names(root: Path) -> None:
    before = fingerprint(whole(root), "base")
    (root / "README").write_text("nobody reads me")
    (root / "files" / "a.txt").touch()
    assert fingerprint(whole(root), "base") == before


def test_it_changes_with_a_provisioner_and_with_their_order(root: Path) -> None:
    one, two = Provision(shell="true"), Provision(shell="false")
    seen = {
        fingerprint(project(root, DEBIAN, *provisioners), "base")
        for provisioners in [(), (one,), (two,), (one, two), (two, one)]
    }
    assert len(seen) == 5


def test_it_changes_with_the_recipe(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {source.flavour: fingerprint(project(root, source), "base") for source in (TINY, DEBIAN)}
    copy = tmp_path / "recipes"
    shutil.copytree(recipe.RECIPES, copy)
    monkeypatch.setattr(recipe, "RECIPES", copy)
    assert fingerprint(project(root, TINY), "base") == before["tiny"]
    hook = copy / "tiny" / "hook.sh"
    hook.write_text(hook.read_text() + "# more\n")

    assert fingerprint(project(root, TINY), "base") != before["tiny"]
    assert fingerprint(project(root, DEBIAN), "base") == before["debian"], "that recipe did not change"


def test_it_changes_with_the_way_boxes_are_made(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(project(root), "base")
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    assert fingerprint(project(root), "base") != before


def test_a_build_that_is_not_there_is_an_error_that_names_those_that_are(root: Path) -> None:
    with pytest.raises(NotFoundError, match="no build 'top'") as caught:
        fingerprint(project(root), "top")
    assert "base" in caught.value.problem.why


TEMPLATE = """
source "null" "here" { communicator = "none" }
build {
  sources = ["null.here"]
  provisioner "shell" { script = "${path.root}/setup.sh" }
  provisioner "file" {
    source      = "files"
    destination = "/srv"
  }
  post-processor "compress" { output = "made/out.gz" }
}
"""


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("setup.sh", True),
        ("files/a.txt", True),
        ("t.pkr.hcl", True),
        ("other.txt", False),
        ("made/out.gz", False),
    ],
)
def test_a_template_counts_with_the_files_that_it_reads(root: Path, file: str, counts: bool) -> None:
    (root / "t.pkr.hcl").write_text(TEMPLATE)
    (root / "other.txt").write_text("")
    (root / "made").mkdir()
    (root / "made/out.gz").write_text("")
    builds = {"base": BuildSpec(template="t.pkr.hcl")}
    shop = Project(root=str(root), file=str(root / "boxwright.toml"), name="shop", builds=builds)
    before = fingerprint(shop, "base")
    assert fingerprint(shop, "base") == before
    (root / file).write_text((root / file).read_text() + "\n# changed\n")
    assert (fingerprint(shop, "base") != before) is counts
