"""What a command is given: options, output, the project, the engine."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.interrupts import Interrupts
from core.cli.options import Options
from core.cli.output import Output
from core.cli.well_known import PROJECT_FILES
from core.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from core.cli.session import Session
    from core.model.machine import Machine
    from core.model.problem import Problem
    from core.model.provider import Probe


class Context:
    """Made once per command. The engine is only reached for when somebody asks for ``session``."""

    def __init__(self, options: Options, output: Output, interrupts: Interrupts) -> None:
        self.options = options
        self.output = output
        self.interrupts = interrupts
        self._session: Session | None = None
        self._root = ""

    @property
    def session(self) -> Session:
        """The engine; started where none runs."""
        if self._session is None:
            from core.cli.session import connect

            self._session = connect(in_process=self.options.in_process)
        return self._session

    @property
    def connected(self) -> bool:
        return self._session is not None

    def reconnect(self) -> Session:
        """A new connection in place of one that broke."""
        if self._session is not None:
            self._session.close()
            self._session = None
        return self.session

    @property
    def start(self) -> Path:
        """Where the project is looked for. Raises NotFoundError where --project names no folder."""
        if not self.options.project:
            return Path.cwd()
        folder = Path(self.options.project).expanduser().absolute()
        if folder.is_file() and folder.name in PROJECT_FILES:
            return folder.parent
        if folder.is_file():
            raise UsageError(
                f"{folder} is not a project file.",
                why="--project takes a folder with a boxwright.toml, or that file.",
                remedy="boxwright --project DIR ...",
            )
        if not folder.is_dir():
            raise NotFoundError(
                f"There is no folder {folder}.",
                why="It was given with --project.",
                remedy=f"boxwright init --project {shlex.quote(str(folder))}   (makes a project there)",
            )
        return folder

    @property
    def root(self) -> str:
        """The project's folder. Raises NotFoundError where there is none, and says what to do."""
        if not self._root:
            from core.cli.project_root import find

            self._root = str(find(self.start))
        return self._root

    def machines(self) -> tuple[tuple[Machine, ...], Problem | None]:
        """The project's machines, and what is wrong with its file."""
        from core.model.query import GetMachines, Machines

        answer = self.session.query(GetMachines(project=self.root))
        assert isinstance(answer, Machines)
        return answer.machines, answer.problem

    def probes(self) -> dict[str, Probe]:
        """The providers as they were last probed, by name."""
        from core.model.query import GetProviders, Providers

        answer = self.session.query(GetProviders())
        assert isinstance(answer, Providers)
        return {probe.provider: probe for probe in answer.probes}

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
