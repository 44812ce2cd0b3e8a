"""What the documents say is so: commands run or at least exist, links lead somewhere, no key is left out."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core.cli.parser import parse
from core.cli.verb import find_verb
from core.commands import COMMANDS
from core.model.project import ProjectFile
from tests.docs.blocks import DOCUMENTS, ROOT, Block, blocks, commands

SHELL = [block for block in blocks() if block.language == "sh"]
PROJECTS = [block for block in blocks() if block.language == "toml" and "[project]" in block.text]


@pytest.mark.parametrize("block", [block for block in SHELL if "run" in block.marks], ids=str)
def test_blocks_marked_run_do(block: Block, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-e", "-c", block.text],
        cwd=tmp_path,
        env={"PATH": path, "HOME": str(tmp_path), "BOXWRIGHT_HOME": str(tmp_path / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_something_of_the_readme_runs() -> None:
    assert any(block.document == "README.md" and "run" in block.marks for block in SHELL)


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_every_command_exists_with_these_options(block: Block) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for words in commands(block):
        if words[0] == "boxwright":
            found = find_verb(words[1:])
            assert found.spec or not words[1:], words
            if found.spec:
                parse(found.spec, found.words)
        elif words[0] == "make":
            assert words[1] in targets


@pytest.mark.parametrize("block", PROJECTS, ids=str)
def test_every_project_that_is_shown_is_valid(block: Block) -> None:
    msgspec.convert(tomllib.loads(block.text), ProjectFile)


def test_every_command_is_in_the_readme() -> None:
    table = (ROOT / "README.md").read_text().partition("## Commands")[2].partition("\n## ")[0]
    rows = [row.partition("|")[2].partition("|")[0] for row in table.splitlines() if row.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert named == {spec.name for spec in COMMANDS if spec.id != "workbench"}


def test_every_key_of_the_project_file_is_explained() -> None:
    text = (ROOT / "docs" / "project-file.md").read_text()
    missing = {key for key in _keys(ProjectFile) if f"| `{key}` |" not in text}
    assert missing - {"project", "machines", "builds", "build", "bootstrap"} == set()


def _keys(model: type[msgspec.Struct]) -> Iterator[str]:
    schema = msgspec.json.schema(model)
    for table in schema["$defs"].values():
        yield from table["properties"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    folder = (ROOT / document).parent
    text = re.sub(r"^```.*?^```$", "", (ROOT / document).read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not re.match(r"https?:", target):
            assert (folder / target).exists(), target


def test_the_readme_begins_with_the_two_commands() -> None:
    first = [words for block in SHELL if block.document == "README.md" for words in commands(block)][:2]
    assert first == [["make", "run"], ["make", "test"]]
