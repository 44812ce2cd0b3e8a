"""Which handler carries out which command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.engine.context import Handler
from core.engine.handlers import boxes, builds, machines, provisioning, snapshots, transfer
from core.model import command as commands

HANDLERS: Mapping[type[Any], Handler] = {
    commands.Up: machines.up,
    commands.Halt: machines.halt,
    commands.Suspend: machines.suspend,
    commands.Resume: machines.resume,
    commands.Reload: machines.reload,
    commands.Destroy: machines.destroy,
    commands.Provision: provisioning.provision,
    commands.Upload: transfer.upload,
    commands.Download: transfer.download,
    commands.SaveSnapshot: snapshots.save,
    commands.RestoreSnapshot: snapshots.restore,
    commands.DeleteSnapshot: snapshots.delete,
    commands.AddBox: boxes.action("add_box"),
    commands.UpdateBox: boxes.action("update_boxes"),
    commands.OutdatedBoxes: boxes.action("outdated_boxes"),
    commands.RemoveBox: boxes.action("remove_box"),
    commands.PruneBoxes: boxes.action("prune_boxes"),
    commands.VerifyBoxes: boxes.action("verify_boxes"),
    commands.ImportBoxes: boxes.action("import_boxes"),
    commands.RunBuild: builds.run,
}
