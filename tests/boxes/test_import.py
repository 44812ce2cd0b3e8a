"""The boxes of an existing Vagrant come over, as many as can be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.boxes import actions
from core.boxes.store import BoxStore
from core.errors import NotFoundError
from core.model.command import ImportBoxes
from tests.boxes.making import backed, metadata, qcow2
from tests.support.work import RecordingWork


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Vagrant's folder with old and new layouts."""
    home = tmp_path / "vagrant.d"

    def put(place: str, **files: bytes) -> None:
        folder = home / "boxes" / place
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name.replace("_", ".")).write_bytes(content)

    good = {"metadata_json": metadata(), "box_img": qcow2()}
    put("debian-VAGRANTSLASH-bookworm64/12.1/libvirt", **good, Vagrantfile=b'config.ssh.username = "debian"')
    put("debian-VAGRANTSLASH-bookworm64/12.2/amd64/libvirt", **good)
    put("debian-VAGRANTSLASH-bookworm64/12.2/amd64/virtualbox", metadata_json=b"{}")
    (home / "boxes/debian-VAGRANTSLASH-bookworm64/metadata_url").write_text("https://h/debian/bookworm64")
    put("local-VAGRANTCOLON-x/0/libvirt", **good)
    put("bad/0/libvirt", metadata_json=metadata(), box_img=backed())
    put("empty/0/libvirt")
    put("odd/newest/libvirt", **good)
    put("linked/0/libvirt", metadata_json=metadata())
    (home / "boxes/linked/0/libvirt/box.img").symlink_to("/etc/passwd")
    (home / "boxes/stray file").write_text("")
    return home


async def test_import(store: BoxStore, work: RecordingWork, home: Path) -> None:
    async def run() -> dict[str, Any]:
        command = ImportBoxes(folder=str(home))
        return await actions.import_boxes(store, command, providers=(), linked={}, work=work)

    before = sorted((path, path.lstat().st_mtime_ns) for path in home.rglob("*"))
    result = await run()
    assert result["imported"] == [
        "debian/bookworm64 12.1 (libvirt)",
        "debian/bookworm64 12.2 (libvirt, amd64)",
        "local:x 0 (libvirt)",
    ]
    other = "it is for virtualbox, whose machines cannot be run here"
    assert {each["box"]: each["why"] for each in result["skipped"]} == {
        "bad 0 (libvirt)": "The disk 'box.img' names a backing file: it is refused.",
        "debian/bookworm64 12.2 (virtualbox, amd64)": other,
        "empty 0 (libvirt)": "The box has no metadata.json.",
        "linked 0 (libvirt)": "'box.img' is no plain file.",
        "odd newest (libvirt)": "'newest' is not a version.",
    }
    assert sorted((path, path.lstat().st_mtime_ns) for path in home.rglob("*")) == before
    old = store.find("debian/bookworm64", "12.1")
    assert old and (old.user, old.catalogue) == ("debian", "https://h/debian/bookworm64")
    assert Path(old.disks[0].path).read_bytes() == qcow2()
    again = await run()
    assert again["imported"] == []
    assert sum(each["why"] == "it is in the store already" for each in again["skipped"]) == 3


async def test_no_vagrant(store: BoxStore, work: RecordingWork, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no boxes of Vagrant") as caught:
        command = ImportBoxes(folder=str(tmp_path / "nothing"))
        await actions.import_boxes(store, command, providers=(), linked={}, work=work)
    assert "boxwright box import" in caught.value.problem.remedy
