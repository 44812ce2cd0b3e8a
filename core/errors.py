"""The errors that Boxwright raises: each says what happened, why, and what to do next."""

from __future__ import annotations

from typing import ClassVar

from core.model.problem import ExitCode, Place, Problem


class BoxwrightError(Exception):
    """An error that a user can understand and act upon; never a bug."""

    code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        remedy: str = "",
        place: Place | None = None,
        tail: tuple[str, ...] = (),
        files: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what)
        self.problem = Problem(
            what=what, why=why, remedy=remedy, code=self.code, place=place, tail=tail, files=files
        )

    def __str__(self) -> str:
        problem = self.problem
        parts = [f"{problem.place}: {problem.what}" if problem.place else problem.what]
        if problem.why:
            parts.append(problem.why)
        if problem.remedy:
            parts.append(f"To mend it: {problem.remedy}")
        return "\n".join(parts)


class UsageError(BoxwrightError):
    """Wrong arguments or wrong configuration."""

    code = ExitCode.USAGE


class ConfigError(UsageError):
    """A project file (or template) that says something impossible; has a place."""


class NotFoundError(BoxwrightError):
    """Something named does not exist: a machine, box, snapshot, operation, file."""

    code = ExitCode.NOT_FOUND


class BusyError(BoxwrightError):
    """Somebody else holds what is needed; says who, with which action, since when."""

    code = ExitCode.BUSY


class ProviderError(BoxwrightError):
    """A provider that is not usable here, or cannot do what was asked."""

    code = ExitCode.PROVIDER


class RemoteError(BoxwrightError):
    """A problem that came from the other side of a transport, raised again here."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


class CancelledError(BoxwrightError):
    """The user cancelled the operation."""

    code = ExitCode.CANCELLED
