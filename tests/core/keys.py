"""Keys made once a test run, their PEM forms, and clients that sign with them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
KEY_ID = "4f1f9a5e-7d0b-4c55-9d0e-6c2f6f0b7a11"
PASSPHRASE = "korrekt Pferd Batterie-\u00e4"
BASE = "http://127.0.0.1:1/trade-api/v2"


@lru_cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@lru_cache
def ed_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


@lru_cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_of(kind: str) -> PrivateKey:
    return rsa_key() if kind == "rsa" else ed_key()


def pem(
    key: PrivateKey | ec.EllipticCurvePrivateKey,
    passphrase: str | None = None,
    form: PrivateFormat = PrivateFormat.PKCS8,
) -> bytes:
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, encryption)


def public_pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def verify(key: PrivateKey, headers: Mapping[str, str], method: str, path: str) -> None:
    """Raises unless the headers sign exactly this request, with a salt of exactly 32 bytes."""
    signature = base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"], validate=True)
    message = f"{headers['KALSHI-ACCESS-TIMESTAMP']}{method}{path}".encode()
    public = key.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        public.verify(signature, message)
    else:
        public.verify(signature, message, PSS(MGF1(SHA256()), salt_length=32), SHA256())
