"""Starting, replacing and ending engines: races, versions, failures, idleness."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core.client import connecting, launch
from core.client.blocking import BlockingClient
from core.client.connecting import connect
from core.engine.protocol import PROTOCOL
from core.errors import BoxwrightError, BusyError, UsageError
from core.model.command import Up
from core.model.query import EngineView, GetEngine
from core.paths import Locations
from tests.client.conftest import Gates
from tests.engine.fakes import key, locations
from tests.engine.processes import alive, eventually

CONNECT = """
import sys
from pathlib import Path
from core.client import launch
from core.client.blocking import BlockingClient
from core.model.query import EngineView, GetEngine
from core.paths import Locations
launch.MODULE = "tests.engine.fake_daemon"
sys.stdin.readline()
with BlockingClient.connect(Locations(data=Path(sys.argv[1]), runtime=Path(sys.argv[2]))) as client:
    print(client.pid)
"""


def test_front_ends_that_start_at_once_share_one_engine(where: Locations) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", CONNECT, str(where.data), str(where.runtime)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    pids = {racer.communicate(timeout=60)[0].strip() for racer in racers}
    assert [racer.returncode for racer in racers] == [0] * 4
    assert len(pids) == 1
    text = where.engine_log.read_text()
    assert text.count("engine started") == 1


def test_an_engine_that_cannot_start_says_why(where: Locations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXWRIGHT_IDLE_EXIT", "soon")
    with pytest.raises(BoxwrightError) as caught:
        BlockingClient.connect(where)
    assert "'soon', which is no number of seconds" in caught.value.problem.what
    assert caught.value.problem.remedy == "unset BOXWRIGHT_IDLE_EXIT"


def test_an_engine_that_cannot_even_be_imported_says_so(
    where: Locations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "MODULE", "core.engine.nowhere")
    with pytest.raises(BoxwrightError) as caught:
        BlockingClient.connect(where)
    assert "could not be started" in caught.value.problem.what
    assert "No module named core.engine.nowhere" in caught.value.problem.why


def test_an_engine_that_dies_at_start_shows_its_log(
    where: Locations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXWRIGHT_KILL_AT", "many")
    with pytest.raises(BoxwrightError) as caught:
        BlockingClient.connect(where)
    assert "invalid literal" in caught.value.problem.why
    assert len(caught.value.problem.tail) > 1, "the end of the traceback in its log"
    assert str(where.engine_log) in caught.value.problem.remedy


def test_a_damaged_journal_is_put_aside_with_a_word(where: Locations) -> None:
    where.prepare()
    where.journal.write_bytes(b"this is no database" * 1000)
    with BlockingClient.connect(where) as client:
        view = client.query(GetEngine())
    (kept,) = where.data.glob("journal.sqlite.damaged-*")
    assert isinstance(view, EngineView)
    assert view.trouble == f"The journal was damaged and begun anew; it is kept as {kept}."
    assert view.trouble in where.engine_log.read_text()


def test_folders_that_cannot_be_made_are_said(boxwright_home: Path) -> None:
    (boxwright_home / "file").touch()
    with pytest.raises(BoxwrightError, match="cannot be made") as caught:
        BlockingClient.connect(locations(boxwright_home / "file"))
    assert "Not a directory" in caught.value.problem.why


def test_a_path_too_long_for_a_socket_is_said(boxwright_home: Path) -> None:
    where = Locations(data=boxwright_home / "data", runtime=boxwright_home / ("x" * 100) / "b")
    with pytest.raises(BoxwrightError, match="cannot be reached") as caught:
        BlockingClient.connect(where)
    assert "XDG_RUNTIME_DIR" in caught.value.problem.remedy


def test_something_else_at_the_socket_is_no_engine(where: Locations) -> None:
    where.prepare()
    stranger = socket.socket(socket.AF_UNIX)
    stranger.bind(str(where.socket))
    stranger.listen()

    def answer() -> None:
        peer, _ = stranger.accept()
        peer.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        peer.close()

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(BoxwrightError, match="No engine runs"):
        BlockingClient.connect(where, start=False)
    thread.join()
    stranger.close()


def test_an_idle_engine_ends_by_itself(where: Locations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXWRIGHT_IDLE_EXIT", "0.2")
    with BlockingClient.connect(where) as client:
        time.sleep(0.4)
        assert alive(client.pid), "not while somebody is there"
    eventually(lambda: not alive(client.pid), 5)
    assert not where.socket.exists()
    with BlockingClient.connect(where) as again:
        assert again.pid != client.pid


def test_a_socket_that_was_tidied_away_is_made_again(client: BlockingClient, where: Locations) -> None:
    shutil.rmtree(where.runtime)
    eventually(where.socket.exists)
    assert where.socket.stat().st_mode & 0o777 == 0o600
    with BlockingClient.connect(where, start=False) as again:
        assert again.pid == client.pid
    assert isinstance(client.query(GetEngine()), EngineView), "who was connected still is"


def test_an_engine_whose_data_was_removed_ends(client: BlockingClient, where: Locations) -> None:
    shutil.rmtree(where.data)
    eventually(lambda: not alive(client.pid))
    with BlockingClient.connect(where) as again:
        assert again.pid != client.pid


def test_work_keeps_an_engine_from_being_idle(
    where: Locations, gates: Gates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXWRIGHT_IDLE_EXIT", "0.1")
    with BlockingClient.connect(where) as client:
        client.submit(Up(machine=key("web")))
    gates.reached("web")
    time.sleep(0.3)
    assert alive(client.pid)
    gates.open("web")
    eventually(lambda: not alive(client.pid), 5)


def test_an_older_engine_without_work_is_replaced(where: Locations) -> None:
    with BlockingClient.connect(where) as old:
        pass
    # The new engine calls itself by the installed version too, so that the client goes in a circle,
    # were it not that it looks only once here.
    channel, welcome = connecting._greet(where, "99.0")
    assert connecting._older(welcome, "99.0")
    connecting._replace(channel, welcome, "99.0")
    eventually(lambda: not alive(old.pid))
    with BlockingClient.connect(where) as new:
        assert new.pid != old.pid


def test_an_older_engine_with_work_is_reported(where: Locations, gates: Gates) -> None:
    with BlockingClient.connect(where) as client:
        client.submit(Up(machine=key("web")))
        gates.reached("web")
        with pytest.raises(BusyError) as caught:
            connect(where, version="99.0")
        assert "still busy" in caught.value.problem.what
        assert "'up web'" in caught.value.problem.why
        assert "boxwright engine stop --force" in caught.value.problem.remedy
        assert alive(client.pid)


def test_a_newer_engine_that_speaks_the_same_language_is_used(client: BlockingClient) -> None:
    channel, welcome = connect(client.where, version="0.0.1")
    assert welcome.protocol == PROTOCOL
    channel.close()


def test_a_newer_engine_with_another_language_is_refused(
    client: BlockingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(UsageError, match="newer version"):
        patch.setattr(connecting, "PROTOCOL", PROTOCOL - 1)
        connect(client.where, version="0.0.1")


@pytest.mark.parametrize(
    ("older", "newer"), [("0.1.0", "0.2.0"), ("0.9.0", "0.10.0"), ("1.0", "1.0.1"), ("0.1.0.dev1", "0.1.1")]
)
def test_versions_are_compared_as_numbers(older: str, newer: str) -> None:
    assert connecting._numbers(older) < connecting._numbers(newer)
