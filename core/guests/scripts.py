"""The shell scripts that transfers run in the guest: POSIX, content with BusyBox."""

from __future__ import annotations

from core.guests.archive import COMPLETE, ITEM
from core.guests.quoting import path_word, quote

NO_TAR = "boxwright: no tar here"

# Afterwards: $target is the final path, $parent its folder, which exists.
_TARGET = """
set -e
umask 022
target={target}
name={name}
case $target in
*/) mkdir -p "$target"; target=$target$name ;;
*) {into} ;;
esac
case $target in
/*/*|[!/]*/*) parent=${{target%/*}} ;;
/*) parent=/ ;;
*) parent=. ;;
esac
mkdir -p "$parent"
trap 'exit 1' HUP INT TERM PIPE
"""

_INTO_FOLDER = 'if [ -d "$target" ]; then target=$target/$name; fi'

# A cut connection looks like the end of the file: the size tells.
_FILE = """
if [ -d "$target" ]; then echo "$target: is a folder" >&2; exit 1; fi
stage=$(mktemp "$parent/.boxwright.XXXXXX")
trap 'rm -f "$stage"' EXIT
{receive}
size=$(wc -c <"$stage")
if [ "$size" -ne {size} ]; then echo "received $size of {size} bytes" >&2; exit 74; fi
chmod {mode:o} "$stage"
mv -f "$stage" "$target"
"""

_PLAIN = 'cat >"$stage"'
_SPARSE = """
if dd --version 2>/dev/null | grep -q coreutils
then gzip -dc | dd of="$stage" bs=65536 iflag=fullblock conv=sparse,notrunc status=none
else gzip -dc >"$stage"
fi
"""

_FOLDER = """
command -v tar >/dev/null || {{ echo {no_tar} >&2; exit 127; }}
if [ -d "$target" ]; then
  tar -x{z}pof - -C "$target" --strip-components=1
  exit 0
fi
stage=$(mktemp -d "$parent/.boxwright.XXXXXX")
trap 'rm -rf "$stage"' EXIT
tar -x{z}pof - -C "$stage"
if [ ! -e "$stage/{complete}" ]; then echo "the archive was cut short" >&2; exit 74; fi
mv "$stage/{item}" "$target"
"""


def in_shell(script: str) -> str:
    """A command line that runs the script in a POSIX shell, whatever the account's own one is."""
    return f"exec sh -c {quote(script)}"


def receive_file(target: str, name: str, *, size: int, mode: int, gzip: bool) -> str:
    head = _TARGET.format(target=path_word(target), name=quote(name), into=_INTO_FOLDER)
    return head + _FILE.format(receive=_SPARSE if gzip else _PLAIN, size=size, mode=mode)


def receive_folder(target: str, name: str, *, gzip: bool) -> str:
    head = _TARGET.format(target=path_word(target), name=quote(name), into=":")
    return head + _FOLDER.format(no_tar=quote(NO_TAR), z="z" if gzip else "", complete=COMPLETE, item=ITEM)


def describe(source: str) -> str:
    """Prints ``dir``, ``file SIZE``, ``other`` or ``missing``."""
    return f"""
source={path_word(source)}
if [ -d "$source" ]; then echo dir
elif [ -f "$source" ]; then echo file "$(stat -L -c %s "$source" 2>/dev/null)"
elif [ -e "$source" ]; then echo other
else echo missing
fi
"""


def send_file(source: str) -> str:
    return f"exec cat <{path_word(source)}"


def send_folder(source: str) -> str:
    return f"""
command -v tar >/dev/null || {{ echo {quote(NO_TAR)} >&2; exit 127; }}
source={path_word(source)}
cd "$source/" && exec tar -cf - .
"""
