"""Ansible, Puppet, Chef and Salt as steps of builds, over a real SSH server: the guest is this computer.

Ansible and Puppet are the real ones. Chef and Salt are not in Debian: for them stand-ins note down what they
are asked, and what lies in the folders that they are pointed at.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.errors import BoxwrightError, NotFoundError
from tests.builds.yard import Yard
from tests.support.sshd import Sshd


@pytest.fixture
async def sshd(tmp_path: Path) -> AsyncIterator[Sshd]:
    folder = tmp_path / "sshd"
    folder.mkdir()
    server = await Sshd(folder, extra="Subsystem sftp internal-sftp").started()
    yield server
    server.stop()


@pytest.fixture
def yard(boxwright_home: Path) -> Yard:
    """In a folder with a short name: Ansible's connections are sockets."""
    return Yard(boxwright_home)


def template(sshd: Sshd, provisioner: str) -> str:
    return f"""
    source "null" "host" {{
      ssh_host             = "127.0.0.1"
      ssh_port             = {sshd.port}
      ssh_username         = "{sshd.endpoint.user}"
      ssh_private_key_file = "{sshd.client_key}"
    }}
    build {{
      sources = ["null.host"]
      {provisioner}
    }}
    """


def playbook(target: Path) -> str:
    return textwrap.dedent(f"""\
        - hosts: web
          gather_facts: false
          roles: [greeter]
          tasks:
            - copy:
                dest: {target}
                content: "{{{{ [packer_build_name, packer_builder_type, word, from_role] | join(' ') }}}}"
        """)


def add_role(yard: Yard) -> None:
    yard.write("roles/greeter/defaults/main.yml", "from_role: role\n")


@pytest.mark.real
async def test_a_playbook_reaches_the_guest_over_ssh(yard: Yard, sshd: Sshd, tmp_path: Path) -> None:
    target = tmp_path / "said"
    add_role(yard)
    yard.write("play.yml", playbook(target))
    yard.write(
        "t.pkr.hcl",
        template(
            sshd,
            """
            provisioner "ansible" {
              playbook_file   = "play.yml"
              groups          = ["web"]
              host_alias      = "box"
              extra_arguments = ["--extra-vars", "word=hello"]
              use_proxy       = false
            }
            """,
        ),
    )
    await yard.build("t.pkr.hcl")
    assert target.read_text() == "host null hello role"
    assert b"PLAY RECAP" in yard.work.output
    assert await yard.left() == []


@pytest.mark.real
async def test_a_playbook_that_fails_tells_its_last_lines(yard: Yard, sshd: Sshd) -> None:
    yard.write("play.yml", "- hosts: all\n  gather_facts: false\n  tasks: [{fail: {msg: the reason}}]\n")
    yard.write("t.pkr.hcl", template(sshd, 'provisioner "ansible" { playbook_file = "play.yml" }'))
    with pytest.raises(BoxwrightError, match=r"play\.yml") as caught:
        await yard.build("t.pkr.hcl")
    assert "the reason" in "\n".join(caught.value.problem.tail)
    assert await yard.left() == []


@pytest.mark.real
async def test_a_playbook_runs_in_the_guest(yard: Yard, sshd: Sshd, tmp_path: Path) -> None:
    target = tmp_path / "said"
    add_role(yard)
    yard.write("play.yml", playbook(target))
    yard.write(
        "t.pkr.hcl",
        template(
            sshd,
            """
            provisioner "ansible-local" {
              playbook_file    = "play.yml"
              role_paths       = ["roles/greeter"]
              inventory_groups = ["web"]
              extra_arguments  = ["--extra-vars", "word=hello"]
            }
            """,
        ),
    )
    await yard.build("t.pkr.hcl")
    assert target.read_text() == "host null hello role"
    assert not list(Path("/tmp").glob("boxwright-ansible-*"))
    assert await yard.left() == []


@pytest.mark.real
async def test_a_manifest_is_applied_with_its_modules_and_facts(
    yard: Yard, sshd: Sshd, tmp_path: Path
) -> None:
    target = tmp_path / "said"
    yard.write("site.pp", "include greeter\n")
    yard.write(
        "modules/greeter/manifests/init.pp",
        "class greeter {\n"
        f"  file {{ \"{target}\": content => \"${{facts['colour']}} ${{facts['packer_build_name']}}\" }}\n"
        "}\n",
    )
    staging = tmp_path / "staging"
    yard.write(
        "t.pkr.hcl",
        template(
            sshd,
            f"""
            provisioner "puppet-masterless" {{
              manifest_file           = "site.pp"
              module_paths            = ["modules"]
              facter                  = {{ colour = "blue green" }}
              prevent_sudo            = true
              staging_directory       = "{staging}"
              clean_staging_directory = true
            }}
            """,
        ),
    )
    await yard.build("t.pkr.hcl")
    assert target.read_text() == "blue green host"
    assert not staging.exists()


STAND_IN = """#!/bin/sh
echo "$0 $*" >>{notes}
for file in "$@"; do [ -f "$file" ] && cat "$file" >>{notes}; done
exit 0
"""


def stand_in(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    notes = folder / f"{name}.notes"
    program = folder / name
    program.write_text(STAND_IN.format(notes=notes))
    program.chmod(0o755)
    return notes


async def test_chef_is_given_cookbooks_configuration_and_attributes(
    yard: Yard, sshd: Sshd, tmp_path: Path
) -> None:
    notes = stand_in(tmp_path / "bin", "chef-solo")
    yard.write("cookbooks/web/recipes/default.rb", "file '/tmp/x'\n")
    staging = tmp_path / "chef"
    yard.write(
        "t.pkr.hcl",
        template(
            sshd,
            f"""
            provisioner "chef-solo" {{
              cookbook_paths    = ["cookbooks"]
              run_list          = ["recipe[web]"]
              json              = {{ port = 80, name = "o'neill" }}
              skip_install      = true
              staging_directory = "{staging}"
              execute_command   = "{tmp_path}/bin/chef-solo -c {{{{.ConfigPath}}}} -j {{{{.JsonPath}}}}"
            }}
            """,
        ),
    )
    await yard.build("t.pkr.hcl")
    said = notes.read_text()
    assert f"cookbook_path ['{staging}/cookbooks-0/cookbooks']" in said
    assert json.loads(said[said.index("{") :]) == {"port": 80, "name": "o'neill", "run_list": ["recipe[web]"]}
    assert (staging / "cookbooks-0/cookbooks/web/recipes/default.rb").is_file()


async def test_salt_is_given_states_and_pillars(yard: Yard, sshd: Sshd, tmp_path: Path) -> None:
    notes = stand_in(tmp_path / "bin", "salt-call")
    yard.write("states/top.sls", "base: {'*': [web]}\n")
    yard.write("pillars/top.sls", "base: {}\n")
    yard.write(
        "t.pkr.hcl",
        template(
            sshd,
            f"""
            provisioner "salt-masterless" {{
              local_state_tree    = "states"
              local_pillar_roots  = "pillars"
              remote_state_tree   = "{tmp_path}/guest/srv/salt"
              remote_pillar_roots = "{tmp_path}/guest/srv/pillar"
              salt_bin_dir        = "{tmp_path}/bin"
              temp_config_dir     = "{tmp_path}/guest/salt"
              skip_bootstrap      = true
              disable_sudo        = true
              custom_state        = "web"
            }}
            """,
        ),
    )
    await yard.build("t.pkr.hcl")
    said = notes.read_text()
    assert "--local state.sls web" in said
    assert f"--file-root={tmp_path}/guest/srv/salt" in said
    assert "--retcode-passthrough" in said
    assert (tmp_path / "guest/srv/salt/top.sls").is_file()
    assert (tmp_path / "guest/srv/pillar/top.sls").is_file()


@pytest.mark.parametrize(
    ("provisioner", "said"),
    [
        ('provisioner "ansible" {}', 'needs "playbook_file"'),
        ('provisioner "ansible" { playbook_file = "no.yml" }', r"There is no .*no\.yml"),
        ('provisioner "ansible-local" {}', "needs one of playbook_file"),
        ('provisioner "puppet-masterless" {}', 'needs "manifest_file"'),
        ('provisioner "salt-masterless" {}', 'needs "local_state_tree"'),
        ('provisioner "chef-solo" { chef_environment = "x" }', "environments_path"),
    ],
)
async def test_what_is_missing_is_said_before_anything_begins(
    yard: Yard, sshd: Sshd, provisioner: str, said: str
) -> None:
    yard.write("t.pkr.hcl", template(sshd, provisioner))
    with pytest.raises((BoxwrightError, NotFoundError), match=said):
        await yard.build("t.pkr.hcl")
