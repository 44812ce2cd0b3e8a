"""Drafts as HCL2."""

from __future__ import annotations

import re
from typing import Any

from core.templates.converting.draft import Draft, DraftBlock, DraftBuild, DraftVariable, Mixed, Reference
from core.templates.converting.losses import Losses
from core.templates.hcl.layout import layout
from core.templates.source import Source
from core.templates.values.show import quote

_NAME = re.compile(r"[^\W\d][\w-]*")


class HclWriter:
    def __init__(self, draft: Draft, losses: Losses) -> None:
        self._draft = draft
        self._losses = losses
        self._lines: list[str] = []
        self._seconds = False
        self._kinds = {one.name: one.kind for one in draft.sources}

    def text(self) -> str:
        draft = self._draft
        self._packer()
        for variable in draft.variables:
            self._variable(variable)
        for source in draft.sources:
            self._block("source", (source.kind, _word(source.name)), source.settings)
            self._lines.append("")
        for build in draft.builds:
            self._build(build)
        if self._seconds:
            self._lines += ['locals {\ntimestamp = regex_replace(timestamp(), "[- TZ:]", "")\n}', ""]
        return layout(Source("<converted>", "\n".join(self._lines).rstrip("\n") + "\n"))

    def _packer(self) -> None:
        draft = self._draft
        if not draft.required_version and not draft.requirements:
            return
        self._lines.append("packer {")
        if draft.required_version:
            self._lines.append(f"required_version = {quote(draft.required_version)}")
        if draft.requirements:
            self._lines.append("required_plugins {")
            for name, version, source in draft.requirements:
                self._lines.append(f"{name} = {self._value({'version': version, 'source': source})}")
            self._lines.append("}")
        self._lines += ["}", ""]

    def _variable(self, one: DraftVariable) -> None:
        if not _NAME.fullmatch(one.name):
            what = f'The variable "{one.name}" is called {_word(one.name)}, as HCL2 needs it.'
            self._losses.add(what, one.place)
        self._lines += [f"variable {quote(_word(one.name))} {{", f"type = {one.type}"]
        if one.description:
            self._lines.append(f"description = {quote(one.description)}")
        if isinstance(one.default, Mixed) and _others(one.default):
            what = f'The default of "{one.name}" uses other variables; it is written as its value now.'
            self._losses.add(what, one.place)
            if not one.sensitive:
                self._lines.append(f"default = {self._value(one.value)}")
        elif one.default is not None:
            self._lines.append(f"default = {self._value(one.default)}")
        if one.sensitive:
            self._lines.append("sensitive = true")
        self._lines += ["}", ""]

    def _build(self, build: DraftBuild) -> None:
        self._lines.append("build {")
        if build.name:
            self._lines.append(f"name = {quote(build.name)}")
        if build.description:
            self._lines.append(f"description = {quote(build.description)}")
        self._lines.append(
            f"sources = {self._value([f'source.{self._address(name)}' for name in build.sources])}"
        )
        for step in build.provisioners:
            self._step("provisioner", step)
        if build.on_error is not None:
            self._step("error-cleanup-provisioner", build.on_error)
        for chain in build.post_processors:
            if len(chain) == 1:
                self._step("post-processor", chain[0])
                continue
            self._lines += ["", "post-processors {"]
            for one in chain:
                self._step("post-processor", one)
            self._lines.append("}")
        self._lines += ["}", ""]

    def _address(self, name: str) -> str:
        return f"{self._kinds[name]}.{_word(name)}" if name in self._kinds else name

    def _step(self, keyword: str, one: DraftBlock) -> None:
        settings: dict[str, Any] = {}
        if one.name:
            settings["name"] = one.name
        for word, names in (("only", one.only), ("except", one.exclude)):
            if names:
                settings[word] = [self._address(name) for name in names]
        self._lines.append("")
        self._block(keyword, (one.kind,), {**settings, **one.settings, **one.common})

    def _block(self, keyword: str, labels: tuple[str, ...], settings: dict[str, Any]) -> None:
        self._lines.append(f"{keyword} {' '.join(map(quote, labels))}".rstrip() + " {")
        for name, value in settings.items():
            self._setting(name, value)
        self._lines.append("}")

    def _setting(self, name: str, value: Any) -> None:
        """Tables with tables in them are blocks, in HCL2; so are lists of tables."""
        if (
            name != "override"
            and isinstance(value, dict)
            and any(isinstance(x, dict | list) for x in value.values())
        ):
            self._block(name, (), value)
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            for item in value:
                self._block(name, (), item)
        else:
            self._lines.append(f"{_word(name)} = {self._value(value)}")

    def _value(self, value: Any) -> str:
        if isinstance(value, Mixed):
            return self._mixed(value)
        if isinstance(value, str):
            return quote(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if value is None:
            return "null"
        if isinstance(value, list):
            items = [self._value(item) for item in value]
            if len(items) > 1 and sum(map(len, items)) > 60:
                inner = ",\n".join(items)
                return f"[\n{inner},\n]"
            return f"[{', '.join(items)}]"
        if isinstance(value, dict):
            inner = "\n".join(f"{_key(name)} = {self._value(item)}" for name, item in value.items())
            return f"{{\n{inner}\n}}" if inner else "{}"
        return repr(value)

    def _mixed(self, value: Mixed) -> str:
        if len(value.parts) == 1 and isinstance(value.parts[0], Reference):
            return self._reference(value.parts[0])
        parts = [
            quote(part)[1:-1] if isinstance(part, str) else f"${{{self._reference(part)}}}"
            for part in value.parts
        ]
        return f'"{"".join(parts)}"'

    def _reference(self, one: Reference) -> str:
        match one.what:
            case "variable":
                return f"var.{_word(one.name)}"
            case "build":
                return f"build.{one.name}"
            case "source":
                return f"source.{one.name}"
            case "folder":
                return f"path.{one.name}"
            case "environment":
                return f"env({quote(one.name)})"
            case "time":
                return f"legacy_isotime({quote(one.name)})" if one.name else "timestamp()"
            case "uuid":
                return "uuidv4()"
        self._seconds = True
        self._losses.add("The time in seconds becomes local.timestamp, the time as YYYYMMDDhhmmss.")
        return "local.timestamp"


def _others(value: Mixed) -> bool:
    return any(isinstance(part, Reference) and part.what != "environment" for part in value.parts)


def _word(name: str) -> str:
    """A name as HCL2 can have it."""
    word = re.sub(r"[^\w-]", "_", name)
    return word if _NAME.fullmatch(word) else f"_{word}"


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else quote(name)
