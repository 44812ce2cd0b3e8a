"""The JSON Schema says what the reader accepts, and the copy in docs/ is the one of the model."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from core import resources
from core.projects import schema
from core.projects.init import create, templates

ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = jsonschema.Draft202012Validator(schema.schema())


def test_the_committed_schema_is_that_of_the_model() -> None:
    committed = (ROOT / "docs" / "boxwright.schema.json").read_text()
    assert committed == schema.text(), "the model changed: run `make schema`"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.schema())


def test_the_samples_fit() -> None:
    samples = list(resources.sample_projects().glob("*/boxwright.toml"))
    assert samples
    for sample in samples:
        VALIDATOR.validate(tomllib.loads(sample.read_text()))


def test_new_projects_fit(tmp_path: Path) -> None:
    for template in templates():
        create(tmp_path / template.name, template=template.name)
        VALIDATOR.validate(tomllib.loads((tmp_path / template.name / "boxwright.toml").read_text()))


@pytest.mark.parametrize(
    "source",
    [
        '[project]\nname = "p"\ncolour = 1',
        '[project]\nname = "p"\n[machines.web]\n',
        '[project]\nname = "p"\n[machines.web]\nbox = "x"\ncpus = 0',
        '[project]\nname = "p"\n[machines.web]\nbox = "x"\nports = [{ guest = 80, protocol = "x" }]',
        '[project]\nname = "p"\n[machines."a b"]\nbox = "x"',
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(source: str) -> None:
    data: dict[str, Any] = tomllib.loads(source)
    assert not VALIDATOR.is_valid(data)
