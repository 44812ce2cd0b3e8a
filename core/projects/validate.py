"""The full check of a project file, for people who want to know everything at once."""

from __future__ import annotations

from pathlib import Path

from core.model.problem import Problem
from core.projects.reader import ProjectFileError, load, read_source


def problems(root: Path | str) -> tuple[Problem, ...]:
    """All that is wrong with a project (a folder or its file), the files and providers it names included.

    () when nothing is wrong.

    Raises NotFoundError where there is no project, ConfigError where its file cannot be read.
    """
    from core.projects.checks import missing_files
    from core.projects.providers import provider_faults
    from core.projects.report import place_faults

    try:
        project = load(root)
    except ProjectFileError as error:
        return error.problems
    faults = [*missing_files(project), *provider_faults(project)]
    if not faults:
        return ()
    file = Path(project.file)
    return place_faults(faults, read_source(file), file)
