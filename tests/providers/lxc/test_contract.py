"""Real libvirt keeps the contract with containers, too, but for what it cannot do with them."""

from __future__ import annotations

import pytest

from core.errors import ProviderError, UsageError
from core.model.machine import ExtraDisk
from tests.providers.bench import Bench, NewMachine
from tests.providers.clones import Clones
from tests.providers.contract import GuestContract
from tests.providers.networks import Networks


@pytest.mark.real
class TestLxc(Clones, Networks, GuestContract):
    linked = False

    # There are no snapshots.
    test_any_reasonable_name_will_do = None
    test_snapshots_of_a_stopped_machine_are_a_tree = None
    test_names_must_be_new_and_known = None
    test_a_snapshot_of_a_stopped_machine_is_its_disks = None
    test_snapshots_know_their_parents = None
    test_a_cancelled_snapshot_is_none = None
    test_a_cancelled_restoration_can_be_done_again = None
    test_a_clone_has_no_snapshots_and_its_source_keeps_them = None

    # There are no disks besides the root, and that is a copy of the box's.
    test_extra_disks_come_with_the_machine = None

    async def test_what_it_cannot_do_is_refused_with_what_to_do_instead(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        with pytest.raises(ProviderError, match="disks") as refused:
            await machines(extra_disks=(ExtraDisk(name="data", size=1 << 20),)).create()
        assert refused.value.problem.remedy
        machine = await machines().create()
        assert await bench.provider.snapshots(machine.plan) == ()
        with pytest.raises(ProviderError, match="snapshots") as refused:
            await bench.provider.save_snapshot(machine.plan, "one", machine.work())
        assert refused.value.problem.remedy
        for table in ({"tpm_type": "emulator"}, {"uri": "qemu:///system"}, {"disk_bus": "scsi"}):
            with pytest.raises(UsageError) as wrong:
                bench.provider.check(table)
            assert wrong.value.problem.remedy
