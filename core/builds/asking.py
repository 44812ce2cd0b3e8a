"""What a build asks of whoever watches it: what to do about a failed step, whether to go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from core.builds.lasting_guest import LastingGuest
from core.guests.base import Guest
from core.guests.remote import RemoteGuest
from core.model.machine import Endpoint
from core.model.problem import Problem
from core.model.work import Work


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question and the words that answer it, each with what it does."""

    text: str
    answers: dict[str, str]
    endpoint: Endpoint | None = None
    """Where a shell can be opened meanwhile, in the machine that it is about."""
    problem: Problem | None = None
    """Why the step failed, where one did."""
    way_in: str = ""
    """A command line that opens a shell in its guest, "" where there is none."""
    files: tuple[str, ...] = ()
    """Files of the host that the step reads again when it is run again."""
    asked: float = 0.0
    """When it was asked; tells it from the same one asked before."""


Ask = Callable[[Question, Work], Awaitable[str]]
"""Waits for an answer: one of the question's words."""

RETRY, KEEP, CLEAN, ABORT, CONTINUE = "retry", "keep", "clean", "abort", "continue"


def way_in(guest: Guest | None) -> Endpoint | None:
    """How somebody else gets into a guest of a build."""
    if not isinstance(guest, LastingGuest | RemoteGuest):
        return None
    return msgspec.structs.replace(guest.endpoint, identity=guest.endpoint.identity or guest.identity)


def about_failure(
    title: str,
    how_to_reach: str,
    endpoint: Endpoint | None = None,
    *,
    problem: Problem | None = None,
    files: tuple[str, ...] = (),
    again: bool = True,
) -> Question:
    """What to do now that a step failed; ``again``: whether it can be tried again."""
    retry = {RETRY: "run this step again, with its script as it is now"} if again else {}
    return Question(
        text=f"{title} failed",
        way_in=how_to_reach,
        endpoint=endpoint,
        problem=problem,
        files=files,
        answers={
            **retry,
            KEEP: "end the build and leave the machine running",
            CLEAN: "error-cleanup-provisioner, then remove the machine",
            ABORT: "remove the machine at once",
        },
    )


def before(title: str, endpoint: Endpoint | None = None) -> Question:
    """Whether to go on with a step, where every step is asked about."""
    return Question(
        text=f"next: {title}",
        answers={CONTINUE: "go on", ABORT: "end the build and remove the machine"},
        endpoint=endpoint,
    )
