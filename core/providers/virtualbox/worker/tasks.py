"""What can be asked of the worker, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.providers.virtualbox.worker import copying, looking, making, networks, power, settings, snapshots

TASKS: dict[str, Callable[..., Any]] = {
    "about": looking.about,
    "rows": looking.rows,
    "disks": looking.disks,
    "snapshots": looking.snapshots,
    "orphans": looking.orphans,
    "forget orphans": looking.forget_orphans,
    "forget strays": looking.forget_strays,
    "master": making.master,
    "import": making.import_box,
    "clone": making.clone,
    "copy disks": copying.copy_disks,
    "register": making.register,
    "remove": making.remove,
    "drop master": making.drop_master,
    "configure": settings.configure,
    "launch": power.launch,
    "switch off": power.switch_off,
    "power button": power.press_power_button,
    "save": power.save,
    "forget memory": power.forget_memory,
    "go on": power.go_on,
    "counters": power.counters,
    "take snapshot": snapshots.take,
    "restore snapshot": snapshots.restore,
    "delete snapshot": snapshots.delete,
    "host-only": networks.host_only,
    "drop networks": networks.drop_unused,
}
"""Each is handed the API, and what the request says; generators are tasks that wait for VirtualBox."""
