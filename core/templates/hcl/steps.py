"""Provisioners and post-processors of HCL2 builds."""

from __future__ import annotations

from typing import Any

from core.templates.hcl import tree
from core.templates.hcl.blocks import check_labels, flag_of, text_of, typed
from core.templates.hcl.dynamic import expand
from core.templates.hcl.scope import Scope
from core.templates.hcl.settings import settings_of
from core.templates.model import PostProcessor, Step
from core.templates.problems import Fault, Problems
from core.templates.values.show import plain
from core.templates.values.types import NUMBER, STRING, ListOf

_COMMON = ("name", "only", "except")
_OF_STEPS = (*_COMMON, "override", "pause_before", "max_retries", "timeout")
_OF_POST_PROCESSORS = (*_COMMON, "keep_input_artifact")


class StepReader:
    """Reads steps; remembers the body of each, so that it can be read again when the build runs."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self.bodies: dict[str, tuple[tree.Body, Scope, tuple[str, ...]]] = {}

    def step(self, block: tree.Block, scope: Scope, id: str) -> Step | None:
        problems, body = self._problems, block.body
        try:
            check_labels(block, 1)
        except Fault as fault:
            problems.add(fault)
            return None
        self.bodies[id] = (body, scope, _OF_STEPS)
        retries = typed(body, "max_retries", NUMBER, scope, problems)
        return Step(
            id=id,
            kind=block.labels[0].text,
            name=text_of(body, "name", scope, problems),
            settings=settings_of(body, scope, problems, _OF_STEPS),
            only=self.words(body, "only", scope),
            exclude=self.words(body, "except", scope),
            override=self._override(body, scope),
            pause_before=text_of(body, "pause_before", scope, problems),
            max_retries=0 if retries is None else int(plain(retries)),
            timeout=text_of(body, "timeout", scope, problems),
            place=block.at.place,
        )

    def _override(self, body: tree.Body, scope: Scope) -> dict[str, dict[str, Any]]:
        """By the name of a source: settings that are different there."""
        whole = settings_of(body, scope, self._problems, set(body.settings) - {"override"}).get("override")
        if isinstance(whole, list) and len(whole) == 1:
            whole = whole[0]
        if whole is None:
            return {}
        if isinstance(whole, dict) and all(isinstance(item, dict) for item in whole.values()):
            return whole
        at = body.settings["override"].value.at if "override" in body.settings else body.at
        remedy = "write override = { NAME = { ... } }"
        self._problems.add(Fault('"override" holds settings by the name of a source.', at, remedy=remedy))
        return {}

    def words(self, body: tree.Body, name: str, scope: Scope) -> tuple[str, ...]:
        found = typed(body, name, ListOf(STRING), scope, self._problems)
        return () if found is None else tuple(plain(found))

    def chains(
        self, blocks: list[tuple[tree.Block, Scope]], id: str
    ) -> tuple[tuple[PostProcessor, ...], ...]:
        """``post-processor`` is a chain of one, ``post-processors`` a longer one."""
        found: list[tuple[PostProcessor, ...]] = []
        for block, scope in blocks:
            at = f"{id}.{len(found)}"
            if block.kind == "post-processor":
                one = self._post_processor(block, scope, f"{at}.0")
                found += [(one,)] if one is not None else []
                continue
            if block.kind != "post-processors":
                continue
            chain: list[PostProcessor] = []
            for inner, inner_scope in expand(block.body.blocks, scope, self._problems):
                if inner.kind != "post-processor":
                    what = f'A chain of post-processors has no block "{inner.kind}".'
                    self._problems.add(Fault(what, inner.at, remedy='write post-processor "KIND" { ... }'))
                    continue
                one = self._post_processor(inner, inner_scope, f"{at}.{len(chain)}")
                chain += [one] if one is not None else []
            for name, setting in block.body.settings.items():
                what = f'A chain of post-processors has no setting "{name}".'
                self._problems.add(Fault(what, setting.name_at))
            found.append(tuple(chain))
        return tuple(found)

    def _post_processor(self, block: tree.Block, scope: Scope, id: str) -> PostProcessor | None:
        problems, body = self._problems, block.body
        try:
            check_labels(block, 1)
        except Fault as fault:
            problems.add(fault)
            return None
        self.bodies[id] = (body, scope, _OF_POST_PROCESSORS)
        return PostProcessor(
            id=id,
            kind=block.labels[0].text,
            name=text_of(body, "name", scope, problems),
            settings=settings_of(body, scope, problems, _OF_POST_PROCESSORS),
            only=self.words(body, "only", scope),
            exclude=self.words(body, "except", scope),
            keep_input_artifact=flag_of(body, "keep_input_artifact", scope, problems),
            place=block.at.place,
        )
