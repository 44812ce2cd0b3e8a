"""The sample in three languages: each builds a machine and a container, for QEMU and Docker."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest
import zstandard

from core.builds.layers import LayerStore
from core.builds.project_builds import run_build
from core.builds.run import prune
from core.projects import load
from core.templates.given import Given
from tests.builds.yard import Yard
from tests.support.dockerd import Dockerd

pytestmark = pytest.mark.real

SAMPLE = Path(__file__).parents[2] / "sample_projects" / "languages"


async def test_one_system_is_built_from_each_language(tmp_path: Path, daemon: Dockerd) -> None:
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
        changes = made["docker"].metadata["boxwright"]["changes"]
        assert 'CMD ["httpd", "-f", "-h", "/srv/www"]' in changes
        assert _files(Path(made["docker"].files["rootfs.tar.zst"])) == {
            "srv/www/index.html": "A page that was built in.\n",
            "srv/www/stamp.txt": f"built from {language}\n",
        }
    await prune(LayerStore(yard.locations.layers), yard.work, 0)
    assert await yard.left() == []


def _files(archive: Path) -> dict[str, str]:
    """What lies in the folder of the page."""
    with (
        archive.open("rb") as packed,
        zstandard.ZstdDecompressor().stream_reader(packed) as plain,
        tarfile.open(fileobj=plain, mode="r|") as tar,
    ):
        return {
            entry.name: (tar.extractfile(entry) or plain).read().decode()
            for entry in tar
            if entry.isfile() and entry.name.startswith("srv/www/")
        }
