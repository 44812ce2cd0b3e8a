"""The JSON Schema of ``boxwright.toml``, for editors: generated from the model.

python -m core.projects.schema FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from core.model.project import ProjectFile


def schema() -> dict[str, Any]:
    """The schema as JSON data."""
    content = msgspec.json.schema(ProjectFile)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "boxwright.toml",
        "description": "A project of Boxwright: its machines and builds.",
        **content,
    }


def text() -> str:
    """The schema as it is kept in the repository."""
    return json.dumps(schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
