"""Functions on files and paths. Relative paths are relative to where the command was given, as in Packer."""

from __future__ import annotations

import base64
import fnmatch
import os
import re
from pathlib import Path

from core.templates.functions.signature import FunctionError, Place, function
from core.templates.values.types import STRING
from core.templates.values.value import Value, set_of, text

_LARGEST = 64 * 1024 * 1024


def read(place: Place, name: str) -> bytes:
    """A file's bytes. Raises FunctionError."""
    path = _path(place, name)
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist" if not path.exists() else "is no file"
            raise FunctionError(f"{name} {what}", 0, "" if path.exists() else f"ls -l {path.parent}")
        if path.stat().st_size > _LARGEST:
            raise FunctionError(f"{name} is too large to be a part of a template", 0)
        return path.read_bytes()
    except FunctionError:
        raise
    except (OSError, ValueError) as error:
        raise FunctionError(
            f"{name} cannot be read: {getattr(error, 'strerror', None) or error}", 0
        ) from None


def _path(place: Place, name: str) -> Path:
    if "\0" in name:
        raise FunctionError("a path cannot hold a zero byte", 0)
    try:
        return Path(place.cwd, Path(name).expanduser())
    except RuntimeError as error:
        raise FunctionError(str(error), 0) from None


@function("file", STRING, place=True)
def file(place: Place, name: str) -> str:
    try:
        return read(place, name).decode()
    except UnicodeDecodeError:
        raise FunctionError(f"{name} is not UTF-8 text", 0, "use filebase64") from None


@function("filebase64", STRING, place=True)
def filebase64(place: Place, name: str) -> str:
    return base64.b64encode(read(place, name)).decode()


@function("fileexists", STRING, place=True)
def fileexists(place: Place, name: str) -> bool:
    path = _path(place, name)
    if path.is_dir():
        raise FunctionError(f"{name} is a folder", 0)
    return path.is_file()


@function("fileset", STRING, STRING, place=True)
def fileset(place: Place, folder: str, pattern: str) -> Value:
    """Files below a folder that match, their paths relative to it; ``**`` is any number of folders."""
    root = _path(place, folder)
    wanted = _glob(pattern)
    found: list[Value] = []
    for at, folders, files in os.walk(root):
        folders.sort()
        for name in files:
            path = Path(at, name).relative_to(root).as_posix()
            if wanted.fullmatch(path):
                found.append(text(path))
    return set_of(found, STRING)


def _glob(pattern: str) -> re.Pattern[str]:
    """``*``, ``?``, ``[...]``, ``{a,b}`` within a name, ``**`` across folders."""
    parts = []
    for part in pattern.split("/"):
        if part == "**":
            parts.append("**")
            continue
        translated = re.sub(r"\{([^{}]*)\}", lambda found: "\0" + found[1].replace(",", "\1") + "\2", part)
        regular = fnmatch.translate(translated).removeprefix("(?s:").removesuffix(r")\Z")
        regular = regular.replace(".*", "[^/]*").replace("\0", "(?:").replace("\1", "|").replace("\2", ")")
        parts.append(regular)
    whole = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            whole += ".*" if last else "(?:[^/]+/)*"
        else:
            whole += part if last else f"{part}/"
    try:
        return re.compile(whole, re.DOTALL)
    except re.error as error:
        raise FunctionError(f"the pattern is wrong: {error}", 1) from None


@function("abspath", STRING, place=True)
def abspath(place: Place, name: str) -> str:
    return os.path.normpath(Path(place.cwd, name))


@function("basename", STRING)
def basename(name: str) -> str:
    stripped = name.rstrip("/")
    return stripped.rpartition("/")[2] or ("/" if name.startswith("/") else ".")


@function("dirname", STRING)
def dirname(name: str) -> str:
    folder = name.rpartition("/")[0]
    return os.path.normpath(folder) if folder else "/" if name.startswith("/") else "."


@function("pathexpand", STRING)
def pathexpand(name: str) -> str:
    if not name.startswith("~"):
        return name
    try:
        return str(Path(name).expanduser())
    except RuntimeError:
        raise FunctionError("the home folder is not known", 0) from None
