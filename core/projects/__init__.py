"""Projects: reading, checking, editing and making ``boxwright.toml``."""

from core.projects.reader import PROJECT_FILE, ProjectFileError, find_root, load

__all__ = ["PROJECT_FILE", "ProjectFileError", "find_root", "load"]
