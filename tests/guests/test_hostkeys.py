"""Host keys are pinned in OpenSSH's format, and read from whatever the file holds."""

from __future__ import annotations

import base64
import stat
import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.guests.hostkeys import changed, fingerprint, pin, pinned, write_private
from tests.support.sshd import make_key


def blob_of(public: Path) -> tuple[str, bytes]:
    algorithm, text = public.read_text().split()[:2]
    return algorithm, base64.b64decode(text)


def test_a_pinned_key_is_read_again_and_openssh_finds_it_for_any_address(tmp_path: Path) -> None:
    key = blob_of(make_key(tmp_path / "key").with_name("key.pub"))
    known = tmp_path / "folder" / "known_hosts"
    pin(known, *key)
    assert pinned(known) == (key,)
    assert stat.S_IMODE(known.stat().st_mode) == 0o600
    assert [path.name for path in known.parent.iterdir()] == ["known_hosts"]
    found = subprocess.run(
        ["ssh-keygen", "-F", "[127.0.0.1]:2222", "-f", str(known)], capture_output=True, timeout=20
    )
    assert key[0].encode() in found.stdout


def test_a_new_pin_replaces_the_old_one(tmp_path: Path) -> None:
    first = blob_of(make_key(tmp_path / "a").with_name("a.pub"))
    second = blob_of(make_key(tmp_path / "b", "ecdsa").with_name("b.pub"))
    known = tmp_path / "known_hosts"
    pin(known, *first)
    pin(known, *second)
    assert pinned(known) == (second,)


def test_fingerprints_are_those_of_openssh(tmp_path: Path) -> None:
    public = make_key(tmp_path / "key").with_name("key.pub")
    said = subprocess.run(["ssh-keygen", "-lf", str(public)], capture_output=True, text=True, timeout=20)
    assert fingerprint(blob_of(public)[1]) == said.stdout.split()[1]


def test_a_changed_key_says_what_it_means_and_what_mends_it(tmp_path: Path) -> None:
    old = blob_of(make_key(tmp_path / "a").with_name("a.pub"))
    new = blob_of(make_key(tmp_path / "b").with_name("b.pub"))
    known = tmp_path / "known hosts"
    pin(known, *old)
    problem = changed(known, *new).problem
    assert fingerprint(old[1]) in problem.why
    assert fingerprint(new[1]) in problem.why
    command = problem.remedy.split(": ", 1)[1]
    subprocess.run(["sh", "-c", command], check=True, timeout=20)
    assert pinned(known) == ()


def test_no_file_means_no_pin(tmp_path: Path) -> None:
    assert pinned("") == ()
    assert pinned(tmp_path / "nothing") == ()


@given(st.binary(max_size=400))
def test_any_bytes_in_the_file_are_survived(tmp_path_factory: object, data: bytes) -> None:
    path = Path(tmp_path_factory.getbasetemp()) / "any"  # type: ignore[attr-defined]
    path.write_bytes(data)
    for algorithm, blob in pinned(path):
        assert algorithm.encode() in blob


@given(st.binary(max_size=40), st.integers(0, 2**32 - 1))
def test_a_line_whose_blob_is_of_another_kind_is_no_pin(
    tmp_path_factory: object, rest: bytes, length: int
) -> None:
    path = Path(tmp_path_factory.getbasetemp()) / "kinds"  # type: ignore[attr-defined]
    blob = base64.b64encode(length.to_bytes(4, "big") + b"ssh-rsa" + rest)
    path.write_bytes(b"* ssh-ed25519 " + blob + b"\n")
    assert pinned(path) == ()


def test_a_private_file_is_never_readable_by_others(tmp_path: Path) -> None:
    target = tmp_path / "secret"
    target.write_text("old")
    target.chmod(0o644)
    write_private(target, b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
