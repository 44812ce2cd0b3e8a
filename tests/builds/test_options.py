"""Every option of Packer's is known: had, not needed, or refused by its name, and documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.builds.docker.settings import DockerSettings
from core.builds.post_processors.artifice import ArtificeSettings
from core.builds.post_processors.box import BoxSettings
from core.builds.post_processors.checksum import ChecksumSettings
from core.builds.post_processors.compress import CompressSettings
from core.builds.post_processors.docker_import import ImportSettings
from core.builds.post_processors.docker_push import PushSettings
from core.builds.post_processors.docker_save import SaveSettings
from core.builds.post_processors.docker_tag import TagSettings
from core.builds.post_processors.manifest import ManifestSettings
from core.builds.post_processors.vagrant import VagrantSettings
from core.builds.provisioners.ansible import AnsibleSettings
from core.builds.provisioners.ansible_local import AnsibleLocalSettings
from core.builds.provisioners.chef import ChefSettings
from core.builds.provisioners.file import FileSettings
from core.builds.provisioners.pauses import BreakpointSettings, SleepSettings
from core.builds.provisioners.powershell import PowershellSettings
from core.builds.provisioners.puppet import PuppetSettings
from core.builds.provisioners.salt import SaltSettings
from core.builds.provisioners.shell import ShellSettings
from core.builds.provisioners.windows_restart import RestartSettings
from core.builds.provisioners.windows_shell import WindowsShellSettings
from core.builds.qemu.settings import QemuSettings
from core.builds.settings import Table, decode
from core.errors import ConfigError
from core.templates.support import RUNS

DOCUMENT = (Path(__file__).parents[2] / "docs/packer.md").read_text()

SSH = """
    communicator pause_before_connecting ssh_agent_auth ssh_bastion_agent_auth ssh_bastion_certificate_file
    ssh_bastion_host ssh_bastion_interactive ssh_bastion_password ssh_bastion_port
    ssh_bastion_private_key_file ssh_bastion_username ssh_certificate_file ssh_ciphers
    ssh_clear_authorized_keys ssh_disable_agent_forwarding ssh_file_transfer_method ssh_handshake_attempts
    ssh_host ssh_keep_alive_interval ssh_key_exchange_algorithms ssh_keypair_name ssh_local_tunnels
    ssh_password ssh_port ssh_private_key_file ssh_proxy_host ssh_proxy_password ssh_proxy_port
    ssh_proxy_username ssh_pty ssh_read_write_timeout ssh_remote_tunnels ssh_timeout ssh_username
    ssh_wait_timeout temporary_key_pair_bits temporary_key_pair_name temporary_key_pair_type
"""
QEMU = """
    accelerator boot_command boot_key_interval boot_keygroup_interval boot_steps boot_wait cd_content
    cd_files cd_label cdrom_interface cores cpu_model cpus disable_vnc disk_additional_size disk_cache
    disk_compression disk_detect_zeroes disk_discard disk_image disk_interface disk_size display efi_boot
    efi_drop_efivars efi_firmware_code efi_firmware_vars firmware floppy_content floppy_dirs floppy_files
    floppy_label format headless host_port_max host_port_min http_bind_address http_content http_directory
    http_interface http_network_protocol http_port_max http_port_min iso_checksum iso_skip_cache
    iso_target_extension iso_target_path iso_url iso_urls machine_type memory net_bridge net_device
    output_directory qemu_binary qemu_img_args qemuargs qmp_enable qmp_socket_path run_once
    shutdown_command shutdown_timeout skip_compaction skip_nat_mapping skip_resize_disk sockets
    ssh_host_port_max ssh_host_port_min threads tpm_device_type use_backing_file use_default_display
    use_pflash use_tpm1 vga vm_name vnc_bind_address vnc_password vnc_port_max vnc_port_min
    vnc_use_password vtpm
"""
DOCKER = """
    author aws_access_key aws_force_use_public_ecr aws_profile aws_secret_key aws_token cap_add cap_drop
    changes commit container_dir device discard ecr_login exec_user export_path fix_upload_owner image login
    login_password login_server login_username message platform privileged pty pull run_command runtime tmpfs
    volumes windows_container
"""
SHELL = """
    binary env env_var_format environment_vars execute_command expect_disconnect inline inline_shebang
    pause_after remote_file remote_folder remote_path script scripts skip_clean start_retry_timeout
    use_env_var_file valid_exit_codes
"""
CASES = [
    (kind, name)
    for kind, names in ((QemuSettings, QEMU + SSH), (DockerSettings, DOCKER), (ShellSettings, SHELL))
    for name in names.split()
]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_an_option_is_known(kind: type[Table], name: str) -> None:
    """No value fits all; that it is of a wrong type is said in other words than that it is not known."""
    try:
        decode({name: "1"}, kind, "part")
    except ConfigError as error:
        assert "has no setting" not in error.problem.what
        if "cannot be used" in error.problem.what:
            assert error.problem.why
    decode({name: None}, kind, "part")


def test_all_options_are_documented() -> None:
    said = set(re.findall(r"`([a-z0-9_]+\*?)`", DOCUMENT))
    wildcards = tuple(one.removesuffix("*") for one in said if one.endswith("_*"))
    missing = [name for _, name in CASES if name not in said and not name.startswith(wildcards)]
    assert missing == []


OTHER_WORDS = {
    "powershell": {"winrm"},
    "windows-shell": {"winrm"},
    "chef-solo": {"unix"},
    "puppet-masterless": {"unix"},
    "salt-masterless": {"unix"},
    "vagrant": {"artifice", "docker", "libvirt", "lxd", "virtualbox", "box"},
    "windows-restart": {"winrm", "check_registry", "registry_keys"},
}
"""What is no option in the row of a kind."""
STEPS: dict[str, type[Table]] = {
    "ansible": AnsibleSettings,
    "ansible-local": AnsibleLocalSettings,
    "breakpoint": BreakpointSettings,
    "chef-solo": ChefSettings,
    "file": FileSettings,
    "powershell": PowershellSettings,
    "puppet-masterless": PuppetSettings,
    "salt-masterless": SaltSettings,
    "shell": ShellSettings,
    "sleep": SleepSettings,
    "windows-restart": RestartSettings,
    "windows-shell": WindowsShellSettings,
}
POSTS: dict[str, type[Table]] = {
    "artifice": ArtificeSettings,
    "box": BoxSettings,
    "checksum": ChecksumSettings,
    "compress": CompressSettings,
    "docker-import": ImportSettings,
    "docker-push": PushSettings,
    "docker-save": SaveSettings,
    "docker-tag": TagSettings,
    "manifest": ManifestSettings,
    "vagrant": VagrantSettings,
}


def test_the_two_tables_have_every_kind() -> None:
    assert set(STEPS) | {"shell-local"} == set(RUNS["provisioner"])
    assert set(POSTS) | {"shell-local"} == set(RUNS["post-processor"])


@pytest.mark.parametrize(
    ("part", "kind", "table"),
    [("Provisioners", *one) for one in STEPS.items()] + [("Post-processors", *one) for one in POSTS.items()],
)
def test_the_row_of_a_kind_has_its_options_and_no_others(part: str, kind: str, table: type[Table]) -> None:
    section = DOCUMENT.split(f"\n## {part}\n")[1].split("\n## ")[0]
    (row,) = re.findall(rf"^\| `{kind}` \| (.+) \|$", section, re.MULTILINE)
    said = set(re.findall(r"`([a-z]+(?:_[a-z]+)*_?\*?)(?: = .*?)?`", row))
    if kind.startswith("docker-"):
        # What all of them take is said below the table.
        said |= {"host", "certificates"}
    known = {*table.__struct_fields__, *table.not_needed, *table.refused}
    wild = tuple(one.removesuffix("*") for one in said if one.endswith("*"))
    assert {name for name in known - said if not (wild and name.startswith(wild))} == set(), "not documented"
    words = OTHER_WORDS.get(kind, set())
    assert {name for name in said - known - words if not name.endswith("*")} == set(), "not had"
