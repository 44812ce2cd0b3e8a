"""Why a machine runs on the provider that it runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.model import command
from core.model.operation import StepState
from core.model.provider import Probe
from tests.handlers.conftest import House
from tests.support.fake_provider import FakeProvider


def describe(house: House, provider: str) -> None:
    file = house.root / "boxwright.toml"
    file.write_text(file.read_text().replace('provider = "fake"', f"provider = {provider}"))


async def test_auto_says_what_it_took_and_why_not_the_others(house: House) -> None:
    providers = house.engine.context.providers
    assert isinstance(providers, dict)
    providers["docker"] = FakeProvider(unusable="Its daemon does not run.", remedy="start it")
    describe(house, '"auto"')
    done = await house.do(command.Up(machine=house.web))
    assert done.state is StepState.DONE, done.problem
    reason = "fake: first usable; docker not usable: Its daemon does not run"
    assert house.machine().provider_reason == reason
    assert house.steps(done)["Provider"].detail == reason


async def test_a_machine_that_is_for_another_server_is_asked_for_there(house: House) -> None:
    class Far(FakeProvider):
        """Not usable but where a colour is named."""

        async def probe(self, options: Mapping[str, Any] | None = None) -> Probe:
            probe = await super().probe()
            usable = bool(options and options.get("colour") == "red")
            return msgspec.structs.replace(probe, usable=usable, why="" if usable else "Nobody is there.")

    providers = house.engine.context.providers
    assert isinstance(providers, dict)
    providers["docker"] = Far(house.hypervisor)
    describe(house, '"docker"')
    done = await house.do(command.Up(machine=house.web))
    assert done.problem is not None and "Nobody is there" in done.problem.why
    file = house.root / "boxwright.toml"
    file.write_text(file.read_text() + '\n[machines.web.docker]\ncolour = "red"\n')
    done = await house.do(command.Up(machine=house.web))
    assert done.state is StepState.DONE, done.problem


async def test_what_a_list_names_and_is_not_there_is_said(house: House) -> None:
    describe(house, '["nowhere", "fake"]')
    await house.do(command.Up(machine=house.web))
    assert house.machine().provider_reason == "fake: first usable; nowhere is not installed"


async def test_where_none_is_usable_each_says_why(house: House) -> None:
    describe(house, '["nowhere", "elsewhere"]')
    done = await house.do(command.Up(machine=house.web))
    assert done.problem is not None
    assert done.problem.why == "nowhere is not installed; elsewhere is not installed."
