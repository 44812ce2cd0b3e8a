"""What public templates do, rewritten, comes to settings that our parts understand."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.builds.base import Request
from core.builds.from_template import plan_of
from core.builds.plan import BuildPlan
from core.builds.post_processors.vagrant import VagrantSettings
from core.builds.provisioners.shell import ShellSettings
from core.builds.qemu import arguments
from core.builds.qemu.settings import QemuSettings
from core.builds.settings import decode
from core.errors import ConfigError
from core.templates import load
from core.templates.given import Given
from tests.builds.yard import Yard

PUBLIC = Path(__file__).parents[1] / "templates/corpus/public"


def plan(name: str, *variables: tuple[str, str]) -> BuildPlan:
    given = Given(variables=variables, cwd=str(PUBLIC))
    return plan_of(load(PUBLIC / name, given), "many", given.world(PUBLIC))


def test_one_definition_for_many_systems_in_hcl() -> None:
    machine, nothing = plan("many.pkr.hcl").sources
    given = decode(machine.settings, QemuSettings, "source")
    given.check()
    assert (given.vm_name, given.bytes_of(given.disk_size), given.uefi) == ("debian-amd64", 64 << 30, False)
    options = arguments.read(given.qemuargs, lambda text: text, lambda file: False)
    assert [one.partition(",")[0] for one in options["-device"]] == ["virtio-serial", "virtserialport"]
    (step,) = machine.steps
    shell = decode(step.whole, ShellSettings, "step")
    assert shell.execute_command == ("echo 'vagrant' | {{ .Vars }} sudo -S -E sh '{{ .Path }}'",)
    assert shell.scripts[0].endswith("/steps/debian.sh") and shell.environment_vars[1] == "http_proxy="
    assert [[post.kind for post in chain] for chain in machine.chains] == [["vagrant"]]
    assert decode(machine.chains[0][0].settings, VagrantSettings, "post").architecture == "amd64"
    assert [one.kind for one in nothing.steps] == ["shell"] and nothing.chains == ()


def test_the_same_for_windows() -> None:
    machine, _ = plan(
        "many.pkr.hcl", ("windows", "true"), ("enabled", '["source.qemu.one", "null.one"]')
    ).sources
    assert [one.kind for one in machine.steps] == ["powershell"]
    given = decode(machine.settings, QemuSettings, "source")
    assert given.bytes_of(given.disk_size) == 128 << 30 and given.cd_files[0].endswith("/answers.xml")


def test_all_is_text_in_json() -> None:
    machine, other = plan("many.json").sources
    given = decode(machine.settings, QemuSettings, "source")
    given.check()
    assert (given.headless, given.ssh_wait_timeout) == (False, 10000.0)
    assert given.urls == ("/Volumes/images/system.iso", "http://mirror.invalid/cd/system.iso")
    assert arguments.memory(arguments.read(given.qemuargs, lambda text: text, lambda file: False)) == 512
    overridden = decode(other.steps[0].whole, ShellSettings, "step")
    assert overridden.execute_command == ("bash {{.Path}}",)
    vagrant = decode(machine.chains[0][0].settings, VagrantSettings, "post")
    assert (vagrant.compression_level, vagrant.output) == (6, "box/{{.Provider}}/system-0.1.0.box")


async def test_what_a_data_source_would_find_is_asked_for_before_anything_begins(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.write(
        "a.pkr.hcl",
        """
        data "host-info" "this" {}
        locals { os = data.host-info.this.os_type }
        source "file" "a" {
          content = local.os == "darwin" ? "apple" : "other"
          target  = "a.txt"
        }
        build { sources = ["file.a"] }
        """,
    )
    with pytest.raises(ConfigError, match='data source "host-info" cannot be asked') as caught:
        await yard.build(request=Request())
    assert "variable" in caught.value.problem.remedy and not (yard.folder / "a.txt").exists()
