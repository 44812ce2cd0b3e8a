"""Texts and scripts of PowerShell."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class Digest(Protocol):
    """A checksum in the making."""

    def update(self, data: bytes, /) -> None: ...


_BLOCK = 30_000
"""Bytes of a file in a line of base64: below what an envelope of WinRM holds."""

_UPLOAD = """
$ErrorActionPreference = 'Stop'
$path = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath({path})
$folder = [IO.Path]::GetDirectoryName($path)
if ($folder) {{ [void][IO.Directory]::CreateDirectory($folder) }}
$file = [IO.File]::Create($path)
try {{
  while ($null -ne ($line = [Console]::In.ReadLine())) {{
    $bytes = [Convert]::FromBase64String($line)
    $file.Write($bytes, 0, $bytes.Length)
  }}
}} finally {{ $file.Close() }}
$file = [IO.File]::OpenRead($path)
try {{ $sum = [Security.Cryptography.SHA256]::Create().ComputeHash($file) }} finally {{ $file.Close() }}
[BitConverter]::ToString($sum).Replace('-', '').ToLower()
"""

_DOWNLOAD = """
$ErrorActionPreference = 'Stop'
$path = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath({path})
if (-not [IO.File]::Exists($path)) {{ exit 44 }}
$file = [IO.File]::OpenRead($path)
$bytes = New-Object byte[] {block}
try {{
  while (($count = $file.Read($bytes, 0, $bytes.Length)) -gt 0) {{
    [Console]::Out.WriteLine([Convert]::ToBase64String($bytes, 0, $count))
  }}
}} finally {{ $file.Close() }}
"""

MISSING = 44
"""Exit status of the download of a file that is not there."""

BOOTED = "(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc()"


def quote(text: str) -> str:
    """A text between single quotes, in which nothing has a meaning but they themselves."""
    # PowerShell takes typographical quotes for quotes, too.
    return "'" + "".join(letter * 2 if letter in "'‘’‚‛" else letter for letter in text) + "'"


def encoded(script: str) -> str:
    """A command line that runs the script, whatever stands in it."""
    data = base64.b64encode(("$ProgressPreference = 'SilentlyContinue'\n" + script).encode("utf-16-le"))
    return f"powershell -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand {data.decode()}"


def set_clock(now: int) -> str:
    """``now``: seconds since 1970."""
    return encoded(f"Set-Date -Date ([DateTimeOffset]::FromUnixTimeSeconds({now}).LocalDateTime)")


def upload(path: str) -> str:
    """Writes what comes in as lines of base64, and says the SHA-256 of the file."""
    return encoded(_UPLOAD.format(path=quote(path)))


def download(path: str) -> str:
    """Says the file as lines of base64."""
    return encoded(_DOWNLOAD.format(path=quote(path), block=_BLOCK))


def lines(file: Path, digest: Digest) -> Iterator[bytes]:
    """A file as lines of base64, each in a block of its own; ``digest`` is told what was in them."""
    with file.open("rb") as source:
        while data := source.read(_BLOCK):
            digest.update(data)
            yield base64.b64encode(data) + b"\r\n"
