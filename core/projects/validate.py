"""The full check of a project file, for people who want to know everything at once."""

from __future__ import annotations

from pathlib import Path

from core.model.problem import Problem
from core.model.project import Project, ProjectFile
from core.projects.reader import PROJECT_FILE, ProjectFileError, read_source, read_toml


def problems(root: Path | str) -> tuple[Problem, ...]:
    """All that is wrong with a project (a folder or its file), the files and providers it names included.

    () when nothing is wrong. A value that is wrong does not hide what is wrong elsewhere; only a
    file that is no TOML has a single problem.

    Raises NotFoundError where there is no project, ConfigError where its file cannot be read.
    """
    from core.projects.checks import contradictions, missing_files
    from core.projects.diagnosis import diagnose
    from core.projects.providers import provider_faults
    from core.projects.report import place_faults
    from core.projects.salvage import Salvaged

    path = Path(root).expanduser().resolve()
    file = path if path.is_file() else path / PROJECT_FILE
    source = read_source(file)
    try:
        data = read_toml(source, file)
    except ProjectFileError as error:
        return error.problems
    faults = diagnose(data, ProjectFile)
    rest = Salvaged(data, file)
    if rest.project:
        checks = (contradictions, missing_files, provider_faults)
        faults += [fault for check in checks for fault in rest.placed(check(rest.project))]
    return place_faults(faults, source, file)


def check_files(project: Project, machine: str) -> None:
    """Raise ProjectFileError where a script, file, folder or key that the machine names is not there: better
    before it is made than when it is to be provisioned."""
    from core.projects.checks import missing_files
    from core.projects.report import place_faults

    faults = [fault for fault in missing_files(project) if fault.path[:2] == ("machines", machine)]
    if faults:
        file = Path(project.file)
        raise ProjectFileError(place_faults(faults, read_source(file), file))
