"""Why a machine of VirtualBox does not start, and the command that mends it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers import tools
from core.providers.virtualbox import host
from core.providers.virtualbox.bridge import VirtualBoxError

_CONFIGURE = ("/sbin/vboxconfig", "/usr/sbin/vboxconfig")
"""Oracle's own packages compile the module with it."""

_KVM = ("VERR_VMX_IN_VMX_ROOT_MODE", "VERR_SVM_IN_USE")
_NO_VIRTUALIZATION = (
    "VERR_VMX_NO_VMX",
    "VERR_VMX_MSR_ALL_VMX_DISABLED",
    "VERR_SVM_NO_SVM",
    "VERR_SVM_DISABLED",
)
_NO_MEMORY = ("VERR_NO_MEMORY", "VERR_MAP_FAILED", "VERR_OUT_OF_MEMORY")


def module_missing() -> bool:
    """Whether the kernel module is not loaded; without it no machine starts."""
    return sys.platform == "linux" and not host.DEVICE.exists()


def module_remedy(modules: Path = Path("/lib/modules")) -> str:
    """The command that brings the kernel module, for this distribution and this kernel."""
    release = os.uname().release
    for path in _CONFIGURE:
        if Path(path).exists():
            return f"sudo {path}"
    if any((modules / release).glob("**/vboxdrv.ko*")):
        return "sudo modprobe vboxdrv"
    packages = {
        "debian": f"virtualbox-dkms linux-headers-{release}",
        "fedora": f"akmod-VirtualBox kernel-devel-{release}",
        "arch": "virtualbox-host-dkms linux-headers",
        "suse": "virtualbox-kmp-default",
    }
    command = tools.install(packages)
    if not command:
        return "install VirtualBox's kernel module (vboxdrv) for your kernel, then: sudo modprobe vboxdrv"
    return f"{command} && sudo modprobe vboxdrv"


def not_started(plan: MachinePlan, error: VirtualBoxError) -> ProviderError:
    """The error of a start, with VirtualBox's own words and the remedy."""
    said = error.problem.why or error.problem.what
    if error.kind in ("gone", "silent", "missing", "absent"):
        return error
    what = f"VirtualBox cannot start the machine {plan.key.name}."
    tail = last_words(plan)
    if module_missing():
        why = f"Its kernel module is not loaded: {host.DEVICE} is not there. VirtualBox says: {said}"
        return ProviderError(what, why=why, remedy=module_remedy(), tail=tail)
    if any(sign in said for sign in _KVM):
        remedy = "end the machines of KVM, then: sudo modprobe -r kvm_intel kvm_amd"
    elif any(sign in said for sign in _NO_VIRTUALIZATION):
        remedy = "switch virtualization on in the computer's firmware, or use the provider qemu"
    elif any(sign in said for sign in _NO_MEMORY):
        remedy = "give the machine less memory, or end others"
    else:
        remedy = ""
    return ProviderError(what, why=said, remedy=remedy, tail=tail)


def last_words(plan: MachinePlan) -> tuple[str, ...]:
    """The end of the machine's log, where it got as far as having one."""
    log = Path(plan.folder) / "virtualbox" / "Logs" / "VBox.log"
    try:
        return tuple(log.read_text(errors="replace").splitlines()[-5:])
    except OSError:
        return ()
