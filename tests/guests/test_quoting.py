"""Whatever the words are, a real shell reads them back as they were."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UsageError
from core.guests.quoting import exports, path_word, quote

# What cannot be encoded cannot be an argument either.
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


def sh(script: str) -> bytes:
    return subprocess.run(["sh", "-c", script], capture_output=True, check=True, timeout=20).stdout


@settings(max_examples=60)
@given(st.lists(WORDS, min_size=1, max_size=5))
def test_words_come_back_from_a_shell(words: list[str]) -> None:
    script = "printf '%s\\0' " + " ".join(quote(word) for word in words)
    assert sh(script) == "".join(word + "\0" for word in words).encode()


@settings(max_examples=60)
@given(WORDS)
def test_a_word_survives_a_shell_in_a_shell(word: str) -> None:
    inner = f"printf %s {quote(word)}"
    assert sh(f"sh -c {quote(inner)}") == word.encode()


@settings(max_examples=40)
@given(st.dictionaries(st.from_regex(r"X[A-Za-z0-9_]{0,8}", fullmatch=True), WORDS, max_size=4))
def test_variables_come_back_from_a_child(env: dict[str, str]) -> None:
    shown = "".join(f'printf "%s\\0" "${name}"; ' for name in env)
    assert sh(exports(env) + "exec sh -c " + quote(shown)) == "".join(v + "\0" for v in env.values()).encode()


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "A\n", "Ä", "$(x)"])
def test_impossible_names_of_variables_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="environment variable"):
        exports({name: "x"})


def test_a_nul_is_refused() -> None:
    with pytest.raises(UsageError, match="NUL"):
        quote("a\0b")


def test_a_tilde_is_the_home_of_the_account_and_everything_else_is_literal() -> None:
    assert sh(f"HOME=/h; printf %s {path_word('~/a b/$x')}") == b"/h/a b/$x"
    assert sh(f"HOME=/h; printf %s {path_word('~')}") == b"/h"
    assert sh(f"HOME=/h; printf %s {path_word('/a/~')}") == b"/a/~"
    assert sh(f"printf %s {path_word('-rf')}") == b"./-rf"
