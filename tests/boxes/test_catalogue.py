"""Catalogues: the newest fitting version is chosen, and where its archive lies is worked out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.boxes import catalogue as catalogues
from core.boxes import checksum
from core.boxes.catalogue import Catalogue, Offer
from core.errors import BoxwrightError, NotFoundError, UsageError


def offer(name: str = "libvirt", **more: Any) -> dict[str, Any]:
    return {"name": name, "url": f"{name}{more.get('architecture', '')}.box", **more}


def made(**versions: list[dict[str, Any]]) -> Catalogue:
    """Keyword ``v1_2`` stands for version 1.2."""
    document = {
        "name": "me/mine",
        "versions": [
            {"version": key[1:].replace("_", "."), "status": "active", "providers": offers}
            for key, offers in versions.items()
        ],
    }
    return catalogues.parse(json.dumps(document).encode(), "here")


def chosen(catalogue: Catalogue, constraint: str = "", *providers: str, architecture: str = "amd64") -> str:
    release, found = catalogue.choose(constraint, providers or ("qemu", "libvirt"), architecture)
    return f"{release.version} {found.url}"


def test_the_newest_version_that_is_there_for_a_wanted_provider() -> None:
    catalogue = made(
        v1_0=[offer()], v1_10=[offer(), offer("virtualbox")], v1_9=[offer()], v2_0=[offer("virtualbox")]
    )
    assert chosen(catalogue) == "1.10 libvirt.box"
    assert chosen(catalogue, "< 1.10") == "1.9 libvirt.box"
    assert chosen(catalogue, "", "virtualbox") == "2.0 virtualbox.box"
    assert chosen(catalogue, "", "docker", "virtualbox", "libvirt") == "2.0 virtualbox.box"


def test_architectures() -> None:
    both = made(v1=[offer(architecture="arm64"), offer(architecture="amd64", default_architecture=True)])
    assert chosen(both, architecture="amd64") == "1 libvirtamd64.box"
    assert chosen(both, architecture="x86_64") == "1 libvirtamd64.box"
    assert chosen(both, architecture="aarch64") == "1 libvirtarm64.box"
    assert chosen(both, architecture="any") == "1 libvirtamd64.box"
    silent = made(v1=[offer(architecture="unknown")], v0=[offer(architecture="amd64")])
    assert chosen(silent, architecture="amd64") == "1 libvirtunknown.box"
    only = made(v1=[offer(architecture="arm64")])
    with pytest.raises(NotFoundError, match="no box for qemu or libvirt on amd64") as caught:
        chosen(only)
    assert "libvirt (arm64)" in caught.value.problem.why
    assert chosen(only, architecture="any") == "1 libvirtarm64.box"


def test_what_is_not_there_is_said() -> None:
    catalogue = made(v1_0=[offer("virtualbox")], v2_0=[offer("virtualbox"), offer("hyperv")])
    with pytest.raises(NotFoundError, match="no box for qemu or libvirt") as caught:
        chosen(catalogue)
    assert "hyperv, virtualbox" in caught.value.problem.why
    with pytest.raises(NotFoundError, match="no version that satisfies '> 3'") as caught:
        chosen(catalogue, "> 3")
    assert "1.0, 2.0" in caught.value.problem.why
    with pytest.raises(UsageError):
        chosen(catalogue, "newest")


def test_revoked_and_impossible_versions_do_not_count() -> None:
    document = {
        "name": "a",
        "versions": [
            {"version": "3", "status": "revoked", "providers": [offer()]},
            {"version": "two", "providers": [offer()]},
            {"version": "2.0", "providers": None},
            {"version": "1", "providers": [offer(checksum=None, checksum_type="")]},
        ],
    }
    assert chosen(catalogues.parse(json.dumps(document).encode(), "here")) == "1 libvirt.box"


@pytest.mark.parametrize(
    ("catalogue", "url", "place"),
    [
        ("http://h/boxes/me.json", "me.box", "http://h/boxes/me.box"),
        ("http://h/boxes/me.json", "/x/me.box", "http://h/x/me.box"),
        ("https://h/me.json", "//other/me.box", "https://other/me.box"),
        ("http://h/me.json", "https://cdn/me.box?sig=1", "https://cdn/me.box?sig=1"),
        ("/a/b/me.json", "me.box", "/a/b/me.box"),
        ("/a/b/me.json", "../c/me.box", "/a/b/../c/me.box"),
        ("/a/b/me.json", "/x/me.box", "/x/me.box"),
        ("/a/b/me.json", "file:///x/with%20space.box", "/x/with space.box"),
        ("/a/b/me.json", "http://h/me.box", "http://h/me.box"),
    ],
)
def test_where_the_archive_lies(catalogue: str, url: str, place: str) -> None:
    assert catalogues.place_of(Offer("libvirt", url), catalogue) == place


@pytest.mark.parametrize("url", ["file:///etc/shadow", "ftp://h/x", "gopher:x", "file:x"])
def test_a_catalogue_from_the_network_names_no_files(url: str) -> None:
    with pytest.raises(BoxwrightError, match="names a file of this computer"):
        catalogues.place_of(Offer("libvirt", url), "https://h/me.json")


def test_files_of_other_computers() -> None:
    with pytest.raises(UsageError, match="another computer"):
        catalogues.local_path("file://server/share/x.box")
    assert catalogues.local_path("file://localhost/x.box") == Path("/x.box")


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256", "sha384", "sha512", "SHA-256"])
def test_kinds_of_checksums(kind: str) -> None:
    import hashlib

    digest = hashlib.new(kind.lower().replace("-", ""), b"content").hexdigest()
    for text in (f"{kind}:{digest}", digest, f"{kind}:{digest.upper()}"):
        both = checksum.ArchiveHash(checksum.parse(text))
        both.update(b"con")
        both.update(memoryview(b"tent"))
        both.check("it")
        both.update(b"!")
        with pytest.raises(BoxwrightError, match="checksum of it does not match") as caught:
            both.check("it")
        assert digest in caught.value.problem.why
    assert Offer("a", "b", checksum=digest, checksum_type=kind).expected == checksum.parse(digest)


@pytest.mark.parametrize("text", ["sha256:abc", "crc:00000000", "sha256:" + "g" * 64, "", ":", "hello"])
def test_what_is_no_checksum(text: str) -> None:
    with pytest.raises(UsageError):
        checksum.parse(text)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_a_catalogue_or_an_error(data: bytes) -> None:
    for document in (data, b'{"name": "a", "versions": ' + data + b"}"):
        try:
            catalogues.parse(document, "here")
        except BoxwrightError as error:
            assert "here" in error.problem.what


@given(
    st.lists(
        st.fixed_dictionaries({"version": st.text(max_size=6), "providers": st.just([offer()])}), max_size=4
    ),
    st.text(max_size=12),
    st.text(max_size=6),
)
def test_choosing_never_raises_anything_else(versions: list[Any], constraint: str, architecture: str) -> None:
    catalogue = catalogues.parse(json.dumps({"name": "a", "versions": versions}).encode(), "here")
    try:
        catalogue.choose(constraint, ("libvirt",), architecture)
    except BoxwrightError as error:
        assert error.problem.remedy


@given(st.text(max_size=40), st.sampled_from(["http://h/c.json", "/a/c.json"]))
def test_any_address_is_a_place_or_an_error(url: str, catalogue: str) -> None:
    try:
        place = catalogues.place_of(Offer("a", url), catalogue)
    except BoxwrightError:
        return
    assert place.startswith(("http://", "https://", "/"))
