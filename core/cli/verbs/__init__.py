"""What the command line does for each command; a verb's module is imported when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from core.cli.context import Context
    from core.commands import CommandSpec

Verb = Callable[["Context", "CommandSpec", "argparse.Namespace"], int]
"""Carries a command out; returns the exit code, raises BoxwrightError."""

_HERE: dict[str, str] = {
    "machine.up": "machines:run",
    "machine.halt": "machines:run",
    "machine.suspend": "machines:run",
    "machine.resume": "machines:run",
    "machine.migrate": "machines:run",
    "machine.reload": "machines:run",
    "machine.destroy": "machines:destroy",
    "machine.recover": "destroyed:recover",
    "destroyed.list": "destroyed:show_list",
    "destroyed.prune": "destroyed:prune",
    "machine.clone": "machines:clone",
    "machine.provision": "machines:run",
    "machine.ssh": "ssh:ssh",
    "machine.ssh-config": "ssh:ssh_config",
    "machine.serial": "serial:serial",
    "build.screen": "screens:screen",
    "machine.upload": "transfer:upload",
    "machine.download": "transfer:download",
    "snapshot.save": "snapshots:save",
    "snapshot.list": "snapshots:show",
    "snapshot.restore": "snapshots:restore",
    "snapshot.delete": "snapshots:delete",
    "machine.port": "ports:port",
    "machine.status": "status:status",
    "machine.global-status": "status:global_status",
    "box.add": "boxes:add",
    "box.list": "box_lists:show_list",
    "box.show": "box_lists:show",
    "box.outdated": "boxes:outdated",
    "box.search": "boxes:search",
    "box.update": "boxes:update",
    "box.remove": "box_removal:remove",
    "box.prune": "box_removal:prune",
    "box.verify": "boxes:verify",
    "box.import": "boxes:import_boxes",
    "build.run": "builds:run",
    "build.answer": "builds:answer",
    "layer.list": "layers:show_list",
    "layer.prune": "layers:prune",
    "template.inspect": "templates:inspect",
    "template.validate": "templates:validate",
    "template.console": "templates:console",
    "template.fmt": "template_writing:fmt",
    "template.convert": "template_writing:convert",
    "project.init": "projects:init",
    "project.validate": "projects:validate",
    "operation.list": "operations:show_list",
    "operation.show": "operations:show",
    "operation.cancel": "operations:cancel",
    "operation.logs": "logs:logs",
    "engine.status": "engine:status",
    "engine.stop": "engine:stop",
    "engine.log": "engine:log",
    "doctor": "doctor:doctor",
    "workbench": "general:workbench",
    "completion": "general:completion",
    "version": "general:version",
    "help": "general:show_help",
}


def handler(spec: CommandSpec) -> Verb:
    """The function for a command of the registry."""
    module, _, name = _HERE[spec.id].partition(":")
    verb: Verb = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return verb
