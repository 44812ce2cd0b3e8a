"""Destroy, for good or for a while, and bringing back."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.engine import keeping
from core.errors import BoxwrightError, NotFoundError
from core.model import command
from core.model.machine import MachineState
from core.model.operation import StepState
from core.model.provider import Capability
from core.model.query import Destroyed, GetDestroyed
from core.undo import remove
from tests.handlers.conftest import House
from tests.support.fake_provider import FakeProvider
from tests.support.waiting import until


@pytest.fixture
def keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider's machines lie in their folders."""
    monkeypatch.setattr(FakeProvider, "capabilities", frozenset(Capability))


def kept(house: House) -> list[str]:
    answer = house.engine.query(GetDestroyed())
    assert isinstance(answer, Destroyed)
    return [one.key.name for one in answer.machines]


async def destroyed(house: House) -> str:
    """The id of a machine that was, with a snapshot."""
    await house.do(command.Up(machine=house.web))
    await house.do(command.SaveSnapshot(machine=house.web, name="one"))
    id = house.machine().id
    done = await house.do(command.Destroy(machine=house.web))
    assert done.state is StepState.DONE, done.problem
    return id


@pytest.mark.usefixtures("keeps")
async def test_what_was_destroyed_comes_back_with_its_snapshots(house: House) -> None:
    id = await destroyed(house)
    gone = house.machine()
    assert (gone.state, gone.id) == (MachineState.ABSENT, "")
    assert gone.kept is not None
    assert (gone.kept.id, gone.kept.snapshots, gone.kept.box) == (id, 1, "base 1")
    assert gone.kept.until - gone.kept.destroyed == keeping.KEEP
    assert not list(house.engine.locations.runtime.glob("[0-9a-f]*")), "sockets do not stay"
    done = await house.do(command.Recover(machine=house.web))
    assert done.state is StepState.DONE, done.problem
    back = house.machine()
    assert (back.state, back.id, back.kept) == (MachineState.STOPPED, id, None)
    assert [snapshot.name for snapshot in back.snapshots] == ["one"]
    assert (await house.do(command.Up(machine=house.web))).state is StepState.DONE


@pytest.mark.usefixtures("keeps")
async def test_purge_leaves_nothing(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    await house.do(command.Destroy(machine=house.web, purge=True))
    assert (house.machine().kept, house.leftovers(), kept(house)) == (None, [], [])


async def test_where_a_provider_cannot_keep_a_machine_nothing_stays(house: House) -> None:
    await destroyed(house)
    assert (house.machine().kept, house.leftovers()) == (None, [])
    with pytest.raises(NotFoundError, match="Nothing is left of 'web'"):
        house.engine.submit(command.Recover(machine=house.web))


@pytest.mark.usefixtures("keeps")
async def test_nothing_is_brought_back_in_the_place_of_another(house: House) -> None:
    await destroyed(house)
    await house.do(command.Up(machine=house.web))
    with pytest.raises(BoxwrightError, match="is there") as caught:
        house.engine.submit(command.Recover(machine=house.web))
    assert caught.value.problem.remedy == "boxwright destroy web"
    await house.do(command.Destroy(machine=house.web))
    assert kept(house) == ["web", "web"], "each can be had, the last by its name"


@pytest.mark.usefixtures("keeps")
async def test_it_comes_back_though_the_project_has_lost_it(house: House) -> None:
    await destroyed(house)
    (house.root / "boxwright.toml").write_text('[project]\nname = "shop"\n')
    assert (await house.do(command.Recover(machine=house.web))).state is StepState.DONE
    assert house.machine().state is MachineState.STOPPED


@pytest.mark.usefixtures("keeps")
async def test_removed_for_good_at_once(house: House) -> None:
    await destroyed(house)
    done = await house.do(command.PruneDestroyed())
    assert done.result["removed"] == ["web"]
    assert (house.machine().kept, house.leftovers(), kept(house)) == (None, [], [])


@pytest.mark.usefixtures("keeps")
async def test_what_is_being_removed_cannot_be_brought_back_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await destroyed(house)
    refused: list[str] = []

    def removing(path: Path) -> None:
        try:
            house.engine.submit(command.Recover(machine=house.web))
        except NotFoundError as error:
            refused.append(error.problem.what)
        remove(path)

    monkeypatch.setattr(keeping, "remove", removing)
    assert (await house.do(command.PruneDestroyed())).state is StepState.DONE
    assert refused == ["Nothing is left of 'web' that could be brought back."]
    assert house.leftovers() == []


@pytest.mark.usefixtures("keeps")
async def test_it_goes_with_its_box(house: House) -> None:
    await destroyed(house)
    assert (await house.do(command.RemoveBox(name="base"))).state is StepState.DONE
    assert (kept(house), house.leftovers()) == ([], [])


@pytest.mark.usefixtures("keeps")
async def test_a_full_disk_keeps_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LEAST_FREE", 1 << 60)
    await destroyed(house)
    assert (kept(house), house.leftovers()) == ([], [])


@pytest.mark.usefixtures("keeps")
async def test_when_its_time_is_over_it_goes_by_itself(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "KEEP", 0.0)
    monkeypatch.setattr(keeping, "prune", _not_now)
    await destroyed(house)
    assert kept(house) == ["web"]
    monkeypatch.undo()
    await until(lambda: not house.engine.machines.kept)
    assert (house.machine().kept, house.leftovers()) == (None, [])


async def _not_now(*_given: object) -> None:
    pass


@pytest.mark.usefixtures("keeps")
async def test_what_is_broken_is_not_kept(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    record = house.engine.machines.require(house.web)
    house.engine.machines.put(msgspec.structs.replace(record, state=MachineState.BROKEN))
    assert (await house.do(command.Destroy(machine=house.web))).state is StepState.DONE
    assert (kept(house), house.leftovers()) == ([], [])


@pytest.mark.usefixtures("keeps")
async def test_a_folder_that_somebody_removed_cannot_be_brought_back(house: House) -> None:
    id = await destroyed(house)
    folder = Path(house.engine.locations.machines, id)
    folder.rename(folder.with_name("elsewhere"))
    done = await house.do(command.Recover(machine=house.web))
    assert done.state is StepState.FAILED
    assert done.problem is not None
    assert done.problem.remedy == "boxwright up web"
    folder.with_name("elsewhere").rename(folder)
    assert (await house.do(command.Recover(machine=house.web))).state is StepState.DONE
