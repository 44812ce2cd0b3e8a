"""What running operations ask, and who hears of it."""

from __future__ import annotations

import asyncio

import pytest

from core.builds.asking import about_failure
from core.engine.questions import Questions
from core.errors import NotFoundError
from tests.support.work import RecordingWork

BUILD = "build:/p:base"


async def test_of_two_questions_the_older_is_answered_first_and_the_other_is_named() -> None:
    changed: list[str] = []
    questions, work = Questions(changed.append), RecordingWork()
    ask = questions.asker(BUILD, work)
    first = asyncio.ensure_future(ask(about_failure("null.one: shell", ""), RecordingWork()))
    second = asyncio.ensure_future(ask(about_failure("null.two: shell", ""), RecordingWork()))
    await asyncio.sleep(0)
    assert work.notes[-1] == "asks: null.one: shell failed"
    left = questions.answer(BUILD, "abort")
    assert left is not None and left.text == "null.two: shell failed"
    assert questions.of(BUILD) == left
    assert await first == "abort"
    assert work.notes[-1] == "asks: null.two: shell failed"
    assert questions.answer(BUILD, "retry") is None
    assert await second == "retry"
    assert work.notes[-1] == "" and questions.of(BUILD) is None
    assert set(changed) == {BUILD}
    with pytest.raises(NotFoundError):
        questions.answer(BUILD, "abort")


async def test_two_answers_at_once_are_to_two_questions() -> None:
    questions = Questions(lambda subject: None)
    ask = questions.asker(BUILD, RecordingWork())
    asked = [asyncio.ensure_future(ask(about_failure(name, ""), RecordingWork())) for name in ("one", "two")]
    await asyncio.sleep(0)
    questions.answer(BUILD, "clean")
    questions.answer(BUILD, "keep")
    assert await asyncio.gather(*asked) == ["clean", "keep"]
