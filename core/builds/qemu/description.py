"""The machine that the settings of the source "qemu" describe."""

from __future__ import annotations

from pathlib import Path

from core.builds.qemu import arguments, states
from core.builds.qemu.hardware import Hardware, Media
from core.builds.qemu.settings import QemuSettings
from core.builds.qemu.web import GUEST_SIDE
from core.builds.scene import Scene
from core.providers import acceleration, firmware, tools


def output_folder(given: QemuSettings, scene: Scene) -> Path:
    return scene.path(given.output_directory or f"output-{scene.source}")


def emulator(given: QemuSettings) -> str:
    """Its path. Raises ProviderError where it is not installed."""
    name = given.qemu_binary.rsplit("/", 1)[-1] or "qemu-system-x86_64"
    return tools.emulator(name.removeprefix("qemu-system-"))


def describe(given: QemuSettings, scene: Scene, inserted: Media) -> Hardware:
    architecture = Path(emulator(given)).name.removeprefix("qemu-system-")
    wanted = given.accelerator if given.accelerator in ("kvm", "hvf", "tcg") else "auto"
    chosen = acceleration.choose(wanted, architecture, acceleration.this_host())
    fields = {
        "HTTPIP": GUEST_SIDE,
        "HTTPPort": scene.facts.get("PackerHTTPPort", ""),
        "HTTPDir": given.http_directory,
        "OutputDir": str(output_folder(given, scene)),
        "Name": given.vm_name or f"packer-{scene.source}",
        "SSHHostPort": arguments.PORT,
    }
    own = arguments.read(
        given.qemuargs,
        lambda text: scene.render(text, **fields),
        lambda file: arguments.same_file(file, Path(scene.world.cwd), _known(given, scene)),
    )
    if given.firmware:
        whole = scene.path(given.firmware)
        named = str(whole) if whole.is_file() else given.firmware
        if given.use_pflash:
            own.setdefault("-drive", []).append(f"file={named},if=pflash,unit=0,format=raw,readonly=on")
        else:
            own.setdefault("-bios", [named])
    if given.topology:
        own.setdefault("-smp", [given.topology])
    code = ""
    if given.uefi:
        code = given.efi_firmware_code or str(firmware.find(architecture).code)
    return Hardware(
        emulator=emulator(given),
        name=given.vm_name or f"packer-{scene.source}",
        machine=given.machine_type,
        accelerator=chosen.argument,
        cpu=given.cpu_model or chosen.cpu,
        cpus=given.cpus,
        memory=arguments.memory(own) or given.memory,
        disk_interface=given.disk_interface,
        cd_interface=given.cdrom_interface,
        disk_options=f"cache={given.disk_cache},discard={given.disk_discard},"
        f"detect-zeroes={given.disk_detect_zeroes}",
        net_device=given.net_device,
        vga=given.vga or "std",
        boot="once=d" if inserted.iso else "c",
        firmware=code,
        nvram=str(scene.folder / states.NVRAM) if code else "",
        media=inserted,
        overrides=own,
    )


def _known(given: QemuSettings, scene: Scene) -> list[Path]:
    """Files by which templates mean what the machine has anyhow: its disk, the image that it begins with."""
    named = [scene.path(text) for text in (given.iso_target_path, *given.urls) if text and "://" not in text]
    return [output_folder(given, scene) / (given.vm_name or f"packer-{scene.source}"), *named]
