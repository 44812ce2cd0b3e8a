"""Settings of steps and post-processors that are easily read and then forgotten."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from core.builds.provisioners.scripts import assignments
from core.errors import BoxwrightError, ConfigError
from tests.builds.yard import Yard

FILE = {"type": "file", "name": "a", "content": "hello", "target": "out/a.txt"}


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


@pytest.mark.parametrize(
    ("form", "usual", "text"),
    [
        ("", "{}={} ", "A=1 B='it'\"'\"'s' "),
        ("", "export {}={}\n", "export A=1\nexport B='it'\"'\"'s'\n"),
        ("export %s='%s'; ", "{}={} ", "export A='1'; export B='it'\"'\"'s'; "),
        ('set "%s=%s" %%', "{}={} ", 'set "A=1" %set "B=it\'"\'"\'s" %'),
    ],
)
def test_variables_are_written_as_asked_and_read_by_a_shell(form: str, usual: str, text: str) -> None:
    written = assignments({"A": "1", "B": "it's"}, form, usual)
    assert written == text
    if "set" not in form:
        ran = subprocess.run(["sh", "-c", f"{written}env"], capture_output=True, text=True, check=True)
        assert "B=it's" in ran.stdout.splitlines()


async def test_a_form_of_variables_without_their_places_is_refused(yard: Yard) -> None:
    step = {"type": "shell-local", "inline": ["true"], "env_var_format": "%s"}
    yard.write("t.json", json.dumps({"builders": [FILE], "provisioners": [step]}))
    with pytest.raises(ConfigError, match=r"%s twice"):
        await yard.build("t.json")


async def test_files_of_another_tool_become_a_box_for_the_provider_that_is_named(yard: Yard) -> None:
    """The box's Vagrantfile is made by a step before it, which is what ``..._generated`` says."""
    make = ["qemu-img", "create", "-q", "-f", "qcow2", "made.qcow2", "1M"]
    subprocess.run(make, cwd=yard.folder, check=True)

    def write(**settings: object) -> None:
        chain = [
            {"type": "shell-local", "inline": ["echo '# generated' > generated.rb"]},
            {"type": "artifice", "files": ["made.qcow2"]},
            {"type": "vagrant", "output": "{{.BuildName}}-{{.Provider}}.box", **settings},
        ]
        yard.write("t.json", json.dumps({"builders": [FILE], "post-processors": [chain]}))

    generated = {"vagrantfile_template": "generated.rb", "vagrantfile_template_generated": True}
    for settings, error, said in (
        ({"vagrantfile_template": "generated.rb"}, ConfigError, r"generated\.rb"),
        ({**generated, "provider_override": "vmware"}, ConfigError, "vmware"),
        (generated, BoxwrightError, "cannot become a Vagrant box"),
    ):
        write(**settings)
        with pytest.raises(error, match=said):
            await yard.build("t.json")
        assert await yard.left() == []
    write(**generated, provider_override="libvirt")
    await yard.build("t.json")
    with tarfile.open(yard.folder / "a-libvirt.box") as box:
        metadata, vagrantfile = box.extractfile("metadata.json"), box.extractfile("Vagrantfile")
        assert metadata is not None and vagrantfile is not None
        assert json.load(metadata)["provider"] == "libvirt"
        assert b"# generated" in vagrantfile.read()
