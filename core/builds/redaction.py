"""Keeps secrets out of what a build says: output, notes, names of steps, errors."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from core.errors import BoxwrightError, RemoteError
from core.model.problem import Problem
from core.model.work import Intent, Work

SHOWN = "<sensitive>"


class Redaction:
    """Replaces secrets in texts and in streams."""

    def __init__(self, secrets: Sequence[str]) -> None:
        whole = {secret for secret in secrets if secret}
        # Output comes in lines, so a secret of several lines is looked for line by line, too.
        whole |= {line.strip() for secret in whole for line in secret.splitlines() if len(line.strip()) > 7}
        self._texts = sorted(whole, key=len, reverse=True)
        self._secrets = [text.encode() for text in self._texts]
        self._longest = max((len(secret) for secret in self._secrets), default=0)

    def text(self, text: str) -> str:
        for secret in self._texts:
            text = text.replace(secret, SHOWN)
        return text

    def data(self, data: bytes) -> bytes:
        for secret in self._secrets:
            data = data.replace(secret, SHOWN.encode())
        return data

    def held(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of a secret."""
        for length in range(min(self._longest - 1, len(data)), 0, -1):
            end = data[-length:]
            if any(secret.startswith(end) for secret in self._secrets):
                return length
        return 0

    def problem(self, problem: Problem) -> Problem:
        place = problem.place
        return msgspec.structs.replace(
            problem,
            place=place and msgspec.structs.replace(place, text=self.text(place.text)),
            what=self.text(problem.what),
            why=self.text(problem.why),
            remedy=self.text(problem.remedy),
            tail=tuple(self.text(line) for line in problem.tail),
            others=tuple(self.problem(other) for other in problem.others),
        )


class RedactedWork:
    """A Work that tells ``work`` everything but the secrets."""

    def __init__(self, work: Work, redaction: Redaction) -> None:
        self._work = work
        self._redaction = redaction
        self._rest = b""
        self._lock = threading.Lock()

    @asynccontextmanager
    async def step(self, name: str, *, detail: str = "") -> AsyncIterator[Work]:
        redaction = self._redaction
        async with self._work.step(redaction.text(name), detail=redaction.text(detail)) as inner:
            child = RedactedWork(inner, redaction)
            try:
                yield child
            except BoxwrightError as error:
                shown = redaction.problem(error.problem)
                if shown == error.problem:
                    raise
                raise RemoteError(shown) from None
            finally:
                child.flush()

    def flush(self) -> None:
        """What was held back, as no more comes."""
        with self._lock:
            rest, self._rest = self._rest, b""
        if rest:
            self._work.write(rest)

    def progress(self, current: float, total: float | None = None, unit: str = "") -> None:
        self._work.progress(current, total, unit)

    def note(self, text: str) -> None:
        self._work.note(self._redaction.text(text))

    def write(self, data: bytes) -> None:
        with self._lock:
            whole = self._redaction.data(self._rest + data)
            held = self._redaction.held(whole)
            self._rest = whole[len(whole) - held :]
            shown = whole[: len(whole) - held]
        if shown:
            self._work.write(shown)

    def cached(self, why: str = "") -> None:
        self._work.cached(self._redaction.text(why))

    def skipped(self, why: str) -> None:
        self._work.skipped(self._redaction.text(why))

    def intend(self, kind: str, **facts: Any) -> Intent:
        return self._work.intend(kind, **facts)

    def commit(self) -> None:
        self._work.commit()
