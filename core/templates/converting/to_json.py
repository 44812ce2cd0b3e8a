"""Drafts as templates in JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from core.templates.converting.draft import Draft, DraftBlock, DraftBuild, Mixed, Reference
from core.templates.converting.losses import Losses
from core.templates.values.convert import to_text


class JsonWriter:
    def __init__(self, draft: Draft, losses: Losses) -> None:
        self._draft = draft
        self._losses = losses

    def text(self) -> str:
        draft = self._draft
        document: dict[str, Any] = {}
        descriptions = [build.description for build in draft.builds]
        if any(descriptions):
            document["description"] = "\n".join(one for one in descriptions if one)
        minimum = re.fullmatch(r">=\s*v?([\d.]+)", draft.required_version.strip())
        if minimum:
            document["min_packer_version"] = minimum[1]
        elif draft.required_version:
            self._losses.add(f"The constraint {draft.required_version} on Packer is left out.")
        for name, version, _ in draft.requirements:
            self._losses.add(f"The plugin {name} {version} is left out.".replace("  ", " "))
        variables = self._variables()
        if variables:
            document["variables"] = variables
        sensitive = [one.name for one in draft.variables if one.sensitive and one.name in variables]
        if sensitive:
            document["sensitive-variables"] = sensitive
        document["builders"] = [self._builder(one) for one in draft.sources]
        self._builds(document)
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def _variables(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for one in self._draft.variables:
            if isinstance(one.default, list | dict):
                what = f'The variable "{one.name}" is no text; where it is used, its value is written.'
                self._losses.add(what, one.place)
                continue
            if one.description:
                self._losses.add(f'The description of "{one.name}" is left out.', one.place)
            default = self._data(one.default) if isinstance(one.default, Mixed) else one.default
            found[one.name] = default if default is None or isinstance(default, str) else to_text(default)
        return found

    def _builder(self, one: DraftBlock) -> dict[str, Any]:
        named = {"name": one.name} if one.name != one.kind else {}
        return {"type": one.kind, **named, **self._data(one.settings)}

    def _builds(self, document: dict[str, Any]) -> None:
        """All builds as one: what belongs to a single one of several is kept to its sources."""
        several = len(self._draft.builds) > 1
        steps: list[Any] = []
        chains: list[Any] = []
        for build in self._draft.builds:
            if build.name and not several:
                self._losses.add(f'The name "{build.name}" of the build is left out.', build.place)
            only = build.sources if several else ()
            steps += [self._block(step, build, only) for step in build.provisioners]
            if build.on_error is not None:
                if several:
                    what = "An error-cleanup-provisioner is for all builds, in JSON."
                    self._losses.add(what, build.on_error.place)
                document["error-cleanup-provisioner"] = self._block(build.on_error, build, ())
            for chain in build.post_processors:
                items = [self._block(one, build, only) for one in chain]
                chains.append(items if len(items) > 1 else items[0] if items else [])
        if steps:
            document["provisioners"] = steps
        if chains:
            document["post-processors"] = chains

    def _block(self, one: DraftBlock, build: DraftBuild, only: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {"type": one.kind}
        if one.name:
            found["name"] = one.name
        wanted = one.only or (tuple(name for name in only if name not in one.exclude) if only else ())
        if wanted:
            found["only"] = list(wanted)
        elif one.exclude:
            found["except"] = list(one.exclude)
        return {**found, **self._data(one.settings), **self._data(one.common)}

    def _data(self, value: Any) -> Any:
        if isinstance(value, Mixed):
            parts = [part if isinstance(part, str) else self._reference(part) for part in value.parts]
            return "".join(parts)
        if isinstance(value, list):
            return [self._data(item) for item in value]
        if isinstance(value, dict):
            return {name: self._data(item) for name, item in value.items()}
        return value

    def _reference(self, one: Reference) -> str:
        match one.what:
            case "variable":
                return f"{{{{user `{one.name}`}}}}"
            case "build":
                return f"{{{{build `{one.name}`}}}}"
            case "source":
                return f"{{{{build_{one.name}}}}}"
            case "folder":
                return "{{template_dir}}" if one.name == "root" else "{{pwd}}"
            case "environment":
                return f"{{{{env `{one.name}`}}}}"
            case "time":
                return f"{{{{isotime `{one.name}`}}}}" if one.name else "{{isotime}}"
            case "uuid":
                return "{{uuid}}"
        return "{{timestamp}}"
