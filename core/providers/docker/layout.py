"""Where one container keeps its things on this side."""

from __future__ import annotations

from core.providers.layout import MachineLayout


class Layout(MachineLayout, frozen=True):
    provider = "docker"
