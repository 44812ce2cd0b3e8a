"""Questions that running operations ask of whoever watches them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from core.builds.asking import Ask, Question
from core.errors import NotFoundError, UsageError
from core.model.work import Work


class Questions:
    """The open questions by the subject of their operations, e.g. a build."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        """``changed`` is told of each subject whose questions are others now."""
        self._changed = changed
        self._open: dict[str, list[tuple[Question, asyncio.Future[str]]]] = {}

    def asker(self, subject: str, operation: Work) -> Ask:
        """Asks in the name of a subject; the question stands beside the step that waits for the answer, and
        beside the operation."""

        def tell() -> None:
            self._changed(subject)
            asked = self.of(subject)
            operation.note(f"asks: {asked.text}" if asked is not None else "")

        async def ask(question: Question, work: Work) -> str:
            future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            entry = (msgspec.structs.replace(question, asked=time.time()), future)
            self._open.setdefault(subject, []).append(entry)
            tell()
            name = subject.rpartition(":")[2]
            words = "|".join(question.answers)
            work.note(f"{question.text}: boxwright answer {name} {words}")
            work.write(f"{question.text}\n".encode())
            if question.way_in:
                work.write(f"  {question.way_in}   (a shell in its guest)\n".encode())
            for word, meaning in question.answers.items():
                work.write(f"  boxwright answer {name} {word}   ({meaning})\n".encode())
            try:
                answer = await future
            finally:
                self._open[subject].remove(entry)
                tell()
            work.note("")
            return answer

        return ask

    def of(self, subject: str) -> Question | None:
        """The oldest question of a subject that nobody has answered."""
        return next((question for question, future in self._open.get(subject, []) if not future.done()), None)

    def answer(self, subject: str, word: str) -> Question | None:
        """Answer the oldest question, and return the next that is open. Raises NotFoundError without one,
        UsageError for a word it has not."""
        waiting = [entry for entry in self._open.get(subject, []) if not entry[1].done()]
        if not waiting:
            raise NotFoundError("Nothing waits for an answer there.", remedy="boxwright ops --running")
        question, future = waiting[0]
        if word not in question.answers:
            raise UsageError(
                f"{word!r} is no answer to: {question.text}.", why=f"It is {', '.join(question.answers)}."
            )
        future.set_result(word)
        return waiting[1][0] if len(waiting) > 1 else None
