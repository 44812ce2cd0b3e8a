"""Secrets do not come through, however output is cut into pieces."""

from __future__ import annotations

import asyncio
import itertools

from hypothesis import given
from hypothesis import strategies as st

from core.builds.redaction import RedactedWork, Redaction
from tests.support.work import RecordingWork


@given(
    st.lists(st.text(alphabet="ab-", min_size=2, max_size=6), min_size=1, max_size=3),
    st.text(alphabet="ab- \n", max_size=60),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_no_secret_in_a_stream(secrets: list[str], text: str, cuts: list[int]) -> None:
    work = RecordingWork()
    redacted = RedactedWork(work, Redaction(secrets))
    data = text.encode()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    for start, end in itertools.pairwise(places):
        redacted.write(data[start:end])
    redacted.flush()
    shown = work.output.replace(b"<sensitive>", b"\0")
    assert not any(secret.encode() in shown for secret in secrets)


def test_names_notes_and_errors_are_redacted() -> None:
    async def run() -> RecordingWork:
        work = RecordingWork()
        redacted = RedactedWork(work, Redaction(["hunter22"]))
        async with redacted.step("log in as hunter22") as step:
            step.note("with hunter22")
            step.skipped("no hunter22")
        return work

    work = asyncio.run(run())
    assert "hunter22" not in str(work.states) + str(work.notes)
