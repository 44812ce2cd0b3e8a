"""The sample in three languages: each description is built, and makes a box for QEMU and one for Docker."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.builds.project_builds import run_build
from core.projects import load
from core.templates.given import Given
from tests.builds.yard import Yard

pytestmark = pytest.mark.real

SAMPLE = Path(__file__).parents[2] / "sample_projects" / "languages"


async def test_one_system_is_built_from_each_language(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    root = Path(shutil.copytree(SAMPLE, tmp_path / "languages"))
    project = load(root)
    for name, language in (("toml", "TOML"), ("hcl", "HCL2"), ("json", "JSON")):
        written = len(yard.work.output)
        box = await run_build(
            project=project,
            name=name,
            locations=yard.locations,
            store=yard.store,
            work=yard.work,
            given=Given(cwd=str(root)),
        )
        assert f"built from {language}".encode() in yard.work.output[written:]
        made = {one.key.provider: one for one in yard.store.list() if one.name == box.name}
        assert set(made) == {"qemu", "docker"}
        assert "rootfs.tar.zst" in made["docker"].files
    assert await yard.left() == []
