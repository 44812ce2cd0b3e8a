"""What a build asks of whoever watches it: what to do about a failed step, whether to go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from core.model.work import Work


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question and the words that answer it, each with what it does."""

    text: str
    answers: dict[str, str]


Ask = Callable[[Question, Work], Awaitable[str]]
"""Waits for an answer: one of the question's words."""

RETRY, KEEP, CLEAN, ABORT, CONTINUE = "retry", "keep", "clean", "abort", "continue"


def about_failure(title: str, how_to_reach: str) -> Question:
    """What to do now that a step failed."""
    shell = f" (a shell in it: {how_to_reach})" if how_to_reach else ""
    return Question(
        text=f"{title} failed{shell}",
        answers={
            RETRY: "run this step again, with its script as it is now",
            KEEP: "end the build and leave the machine running",
            CLEAN: "run the error-cleanup-provisioner, then remove the machine",
            ABORT: "remove the machine at once",
        },
    )


def before(title: str) -> Question:
    """Whether to go on with a step, where every step is asked about."""
    return Question(
        text=f"next: {title}", answers={CONTINUE: "go on", ABORT: "end the build and remove the machine"}
    )
