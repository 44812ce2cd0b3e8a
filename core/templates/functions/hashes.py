"""Hashes, keys and identifiers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from decimal import Decimal

from core.templates.functions.files import read
from core.templates.functions.signature import FunctionError, Place, function
from core.templates.values.types import NUMBER, STRING

_NAMESPACES = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}


@function("md5", STRING)
def md5(given: str) -> str:
    return hashlib.md5(given.encode(), usedforsecurity=False).hexdigest()


@function("sha1", STRING)
def sha1(given: str) -> str:
    return hashlib.sha1(given.encode(), usedforsecurity=False).hexdigest()


@function("sha256", STRING)
def sha256(given: str) -> str:
    return hashlib.sha256(given.encode()).hexdigest()


@function("sha512", STRING)
def sha512(given: str) -> str:
    return hashlib.sha512(given.encode()).hexdigest()


@function("filemd5", STRING, place=True)
def filemd5(place: Place, name: str) -> str:
    return hashlib.md5(read(place, name), usedforsecurity=False).hexdigest()


@function("filesha1", STRING, place=True)
def filesha1(place: Place, name: str) -> str:
    return hashlib.sha1(read(place, name), usedforsecurity=False).hexdigest()


@function("filesha256", STRING, place=True)
def filesha256(place: Place, name: str) -> str:
    return hashlib.sha256(read(place, name)).hexdigest()


@function("filesha512", STRING, place=True)
def filesha512(place: Place, name: str) -> str:
    return hashlib.sha512(read(place, name)).hexdigest()


@function("base64sha256", STRING)
def base64sha256(given: str) -> str:
    return base64.b64encode(hashlib.sha256(given.encode()).digest()).decode()


@function("base64sha512", STRING)
def base64sha512(given: str) -> str:
    return base64.b64encode(hashlib.sha512(given.encode()).digest()).decode()


@function("bcrypt", STRING, NUMBER, optional=1)
def bcrypt(given: str, cost: int | Decimal = 10) -> str:
    import bcrypt as library

    if not 4 <= cost <= 20 or cost != int(cost):
        raise FunctionError("the cost is a whole number from 4 to 20", 1)
    if len(given.encode()) > 72:
        raise FunctionError("bcrypt takes at most 72 bytes", 0)
    hashed: bytes = library.hashpw(given.encode(), library.gensalt(int(cost), b"2a"))
    return hashed.decode()


@function("rsadecrypt", STRING, STRING)
def rsadecrypt(ciphertext: str, key: str) -> str:
    """PKCS #1 v1.5, the key in PEM's form."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        secret = base64.b64decode(ciphertext, validate=True)
    except binascii.Error:
        raise FunctionError("the ciphertext is not base64", 0) from None
    try:
        private = load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError):
        raise FunctionError("that is no private key without passphrase in PEM's form", 1) from None
    if not isinstance(private, RSAPrivateKey):
        raise FunctionError("that is no RSA key", 1)
    try:
        return private.decrypt(secret, PKCS1v15()).decode()
    except ValueError:
        raise FunctionError("the key does not decrypt that", 0) from None


@function("uuidv4")
def uuidv4() -> str:
    return str(uuid.uuid4())


@function("uuidv5", STRING, STRING)
def uuidv5(namespace: str, name: str) -> str:
    try:
        within = _NAMESPACES.get(namespace) or uuid.UUID(namespace)
    except ValueError:
        raise FunctionError(
            f"{namespace!r} is no namespace", 0, 'use "dns", "url", "oid", "x500" or a UUID'
        ) from None
    return str(uuid.uuid5(within, name))
