"""What of a template Boxwright can run, and what it only reads."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.templates.model import Template
from core.templates.problems import meant

Part = Literal["source", "provisioner", "post-processor", "data source", "communicator"]


class Kind(msgspec.Struct, frozen=True):
    """What a part of one kind does."""

    does: str
    proved: str = ""
    """How far that was tried, where it was not with the real thing to its end."""


_STAND_IN = "against a stand-in for Windows"
_MOTO = "against moto, a simulated Amazon"
_NO_START = "up to the start of the guest, which needs VirtualBox's kernel module"

RUNS: dict[Part, dict[str, Kind]] = {
    "source": {
        "amazon-ebs": Kind("starts an instance at Amazon and makes an AMI of it", _MOTO),
        "bootstrap": Kind("makes a system from a distribution's packages"),
        "docker": Kind("runs a container, and commits or exports it"),
        "file": Kind("writes a file"),
        "libvirt": Kind("starts a machine at libvirt from an image, and keeps its volume"),
        "lxd": Kind("runs a container at LXD or Incus, and publishes it"),
        "null": Kind("makes nothing; its steps go to a computer that is there"),
        "qemu": Kind("starts a virtual machine from a disk or CD, types what it is told, keeps its disk"),
        "virtualbox-iso": Kind("makes a machine with a disk and a CD, and exports it", _NO_START),
        "virtualbox-ovf": Kind("imports a machine, and exports it", _NO_START),
    },
    "provisioner": {
        "ansible": Kind("runs a playbook from this computer"),
        "ansible-local": Kind("runs a playbook in the guest"),
        "breakpoint": Kind("waits until somebody says to go on"),
        "chef-solo": Kind("runs Chef in the guest", "against a stand-in for Chef"),
        "file": Kind("puts files into the guest, or fetches them"),
        "powershell": Kind("runs PowerShell in the guest", _STAND_IN),
        "puppet-masterless": Kind("applies a manifest in the guest"),
        "salt-masterless": Kind("applies states in the guest", "against a stand-in for Salt"),
        "shell": Kind("runs scripts in the guest"),
        "shell-local": Kind("runs scripts on this computer"),
        "sleep": Kind("waits for a while"),
        "windows-restart": Kind("restarts the guest and waits for it", _STAND_IN),
        "windows-shell": Kind("runs batch files in the guest", _STAND_IN),
    },
    "post-processor": {
        "artifice": Kind("takes files for what was made"),
        "box": Kind("puts what was made among the boxes"),
        "checksum": Kind("writes checksums"),
        "compress": Kind("packs what was made"),
        "docker-import": Kind("makes an image of an archive"),
        "docker-push": Kind("sends an image to its registry"),
        "docker-save": Kind("writes an image to a file"),
        "docker-tag": Kind("names an image"),
        "manifest": Kind("writes down what was made"),
        "shell-local": Kind("runs scripts on this computer"),
        "vagrant": Kind("packs a box for Vagrant"),
    },
    "data source": {
        "amazon-ami": Kind("looks for an image at Amazon", _MOTO),
        "amazon-secretsmanager": Kind("reads a secret at Amazon", _MOTO),
        "http": Kind("asks a web server"),
        "null": Kind("hands on what it is given"),
    },
    "communicator": {
        "docker": Kind("by the daemon"),
        "lxd": Kind("by the server"),
        "none": Kind("not at all"),
        "ssh": Kind("over SSH"),
        "winrm": Kind("over WinRM", _STAND_IN),
    },
}
"""What can be run."""

_OTHERS: dict[Part, tuple[str, ...]] = {
    "data source": (
        "amazon-parameterstore", "file", "hcp-packer-artifact", "hcp-packer-image", "hcp-packer-iteration",
        "hcp-packer-version", "password",
    ),
    "communicator": (),
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
    does: str = ""
    proved: str = ""
    """How far, where not to its end."""


def support(part: Part, kind: str) -> Support:
    """Whether this kind of source, provisioner or post-processor runs."""
    if known := RUNS[part].get(kind):
        return Support(part, kind, "yes", does=known.does, proved=known.proved)
    if kind in _OTHERS[part]:
        return Support(part, kind, "no", f"Boxwright has no {part} of this kind.")
    guess = meant(kind, (*RUNS[part], *_OTHERS[part]))
    return Support(part, kind, "unknown", guess or f"No {part} of this kind is known.")


def supports(template: Template) -> tuple[Support, ...]:
    """All kinds of a template, each once."""
    found: dict[tuple[Part, str], Support] = {}

    def add(part: Part, kind: str) -> None:
        found.setdefault((part, kind), support(part, kind))

    for data in template.data:
        add("data source", data.kind)
    for source in template.sources:
        add("source", source.kind)
        communicator = source.settings.get("communicator")
        if isinstance(communicator, str) and communicator:
            add("communicator", communicator)
    for build in template.builds:
        for step in (*build.provisioners, *((build.on_error,) if build.on_error else ())):
            add("provisioner", step.kind)
        for chain in build.post_processors:
            for one in chain:
                add("post-processor", one.kind)
    return tuple(found.values())
