"""Certificates for tests of TLS: an authority, a server on the loopback, and a client."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificates(folder: Path) -> None:
    """``ca.pem``; for the server ``server-cert.pem`` and ``server-key.pem``, for the client without that."""
    subject = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _openssl(folder, "req", "-x509", *subject, "-days", "2", "-subj", "/CN=ca", "-keyout", "ca-key.pem",
             "-out", "ca.pem")  # fmt: skip
    for prefix, extension in (
        ("server-", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ("", "extendedKeyUsage=clientAuth"),
    ):
        (folder / "extension").write_text(extension)
        _openssl(folder, "req", *subject, "-subj", f"/CN={prefix}test", "-keyout", f"{prefix}key.pem",
                 "-out", "request.pem")  # fmt: skip
        _openssl(folder, "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem",
                 "-CAcreateserial", "-days", "2", "-extfile", "extension",
                 "-out", f"{prefix}cert.pem")  # fmt: skip


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
