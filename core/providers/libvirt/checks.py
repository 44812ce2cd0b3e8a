"""What a type cannot say of the options: values that go together, and values that would do harm."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from core.errors import UsageError
from core.model.project import parse_size
from core.providers.libvirt import address

if TYPE_CHECKING:
    from core.providers.libvirt.options import Options
    from core.providers.libvirt.parts import Storage

DEVICES = ("hd", "cdrom", "fd", "network")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_TARGETS = {"virtio": "vd", "scsi": "sd", "sata": "sd", "usb": "sd", "ide": "hd"}


def no_control_characters(value: Any, key: str = "") -> None:
    """Raise UsageError for text that XML could not carry."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            no_control_characters(name, key)
            no_control_characters(inner, key or str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            no_control_characters(inner, key)
    elif isinstance(value, str) and re.search(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]", value):
        raise UsageError(f"An option of the libvirt provider cannot be {value!r} ({key}).")


def check(options: Options) -> None:
    """Raise UsageError for what cannot be done."""
    if "/" in options.default_prefix:
        raise _wrong(
            "default_prefix", options.default_prefix, "No name of a domain has a slash.", "remove it"
        )
    _satisfied(options)
    _one_of_two(options)
    _memory(options)
    _disks(options)
    _networks(options)
    _screen(options)
    for item in boot_order(options):
        if item[0] not in DEVICES:
            raise _wrong("boot", item[0], f"Possible are: {', '.join(DEVICES)}.", 'boot = ["hd"]')
    if options.tpm_type == "passthrough" and not options.tpm_path:
        raise UsageError("A TPM of the host's needs its device.", remedy='tpm_path = "/dev/tpm0"')
    if options.tpm_path and options.tpm_type == "emulator":
        raise UsageError("An emulated TPM has no device of the host's.", remedy="remove tpm_path")
    if (options.initrd or options.cmd_line or options.dtb) and not options.kernel:
        raise UsageError(
            "initrd, cmd_line and dtb go with a kernel from the host's disk.", remedy='kernel = "/path"'
        )
    if options.nvram and not options.loader:
        raise UsageError("The variables (nvram) go with a firmware.", remedy='loader = "/path/to/CODE.fd"')


MANAGEMENT = (
    *(f"management_network_{name}" for name in ("name", "address", "mode", "device", "mac", "domain")),
    *(f"management_network_{name}" for name in ("mtu", "autostart", "guest_ipv6", "keep")),
)
"""Of the network for management, what needs no PCI."""


def refuse_others(options: Options, taken: Collection[str], whose: str) -> None:
    """Raise UsageError for options besides ``taken``, but for what only says what is so anyway."""
    usual = type(options)()
    for name in options.__struct_fields__:
        if name not in taken and getattr(options, name) != getattr(usual, name):
            raise UsageError(
                f"The option {name} is of no use for {whose}.",
                why=f"They take {', '.join(sorted(taken))}.",
                remedy=f"remove {name}",
            )


def check_virtual(options: Options) -> None:
    """Raise UsageError for what only containers have, which are another provider's."""
    if address.is_container(options.uri):
        raise _wrong(
            "uri", options.uri, "Containers of libvirt's have a provider of their own.", 'provider = "lxc"'
        )
    if options.init:
        raise _wrong("init", options.init, "Virtual machines have an init of their own.", 'provider = "lxc"')


def boot_order(options: Options) -> tuple[tuple[str, str], ...]:
    """Devices to boot from, each with the network's name where one is meant."""
    given = (options.boot,) if isinstance(options.boot, str) else options.boot
    pairs = []
    for item in given:
        pairs += [(item, "")] if isinstance(item, str) else list(item.items())
    return tuple(pair for pair in pairs if pair[0])


def _wrong(key: str, value: object, why: str, remedy: str) -> UsageError:
    return UsageError(f"The libvirt option {key} cannot be {value!r}.", why=why, remedy=remedy)


def _satisfied(options: Options) -> None:
    """What is always so here: saying it is fine, the contrary is not."""
    always = {
        "random_hostname": (True, "Names of domains always carry the machine's id, so no two collide."),
        "forward_ssh_port": (True, "SSH always goes over a forwarded port."),
        "mgmt_attach": (True, "SSH and the forwarded ports come over the machine's first card."),
        "suspend_mode": (
            "managedsave",
            "Suspended machines are saved to disk: they outlive the host's restart.",
        ),
    }
    for key, (value, why) in always.items():
        if getattr(options, key) != value:
            raise _wrong(key, getattr(options, key), why, "remove it")


def _one_of_two(options: Options) -> None:
    for one, other in (
        ("machine", "machine_type"),
        ("cpu", "cpu_mode"),
        ("cpu", "cpu_model"),
        ("display", "graphics_type"),
    ):
        default = "none" if one == "display" else ""
        if getattr(options, one) != default and getattr(options, other):
            raise UsageError(
                f"The libvirt options {one} and {other} say the same.", remedy=f"remove one: {one} or {other}"
            )
    if options.driver and options.accelerator != "auto":
        raise UsageError("The libvirt options driver and accelerator say the same.", remedy="remove driver")
    if options.cpu_model and options.cpu_mode not in ("", "custom"):
        raise _wrong(
            "cpu_mode", options.cpu_mode, "A model is of use with custom only.", 'cpu_mode = "custom"'
        )
    if options.cpu_mode not in ("", "custom", "host-passthrough", "host-model", "maximum"):
        known = "host-passthrough, host-model, maximum, custom"
        raise _wrong("cpu_mode", options.cpu_mode, f"Possible are: {known}.", 'cpu_mode = "host-model"')
    if options.cpu_fallback == "forbid" and not (options.cpu_model or options.cpu):
        raise UsageError("cpu_fallback goes with a model.", remedy='cpu_model = "qemu64"')
    if options.cpu_mode == "custom" and not options.cpu_model:
        raise UsageError("The CPU mode custom needs a model.", remedy='cpu_model = "qemu64"')
    if options.volume_cache and options.disk_driver.cache:
        raise UsageError("volume_cache and disk_driver say the same.", remedy="remove volume_cache")


def _memory(options: Options) -> None:
    if memory_bytes(options) < 0 or options.cpus < 0:
        raise UsageError("memory and cpus of the libvirt provider cannot be less than nothing.")


def memory_bytes(options: Options) -> int:
    """0 where the machine's own holds."""
    if isinstance(options.memory, int):
        return options.memory << 20
    return int(options.memory) << 20 if options.memory.isdecimal() else size("memory", options.memory)


def size(key: str, text: str) -> int:
    """Bytes; raises UsageError."""
    try:
        return parse_size(text)
    except ValueError as error:
        raise _wrong(key, text, f"{error}.", f'{key} = "20GiB"') from None


def _disks(options: Options) -> None:
    prefix = _TARGETS[options.disk_bus]
    if options.disk_device and not re.fullmatch(prefix + "[a-z]+", options.disk_device):
        why = f"Disks at the bus {options.disk_bus} are {prefix}a, {prefix}b, ..."
        raise _wrong("disk_device", options.disk_device, why, f'disk_device = "{prefix}a"')
    for name in ("storage_pool_name", "snapshot_pool_name"):
        value = getattr(options, name)
        if value and "/" in value:
            raise _wrong(
                name, value, "A pool has a name; its folder is another matter.", f'{name} = "default"'
            )
    if options.storage_pool_path and not options.storage_pool_name:
        raise UsageError("A pool's folder goes with its name.", remedy='storage_pool_name = "default"')
    if options.snapshots == "external" and options.pool:
        raise UsageError(
            "External snapshots are of disks in the machine's own folder.",
            remedy='remove the storage pool, or snapshots = "external"',
        )
    stored = options.storage if isinstance(options.storage, tuple) else (options.storage,)
    for each in stored:
        if bool(each.size) == bool(each.path) and each.device == "disk":
            raise UsageError("A disk of storage has either a size (a new one) or a path (one that is there).")
        if each.device != "disk" and not each.path:
            raise UsageError(f"A {each.device} of storage has a path.", remedy='path = "/path/to/image.iso"')
        if each.size and each.type not in ("", "qcow2"):
            raise _wrong("type", each.type, "New disks are images in qcow2.", 'type = "qcow2"')
        if each.device != "disk":
            _plain_medium(each)
        if each.size:
            size("size", each.size)


def _plain_medium(part: Storage) -> None:
    """CDs and floppies have an image and a place, and nothing else."""
    for name in msgspec.structs.fields(part):
        if (
            name.name not in ("device", "path", "type", "bus", "dev")
            and getattr(part, name.name) != name.default
        ):
            raise UsageError(
                f"A {part.device} of storage has no {name.name}.", remedy=f"remove {name.name} from it"
            )


def _networks(options: Options) -> None:
    for network in options.networks:
        if isinstance(network, str):
            continue
        if sum(map(bool, (network.network, network.bridge, network.device))) != 1:
            raise UsageError("A card of networks is in one network, or at one bridge, or at one device.")
        if network.mac and not _MAC.fullmatch(network.mac):
            raise _wrong(
                "networks", network.mac, "That is no address of a card.", 'mac = "52:54:00:12:34:56"'
            )
    if len(options.networks) + 1 > options.nic_adapter_count:
        why = f"There are {len(options.networks) + 1} cards."
        raise _wrong("nic_adapter_count", options.nic_adapter_count, why, "remove nic_adapter_count")
    _management(options)


def _management(options: Options) -> None:
    named = options.management_network
    if named and not _NAME.fullmatch(named):
        raise _wrong("management_network_name", named, "That is no name of a network.", "")
    if options.management_network_mac and not _MAC.fullmatch(options.management_network_mac):
        raise _wrong(
            "management_network_mac", options.management_network_mac, "That is no card's address.", ""
        )
    if options.management_network_address:
        try:
            network = ipaddress.IPv4Network(options.management_network_address)
        except ValueError as error:
            key = "management_network_address"
            raise _wrong(
                key, options.management_network_address, str(error), f'{key} = "192.168.121.0/24"'
            ) from None
        if network.prefixlen > 29:
            raise _wrong("management_network_address", str(network), "There is no room for machines.", "")


def _screen(options: Options) -> None:
    if options.graphics_ip not in _LOOPBACK:
        raise _wrong(
            "graphics_ip",
            options.graphics_ip,
            "Nothing of Boxwright's listens beyond the loopback.",
            'graphics_ip = "127.0.0.1"',
        )
    without = options.graphics == "none"
    for key in ("graphics_port", "graphics_websocket", "graphics_gl", "keymap"):
        if without and getattr(options, key):
            raise UsageError(f"The libvirt option {key} needs a screen.", remedy='graphics_type = "vnc"')
    if options.graphics_autoport in (False, "no") and options.graphics_port <= 0:
        raise UsageError("Without graphics_autoport the screen needs a port.", remedy="graphics_port = 5901")
    if options.video_vram and options.video_type in ("virtio", "bochs", "ramfb", "none"):
        why = f"A card of type {options.video_type} has no memory of its own."
        raise _wrong("video_vram", options.video_vram, why, "remove it, or video_type")
    if options.graphics_gl and options.graphics != "spice":
        raise UsageError("Only spice draws with the host's OpenGL.", remedy='graphics_type = "spice"')
