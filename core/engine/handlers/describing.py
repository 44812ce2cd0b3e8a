"""What a created machine's project says of it."""

from __future__ import annotations

from core.engine.context import Context
from core.engine.records import MachineRecord
from core.errors import BoxwrightError
from core.model.project import MachineSpec, Project


def spec_for(project: Project, record: MachineRecord) -> MachineSpec | None:
    """What the project says of the machine; None where it no longer says anything."""
    return project.machines.get(record.key.name)


def spec_of(context: Context, record: MachineRecord) -> MachineSpec | None:
    """The same from the project as it is now; None also where it cannot be read."""
    try:
        return spec_for(context.projects.load(record.key.project), record)
    except BoxwrightError:
        return None
