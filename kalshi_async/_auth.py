"""Signing: RSA-PSS or Ed25519 over ``{timestamp}{METHOD}{path}``.

RSA keys sign with SHA-256, MGF1-SHA-256 and a salt as long as the digest; Ed25519 keys sign the
same bytes without a prehash. Key material never appears in ``repr``, messages or events.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ._errors import ConfigurationError
from ._signing import SigningThreads

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    PrivateKey = RSAPrivateKey | Ed25519PrivateKey

Passphrase = str | bytes | Callable[[], str | bytes]

OFFLOAD_ABOVE_BITS = 3000
"""RSA keys longer than this sign in a worker thread.

A hop to a thread costs about 0.1 ms; an RSA-2048 signature costs 0.2 ms and an RSA-4096 one 1.4 ms,
for which the event loop would stand still. ``python -m benchmarks sign`` measures it.
"""

_PUBLIC_MARKERS = (b"BEGIN PUBLIC KEY", b"BEGIN RSA PUBLIC KEY", b"BEGIN CERTIFICATE")
_KEY_BASE64 = re.compile(r"(?:MI|MC|MH|b3BlbnNz|LS0tLS1C)(?:[A-Za-z0-9+/=\s]|\\n){40,}")
_GENERATE = "Kalshi takes RSA (2048 bits or more) and Ed25519 private keys in PEM form"


def load_private_key(
    source: object, passphrase: Passphrase | None = None, *, origin: str = "private_key"
) -> PrivateKey:
    """A private key from PEM text, PEM bytes, or a ready key object of ``cryptography``.

    Args:
        source: The key.
        passphrase: For an encrypted PEM: text, bytes, or a callable that is asked once.
        origin: What the messages call the source.

    Raises:
        ConfigurationError: No private key of a kind that Kalshi takes; the message says which
            mistake it is, and never quotes the key.
    """
    if isinstance(source, str):
        # Environment variables often carry the line breaks as two characters.
        source = _encoded(source.replace("\\n", "\n"))
    if isinstance(source, bytes):
        source = _parse_pem(source.strip() + b"\n", passphrase, origin)
    return _checked(source, origin)


def load_private_key_file(
    path: str | Path, passphrase: Passphrase | None = None, *, origin: str = "private_key_path"
) -> PrivateKey:
    """A private key from a PEM file; see ``load_private_key``."""
    if looks_like_key(str(path)):
        raise ConfigurationError(
            f"{origin} holds a key, not a path; give it as private_key= or KALSHI_PRIVATE_KEY"
        )
    remedy = "give the path of your PEM private key"
    try:
        file = Path(path).expanduser()
        data = file.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(f"{origin}: there is no file {str(file)!r}; {remedy}") from None
    except (OSError, ValueError, RuntimeError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise ConfigurationError(
            f"{origin}: cannot read {str(path)!r}: {reason}; {remedy}"
        ) from None
    return load_private_key(data, passphrase, origin=f"{origin} {str(file)!r}")


def looks_like_key(text: str) -> bool:
    """Whether a text may be a key (PEM, or the base64 inside it) and must not be shown."""
    return "-----BEGIN" in text or _KEY_BASE64.fullmatch(text.strip()) is not None


def _parse_pem(data: bytes, passphrase: Passphrase | None, origin: str) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        load_pem_private_key,
        load_ssh_private_key,
    )

    if any(marker in data for marker in _PUBLIC_MARKERS) and b"PRIVATE KEY" not in data:
        raise ConfigurationError(
            f"{origin}: this is a public key or a certificate; give the private key whose public "
            "half is registered with Kalshi"
        )
    if b"PRIVATE KEY" not in data:
        raise ConfigurationError(
            f"{origin}: not a PEM private key; {_GENERATE} (a file goes into private_key_path= or "
            "KALSHI_PRIVATE_KEY_PATH)"
        )
    openssh = b"BEGIN OPENSSH" in data
    load = load_ssh_private_key if openssh else load_pem_private_key
    secret = _ask(passphrase) if passphrase is not None else None
    try:
        return load(data, secret)
    except TypeError:
        if secret is None:
            raise ConfigurationError(
                f"{origin}: the key is encrypted; give its passphrase "
                "(private_key_passphrase= or KALSHI_PRIVATE_KEY_PASSPHRASE)"
            ) from None
        try:  # a passphrase for a key that needs none does no harm
            return load(data, None)
        except (TypeError, ValueError, UnsupportedAlgorithm):
            raise ConfigurationError(f"{origin}: unreadable PEM private key") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(f"{origin}: {_unreadable(data, openssh)}") from None


def _unreadable(data: bytes, openssh: bool) -> str:
    """Why a PEM that names a private key does not load, and what to do."""
    if openssh:
        return (
            "this OpenSSH key is damaged, or encrypted in OpenSSH's way; "
            "convert it: ssh-keygen -p -m PKCS8 -f FILE"
        )
    if b"ENCRYPTED" in data:
        return f"wrong passphrase or damaged key; {_GENERATE}"
    return f"damaged PEM private key; {_GENERATE}"


def _ask(passphrase: Passphrase) -> bytes | None:
    """The passphrase in bytes; None for an empty one, which no key has."""
    value = passphrase() if callable(passphrase) else passphrase
    if value is not None and not isinstance(value, str | bytes):
        raise ConfigurationError(
            f"the passphrase is a {type(value).__name__}; expected text, bytes, or a callable "
            "that returns them"
        )
    return (_encoded(value) if isinstance(value, str) else value) or None


def _encoded(text: str) -> bytes:
    # The process environment carries bytes that are no text as lone surrogates.
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ConfigurationError("a private key or passphrase holds invalid characters") from None


def _checked(key: object, origin: str) -> PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if isinstance(key, RSAPrivateKey):
        if key.key_size < 2048:
            raise ConfigurationError(f"{origin}: an RSA key of {key.key_size} bits; {_GENERATE}")
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    kind = type(key).__name__.lstrip("_")
    raise ConfigurationError(f"{origin}: {kind} cannot sign for Kalshi; {_GENERATE}")


class Signer:
    """Makes the three headers of a signed request; keeps the clock's correction.

    Args:
        api_key_id: The key's id (a UUID).
        key: Its private key.
        wall_clock: Seconds since the epoch.
    """

    def __init__(
        self, api_key_id: str, key: PrivateKey, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self.api_key_id = api_key_id
        self._wall_clock = wall_clock
        self.offset = 0.0
        bits = getattr(key, "key_size", None)
        self._kind = f"RSA-{bits}" if bits else "Ed25519"
        self.offloads = bool(bits and bits > OFFLOAD_ABOVE_BITS)
        self._sign_bytes = _sign_function(key)
        self._threads = SigningThreads(self._sign_bytes) if bits else None

    def headers(self, method: str, path: str) -> dict[str, str]:
        """Signed headers for a request leaving now; ``path`` percent-encoded, without query."""
        timestamp = self._timestamp()
        return self._assemble(timestamp, self._sign_bytes(_message(timestamp, method, path)))

    async def headers_async(self, method: str, path: str, *, busy: bool = False) -> dict[str, str]:
        """The same, in threads where the key is slow. Safe to cancel.

        Args:
            method: HTTP verb.
            path: Percent-encoded, without query.
            busy: Whether other requests are under way: then shorter RSA keys go to the threads as
                well, where several are signed at once; a lone request would only wait longer.
        """
        if self._threads is None or not (busy or self.offloads):
            return self.headers(method, path)
        timestamp = self._timestamp()
        signature = await self._threads.sign(_message(timestamp, method, path))
        return self._assemble(timestamp, signature)

    def close(self) -> None:
        """End the threads, where there are any; they start again when needed."""
        if self._threads is not None:
            self._threads.close()

    def learn_clock(self, date: str | None, sent_at: float, received_at: float) -> float | None:
        """Take the exchange's time from a ``Date`` header.

        Args:
            date: The header, of one-second resolution.
            sent_at: Wall-clock seconds when the request left.
            received_at: Wall-clock seconds when the answer came.

        Returns:
            The offset in seconds that signatures use from now on, None for no usable date.
        """
        said = exchange_time(date)
        if said is None:
            return None
        self.offset = said - (sent_at + received_at) / 2
        return self.offset

    def wall_clock(self) -> float:
        """This machine's time, uncorrected, in seconds since the epoch."""
        return self._wall_clock()

    def _timestamp(self) -> str:
        return str(int((self._wall_clock() + self.offset) * 1000))

    def _assemble(self, timestamp: str, signature: bytes) -> dict[str, str]:
        return {
            "KALSHI-ACCESS-KEY": self.api_key_id,
            "KALSHI-ACCESS-TIMESTAMP": timestamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }

    def __repr__(self) -> str:
        return f"<Signer {self._kind}, clock offset {self.offset:+.1f} s>"


def exchange_time(date: str | None) -> float | None:
    """Unix seconds that a ``Date`` header means, in the middle of its second; None for no date."""
    if not date:
        return None
    try:
        said = parsedate_to_datetime(date)
        # "-0000", or no zone at all, means UTC in a header, not local time
        said = said if said.tzinfo is not None else said.replace(tzinfo=UTC)
        return said.timestamp() + 0.5
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _message(timestamp: str, method: str, path: str) -> bytes:
    return f"{timestamp}{method}{path}".encode()


def _sign_function(key: PrivateKey) -> Callable[[bytes], bytes]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
    from cryptography.hazmat.primitives.hashes import SHA256

    if isinstance(key, Ed25519PrivateKey):
        return key.sign
    digest = SHA256()
    padding = PSS(mgf=MGF1(digest), salt_length=digest.digest_size)
    return lambda data: key.sign(data, padding, digest)
