"""What is given to a template from outside: variables from the command line, files and the environment."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from core.errors import UsageError
from core.templates.functions.signature import Place as World

ENVIRONMENT_PREFIX = "PKR_VAR_"


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """``variables`` and ``files`` are in the order in which they were given; later ones win."""

    variables: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    cwd: str = ""
    clock: float = 0.0

    @classmethod
    def here(
        cls,
        variables: Iterable[str] = (),
        files: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Given:
        """From ``NAME=VALUE`` texts, paths, and this process's surroundings. Raises UsageError."""
        return cls(
            variables=tuple(assignment(text) for text in variables),
            files=tuple(files),
            environment=dict(os.environ if environment is None else environment),
            cwd=str(Path.cwd()),
            clock=time.time(),
        )

    def world(self, root: Path) -> World:
        """What functions may look at."""
        cwd = self.cwd or str(Path.cwd())
        return World(root=str(root), cwd=cwd, environment=self.environment, clock=self.clock)


def assignment(text: str) -> tuple[str, str]:
    """``NAME=VALUE`` as a pair. Raises UsageError."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--var {text!r} gives no variable a value.", remedy="write --var NAME=VALUE")
    return name.strip(), value
