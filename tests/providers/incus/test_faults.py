"""What others do to Incus and its containers: of the tests with LXD, those that the server has a part in."""

from __future__ import annotations

import pytest

from core.providers.lxd import LxdProvider
from tests.providers.lxd.test_faults import (
    test_a_daemon_that_comes_back_is_followed_again,
    test_a_renamed_container_is_found_and_keeps_its_new_name,
    test_somebody_elses_container_of_that_name_is_never_touched,
    test_somebody_elses_network_and_range_are_never_touched,
    test_started_paused_and_stopped_from_outside,
    test_what_a_console_said_while_nobody_looked_is_fetched_for_its_log,
)
from tests.support.lxd import Lxd

__all__ = [
    "test_a_daemon_that_comes_back_is_followed_again",
    "test_a_renamed_container_is_found_and_keeps_its_new_name",
    "test_somebody_elses_container_of_that_name_is_never_touched",
    "test_somebody_elses_network_and_range_are_never_touched",
    "test_started_paused_and_stopped_from_outside",
    "test_what_a_console_said_while_nobody_looked_is_fetched_for_its_log",
]

pytestmark = pytest.mark.real


async def test_the_probe_names_incus_and_its_version(daemon: Lxd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(daemon.variable, str(daemon.folder))
    probe = await LxdProvider().probe()
    assert probe.usable, probe.why
    assert probe.why.startswith(f"Incus {probe.version} at ")
