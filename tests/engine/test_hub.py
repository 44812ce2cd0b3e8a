"""The stream of events: order, tail, snapshot, merging."""

from __future__ import annotations

import asyncio
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from core.engine.hub import Hub
from core.model.event import Event, LogGrew, MachineChanged, MachineGone, Snapshot
from core.model.machine import Machine, MachineKey, MachineState

State = dict[str, object]


class World:
    """The truth that the events are about: offsets by operation, and machines that come and go."""

    def __init__(self, **options: int) -> None:
        self.logs: dict[str, int] = {}
        self.machines: dict[str, int] = {}
        self.hub = Hub(self.snapshot, first=100, **options)

    def snapshot(self, seq: int) -> Snapshot:
        machines = tuple(_machine(name, cpus) for name, cpus in self.machines.items())
        # Logs travel in operations; the stream alone is of interest here.
        return Snapshot(seq=seq, machines=machines)

    def change(self, name: str, cpus: int) -> None:
        if cpus:
            self.machines[name] = cpus
            self.hub.publish(MachineChanged(_machine(name, cpus)))
        elif self.machines.pop(name, 0):
            self.hub.publish(MachineGone(MachineKey("/p", name)))


def _machine(name: str, cpus: int) -> Machine:
    return Machine(key=MachineKey("/p", name), state=MachineState.RUNNING, cpus=cpus)


def apply(state: dict[str, int], item: Snapshot | Event) -> None:
    """What a view does with the stream."""
    if isinstance(item, Snapshot):
        state.clear()
        state.update({machine.name: machine.cpus for machine in item.machines})
    elif isinstance(item.change, MachineChanged):
        state[item.change.machine.name] = item.change.machine.cpus
    elif isinstance(item.change, MachineGone):
        state.pop(item.change.machine.name, None)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.sampled_from("abcde"), st.integers(0, 4)),
        st.tuples(st.just("read"), st.just(""), st.integers(1, 3)),
        st.tuples(st.just("join"), st.just(""), st.integers(100, 130)),
    ),
    max_size=60,
)


@given(steps, st.integers(1, 8), st.integers(1, 6))
def test_a_merged_reader_ends_with_the_same_state_as_one_who_read_everything(
    script: list[tuple[str, str, int]], ring: int, limit: int
) -> None:
    """Whatever is read when, from whichever number, with however small a tail and queue."""

    async def run() -> None:
        world = World(ring=ring, limit=limit)
        readers = [(world.hub.subscribe(), dict[str, int](), [0])]
        for action, name, number in script:
            if action == "change":
                world.change(name, number)
            elif action == "join":
                # A late joiner who claims to know the state at ``number`` really does: from a log.
                since = number if number in history else 0
                readers.append((world.hub.subscribe(since), dict(history.get(since, {})), [since]))
            else:
                for subscription, state, last in readers:
                    await read(subscription, state, last, number)
            history[world.hub.seq] = dict(world.machines)
        for subscription, state, last in readers:
            while subscription.waits:
                await read(subscription, state, last, 100)
            assert state == world.machines

    async def read(subscription, state: dict[str, int], last: list[int], limit: int) -> None:  # type: ignore[no-untyped-def]
        if not subscription.waits:
            return
        batch = await subscription.batch(limit)
        for item in [batch] if isinstance(batch, Snapshot) else batch:
            assert item.seq >= last[0], "numbers grow"
            last[0] = item.seq
            apply(state, item)

    history: dict[int, dict[str, int]] = {}
    asyncio.run(run())


async def test_numbers_grow_by_one_and_each_event_reaches_a_reader_who_keeps_up() -> None:
    world = World()
    subscription = world.hub.subscribe(world.hub.seq)
    seen = []
    for number in range(1, 6):
        world.hub.publish(LogGrew("000001", number))
        batch = await subscription.batch()
        assert isinstance(batch, list)
        seen += [event.seq for event in batch]
    assert seen == [101, 102, 103, 104, 105]


async def test_a_late_joiner_gets_a_snapshot_then_the_tail() -> None:
    world = World()
    world.change("web", 2)
    subscription = world.hub.subscribe()
    first = await subscription.batch()
    assert isinstance(first, Snapshot)
    assert [machine.name for machine in first.machines] == ["web"]
    assert first.seq == world.hub.seq
    world.change("db", 1)
    news = await subscription.batch()
    assert isinstance(news, list)
    assert [event.seq for event in news] == [first.seq + 1]


async def test_who_comes_back_soon_gets_only_what_was_missed() -> None:
    world = World()
    for number in range(10):
        world.change(f"m{number}", 1)
    subscription = world.hub.subscribe(since=107)
    batch = await subscription.batch()
    assert isinstance(batch, list)
    assert [event.seq for event in batch] == [108, 109, 110]


async def test_a_number_from_the_future_gets_a_snapshot() -> None:
    """The clock went back between two engines."""
    world = World()
    world.change("web", 1)
    assert isinstance(await world.hub.subscribe(since=10**15).batch(), Snapshot)


async def test_a_reader_that_never_reads_does_not_grow() -> None:
    world = World(limit=100)
    subscription = world.hub.subscribe(world.hub.seq)
    tracemalloc.start()
    try:
        for number in range(5_000):
            world.hub.publish(LogGrew(f"{number % 50:06d}", number))
        before = tracemalloc.get_traced_memory()[0]
        for number in range(20_000):
            world.hub.publish(LogGrew(f"{number % 50:06d}", number))
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(subscription) == 50
    assert grown < 100_000, "20,000 events later it holds no more than before"


async def test_more_subjects_than_the_limit_become_one_snapshot() -> None:
    world = World(limit=10)
    subscription = world.hub.subscribe(world.hub.seq)
    for number in range(25):
        world.change(f"m{number}", 1)
    assert len(subscription) == 0
    batch = await subscription.batch()
    assert isinstance(batch, Snapshot)
    assert len(batch.machines) == 25


async def test_readers_end_when_the_hub_closes_after_reading_what_was_left() -> None:
    world = World()
    subscription = world.hub.subscribe(world.hub.seq)
    world.change("web", 1)
    world.hub.close()
    assert isinstance(await subscription.batch(), list)
    assert await subscription.batch() is None
    assert await world.hub.subscribe(world.hub.seq).batch() is None


async def test_a_waiting_reader_wakes_up_at_the_end() -> None:
    world = World()
    subscription = world.hub.subscribe(world.hub.seq)
    waiting = asyncio.create_task(subscription.batch())
    await asyncio.sleep(0)
    world.hub.close()
    assert await waiting is None
