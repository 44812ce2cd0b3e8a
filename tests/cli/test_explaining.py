"""What is said of providers: why one was chosen, and what of them works here."""

from __future__ import annotations

import pytest

from core.cli.checkup import NOT_USABLE, Finding, Verdict
from core.cli.machine_lines import chosen
from core.cli.verbs.doctor import _code
from core.model.machine import Machine, MachineKey, MachineState
from core.model.problem import ExitCode
from core.providers import acceleration, wire
from core.providers.acceleration import Host


def machine(name: str, reason: str) -> Machine:
    key = MachineKey("/shop", name)
    return Machine(key=key, state=MachineState.RUNNING, provider="qemu", provider_reason=reason)


def test_machines_of_one_choice_are_named_together() -> None:
    reason = "qemu: first usable; docker not usable: no daemon"
    machines = [machine("web", reason), machine("db", reason), machine("cache", "lxd: asked for")]
    assert chosen(machines) == [f"web and db on {reason}"]


def provider(text: str, verdict: Verdict) -> Finding:
    return Finding(topic="Providers", name="qemu", verdict=verdict, text=text)


@pytest.mark.parametrize(
    ("finding", "code"),
    [
        (provider("7.2", Verdict.GOOD), ExitCode.DONE),
        (provider("7.2", Verdict.NOTE), ExitCode.DONE),
        (provider(NOT_USABLE, Verdict.NOTE), ExitCode.PROVIDER),
    ],
)
def test_a_provider_with_something_to_mend_is_usable_all_the_same(finding: Finding, code: int) -> None:
    assert _code([finding]) == code


def test_a_closed_kvm_is_to_be_mended_where_the_processor_has_it() -> None:
    host = Host(system="linux", architecture="x86_64", kvm_device=True, virtualization=True)
    assert "usermod -aG kvm" in acceleration.remedy("x86_64", host)
    assert acceleration.remedy("aarch64", host) == ""
    assert acceleration.remedy("x86_64", Host(system="linux", architecture="x86_64", kvm_device=True)) == ""


def test_frames_on_the_loopback_are_tried() -> None:
    assert wire.trouble() == ""
