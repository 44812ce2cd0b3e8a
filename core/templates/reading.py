"""What reading a template gives, whichever language it is in."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

from core.model.problem import Place
from core.templates.model import Settings, Template
from core.templates.values.value import Value

SPEAKS = "1.14.0"
"""The version of Packer whose templates are read; ``packer.version`` says so too."""


class Reading(abc.ABC):
    """A template as data, and what is needed to work out what only the running build knows."""

    def __init__(self, template: Template) -> None:
        self.template = template

    @abc.abstractmethod
    def evaluate(self, expression: str) -> Value:
        """What a console says to an expression. Raises TemplateError."""

    @abc.abstractmethod
    def written(self, id: str, setting: str) -> Place | None:
        """Where the setting of the part of that id is written; None where that is not known."""

    @abc.abstractmethod
    def settings(self, id: str, running: Mapping[str, Any], source: Mapping[str, str]) -> Settings:
        """The settings of the step or post-processor of that id, with what the running build knows now.

        ``running`` holds what ``build`` has (``ID``, ``Host``, ...), ``source`` the ``name`` and ``type`` of
        the source that is built. What stays open is Deferred. (Settings of sources are complete when the
        template was read.) Raises TemplateError.
        """
