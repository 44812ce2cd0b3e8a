"""What of a template Boxwright can run, and what it only reads."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.templates.model import Template
from core.templates.problems import meant

Part = Literal["source", "provisioner", "post-processor"]

RUNS: dict[Part, tuple[str, ...]] = {
    "source": (
        "amazon-ebs", "bootstrap", "docker", "file", "libvirt", "lxd", "null", "qemu",
        "virtualbox-iso", "virtualbox-ovf",
    ),
    "provisioner": (
        "ansible", "ansible-local", "breakpoint", "chef-solo", "file", "powershell", "puppet-masterless",
        "salt-masterless", "shell", "shell-local", "sleep", "windows-restart", "windows-shell",
    ),
    "post-processor": (
        "artifice", "box", "checksum", "compress", "docker-import", "docker-push", "docker-save",
        "docker-tag", "manifest", "shell-local", "vagrant",
    ),
}  # fmt: skip
"""What builds can run."""

_OTHERS: dict[Part, tuple[str, ...]] = {
    "source": (
        "alicloud-ecs", "amazon-chroot", "amazon-ebssurrogate", "amazon-ebsvolume", "amazon-instance",
        "azure-arm", "azure-chroot", "azure-dtl", "cloudstack", "digitalocean", "googlecompute", "hcloud",
        "hyperv-iso", "hyperv-vmcx", "hyperone", "jdcloud", "linode", "lxc", "ncloud", "oneandone",
        "openstack", "oracle-classic", "oracle-oci", "osc-bsu", "parallels-iso", "parallels-pvm",
        "profitbricks", "proxmox", "proxmox-clone", "proxmox-iso", "scaleway", "tencentcloud-cvm", "triton",
        "ucloud-uhost", "vagrant", "virtualbox-vm", "vmware-iso", "vmware-vmx", "vsphere-clone",
        "vsphere-iso", "yandex",
    ),
    "provisioner": ("chef-client", "converge", "inspec", "puppet-server"),
    "post-processor": (
        "alicloud-import", "amazon-import", "digitalocean-import", "exoscale-import",
        "googlecompute-export", "googlecompute-import", "ucloud-import", "vagrant-cloud", "vsphere",
        "vsphere-template", "yandex-export", "yandex-import",
    ),
}  # fmt: skip
"""What Packer has and Boxwright has not."""


class Support(msgspec.Struct, frozen=True):
    """Whether one kind runs; ``no``: Packer has it, Boxwright will not."""

    part: Part
    kind: str
    runs: Literal["yes", "no", "unknown"]
    why: str = ""


def support(part: Part, kind: str) -> Support:
    """Whether this kind of source, provisioner or post-processor runs."""
    if kind in RUNS[part]:
        return Support(part, kind, "yes")
    if kind in _OTHERS[part]:
        return Support(part, kind, "no", f"Boxwright has no {part} of this kind.")
    guess = meant(kind, (*RUNS[part], *_OTHERS[part]))
    return Support(part, kind, "unknown", guess or f"No {part} of this kind is known.")


def supports(template: Template) -> tuple[Support, ...]:
    """All kinds of a template, each once."""
    found: dict[tuple[Part, str], Support] = {}

    def add(part: Part, kind: str) -> None:
        found.setdefault((part, kind), support(part, kind))

    for source in template.sources:
        add("source", source.kind)
    for build in template.builds:
        for step in (*build.provisioners, *((build.on_error,) if build.on_error else ())):
            add("provisioner", step.kind)
        for chain in build.post_processors:
            for one in chain:
                add("post-processor", one.kind)
    return tuple(found.values())
