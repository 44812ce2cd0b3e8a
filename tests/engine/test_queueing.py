"""Any interleaving of submitting, finishing and cancelling: one at a time, in order, nobody forgotten."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from core.engine.subjects import Subjects, waiting_text
from core.model.machine import Holder

actions = st.lists(
    st.tuples(st.sampled_from(["come", "go", "cancel", "pause"]), st.sampled_from("ab"), st.integers(0, 9)),
    max_size=50,
)


class Yard:
    """Operations that hold a subject until they are told to go."""

    def __init__(self) -> None:
        self.shown: dict[str, tuple[Holder | None, tuple[Holder, ...]]] = {}
        self.subjects = Subjects(self._changed)
        self.inside: dict[str, list[str]] = {"a": [], "b": []}
        self.order: dict[str, list[str]] = {"a": [], "b": []}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.gone: dict[str, asyncio.Event] = {}
        self.details: dict[str, str] = {}

    def _changed(self, subject: str, holder: Holder | None, waiting: tuple[Holder, ...]) -> None:
        self.shown[subject] = (holder, waiting)

    def come(self, subject: str) -> None:
        name = f"{len(self.tasks):03d}"
        self.gone[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._live(name, subject))

    async def _live(self, name: str, subject: str) -> None:
        def told(holder: Holder | None) -> None:
            self.details[name] = waiting_text(holder)

        await self.subjects.acquire(subject, Holder(name, f"do {name}", 0.0), told)
        try:
            self.inside[subject].append(name)
            assert len(self.inside[subject]) == 1, "one at a time"
            self.order[subject].append(name)
            await self.gone[name].wait()
        finally:
            self.inside[subject].remove(name)
            self.subjects.release(subject, name)

    def check(self) -> None:
        """What is shown is what is."""
        for subject, inside in self.inside.items():
            holder, waiting = self.shown.get(subject, (None, ()))
            if inside:
                assert holder is not None
                assert holder.operation == inside[0]
            for ticket in waiting:
                if not self.tasks[ticket.operation].done() and holder is not None:
                    assert f"operation {holder.operation}," in self.details[ticket.operation]


@given(actions)
def test_any_interleaving(script: list[tuple[str, str, int]]) -> None:
    async def run() -> None:
        yard = Yard()
        for action, subject, number in script:
            names = list(yard.tasks)
            if action == "come":
                yard.come(subject)
            elif action == "go" and names:
                yard.gone[names[number % len(names)]].set()
            elif action == "cancel" and names:
                yard.tasks[names[number % len(names)]].cancel()
            else:
                for _ in range(4):
                    await asyncio.sleep(0)
                yard.check()
        for event in yard.gone.values():
            event.set()
        async with asyncio.timeout(30):
            await asyncio.gather(*yard.tasks.values(), return_exceptions=True)
        assert yard.subjects.held() == {}
        for subject in "ab":
            assert yard.order[subject] == sorted(yard.order[subject]), "first come, first served"
            assert yard.shown.get(subject, (None, ())) == (None, ())
        finished = {name for name, task in yard.tasks.items() if not task.cancelled()}
        assert finished <= {*yard.order["a"], *yard.order["b"]}, "nobody is forgotten"
        for task in yard.tasks.values():
            if not task.cancelled():
                task.result()

    asyncio.run(run())
