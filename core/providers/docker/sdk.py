"""What Docker's own SDK knows better than anybody: contexts, credentials, what belongs to a build.

It is loaded when one of these is needed, which most commands never do. Its calls to the daemon are not used:
they block, cannot be given up, and hold nothing back (see ``wire``).
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import IO, Any

from core.errors import ProviderError
from core.providers.docker.address import Address


def _docker() -> Any:
    try:
        import docker
    except ImportError as error:
        raise ProviderError(
            "The Python module docker is not installed.",
            why=str(error),
            remedy=f"{sys.executable} -m pip install 'docker>=7,<8'",
        ) from error
    return docker


def context(name: str) -> Address | None:
    """Where the daemon of one of Docker's contexts listens; None where there is no such context."""
    _docker()
    from docker.context import ContextAPI

    found = ContextAPI.get_context(name)
    if found is None or not found.Host:
        return None
    tls = found.TLSConfig
    folder = str(Path(tls.cert[0]).parent) if tls and tls.cert else ""
    return Address(found.Host, folder, bool(tls.verify) if tls else True)


def credentials(image: str) -> dict[str, str]:
    """The header that shows a registry who asks, as ``docker login`` has left it; {} for nobody."""
    auth = _docker().auth
    registry, _ = auth.resolve_repository_name(image)
    found = auth.load_config().resolve_authconfig(registry)
    return {"X-Registry-Auth": auth.encode_header(found).decode()} if found else {}


def login(username: str, password: str, server: str) -> dict[str, str]:
    """The header for somebody whose password is known."""
    who = {"username": username, "password": password, "serveraddress": server}
    return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(who).encode()).decode()}


def build_context(folder: Path, dockerfile: Path) -> tuple[IO[bytes], str]:
    """A tar archive of the folder without what ``.dockerignore`` names, and the Dockerfile's name in it.

    A Dockerfile elsewhere comes along under a name of its own. Raises OSError.
    """
    _docker()
    from docker.api.build import process_dockerfile
    from docker.utils.build import tar

    ignore = folder / ".dockerignore"
    patterns = []
    if ignore.is_file():
        lines = ignore.read_text(encoding="utf-8", errors="replace").splitlines()
        patterns = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    name, text = process_dockerfile(str(dockerfile), str(folder))
    archive: IO[bytes] = tar(str(folder), exclude=patterns, dockerfile=(name, text))
    return archive, name
