"""Which handler carries out which command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.engine.context import Handler
from core.engine.handlers import (
    boxes,
    builds,
    cloning,
    destroying,
    machines,
    moving,
    provisioning,
    snapshots,
    transfer,
)
from core.model import command as commands

BOX_ACTIONS: Mapping[type[Any], str] = {
    commands.AddBox: "add_box",
    commands.UpdateBox: "update_boxes",
    commands.OutdatedBoxes: "outdated_boxes",
    commands.SearchBoxes: "search_boxes",
    commands.RemoveBox: "remove_boxes",
    commands.VerifyBoxes: "verify_boxes",
    commands.ImportBoxes: "import_boxes",
}
"""Names of functions in :mod:`core.boxes.actions`, which is imported when one is needed."""

HANDLERS: Mapping[type[Any], Handler] = {
    commands.Up: machines.up,
    commands.Halt: machines.halt,
    commands.Suspend: machines.suspend,
    commands.Resume: machines.resume,
    commands.Migrate: moving.migrate,
    commands.Reload: machines.reload,
    commands.Destroy: destroying.destroy,
    commands.Recover: destroying.recover,
    commands.PruneDestroyed: destroying.prune_destroyed,
    commands.Clone: cloning.clone,
    commands.Provision: provisioning.provision,
    commands.Upload: transfer.upload,
    commands.Download: transfer.download,
    commands.SaveSnapshot: snapshots.save,
    commands.RestoreSnapshot: snapshots.restore,
    commands.DeleteSnapshot: snapshots.delete,
    commands.RunBuild: builds.run,
    commands.AnswerBuild: builds.answer,
    commands.PruneLayers: builds.prune_layers,
    commands.PruneBoxes: boxes.prune,
    **{command: boxes.action(name) for command, name in BOX_ACTIONS.items()},
}
