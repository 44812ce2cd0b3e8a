"""Whole builds of guests of a few bytes: where their images come from, and all that becomes of them."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.builds import kept
from core.builds.asking import Question
from core.builds.base import Request
from core.builds.undo import remove_kept
from core.errors import BoxwrightError, NotFoundError
from core.guests.errors import GuestSilentError
from core.model.work import Work
from core.providers.firmware import VARIABLES
from tests.builds.test_process import alive
from tests.builds.yard import Yard
from tests.support import bootsector, efi_program

pytestmark = pytest.mark.real


def template(image: str, checksum: str, more: str = "", steps: str = "") -> str:
    return f"""
        source "qemu" "small" {{
          iso_url          = {json.dumps(image)}
          iso_checksum     = {json.dumps(checksum)}
          disk_image       = true
          skip_resize_disk = true
          communicator     = "none"
          memory           = 64
          format           = "raw"
          shutdown_timeout = "1s"
          output_directory = "out"
          {more}
        }}
        build {{
          sources = ["qemu.small"]
          {steps}
        }}"""


class Served:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        asked = self.asked

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_request(self, code: object = "-", size: object = "-") -> None:
                asked.append(self.path)

        handler = functools.partial(Handler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A web server with an image and the list of its checksum."""
    folder = tmp_path / "www"
    folder.mkdir()
    image = bootsector.write_disk(folder / "small.img")
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  other.img\n{digest} *small.img\n")
    found = Served(folder)
    thread = threading.Thread(target=found.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


async def test_an_image_is_fetched_once_and_checked_against_a_list_of_checksums(
    yard: Yard, served: Served
) -> None:
    url = f"{served.url}/small.img"
    yard.write("a.pkr.hcl", template(url, f"file:{served.url}/SHA256SUMS"))
    await yard.build()
    assert (yard.folder / "out/packer-small").read_bytes() == (served.folder / "small.img").read_bytes()
    assert served.asked == ["/SHA256SUMS", "/small.img"]
    await yard.build()
    assert yard.work.states["qemu.small"] == "cached"
    await yard.build(request=Request(force=True, no_cache=True))
    assert served.asked[2:] == ["/SHA256SUMS"], "the image is here already"

    yard.write("a.pkr.hcl", template(url, f"file:{served.url}/SHA256SUMS").replace('"out"', '"more"'))
    (served.folder / "SHA256SUMS").write_text(f"{'0' * 64}  other.img\n{'1' * 64}  another.img\n")
    with pytest.raises(NotFoundError, match=r"does not name small\.img"):
        await yard.build(request=Request(no_cache=True))
    assert await yard.left() == [] and not (yard.folder / "more").exists()


async def test_without_a_checksum_whatever_is_there_is_taken_and_with_a_wrong_one_nothing(
    yard: Yard, served: Served
) -> None:
    url = f"{served.url}/small.img"
    yard.write("a.pkr.hcl", template(url, f"sha256:{'1' * 64}"))
    with pytest.raises(BoxwrightError, match="checksum") as caught:
        await yard.build()
    assert f"sha256:{'1' * 64}" in caught.value.problem.why
    assert await yard.left() == [] and not (yard.folder / "out").exists()
    kept = [path for path in yard.locations.downloads.rglob("*") if path.is_file()]
    assert not [path for path in kept if path.stat().st_size >= bootsector.SIZE], (
        "the wrong image is not kept"
    )
    yard.write("a.pkr.hcl", template(url, "none"))
    await yard.build()
    assert (yard.folder / "out/packer-small").stat().st_size == bootsector.SIZE


async def test_a_machine_that_never_answers_is_left_or_asked_about_as_one_whose_step_failed_is(
    yard: Yard, served: Served
) -> None:
    more = 'ssh_username = "nobody"\n ssh_timeout = "1s"'
    text = template(f"file://{served.folder}/small.img", "none", more)
    yard.write("a.pkr.hcl", text.replace('"none"\n          memory', '"ssh"\n          memory'))
    home = yard.locations.data.parent
    with pytest.raises(GuestSilentError):
        await yard.build()
    assert await yard.left() == [] and alive(home) == []
    with pytest.raises(BoxwrightError, match="did not answer") as caught:
        await yard.build(request=Request(on_error="abort"))
    assert "was left as it is" in caught.value.problem.why
    await yard.work.undo()
    assert alive(home) and len(kept.folders(yard.locations.builds)) == 1
    assert await remove_kept(yard.locations.builds) == 1
    asked: list[Question] = []

    async def ask(question: Question, work: Work) -> str:
        asked.append(question)
        return "clean"

    with pytest.raises(GuestSilentError):
        await yard.build(request=Request(on_error="ask"), ask=ask)
    assert [set(one.answers) for one in asked] == [{"keep", "clean", "abort"}]
    assert await yard.left() == [] and alive(home) == []


async def test_further_disks_are_in_the_artifact_and_in_the_box(yard: Yard, served: Served) -> None:
    more = 'disk_additional_size = ["2M", "3M"]\n vm_name = "three"'
    steps = """
        post-processor "vagrant" {
          output              = "three.box"
          keep_input_artifact = true
        }"""
    yard.write("a.pkr.hcl", template(f"file://{served.folder}/small.img", "none", more, steps))
    await yard.build()
    sizes = {path.name: path.stat().st_size for path in (yard.folder / "out").iterdir()}
    assert sizes == {"three": bootsector.SIZE, "three-1": 2 << 20, "three-2": 3 << 20}
    with tarfile.open(yard.folder / "three.box") as box:
        metadata = box.extractfile("metadata.json")
        assert metadata is not None
        said = json.load(metadata)
        names = box.getnames()
    assert [disk["path"] for disk in said["disks"]] == ["disk1.img", "disk2.img", "disk3.img"]
    assert set(names) >= {"disk1.img", "disk2.img", "disk3.img"}


async def test_what_the_firmware_remembers_is_in_the_artifact_and_in_the_box(
    yard: Yard, tmp_path: Path
) -> None:
    """The guest itself is UEFI's: it sets a variable, and powers off."""
    image = efi_program.write_disk(tmp_path / "efi.img")
    more = 'efi_boot = true\n shutdown_timeout = "2m"'
    steps = """
        post-processor "vagrant" {
          output              = "uefi.box"
          keep_input_artifact = true
        }
        post-processor "box" {}"""
    text = template(str(image), "none", "", steps).replace('shutdown_timeout = "1s"', more)
    yard.write("a.pkr.hcl", text.replace("memory           = 64", "memory = 128"))
    await yard.build()
    written = (yard.folder / "out" / VARIABLES).read_bytes()
    assert efi_program.NAME in written
    with tarfile.open(yard.folder / "uefi.box") as packed:
        inside = packed.extractfile(VARIABLES)
        assert inside is not None and inside.read() == written
        assert [name for name in packed.getnames() if name.endswith(".img")] == ["box.img"]
    (box,) = yard.store.list()
    assert box.firmware == "uefi" and len(box.disks) == 1
    assert Path(box.files[VARIABLES]).read_bytes() == written
    assert await yard.left() == [] and alive(tmp_path) == []


def test_a_machine_begins_with_the_variables_of_its_box_where_they_fit(tmp_path: Path) -> None:
    from core.providers.firmware import Firmware, variables_of

    for name, size in (("template", 64), ("own", 64), ("other", 32)):
        (tmp_path / name).write_bytes(bytes(size))
    found = Firmware(tmp_path / "code", tmp_path / "template")
    assert variables_of({VARIABLES: str(tmp_path / "own")}, found) == tmp_path / "own"
    assert variables_of({VARIABLES: str(tmp_path / "other")}, found) == tmp_path / "template"
    assert variables_of({}, found) == tmp_path / "template"


async def test_a_firmware_that_is_one_image_boots_the_guest(yard: Yard, tmp_path: Path) -> None:
    """It ends by itself, which only UEFI's program can."""
    image = efi_program.write_disk(tmp_path / "efi.img")
    more = 'firmware = "/usr/share/ovmf/OVMF.fd"\n cores = 2\n cpus = 2\n shutdown_timeout = "2m"'
    text = template(str(image), "none", "", 'post-processor "box" {}').replace(
        'shutdown_timeout = "1s"', more
    )
    yard.write("a.pkr.hcl", text.replace("memory           = 64", "memory = 128"))
    await yard.build()
    assert not [note for note in yard.work.notes if "by force" in note]
    (box,) = yard.store.list()
    assert box.firmware == "uefi" and VARIABLES not in box.files
