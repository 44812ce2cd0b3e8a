"""What a template's build is given besides its files: variables, and what its sources of data find.

Files alone decide whether a box is stale: that is asked often. Who builds by name has time to ask for more.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.builds import last_made
from core.builds.data.asking import AskedInBuild
from core.model.work import Work
from core.templates.given import ENVIRONMENT_PREFIX, Given

_OF_EACH_ANSWER = ("request_headers", "response_headers")
"""What differs from one answer to the next: its date is among them, and Packer gives them by both names."""


async def digest(path: Path, given: Given, salt: bytes, work: Work) -> str:
    """Asks each source of data, as a step; "" where nothing is given. ``salt``: what is given may be secret.

    Raises as :func:`core.templates.load`, and BoxwrightError for what does not answer.
    """
    from core.templates import load
    from core.templates.load import language

    found: list[Any] = []
    if language(path) == "hcl":
        async with AskedInBuild(work, given.environment) as asked:

            def ask(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
                answer = asked(kind, settings)
                found.append([kind, {key: answer[key] for key in answer if key not in _OF_EACH_ANSWER}])
                return answer

            await asyncio.to_thread(load, path, given, strict=False, ask=ask)
    found.sort(key=lambda one: msgspec.json.encode(one, order="deterministic"))
    variables = {key: text for key, text in given.environment.items() if key.startswith(ENVIRONMENT_PREFIX)}
    found += [[variables]] if variables else []
    found += [list(given.variables)] if given.variables else []
    for file in given.files:
        found.append(await asyncio.to_thread(Path(given.cwd, file).read_text, errors="replace"))
    if not found:
        return ""
    return hashlib.sha256(salt + msgspec.json.encode(found, order="deterministic")).hexdigest()


def remembered(layers: Path, subject: str) -> str:
    """The digest of the last build of ``subject``."""
    made = last_made.recall(layers, f"inputs\0{subject}")
    return made.fingerprint if made else ""


def remember(layers: Path, subject: str, inputs: str) -> None:
    last_made.remember(layers, f"inputs\0{subject}", inputs, ())
