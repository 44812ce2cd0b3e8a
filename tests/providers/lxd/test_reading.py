"""What is read from servers and project files, whatever it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from core.model.machine import ExtraDisk, MachineKey, MachinePlan, PlannedNetwork
from core.providers.lxd import definition, place
from core.providers.lxd.events import Happening, read_event
from core.providers.lxd.instances import Row, default_name
from core.providers.lxd.options import Options, read_options
from core.providers.lxd.snapshots import POINT, read_found, read_point

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def event(action: str, source: str, **context: str) -> str:
    detail = {"action": action, "source": source, "context": context}
    return json.dumps({"type": "lifecycle", "metadata": detail})


def test_events_of_instances_are_understood() -> None:
    assert read_event(event("instance-started", "/1.0/instances/web?project=p")) == Happening(
        "instance-started", "web"
    )
    assert read_event(event("instance-renamed", "/1.0/instances/new", old_name="old")) == Happening(
        "instance-renamed", "new", "old"
    )
    assert read_event(event("network-created", "/1.0/networks/x")) is None
    for what in ("exec", "console-retrieved", "file-pushed", "log-deleted"):
        assert read_event(event(f"instance-{what}", "/1.0/instances/web")) is None, "nothing changes by it"


@given(st.binary(max_size=60) | st.text(max_size=60) | anything.map(json.dumps))
def test_no_event_is_too_odd(message: str | bytes) -> None:
    read_event(message)


@given(st.dictionaries(st.sampled_from(["metadata", "type", "x"]), anything, max_size=3).map(json.dumps))
def test_no_event_of_the_right_shape_is_too_odd(message: str) -> None:
    read_event(message)


@given(st.text(max_size=40))
def test_a_damaged_note_of_snapshots_is_as_none(text: str) -> None:
    read_point({POINT: text})
    (found,) = read_found([{"name": "m/theirs", "config": {POINT: text}, "created_at": text}])
    assert found.name == "theirs"


@given(anything | st.text(max_size=40))
def test_every_option_is_taken_or_refused_in_words(value: object) -> None:
    for key in Options.__struct_fields__:
        try:
            read_options({key: value})
        except UsageError as error:
            assert key in error.problem.what


@pytest.mark.parametrize(
    "options",
    [
        {"remote": "http://x:8443"},
        {"remote": "https://user@x:8443"},
        {"remote": "https://x:8443/path"},
        {"remote": "https://x:notaport"},
        {"communicator": "smoke"},
        {"config": {"user.boxwright.id": "x"}},
        {"devices": {"boxwright-port0": {"type": "proxy"}}},
        {"devices": {"gpu": {}}},
    ],
)
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError) as raised:
        read_options(options)
    assert raised.value.problem.remedy


def test_the_local_server_is_the_one_that_the_environment_names(tmp_path: Path) -> None:
    assert place.local_socket({"LXD_SOCKET": "/x", "LXD_DIR": "/y"}) == "/x"
    assert place.local_socket({"LXD_DIR": "/y"}) == "/y/unix.socket"
    assert place.local_socket({"INCUS_DIR": "/z", "LXD_DIR": "/y"}) == "/z/unix.socket"


@given(st.text(min_size=1, max_size=80))
def test_every_machine_and_disk_has_names_that_the_server_takes(name: str) -> None:
    plan = MachinePlan(id="0123456789ab", key=MachineKey("/p", name), folder="/f", runtime="/r", disks=())
    made = default_name(plan)
    assert len(made) <= 63
    assert all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in made)
    disk = ExtraDisk(name=name, size=1)
    assert definition.mount_point(disk).count("/") == 2
    assert "/" not in definition.volume_name(plan, disk)


def test_what_the_project_drops_goes_and_what_others_set_stays() -> None:
    network = PlannedNetwork(
        name="bw-net", label="back", mac="52:54:00:00:00:01", subnet="10.1.2.0/24", address="10.1.2.3"
    )
    plan = MachinePlan(
        id="0123456789ab",
        key=MachineKey("/p", "web"),
        folder="/f",
        runtime="/r",
        disks=(),
        networks=(network,),
    )
    before = definition.build(plan, Options(config={"a.b": True}), "")
    row = Row(
        name="x", config={**before.config, "theirs": "1"}, devices={**before.devices, "gpu": {"type": "gpu"}}
    )
    after = definition.build(plan, Options(config={"limits.cpu": 7}), "")
    whole = definition.onto(row, after, {})
    assert "a.b" not in whole.config
    assert (whole.config["theirs"], whole.config["limits.cpu"]) == ("1", "7")
    assert whole.devices["gpu"] == {"type": "gpu"}
    assert whole.devices["boxwright-net0"]["ipv4.address"] == "10.1.2.3"
    assert definition.gateway(network.subnet) == "10.1.2.1/24"
