"""Builds that ask whether to go on: breakpoints, and --debug before each step."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.builds.asking import Question
from core.builds.base import Request
from core.errors import BoxwrightError
from core.model.work import Work
from tests.builds.yard import Yard

TEMPLATE = """
source "null" "n" { communicator = "none" }
build {
  sources = ["null.n"]
  provisioner "shell-local" { inline = ["touch first"] }
  provisioner "breakpoint" { note = "look at the first" }
  provisioner "breakpoint" {
    disable = true
    note    = "not this one"
  }
  provisioner "shell-local" { inline = ["touch second"] }
}
"""


class Somebody:
    """Answers each question with the next word."""

    def __init__(self, *words: str) -> None:
        self.words = list(words)
        self.asked: list[str] = []

    async def __call__(self, question: Question, work: Work) -> str:
        self.asked.append(question.text)
        assert self.words[0] in question.answers
        return self.words.pop(0)


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    made = Yard(tmp_path)
    made.write("a.pkr.hcl", TEMPLATE)
    return made


def made(yard: Yard) -> list[str]:
    return sorted(path.name for path in yard.folder.iterdir() if path.suffix != ".hcl")


async def test_a_breakpoint_waits_where_somebody_is_there(yard: Yard) -> None:
    somebody = Somebody("continue")
    await yard.build(request=Request(on_error="ask"), ask=somebody)
    assert somebody.asked == ["next: look at the first"]
    assert made(yard) == ["first", "second"]


async def test_without_anybody_a_breakpoint_is_passed_by(yard: Yard) -> None:
    somebody = Somebody()
    await yard.build(ask=somebody)
    assert somebody.asked == [] and made(yard) == ["first", "second"]
    assert yard.work.states["Provision 2/4  breakpoint"] == "skipped"


async def test_a_build_is_ended_at_a_breakpoint(yard: Yard) -> None:
    with pytest.raises(BoxwrightError, match="ended at a breakpoint"):
        await yard.build(request=Request(on_error="ask"), ask=Somebody("abort", "clean"))
    assert made(yard) == ["first"]
    assert await yard.left() == []


async def test_debug_asks_before_each_step(yard: Yard) -> None:
    somebody = Somebody("continue", "continue", "continue", "continue", "continue")
    await yard.build(request=Request(debug=True), ask=somebody)
    assert somebody.asked == [
        "next: shell-local", "next: breakpoint", "next: look at the first", "next: breakpoint",
        "next: shell-local",
    ]  # fmt: skip
    somebody = Somebody("abort")
    with pytest.raises(BoxwrightError, match="before this step, as asked"):
        await yard.build(request=Request(debug=True), ask=somebody)
    assert await yard.left() == []


async def test_questions_of_several_sources_say_whose_they_are(yard: Yard) -> None:
    yard.write(
        "a.pkr.hcl",
        """
        source "null" "one" { communicator = "none" }
        source "null" "two" { communicator = "none" }
        build {
          sources = ["null.one", "null.two"]
          provisioner "shell-local" { inline = ["exit 3"] }
        }
        """,
    )
    somebody = Somebody("clean", "clean")
    with pytest.raises(BoxwrightError):
        await yard.build(request=Request(on_error="ask"), ask=somebody)
    assert sorted(somebody.asked) == ["null.one: shell-local failed", "null.two: shell-local failed"]
