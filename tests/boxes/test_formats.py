"""What is inside a box is understood as Vagrant's libvirt plugin does, and nothing is believed blindly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.boxes import embedded
from core.boxes.disk_images import inspect
from core.boxes.embedded import Embedded
from core.boxes.formats import Provides, describe, name_from
from core.boxes.limits import Limits
from core.boxes.staging import Staging
from core.errors import BoxwrightError, ProviderError
from tests.boxes.making import backed, metadata, qcow2


def described(
    folder: Path,
    files: dict[str, bytes],
    wanted: tuple[str, ...] = ("qemu", "libvirt"),
    *,
    explicit: bool = False,
) -> Provides:
    staging = Staging(folder / "staging")
    staging.make()
    try:
        for name, content in files.items():
            with staging.sink(name) as sink:
                sink.write(content)
                sink.finish()
        return describe(staging, wanted, Limits(), explicit=explicit)
    finally:
        staging.close()


def test_format_1_of_libvirt(tmp_path: Path) -> None:
    found = described(tmp_path, {"metadata.json": metadata(virtual_size=2), "box.img": qcow2(2 << 30)})
    (disk,) = found.disks
    assert (found.provider, disk.path, disk.format, disk.size) == ("libvirt", "box.img", "qcow2", 2 << 30)


def test_format_2_of_libvirt(tmp_path: Path) -> None:
    disks = [
        {"path": "a.img", "name": "root", "format": "qcow2"},
        {"path": "b.img", "format": "raw"},
        {"path": "c"},
    ]
    files = {"a.img": qcow2(1 << 33), "b.img": bytes(4096), "c": qcow2()}
    found = described(tmp_path, {"metadata.json": metadata(disks=disks), **files})
    assert [(disk.path, disk.format, disk.size, disk.name) for disk in found.disks] == [
        ("a.img", "qcow2", 1 << 33, "root"),
        ("b.img", "raw", 4096, ""),
        ("c", "qcow2", 1 << 20, ""),
    ]


def test_our_own_table_and_the_files_beside(tmp_path: Path) -> None:
    ours = {"user": "admin", "firmware": "uefi", "architecture": "amd64", "fingerprint": "f"}
    found = described(
        tmp_path,
        {
            "metadata.json": metadata(boxwright=ours),
            "box.img": qcow2(),
            "info.json": b'{"description": "what it is", "author": "me"}',
            "Vagrantfile": b'config.ssh.username = "other"',
            "vagrant_private_key": b"key",
        },
    )
    assert (found.user, found.firmware, found.architecture, found.fingerprint) == (
        "admin",
        "uefi",
        "amd64",
        "f",
    )
    assert (found.identity, found.description) == ("vagrant_private_key", "what it is")
    assert found.metadata["boxwright"] == ours


BROKEN = {
    "no metadata": ({"box.img": qcow2()}, "no metadata.json"),
    "no JSON": ({"metadata.json": b"provider: libvirt"}, "cannot be understood"),
    "a list": ({"metadata.json": b"[]"}, "cannot be understood"),
    "wrong types": ({"metadata.json": b'{"provider": 3}'}, "cannot be understood"),
    "no UTF-8": ({"metadata.json": b'{"provider": "\xff"}'}, "cannot be understood"),
    "no provider": ({"metadata.json": b"{}"}, "names no provider"),
    "no disk": ({"metadata.json": metadata()}, "lacks its disk 'box.img'"),
    "empty list of disks": ({"metadata.json": metadata(disks=[])}, "'disks' in metadata.json is empty"),
    "a disk elsewhere": ({"metadata.json": metadata(disks=[{"path": "/etc/shadow"}])}, "absolute path"),
    "a disk above": ({"metadata.json": metadata(disks=[{"path": "../x"}])}, "'..'"),
    "a disk twice": (
        {"metadata.json": metadata(disks=[{"path": "a"}, {"path": "./a"}]), "a": qcow2()},
        "named twice",
    ),
    "the wrong format": ({"metadata.json": metadata(), "box.img": b"raw" * 999}, "is raw, not qcow2"),
    "qcow2 said to be raw": (
        {"metadata.json": metadata(format="raw"), "box.img": qcow2()},
        "is qcow2, not raw",
    ),
    "vmdk": ({"metadata.json": metadata(format="vmdk"), "box.img": b"KDMV" + bytes(600)}, "format vmdk"),
    "vmdk in disguise": (
        {"metadata.json": metadata(format=None), "box.img": b"KDMV" + bytes(600)},
        "format vmdk",
    ),
    "a backing file": ({"metadata.json": metadata(), "box.img": backed()}, "names a backing file"),
    "a data file": ({"metadata.json": metadata(), "box.img": backed(data_file=True)}, "names a data file"),
    "a data file's name": (
        {"metadata.json": metadata(), "box.img": backed(extension=True)},
        "names a data file",
    ),
    "encrypted": (
        {"metadata.json": metadata(), "box.img": qcow2()[:32] + b"\0\0\0\2" + qcow2()[36:]},
        "is encrypted",
    ),
    "half a header": ({"metadata.json": metadata(), "box.img": qcow2()[:50]}, "is damaged"),
    "version 9": ({"metadata.json": metadata(), "box.img": b"QFI\xfb\0\0\0\x09" + qcow2()[8:]}, "is damaged"),
}


@pytest.mark.parametrize(("files", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_not_right_is_said(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    with pytest.raises(BoxwrightError, match=message) as caught:
        described(tmp_path, files)
    assert caught.value.problem.remedy


def test_an_ova_is_a_box_of_virtualbox(tmp_path: Path) -> None:
    files = {"some.ovf": b"<xml/>", "some-disk001.vmdk": b"KDMV"}
    found = described(tmp_path, files, ("virtualbox",), explicit=True)
    assert (found.provider, found.metadata, found.disks) == ("virtualbox", {"provider": "virtualbox"}, ())
    with pytest.raises(ProviderError, match="for 'virtualbox'"):
        described(tmp_path, files)


def test_a_box_for_another_provider(tmp_path: Path) -> None:
    files = {"metadata.json": b'{"provider": "virtualbox"}', "box.ovf": b"<xml/>"}
    with pytest.raises(ProviderError, match="for 'virtualbox', not for qemu or libvirt"):
        described(tmp_path, files)
    found = described(tmp_path, files, ("virtualbox",), explicit=True)
    assert (found.provider, found.disks) == ("virtualbox", ())
    with pytest.raises(ProviderError, match="for 'virtualbox', not for docker"):
        described(tmp_path, files, ("docker",), explicit=True)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ),
    st.sampled_from(["provider", "disks", "virtual_size", "format", "boxwright", "architecture"]),
)
def test_any_json_is_metadata_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, value: object, key: str
) -> None:
    folder = tmp_path_factory.mktemp("box")
    for document in (value, {"provider": "libvirt", "format": "qcow2", key: value}):
        files = {"metadata.json": json.dumps(document).encode(), "box.img": qcow2()}
        try:
            found = described(folder, files)
        except BoxwrightError as error:
            assert error.problem.what
        else:
            assert found.provider in ("libvirt", "qemu") and found.disks


@given(st.binary(max_size=600), st.booleans())
def test_any_bytes_are_an_image_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, magic: bool
) -> None:
    path = tmp_path_factory.mktemp("disk") / "disk"
    path.write_bytes(b"QFI\xfb\0\0\0\x03" * magic + data)
    for declared in ("", "qcow2", "raw"):
        try:
            inspect(path, declared=declared)
        except BoxwrightError as error:
            assert error.problem.what


@pytest.mark.real
def test_images_of_the_real_qemu(tmp_path: Path) -> None:
    import subprocess

    def image(name: str, *options: str) -> Path:
        path = tmp_path / name
        subprocess.run(["qemu-img", "create", "-q", *options, path, "5G"], check=True, timeout=60)
        return path

    for version in ("0.10", "1.1"):
        found = inspect(image("plain", "-f", "qcow2", "-o", f"compat={version}"))
        assert (found.format, found.size) == ("qcow2", 5 << 30)
    assert inspect(image("raw", "-f", "raw")).size == 5 << 30
    dangerous = {
        "a backing file": ("-f", "qcow2", "-b", "raw", "-F", "raw"),
        "a data file": ("-f", "qcow2", "-o", f"data_file={tmp_path}/data,data_file_raw=on"),
        "format vmdk": ("-f", "vmdk"),
        "format vdi": ("-f", "vdi"),
    }
    for message, options in dangerous.items():
        with pytest.raises(BoxwrightError, match=message):
            inspect(image("dangerous", *options))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Vagrant.configure("2") do |config|\n  config.ssh.username = "me"\nend', Embedded(user="me")),
        ("config.ssh.username = 'me' # mine", Embedded(user="me")),
        ('# config.ssh.username = "me"', Embedded()),
        ('config.ssh.username = ENV["USER"]', Embedded()),
        ('config.ssh.username = "a#{system(%q(id))}"', Embedded()),
        ('config.ssh.username = "-oProxyCommand=x"', Embedded()),
        ('config.ssh.password = "secret"', Embedded()),
        (
            'c.ssh.private_key_path = File.expand_path("../my_key", __FILE__)',
            Embedded(private_key="my_key"),
        ),
        (
            'c.ssh.private_key_path = [File.join(File.dirname(__FILE__), "my_key")]',
            Embedded(private_key="my_key"),
        ),
        ('c.ssh.private_key_path = "/root/.ssh/id_rsa"', Embedded()),
        ('  libvirt.loader = "/usr/share/OVMF/OVMF_CODE.fd"', Embedded(uefi=True)),
        ('  libvirt.loader = "/usr/share/qemu/bios.bin"', Embedded()),
    ],
)
def test_plain_assignments_of_a_vagrantfile(text: str, expected: Embedded) -> None:
    assert embedded.read(text) == expected


@given(st.text())
def test_no_vagrantfile_is_too_strange(text: str) -> None:
    embedded.read(text)
    embedded.read(f"config.ssh.username = {text}")


def test_names_from_files() -> None:
    names = {"/a/tiny.box": "tiny", "x.tar.gz": "x", "http://h/p/deb.box?x=1": "deb", "/a/b": "b", "/": ""}
    assert {source: name_from(source) for source in names} == names
