"""status and global-status in a hurry: the same words as the whole command, and next to no imports."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import core.engine.protocol
from core.cli import glance, look, packed
from core.model.machine import MachineState
from core.model.operation import StepState
from core.model.problem import ExitCode
from tests.cli.conftest import ROOT, Run

HEAVY = {
    "asyncio", "asyncssh", "docker", "httpx", "libvirt", "msgspec", "rich", "sqlite3", "textual", "tomllib",
    "typing", "argparse", "subprocess", "json",
}  # fmt: skip
RUN = """
import sys
from core.cli.main import main
code = main(sys.argv[1:])
print(" ".join(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize("verb", ["status", "global-status"])
def test_a_glance_loads_next_to_nothing_and_says_the_same(shop: Path, boxwright: Run, verb: str) -> None:
    boxwright("up", "-q")
    boxwright("halt", "db", "-q")
    ran = subprocess.run(
        [sys.executable, "-c", RUN, verb],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
    )
    assert ran.returncode == 0
    assert set(ran.stderr.split()) & HEAVY == set()
    whole = boxwright(verb, "--no-colour").out
    assert [line.split()[:4] for line in ran.stdout.splitlines()] == [
        line.split()[:4] for line in whole.splitlines()
    ]
    assert "● running" in ran.stdout
    assert ("○ stopped" in ran.stdout) and (verb == "status") == ("not created" in ran.stdout)


def test_what_a_glance_cannot_do_is_left_to_the_whole_command(
    shop: Path, boxwright: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert glance.glance(["status"]) is None
    assert glance.glance(["status", "web"]) is None
    assert glance.glance(["up"]) is None
    monkeypatch.chdir(tmp_path)
    assert glance.glance(["status"]) is None
    assert boxwright("status").code == ExitCode.NOT_FOUND


@pytest.mark.usefixtures("stage")
def test_a_glance_prints_nothing_it_does_not_finish(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glance, "__version__", "0.0.1")
    assert glance.glance(["status"]) is None
    monkeypatch.undo()
    (shop / "boxwright.toml").write_text("[project]\nname = 3\n")
    monkeypatch.chdir(shop)
    assert glance.glance(["status"]) is None
    assert capsys.readouterr().out == ""


def test_a_glance_speaks_the_engines_protocol() -> None:
    assert core.engine.protocol.PROTOCOL == glance.PROTOCOL


def test_states_have_the_models_words() -> None:
    ascii_only = look.Look(unicode=False)
    for state in StepState:
        assert ascii_only.step(state) == ascii_only.step(str(state))
    assert {ascii_only.machine(state).split(maxsplit=1)[1] for state in MachineState} == set(MachineState)
    assert set(look._STEP_COLOURS) == set(StepState)
    assert set(look._STATE_COLOURS) <= set(MachineState)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=40), inner, max_size=20),
    max_leaves=40,
)


@given(VALUES)
def test_unpacking_agrees_with_msgspec(value: object) -> None:
    assert packed.unpack(msgspec.msgpack.encode(value)) == value


@given(st.binary(max_size=60))
def test_foreign_bytes_end_in_a_value_or_a_value_error(data: bytes) -> None:
    try:
        found = packed.unpack(data)
    except (ValueError, RecursionError):
        return
    if isinstance(found, float) and math.isnan(found):
        return
    assert found is None or isinstance(found, bool | int | float | str | bytes | list | dict)


@given(st.dictionaries(st.text(max_size=40), st.text(max_size=400) | st.integers(0, 127)))
def test_what_is_packed_is_what_msgspec_reads(value: dict[str, object]) -> None:
    assert msgspec.msgpack.decode(packed.pack(value)) == value


def test_records_have_attributes() -> None:
    record = packed.unpack(msgspec.msgpack.encode({"a": {"b": 1}}))
    assert isinstance(record, packed.Record)
    assert record.a.b == 1
    with pytest.raises(AttributeError):
        _ = record.c
