"""A script and what surrounds it: how it reaches the guest, and how it is started there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from core.guests.quoting import exports, path_word, quote

DEFAULTS = {
    "DEBIAN_FRONTEND": "noninteractive",
    "PAGER": "cat",
    "SYSTEMD_PAGER": "cat",
    "GIT_PAGER": "cat",
}
"""Nobody is there to answer a question or to leave a pager; the project's ``env`` overrides these."""

NO_ROOT = 77
NO_FOLDER = 73
NO_DIRECTORY = 78
CUT_SHORT = 74

# The shell's own `read` takes no byte too many, so that the rest of the input is the script.
_RECEIVE = """
umask 077
{root}
folder=$(mktemp -d "${{TMPDIR:-/tmp}}/boxwright.XXXXXXXXXX") || exit {no_folder}
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM PIPE
count=0
while [ $count -lt {lines} ]; do
  IFS= read -r line || exit {cut}
  printf '%s\\n' "$line" || exit {no_folder}
  count=$((count + 1))
done >"$folder/run"
cat >"$folder/script" || exit {no_folder}
[ "$(wc -c <"$folder/script")" -eq {size} ] || exit {cut}
chmod 700 "$folder/script"
trap - EXIT
printf %s "$folder"
"""

_ROOT = f'[ "$(id -u)" = 0 ] || sudo -n true || exit {NO_ROOT}'


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What runs in the guest. ``strict``: the shell stops at the first command that fails."""

    contents: bytes
    strict: bool = False
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    cwd: str = ""
    privileged: bool = True


def receive(script: Script) -> tuple[str, bytes]:
    """A command that puts the script into a private folder and prints that folder's path, and its
    input. Variables travel in the input: a command line can be read by everybody in the guest."""
    starter = _starter(script.contents, script.strict, script.args, script.env, script.cwd)
    text = starter.encode("utf-8", "surrogateescape")
    command = _RECEIVE.format(
        root=_ROOT if script.privileged else ":",
        lines=text.count(b"\n"),
        size=len(script.contents),
        no_folder=NO_FOLDER,
        cut=CUT_SHORT,
    )
    return f"exec sh -c {quote(command)}", text + script.contents


def execute(folder: str, *, privileged: bool) -> str:
    """The command that runs what ``receive`` left in ``folder``.

    The mark by which a guest's processes are found again is handed on, as sudo drops it.
    """
    start = f'sh {quote(folder + "/run")} "${{BOXWRIGHT_RUN:-}}"'
    if not privileged:
        return f"exec {start}"
    return f'if [ "$(id -u)" = 0 ]; then exec {start}; else exec sudo -n -H -- {start}; fi'


def remove(folder: str) -> str:
    return f"rm -rf {quote(folder)}"


def normalise(contents: bytes) -> bytes:
    """Text from Windows as a Unix shell wants it: no byte order mark, no carriage returns. Programs
    (anything with a NUL byte) stay as they are."""
    if b"\0" in contents:
        return contents
    return contents.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


def interpreter(contents: bytes) -> tuple[str, ...]:
    """The words of the script's ``#!`` line as the kernel reads it (program, at most one argument);
    () without one."""
    first = contents.split(b"\n", 1)[0]
    if not first.startswith(b"#!"):
        return ()
    words = first[2:].strip().decode("utf-8", "surrogateescape").split(None, 1)
    return tuple(word.strip() for word in words)


def _starter(contents: bytes, strict: bool, args: Sequence[str], env: Mapping[str, str], cwd: str) -> str:
    lines = [
        "folder=${0%/*}\n",
        "export BOXWRIGHT_RUN=$1\n",
        exports({**DEFAULTS, **env}),
    ]
    if cwd:
        lines.append(f"cd {path_word(cwd)} || exit {NO_DIRECTORY}\n")
    words = "".join(" " + quote(arg) for arg in args)
    program = interpreter(contents)
    if program:
        # Named here rather than by the kernel: /tmp may be mounted without permission to execute.
        run = " ".join(quote(word) for word in program)
        lines.append(f'exec {run} "$folder/script"{words} </dev/null\n')
    elif b"\0" in contents[:4096]:
        lines.append(f'exec "$folder/script"{words} </dev/null\n')
    else:
        option = " -e" if strict else ""
        lines.append("shell=sh; if command -v bash >/dev/null 2>&1; then shell=bash; fi\n")
        lines.append(f'exec $shell{option} "$folder/script"{words} </dev/null\n')
    return "".join(lines)
