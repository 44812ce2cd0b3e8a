"""The sample projects are what they claim: readable, complete, and they come up."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.boxes.store import BoxStore
from core.builds.fingerprint import fingerprint
from core.builds.versions import next_version
from core.model.project import BoxReference
from core.projects.reader import load
from core.provisioners.registry import provisioner

SAMPLES = sorted((Path(__file__).parents[2] / "sample_projects").glob("*/boxwright.toml"))


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.parent.name)
def test_a_sample_is_valid_and_needs_nothing_from_elsewhere(file: Path) -> None:
    project = load(file.parent)
    assert project.machines and project.builds
    for machine in project.machines.values():
        assert isinstance(machine.box, BoxReference)
        assert len(fingerprint(project, machine.box.build)) == 64
        provisioned = (*machine.provision, *project.builds[machine.box.build].provision)
        for provision in provisioned:
            provisioner(provision.kind).check(provision, Path(project.root))


async def test_versions_of_a_build_count_up_whatever_else_is_there(tiny_store: BoxStore) -> None:
    from tests.support.tiny import put_tiny

    assert next_version(tiny_store, "shop/base") == 1
    image = Path(tiny_store.list()[0].disks[0].path)
    for version in ("1", "9", "10", "3.5"):
        await put_tiny(tiny_store, image, name="shop/base", version=version)
    assert next_version(tiny_store, "shop/base") == 11
    assert next_version(tiny_store, "shop/other") == 1
