"""Drafts as builds of ``boxwright.toml``: as far as those have what a template says."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from core.errors import ConfigError
from core.model.project import Bootstrap, DockerSource, LxdSource, ProjectFile
from core.templates.converting.draft import Draft, DraftBlock, DraftBuild, Mixed, Reference
from core.templates.converting.losses import Losses

_MODELS: dict[str, type[msgspec.Struct]] = {
    "bootstrap": Bootstrap,
    "docker": DockerSource,
    "lxd": LxdSource,
}
_OF_BUILD = ("cpus", "memory", "formats")
_SAID = {
    "variable": 'the variable "{}"',
    "build": "the running build's {}",
    "source": "the {} of the source",
    "folder": "the template's folder, or the one in which the build is asked for (path.{0}),",
    "environment": "the environment variable {}",
    "time": "the time",
    "seconds": "the time",
    "uuid": "a new UUID",
}
"""How what is not written out is called."""
_SHELL = ("inline", "script", "environment_vars")
_FILE = ("source", "destination")


def _put(builds: dict[str, Any], source: DraftBlock, build: dict[str, Any]) -> str:
    """Two sources of one name and with the same steps are one build, as both are one system. Returns its
    name."""
    name = _name(source.name)
    there = builds.get(name)
    if there is None:
        builds[name] = build
        return name
    same = there.get("provision") == build.get("provision")
    before, after = there["source"], build["source"]
    if same and all(before[kind] == after[kind] for kind in before.keys() & after.keys()):
        builds[name] = {**build, **there, "source": {**before, **after}}
        return name
    name = _name(f"{source.kind}-{source.name}")
    builds[name] = build
    return name


class TomlWriter:
    def __init__(self, draft: Draft, losses: Losses, name: str) -> None:
        self._draft = draft
        self._losses = losses
        self._name = name

    def text(self) -> str:
        """Raises ConfigError where nothing of the template can be a build."""
        import tomlkit

        builds: dict[str, Any] = {}
        machines: set[str] = set()
        for build in self._draft.builds:
            for source in (one for one in self._draft.sources if one.name in build.sources):
                if source.kind not in _MODELS:
                    what = (
                        f'The source "{source.kind}" {source.name} is left out: '
                        'builds have "bootstrap", "docker" and "lxd".'
                    )
                    self._losses.add(what, source.place)
                    continue
                name = _put(builds, source, self._build(build, source))
                machines |= {name} if source.kind == "bootstrap" else set()
        for name in builds.keys() - machines:
            if "bootstrap" in builds[name]["source"]:
                self._losses.add(f'The build "{name}" makes a box for QEMU, too.', None)
        if not builds:
            raise ConfigError(
                "Nothing of this template can be a build of boxwright.toml.",
                why='Builds begin with the source "bootstrap", "docker" or "lxd", and the template has none.',
                remedy="boxwright template convert --to hcl",
            )
        document = {"project": {"name": _name(self._name)}, "builds": builds}
        self._check(document)
        return tomlkit.dumps(document)

    def _check(self, document: dict[str, Any]) -> None:
        try:
            msgspec.convert(document, ProjectFile)
        except msgspec.ValidationError as error:
            raise ConfigError(
                "What comes out would not be a valid project file.",
                why=str(error),
                remedy="change the template",
            ) from None

    def _build(self, build: DraftBuild, source: DraftBlock) -> dict[str, Any]:
        settings = {name: self._data(value, source) for name, value in source.settings.items()}
        base = settings.pop("bootstrap", None) if source.kind == "docker" else None
        known = {field.name for field in msgspec.structs.fields(_MODELS[source.kind])}
        of_build = _OF_BUILD if source.kind == "bootstrap" else ("commit", "output_image")
        for name in set(settings) - known - set(of_build):
            self._losses.add(f'"{name}" of the source "{source.name}" is left out.', source.place)
        found: dict[str, Any] = {}
        if build.description:
            found["description"] = build.description
        found["source"] = {source.kind: {key: value for key, value in settings.items() if key in known}}
        if base:
            found["source"]["bootstrap"] = base[0] if isinstance(base, list) else base
        found |= {key: settings[key] for key in _OF_BUILD if key in settings and source.kind == "bootstrap"}
        steps = [step for one in build.provisioners if (step := self._step(one, source))]
        if steps:
            found["provision"] = steps
        if build.on_error is not None:
            self._losses.add("The error-cleanup-provisioner is left out.", build.on_error.place)
        for one in (one for chain in build.post_processors for one in chain):
            self._losses.add(f'The post-processor "{one.kind}" is left out.', one.place)
        return found

    def _step(self, one: DraftBlock, source: DraftBlock) -> dict[str, Any]:
        names = (source.name, f"{source.kind}.{source.name}")
        if (one.only and not set(names) & set(one.only)) or set(names) & set(one.exclude):
            return {}
        settings = {name: self._data(value, one) for name, value in one.settings.items()}
        for name in one.common:
            if name != "timeout":
                self._losses.add(f'"{name}" of the provisioner "{one.kind}" is left out.', one.place)
        found = self._shell(settings, one) if one.kind == "shell" else self._file(settings, one)
        seconds = _seconds(one.common.get("timeout"))
        return {**found, "timeout": seconds} if found and seconds else found

    def _shell(self, settings: dict[str, Any], one: DraftBlock) -> dict[str, Any]:
        self._left_out(settings, _SHELL, one)
        found: dict[str, Any] = {}
        if "inline" in settings:
            inline = settings["inline"]
            found["shell"] = "\n".join(map(str, inline)) if isinstance(inline, list) else str(inline)
        elif "script" in settings:
            found["script"] = settings["script"]
        else:
            return {}
        pairs = [str(one).partition("=") for one in settings.get("environment_vars", [])]
        if pairs:
            found["env"] = {name: value for name, _, value in pairs}
        return found

    def _file(self, settings: dict[str, Any], one: DraftBlock) -> dict[str, Any]:
        if one.kind != "file" or "source" not in settings or "destination" not in settings:
            self._losses.add(f'The provisioner "{one.kind}" is left out.', one.place)
            return {}
        self._left_out(settings, _FILE, one)
        return {"file": settings["source"], "to": settings["destination"]}

    def _left_out(self, settings: dict[str, Any], known: tuple[str, ...], one: DraftBlock) -> None:
        for name in settings:
            if name not in known:
                self._losses.add(f'"{name}" of the provisioner "{one.kind}" is left out.', one.place)

    def _data(self, value: Any, within: DraftBlock) -> Any:
        if isinstance(value, Mixed):
            return self._text(value, within)
        if isinstance(value, list):
            return [self._data(item, within) for item in value]
        return (
            {key: self._data(item, within) for key, item in value.items()}
            if isinstance(value, dict)
            else value
        )

    def _text(self, value: Mixed, within: DraftBlock) -> str:
        first, *rest = value.parts
        beside = first == Reference("folder", "root") and rest and str(rest[0]).startswith("/")
        if beside:
            self._losses.add("Relative paths start at the project file: it has to lie beside the template.")
        words = [
            part if isinstance(part, str) else self._reference(part, within)
            for part in (rest if beside else value.parts)
        ]
        text = "".join(words)
        return text.lstrip("/") if beside else text

    def _reference(self, one: Reference, within: DraftBlock) -> str:
        variable = self._draft.variable(one.name) if one.what == "variable" else None
        if variable is not None and not variable.sensitive and variable.value is not None:
            self._losses.add(
                f'The variable "{one.name}" is written as the value that it has now.', variable.place
            )
            return str(variable.value)
        sensitive = variable is not None and variable.sensitive
        raise ConfigError(
            f"A project file cannot have {_SAID[one.what].format(one.name)} in its settings.",
            why="It is sensitive." if sensitive else "It is known only when the build runs.",
            place=within.place,
            remedy=f'write a value in its place into the "{within.kind}" of the template',
        )


def _name(text: str) -> str:
    """A name of a project or build."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:63] or "template"


def _seconds(timeout: Any) -> float:
    units = {"h": 3600, "m": 60, "s": 1}
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", str(timeout or ""))
    return sum(float(number) * units[unit] for number, unit in parts)
