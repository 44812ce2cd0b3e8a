"""Templates that stand in the documents are read, and every part of them is one that can be built."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.builds.project_builds import template_plan
from core.builds.run import check
from core.builds.scene import Scene
from core.templates.given import Given
from tests.builds.yard import Yard

DOCUMENTS = Path(__file__).parents[2] / "docs"
BLOCKS = [
    pytest.param(found[1], id=f"{document.stem}-{number}")
    for document in sorted(DOCUMENTS.glob("*.md"))
    for number, found in enumerate(re.finditer(r"^```hcl\n(.+?)^```$", document.read_text(), re.M | re.S))
]


@pytest.mark.parametrize("text", BLOCKS)
async def test_a_template_in_a_document_can_be_built(tmp_path: Path, text: str) -> None:
    yard = Yard(tmp_path)
    yard.write("www/preseed.cfg", "")
    path = yard.write("a.pkr.hcl", text)
    plan = await template_plan(path, "shown", Given(cwd=str(yard.folder)), yard.work)
    scenes = [
        Scene(
            locations=yard.locations,
            store=yard.store,
            world=plan.world,
            folder=yard.folder,
            source=one.name,
            kind=one.kind,
        )
        for one in plan.sources
    ]
    check(plan, scenes)
