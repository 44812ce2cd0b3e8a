"""Private keys of machines: a fresh pair for each, and the well-known ones for the first login."""

from __future__ import annotations

from pathlib import Path

from core.guests import insecure
from core.guests.hostkeys import write_private

_INSECURE = {
    "insecure_ed25519": insecure.ED25519_PRIVATE,
    "insecure_rsa": insecure.RSA_PRIVATE,
}


def machine_key(folder: str | Path) -> Path:
    """Where the private key of a machine lies in its folder (it may not be there yet)."""
    return Path(folder) / "id_ed25519"


def insecure_keys(folder: str | Path) -> tuple[Path, ...]:
    """The well-known private keys as files in ``folder``, written where they are missing: OpenSSH
    takes keys from files only."""
    paths = []
    for name, text in _INSECURE.items():
        path = Path(folder) / name
        if not path.is_file() or path.read_text("ascii", "replace") != text:
            write_private(path, text.encode("ascii"))
        paths.append(path)
    return tuple(paths)


def is_insecure(identity: str | Path) -> bool:
    """Whether a guest that this private key file opens may still let everybody in: it holds one of the
    well-known keys, or it is a machine's own key whose taking over was cut short."""
    if pending_mark(identity).exists():
        return True
    try:
        text = Path(identity).read_text("utf-8", "replace")
    except OSError:
        return False
    return _body(text) in {_body(known) for known in _INSECURE.values()}


def pending_mark(identity: str | Path) -> Path:
    """A file that is there while a machine's own key takes over from the well-known ones."""
    path = Path(identity)
    return path.with_name(path.name + ".pending")


def _body(text: str) -> str:
    return "".join(text.split())


def login_identities(folder: str | Path, *, identity: str = "") -> tuple[str, ...]:
    """What to try at a login, in order: the machine's own key where there is one, the box's or the
    project's ``identity`` where that is set, else the well-known keys.

    The machine's own key comes first even if the last attempt to put it into the guest was cut
    short, and the others stay behind it: whatever state that left, one of them fits.
    """
    own = machine_key(folder)
    first = (str(own),) if own.is_file() else ()
    rest = (identity,) if identity else tuple(str(path) for path in insecure_keys(folder))
    return first + tuple(path for path in rest if path not in first)


def make_machine_key(folder: str | Path, comment: str = "boxwright") -> tuple[Path, str]:
    """The machine's private key file, made with its ``.pub`` where missing, and the public key's line.

    An existing key is kept: the guest may know it already. A private key is 0600 from its first byte.
    """
    import asyncssh

    path = machine_key(folder)
    if path.is_file():
        key = asyncssh.read_private_key(path)
    else:
        key = asyncssh.generate_private_key("ssh-ed25519", comment=comment)
        write_private(path, key.export_private_key("openssh"))
    line = key.export_public_key("openssh")
    public = path.with_name(path.name + ".pub")
    if not public.is_file() or public.read_bytes() != line:
        write_private(public, line)
    return path, line.decode("ascii").strip()
