"""Logs of operations: every byte, who wrote it, and what happens when the disk is full."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.engine import log as module
from core.engine.log import OperationLog, index_of, read_log, read_segments, remove_log

writes = st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=20)), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes, st.integers(0, 300), st.integers(0, 300))
def test_every_byte_is_attributed_to_the_step_that_wrote_it(
    boxwright_home: Path, script: list[tuple[int, bytes]], start: int, length: int
) -> None:
    remove_log(boxwright_home, "000001")
    log = OperationLog(boxwright_home, "000001")
    owners: list[int] = []
    for step, data in script:
        assert log.write(step, data)
        owners += [step] * len(data)
    log.close()
    data, size = read_log(log.path, 0, 10_000)
    assert data == b"".join(data for _, data in script)
    assert size == log.size == len(owners)
    found = read_segments(log.path, start, start + length)
    expected = owners[start : start + length]
    assert [s.step for s in found for _ in range(s.length)] == expected
    position = start
    for segment in found:
        assert segment.offset == position
        position += segment.length


def test_nothing_is_made_before_the_first_byte(boxwright_home: Path) -> None:
    log = OperationLog(boxwright_home, "000001")
    log.write(1, b"")
    assert not log.path.exists()
    assert read_log(log.path, 0, 10) == (b"", 0)
    assert read_segments(log.path) == ()
    log.close()


def test_what_was_written_is_in_the_file_at_once_and_private(boxwright_home: Path) -> None:
    log = OperationLog(boxwright_home, "000001")
    log.write(1, b"here")
    assert log.path.read_bytes() == b"here"
    assert log.path.stat().st_mode & 0o777 == 0o600
    assert [s.length for s in read_segments(log.path)] == [4]
    log.close()
    assert log.write(1, b"late") is False


def test_a_step_that_goes_on_for_long_gets_times_of_use(
    boxwright_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("core.engine.log.time.time", lambda: now)
    log = OperationLog(boxwright_home, "000001")
    for _ in range(3):
        log.write(1, b"x")
        log.write(1, b"x")
        now += module.SPAN
    now -= 100  # The clock goes back: no matter.
    log.write(1, b"x")
    assert [(s.offset, s.length, s.time) for s in read_segments(log.path)] == [
        (0, 2, 1000.0),
        (2, 2, 1005.0),
        (4, 2, 1010.0),
        (6, 1, 915.0),
    ]
    log.close()


def test_many_threads_may_write(boxwright_home: Path) -> None:
    log = OperationLog(boxwright_home, "000001")

    def write(step: int) -> None:
        for number in range(200):
            log.write(step, f"{step} {number}\n".encode())

    threads = [threading.Thread(target=write, args=(step,)) for step in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    data = log.path.read_bytes()
    for step in range(4):
        own = b"".join(
            data[s.offset : s.offset + s.length] for s in read_segments(log.path) if s.step == step
        )
        assert own == b"".join(f"{step} {number}\n".encode() for number in range(200))
    log.close()


def test_a_full_disk_loses_output_and_nothing_else(
    boxwright_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = OperationLog(boxwright_home, "000001")
    log.write(1, b"before ")
    real = os.write
    room = 3

    def write(descriptor: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = real(descriptor, data[:room])
        room -= written
        return written

    monkeypatch.setattr("core.engine.log.os.write", write)
    assert log.write(1, b"cut short") is False
    assert log.write(2, b"all lost") is False
    assert (log.lost, log.trouble) == (6 + 8, "No space left on device")
    monkeypatch.undo()
    assert log.write(2, b"after")
    data, _ = read_log(log.path, 0, 100)
    assert data == b"before cutafter"
    assert [(s.step, s.length) for s in read_segments(log.path)] == [(1, 10), (2, 5)]
    assert log.lost == 14
    log.close()


@pytest.mark.parametrize("room", range(1, 20))
def test_half_an_entry_of_the_index_is_taken_back(
    boxwright_home: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    log = OperationLog(boxwright_home, "000001")
    log.write(1, b"one")
    real = os.write
    monkeypatch.setattr("core.engine.log.os.write", lambda descriptor, data: real(descriptor, data[:room]))
    assert log.write(2, b"lost") is False
    monkeypatch.undo()
    log.write(3, b"three")
    assert [(s.step, s.length) for s in read_segments(log.path)] == [(1, 3), (3, 5)]
    log.close()


def test_an_index_that_ends_in_the_middle_is_read_as_far_as_it_goes(boxwright_home: Path) -> None:
    log = OperationLog(boxwright_home, "000001")
    log.write(1, b"one")
    log.write(2, b"two")
    log.close()
    index = index_of(log.path)
    index.write_bytes(index.read_bytes()[:-7])
    assert [(s.step, s.length) for s in read_segments(log.path)] == [(1, 6)]
