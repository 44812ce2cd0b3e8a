"""Strings of JSON templates: rendered as far as is known when the template is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.templates.golang.functions import LATER, functions
from core.templates.golang.render import Names, render_known
from core.templates.jsontext import JsonNode
from core.templates.model import Deferred, Secret, Settings
from core.templates.problems import Fault, Problems
from core.templates.source import Source


def inner_source(node: JsonNode) -> Source:
    """The text within the quotes, as a source whose places are those of the file."""
    exact = "\\" not in node.at.text
    return Source(node.at.source.file, node.value, origin=node.at, shift=1 if exact else None)


class TextReader:
    """Renders settings. What fields of a running step (``{{ .Vars }}``) leave open stays text; what
    waits for the build itself is Deferred."""

    def __init__(self, variables: Any, world: Any, problems: Problems) -> None:
        self._variables = variables
        self._world = world
        self._problems = problems

    def settings(self, node: JsonNode, leave: tuple[str, ...], build: Mapping[str, str] | None) -> Settings:
        found: Settings = {}
        for name, (_, item) in node.value.items():
            if name not in leave:
                try:
                    found[name] = self.data(item, build)
                except Fault as fault:
                    self._problems.add(fault)
        return found

    def data(self, node: JsonNode, build: Mapping[str, str] | None) -> Any:
        """A value with its texts rendered. Raises Fault."""
        if isinstance(node.value, list):
            return [self.data(item, build) for item in node.value]
        if isinstance(node.value, dict):
            return {name: self.data(item, build) for name, (_, item) in node.value.items()}
        return self.text(node, build) if isinstance(node.value, str) else node.plain

    def text(self, node: JsonNode, build: Mapping[str, str] | None) -> Any:
        if "{{" not in node.value:
            return node.value
        variables = self._variables
        before, variables.used_sensitive = variables.used_sensitive, False
        names = Names(
            functions(self._world, variables.user, build),
            None,
            LATER if build is None else (),
        )
        try:
            found = render_known(inner_source(node), names)
            sensitive = variables.used_sensitive
        finally:
            variables.used_sensitive = before
        if found.waits_for and not found.waits_for.startswith((".", "$")):
            return Deferred(node.value, found.waits_for)
        return Secret(found.text) if sensitive else found.text
