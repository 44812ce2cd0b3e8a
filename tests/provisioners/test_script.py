"""What is made of a script before it goes into a guest."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.provisioners.script import Script, execute, interpreter, normalise, receive, remove


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"#!/bin/sh\necho", ("/bin/sh",)),
        (b"#! /usr/bin/env  python3 -u \n", ("/usr/bin/env", "python3 -u")),
        (b"#!/bin/bash", ("/bin/bash",)),
        (b"#!\n", ()),
        (b"echo #!/bin/sh", ()),
        (b"", ()),
    ],
)
def test_the_first_line_is_read_as_the_kernel_does(contents: bytes, words: tuple[str, ...]) -> None:
    assert interpreter(contents) == words


def test_text_from_windows_becomes_text_of_unix() -> None:
    assert normalise(b"\xef\xbb\xbf#!/bin/sh\r\necho x\r\n") == b"#!/bin/sh\necho x\n"
    program = b"\x7fELF\0\r\n"
    assert normalise(program) == program


def sh(command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["sh", "-c", command], input=stdin, capture_output=True, timeout=20)


WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=25)
@given(
    args=st.lists(WORDS, max_size=3),
    env=st.dictionaries(st.from_regex(r"X[A-Z0-9_]{0,6}", fullmatch=True), WORDS, max_size=3),
    comment=st.binary(max_size=300).filter(lambda data: b"\0" not in data),
)
def test_scripts_arguments_and_variables_arrive_exactly(
    args: list[str], env: dict[str, str], comment: bytes
) -> None:
    """The whole way through real shells, without a guest between."""
    shown = "".join(f'printf "%s\\0" "${name}"\n' for name in env)
    contents = f'#!/bin/sh\nprintf "%s\\0" "$@"\n{shown}exit\n'.encode() + comment
    command, stdin = receive(Script(contents=contents, args=tuple(args), env=env, privileged=False))
    received = sh(command, stdin)
    assert received.returncode == 0, received.stderr
    folder = received.stdout.decode()
    ran = sh(execute(folder, privileged=False))
    sh(remove(folder))
    expected = "".join(word + "\0" for word in (args or [""])) + "".join(v + "\0" for v in env.values())
    assert ran.stdout == expected.encode()


def test_an_input_that_is_cut_short_leaves_nothing(tmp_path: Path) -> None:
    command, stdin = receive(Script(contents=b"echo x\n" * 100, env={"A": "b"}, privileged=False))
    for length in (0, 10, len(stdin) - 1):
        assert sh(f"export TMPDIR={tmp_path}; {command}", stdin[:length]).returncode == 74
        assert list(tmp_path.iterdir()) == []
