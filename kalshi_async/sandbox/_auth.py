"""Accounts, their keys, and the verification of signed requests."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ._errors import ApiError, nested
from ._limits import Limits

KEY_HEADER = "KALSHI-ACCESS-KEY"
TIME_HEADER = "KALSHI-ACCESS-TIMESTAMP"
SIGNATURE_HEADER = "KALSHI-ACCESS-SIGNATURE"
# A request may be this much older, or newer, than the clock of the exchange.
OLDEST_MS = 20_000
NEWEST_MS = 30_000

KeyType = Literal["ed25519", "rsa"]
PublicKey = ed25519.Ed25519PublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client needs to sign for an account; the key never shows in `repr`."""

    api_key_id: str
    private_key_pem: bytes = field(repr=False)
    user_id: str = ""


@dataclass(slots=True)
class Account:
    """A member of the exchange, and the buckets all its keys share."""

    user_id: str
    limits: Limits


@dataclass(slots=True)
class Key:
    """An API key: what it may do, and the one subaccount it is locked to, if any."""

    api_key_id: str
    user_id: str
    name: str
    public_key: PublicKey = field(repr=False)
    scopes: tuple[str, ...] = ("read", "write")
    subaccount: int | None = None

    def allows(self, scope: str) -> bool:
        """Whether it has this scope, or the one a finer scope (``write::trade``) is part of."""
        return scope in self.scopes or scope.partition("::")[0] in self.scopes


@dataclass(slots=True)
class Directory:
    """The members by user id and their keys by key id."""

    accounts: dict[str, Account] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)


def make_key(api_key_id: str, key_type: KeyType) -> tuple[Credentials, PublicKey]:
    """A fresh key pair: Ed25519 as PKCS#8, RSA-2048 as PKCS#1, the forms the exchange hands out."""
    if key_type == "ed25519":
        key = ed25519.Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Credentials(api_key_id, pem), key.public_key()
    if key_type == "rsa":
        secret = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = secret.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return Credentials(api_key_id, pem), secret.public_key()
    raise ValueError(f"unknown key_type {key_type!r}: choose 'ed25519' or 'rsa'")


def load_public_key(private_key_pem: bytes) -> PublicKey:
    """The public half of a key that `make_key` made."""
    key = load_pem_private_key(private_key_pem, None)
    if not isinstance(key, ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey):
        raise TypeError("neither an Ed25519 nor an RSA key")
    return key.public_key()


def carries_key(headers: Mapping[str, str]) -> bool:
    """Whether a request tries to sign in at all."""
    return any(name in headers for name in (KEY_HEADER, TIME_HEADER, SIGNATURE_HEADER))


def authenticate(
    keys: Mapping[str, Key], method: str, path: str, headers: Mapping[str, str], now_ms: int
) -> Key:
    """The key that signed this request, else an ApiError 401 with the body of the exchange.

    `path` is the full path exactly as sent, percent-encoding kept and without the query.
    """
    if not headers.get(KEY_HEADER):
        raise nested(401, "token_authentication_failure")
    signature = headers.get(SIGNATURE_HEADER)
    if not signature:
        raise nested(401, "signature_is_missing_from_headers")
    stamp = headers.get(TIME_HEADER, "")
    if not _fresh(stamp, now_ms):
        raise nested(401, "header_timestamp_expired")
    key = keys.get(headers[KEY_HEADER])
    if key is None:
        raise _refused("NOT_FOUND")
    if not _verified(key.public_key, signature, f"{stamp}{method}{path}".encode()):
        raise _refused("INCORRECT_API_KEY_SIGNATURE")
    return key


def _refused(details: str) -> ApiError:
    return nested(401, "authentication_error", details, message="authentication_error")


def _fresh(stamp: str, now_ms: int) -> bool:
    if not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 18:
        return False
    return now_ms - OLDEST_MS <= int(stamp) <= now_ms + NEWEST_MS


def _verified(key: PublicKey, signature: str, message: bytes) -> bool:
    try:
        raw = b64decode(signature, validate=True)
        if isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=padding.PSS.AUTO)
            key.verify(raw, message, pss, SHA256())
        else:
            key.verify(raw, message)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
