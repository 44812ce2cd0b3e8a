"""UEFI firmware images on this computer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from core.errors import ProviderError
from core.providers.tools import install_command


class Firmware(msgspec.Struct, frozen=True):
    code: Path
    variables: Path
    """The template of the variables; every machine gets its own copy."""


VARIABLES = "efivars.fd"
"""Of a box: the variables as the build's machine left them, with what boots first among them."""

SHARES = (Path("/usr/share"), Path("/usr/local/share"), Path("/opt/homebrew/share"))

_PAIRS = {
    "x86_64": (
        ("OVMF/OVMF_CODE_4M.fd", "OVMF/OVMF_VARS_4M.fd"),
        ("OVMF/OVMF_CODE.fd", "OVMF/OVMF_VARS.fd"),
        ("edk2/x64/OVMF_CODE.4m.fd", "edk2/x64/OVMF_VARS.4m.fd"),
        ("edk2/ovmf/OVMF_CODE.fd", "edk2/ovmf/OVMF_VARS.fd"),
        ("qemu/ovmf-x86_64-code.bin", "qemu/ovmf-x86_64-vars.bin"),
        ("qemu/edk2-x86_64-code.fd", "qemu/edk2-i386-vars.fd"),
    ),
    "aarch64": (
        ("AAVMF/AAVMF_CODE.fd", "AAVMF/AAVMF_VARS.fd"),
        ("edk2/aarch64/QEMU_EFI-pflash.raw", "edk2/aarch64/vars-template-pflash.raw"),
        ("qemu/edk2-aarch64-code.fd", "qemu/edk2-arm-vars.fd"),
    ),
}


def find(architecture: str, shares: Iterable[Path] | None = None) -> Firmware:
    """The first pair that is installed; raises ProviderError with the command that installs one."""
    for share in shares if shares is not None else SHARES:
        for code, variables in _PAIRS.get(architecture, ()):
            if (share / code).is_file() and (share / variables).is_file():
                return Firmware(share / code, share / variables)
    raise ProviderError(
        f"The machine wants UEFI firmware for {architecture}, and none is installed.",
        remedy=install_command("firmware", architecture),
    )


def variables_of(box_files: Mapping[str, str], firmware: Firmware) -> Path:
    """What a new machine's variables are copied from: the box's own, where they fit this firmware."""
    own = box_files.get(VARIABLES)
    if own and Path(own).stat().st_size == firmware.variables.stat().st_size:
        return Path(own)
    return firmware.variables
