"""What of libvirt's options guests of Xen's have."""

from __future__ import annotations

from core.errors import UsageError
from core.providers.libvirt import checks
from core.providers.libvirt.options import Options
from core.providers.libvirt.xen.definition import FULL, PARAVIRTUAL, machine_type

TAKEN = frozenset(
    {
        *("uri", "title", "description", "default_prefix", "autostart", "memory", "cpus", "cpuset"),
        *("machine", "machine_type", "emulator_path", "loader", "kernel", "initrd", "cmd_line"),
        *("storage_pool_name", "storage_pool_path", "snapshot_pool_name", "machine_virtual_size"),
        *("networks", "forward_mode", "nic_adapter_count", *checks.MANAGEMENT),
    }
)


def check(options: Options) -> None:
    """Raise UsageError for what guests of Xen's have not."""
    checks.refuse_others(options, TAKEN, "guests of Xen's")
    kind = machine_type(options)
    if kind not in (FULL, PARAVIRTUAL):
        raise UsageError(
            f"The libvirt option machine_type cannot be {kind!r} with Xen.",
            why=f"Possible are {FULL} (with firmware) and {PARAVIRTUAL} (for kernels that know Xen).",
            remedy=f'machine_type = "{FULL}"',
        )
    for network in options.networks:
        if not isinstance(network, str) and network.device:
            raise UsageError(
                f"A guest of Xen's cannot share the host's card {network.device!r}.",
                why="libvirt's driver of Xen knows networks and bridges.",
                remedy='networks = [{ bridge = "xenbr0" }]',
            )
