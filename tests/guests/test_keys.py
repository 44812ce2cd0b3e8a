"""Keys of machines, and the replacement of the well-known ones."""

from __future__ import annotations

import asyncio
import stat
import subprocess
from pathlib import Path

import msgspec
import pytest

from core.guests import insecure, keys, replacement
from core.guests.errors import GuestError, KeyRefusedError
from core.guests.replacement import replace_key
from core.guests.ssh import SshGuest, connect
from tests.support.sshd import Sshd, make_key
from tests.support.work import RecordingWork


def public_of(private: Path) -> str:
    said = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(private)], capture_output=True, text=True, timeout=20
    )
    return " ".join(said.stdout.split()[:2])


def test_the_well_known_pairs_belong_together(tmp_path: Path) -> None:
    paths = keys.insecure_keys(tmp_path)
    assert {public_of(path) for path in paths} == {
        " ".join(line.split()[:2]) for line in insecure.PUBLIC_KEYS
    }
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in paths)
    assert all(keys.is_insecure(path) for path in paths)


def test_a_damaged_copy_of_a_well_known_key_is_written_again(tmp_path: Path) -> None:
    first = keys.insecure_keys(tmp_path)[0]
    good = first.read_text()
    first.write_text("broken")
    keys.insecure_keys(tmp_path)
    assert first.read_text() == good


def test_a_machine_gets_a_key_of_its_own_once(tmp_path: Path) -> None:
    path, line = keys.make_machine_key(tmp_path / "a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public_of(path) == " ".join(line.split()[:2])
    assert path.with_name("id_ed25519.pub").read_text().strip() == line
    assert not keys.is_insecure(path)
    assert keys.make_machine_key(tmp_path / "a") == (path, line)
    assert keys.make_machine_key(tmp_path / "b")[1] != line


def test_what_a_login_tries_and_in_which_order(tmp_path: Path) -> None:
    known = tuple(str(path) for path in keys.insecure_keys(tmp_path))
    assert keys.login_identities(tmp_path) == known
    assert keys.login_identities(tmp_path, identity="/box/key") == ("/box/key",)
    own = str(keys.make_machine_key(tmp_path)[0])
    assert keys.login_identities(tmp_path) == (own, *known)
    assert keys.login_identities(tmp_path, identity=own) == (own,)


@pytest.fixture
def folder(tmp_path: Path, sshd: Sshd) -> Path:
    """The folder of a machine whose guest is fresh: it knows the well-known keys, and one more."""
    extra = make_key(tmp_path / "colleague").with_name("colleague.pub").read_text()
    sshd.authorize("# keys", *insecure.PUBLIC_KEYS, extra)
    return tmp_path / "machine"


async def login(sshd: Sshd, folder: Path) -> SshGuest:
    return await connect(sshd.endpoint, identities=keys.login_identities(folder))


async def test_the_well_known_keys_go_and_the_others_stay(sshd: Sshd, folder: Path, tmp_path: Path) -> None:
    guest = await login(sshd, folder)
    assert keys.is_insecure(guest.identity)
    fresh = await replace_key(guest, folder, work=RecordingWork())
    assert fresh.endpoint.identity == fresh.identity == str(folder / "id_ed25519")
    assert not guest.alive
    assert (await fresh.run("true")).status == 0
    lines = sshd.authorized()
    assert len(lines) == 3
    assert lines[0] == "# keys"
    assert lines[1] == (tmp_path / "colleague.pub").read_text().strip()
    assert lines[2] == (folder / "id_ed25519.pub").read_text().strip()
    assert stat.S_IMODE(sshd.authorized_keys.stat().st_mode) == 0o600
    assert [path.name for path in sshd.authorized_keys.parent.iterdir()] == ["authorized_keys"]
    with pytest.raises(KeyRefusedError):
        await connect(sshd.endpoint, identities=[str(path) for path in keys.insecure_keys(folder)])
    await fresh.close()


async def test_a_last_line_without_its_end_is_not_joined_with_the_new_key(sshd: Sshd, folder: Path) -> None:
    sshd.authorized_keys.write_text(insecure.RSA_PUBLIC)
    fresh = await replace_key(await login(sshd, folder), folder, work=RecordingWork())
    assert len(sshd.authorized()) == 1
    await fresh.close()


async def test_a_link_stays_a_link(sshd: Sshd, folder: Path) -> None:
    real = sshd.home / "keys"
    sshd.authorized_keys.rename(real)
    sshd.authorized_keys.symlink_to(real)
    fresh = await replace_key(await login(sshd, folder), folder, work=RecordingWork())
    assert sshd.authorized_keys.is_symlink()
    assert insecure.RSA_PUBLIC not in real.read_text()
    await fresh.close()


async def test_a_guest_that_does_not_take_the_new_key_keeps_the_old_one(sshd: Sshd, folder: Path) -> None:
    """Its sshd reads another file than the one that everybody expects."""
    sshd.stop()
    other = sshd.folder / "elsewhere"
    other.write_text(sshd.authorized_keys.read_text())
    sshd.first = f"AuthorizedKeysFile {other}"
    await sshd.started()
    guest = await login(sshd, folder)
    with pytest.raises(GuestError, match="does not accept the machine's new key") as caught:
        await replace_key(guest, folder, work=RecordingWork())
    assert "replace_key = false" in caught.value.problem.remedy
    assert guest.alive
    assert insecure.RSA_PUBLIC in sshd.authorized()
    again = await login(sshd, folder)
    await again.close()
    await guest.close()


async def test_a_server_that_drops_connections_at_first_is_asked_again(sshd: Sshd, folder: Path) -> None:
    came = 0
    there = (sshd.endpoint.host, sshd.endpoint.port)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        came += 1
        if came in (2, 3):
            writer.close()
            return
        theirs, ours = await asyncio.open_connection(*there)
        await asyncio.gather(carry(reader, ours), carry(theirs, writer))

    async with await asyncio.start_server(let_in, "127.0.0.1", 0) as door:
        port = door.sockets[0].getsockname()[1]
        endpoint = msgspec.structs.replace(sshd.endpoint, host="127.0.0.1", port=port)
        guest = await connect(endpoint, identities=keys.login_identities(folder))
        fresh = await replace_key(guest, folder, work=RecordingWork())
        assert came == 4
        assert (await fresh.run("true")).status == 0
        await fresh.close()


@pytest.mark.parametrize("step", ["add the new key", "connect", "remove the well-known key"])
@pytest.mark.parametrize("after", [False, True])
async def test_cut_short_anywhere_the_next_attempt_succeeds(
    sshd: Sshd, folder: Path, step: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the engine was killed before or after each of the three steps."""
    edit, joining = replacement._edit, replacement.connect

    async def cut_edit(guest: SshGuest, text: str, purpose: str) -> None:
        if purpose == step and not after:
            raise asyncio.CancelledError
        await edit(guest, text, purpose)
        if purpose == step:
            raise asyncio.CancelledError

    async def cut_connect(*args: object, **options: object) -> SshGuest:
        if step == "connect" and not after:
            raise asyncio.CancelledError
        fresh = await joining(*args, **options)  # type: ignore[arg-type]
        if step == "connect":
            raise asyncio.CancelledError
        return fresh

    with monkeypatch.context() as patched:
        patched.setattr(replacement, "_edit", cut_edit)
        patched.setattr(replacement, "connect", cut_connect)
        guest = await login(sshd, folder)
        with pytest.raises(asyncio.CancelledError):
            await replace_key(guest, folder, work=RecordingWork())
        await guest.close()

    guest = await login(sshd, folder)
    assert keys.is_insecure(guest.identity), "it is known that this is still to be done"
    fresh = await replace_key(guest, folder, work=RecordingWork())
    assert not keys.is_insecure(fresh.identity)
    own = (folder / "id_ed25519.pub").read_text().strip()
    assert sshd.authorized().count(own) == 1
    assert not set(insecure.PUBLIC_KEYS) & set(sshd.authorized())
    await fresh.close()


async def test_a_full_disk_leaves_the_guest_as_it_was(sshd: Sshd, folder: Path) -> None:
    before = sshd.authorized()
    guest = await login(sshd, folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(replacement, "_ADD", 'echo "No space left on device" >&2; exit 1')
        with pytest.raises(GuestError, match="Could not add the new key") as caught:
            await replace_key(guest, folder, work=RecordingWork())
    assert "No space left" in caught.value.problem.why
    assert sshd.authorized() == before
    await guest.close()
