"""The word that ends the output of a command on a terminal, however the output is cut."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from core.providers.lxd.farewell import Farewell


def _through(farewell: Farewell, sent: bytes, cuts: list[int]) -> tuple[bytes, int]:
    """What of ``sent``, cut there, was output; and how often it was said to be complete."""
    places = [0, *sorted(cut % (len(sent) + 1) for cut in cuts), len(sent)]
    output, complete = b"", 0
    for start, end in itertools.pairwise(places):
        part, came = farewell.take(sent[start:end])
        output += part
        complete += came
    return output + farewell.rest(), complete


@given(before=st.binary(max_size=60), after=st.binary(max_size=20), cuts=st.lists(st.integers(0, 200)))
def test_the_word_is_found_and_taken_out(before: bytes, after: bytes, cuts: list[int]) -> None:
    farewell = Farewell()
    word = farewell.around("true")[-1].encode()
    assert _through(farewell, before + word + after, cuts) == (before + after, 1)


@given(length=st.integers(0, 31), before=st.binary(max_size=60), cuts=st.lists(st.integers(0, 200)))
def test_what_only_begins_like_it_is_output(length: int, before: bytes, cuts: list[int]) -> None:
    farewell = Farewell()
    sent = before + farewell.around("true")[-1].encode()[:length]
    assert _through(farewell, sent, cuts) == (sent, 0)
