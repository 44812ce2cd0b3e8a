"""How builds stand, what they ask and what they show, as whoever watches the project learns it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.engine.engine import Engine
from core.model.command import AnswerBuild, RunBuild
from core.model.event import Event, ProjectChanged, Snapshot
from core.model.operation import StepState
from core.model.query import BuildView, GetOperation, GetProject, OperationView, ProjectView
from core.paths import locations
from tests.boxes.server import Resource, Server
from tests.builds.test_small_guests import template as small_template
from tests.support import bootsector
from tests.support.fake_provider import FakeProvider

TEMPLATE = """
source "file" "note" {
  content = "written by a build"
  target  = "out/note.txt"
}
build {
  sources = ["source.file.note"]
  provisioner "shell-local" { script = "step.sh" }
}
"""


class Site:
    """A folder that has only a template, and an engine that builds it."""

    def __init__(self, engine: Engine, root: Path) -> None:
        self.engine = engine
        self.root = root

    def view(self) -> BuildView:
        answer = self.engine.query(GetProject(project=str(self.root)))
        assert isinstance(answer, ProjectView)
        [build] = answer.builds
        return build

    def begin(self, **more: Any) -> str:
        return self.engine.submit(RunBuild(project=str(self.root), name=self.view().name, **more))

    async def end(self, operation: str) -> StepState:
        await self.engine.scheduler.wait(operation)
        answer = self.engine.query(GetOperation(operation=operation))
        assert isinstance(answer, OperationView)
        return answer.operation.state

    async def until(self, condition: Callable[[BuildView], bool]) -> BuildView:
        """Until the build stands so; looked at only when the engine says that the project has changed."""
        events = self.engine.subscribe()
        async with asyncio.timeout(60):
            while not condition(view := self.view()):
                while not _tells_of_projects(await events.batch()):
                    pass
        events.close()
        return view


def _tells_of_projects(batch: Snapshot | Sequence[Event]) -> bool:
    return isinstance(batch, Snapshot) or any(isinstance(event.change, ProjectChanged) for event in batch)


@pytest.fixture
async def site(boxwright_home: Path, tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "site"
    root.mkdir()
    (root / "note.pkr.hcl").write_text(TEMPLATE)
    (root / "step.sh").write_text("true\n")
    engine = Engine(locations(), providers={"fake": FakeProvider()}, idle_exit=0)
    await engine.start()
    yield Site(engine, root)
    await engine.stop(force=True)


async def test_a_template_is_built_then_stale_then_built_again_then_gone(site: Site) -> None:
    assert site.view().state == "missing"
    assert await site.end(site.begin()) is StepState.DONE
    made = site.view()
    target = site.root / "out" / "note.txt"
    assert (made.state, made.artifacts) == ("fresh", (f"stored in {target}",))
    assert made.made > 0
    (site.root / "step.sh").write_text("echo other\n")
    assert site.view().state == "stale"
    target.unlink()
    gone = site.view()
    assert (gone.state, gone.artifacts, gone.made) == ("missing", (), 0.0)


async def test_of_what_a_template_left_the_boxes_are_named(site: Site) -> None:
    (site.root / "note.pkr.hcl").write_text(TEMPLATE.replace("note.txt", "note.box"))
    assert await site.end(site.begin()) is StepState.DONE
    assert site.view().box_files == (str(site.root / "out" / "note.box"),)
    (site.root / "out" / "note.box").unlink()
    assert site.view().box_files == ()


async def test_what_a_failed_step_asks_is_told_with_its_reason_and_what_is_read_again(site: Site) -> None:
    script = site.root / "step.sh"
    script.write_text("echo the reason; exit 3\n")
    operation = site.begin(on_error="ask")
    asks = await site.until(lambda view: bool(view.question))
    assert set(asks.answers) == {"retry", "keep", "clean", "abort"}
    assert asks.failure is not None and "the reason" in asks.failure.tail
    assert asks.files == (str(script),)
    script.write_text("echo mended\n")
    site.engine.submit(AnswerBuild(project=str(site.root), name=asks.name, answer="retry"))
    answered = await site.until(lambda view: not view.question)
    assert answered.failure is None
    assert await site.end(operation) is StepState.DONE


async def test_a_retry_takes_the_step_as_the_template_describes_it_then(site: Site) -> None:
    template = site.root / "note.pkr.hcl"
    inline = TEMPLATE.replace('script = "step.sh"', 'inline = ["exit 3"]')
    template.write_text(inline)
    operation = site.begin(on_error="ask")
    asks = await site.until(lambda view: bool(view.question))
    assert asks.files == ()
    template.write_text(inline.replace("exit 3", "${nothing}"))
    site.engine.submit(AnswerBuild(project=str(site.root), name=asks.name, answer="retry"))
    again = await site.until(lambda view: bool(view.question) and view.asked != asks.asked)
    assert again.failure is not None and "nothing" in str(again.failure)
    template.write_text(inline.replace("exit 3", "echo mended"))
    site.engine.submit(AnswerBuild(project=str(site.root), name=asks.name, answer="retry"))
    assert await site.end(operation) is StepState.DONE
    assert site.view().state == "stale", "only a run from the beginning counts as all of it"


async def test_a_question_of_a_build_that_is_cancelled_is_not_asked_any_more(site: Site) -> None:
    (site.root / "step.sh").write_text("exit 3\n")
    operation = site.begin(on_error="ask")
    await site.until(lambda view: bool(view.question))
    site.engine.cancel(operation)
    await site.until(lambda view: not view.question)
    assert await site.end(operation) is StepState.CANCELLED


async def test_screens_are_told_as_they_come_and_go(site: Site) -> None:
    name = site.view().name
    show = site.engine.context.screens.shower(f"build:{site.root}:{name}")
    asyncio.get_running_loop().call_soon(show, "qemu.a", "/run/a.sock")
    shown = await site.until(lambda view: bool(view.screens))
    assert shown.screens == {"qemu.a": "/run/a.sock"}
    asyncio.get_running_loop().call_soon(show, "qemu.a", "")
    await site.until(lambda view: not view.screens)


@pytest.mark.real
async def test_a_box_is_up_to_date_while_what_its_template_is_given_stays_the_same(site: Site) -> None:
    """Its files do not tell of other variables, nor that a source of data finds something else."""
    image = bootsector.write_disk(site.root.parent / "small.img")
    (site.root / "boxwright.toml").write_text(
        '[project]\nname = "site"\n[builds.small]\ntemplate = "small.pkr.hcl"\n'
    )
    (site.root / "note.pkr.hcl").unlink()
    with Server() as server:
        server.put("/name", Resource(b"one", content_type="text/plain"))
        head = f'variable "more" {{ default = "" }}\ndata "http" "name" {{ url = "{server.url}/name" }}\n'
        named = small_template(str(image), "none", 'vm_name = "${data.http.name.body}${var.more}"')
        (site.root / "small.pkr.hcl").write_text(head + named)

        async def builds(*variables: str) -> bool:
            operation = site.begin(variables=variables)
            state = await site.end(operation)
            assert state in (StepState.DONE, StepState.CACHED)
            shutil.rmtree(site.root / "out", ignore_errors=True)
            return state is StepState.DONE

        assert await builds()
        assert not await builds() and len(server.asked) == 3, "once to know, once to build; once more to know"
        server.put("/name", Resource(b"two", content_type="text/plain"))
        assert await builds()
        assert await builds("more=x")
        assert not await builds("more=x")
