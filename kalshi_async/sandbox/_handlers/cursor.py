"""Opaque page tokens: base64url of a small protobuf message that holds the last item's time and
name.

Message: field 1 is a message {1: seconds, 2: nanoseconds}, field 2 is text.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

_SIGNED = 1 << 63


def encode(micros: int, name: str) -> str:
    """The token of the item at this time (Unix microseconds) and name."""
    seconds, fraction = divmod(micros, 1_000_000)
    stamp = b"\x08" + _varint(seconds % (1 << 64))
    if fraction:
        stamp += b"\x10" + _varint(fraction * 1000)
    text = name.encode()
    raw = b"\x0a" + _varint(len(stamp)) + stamp + b"\x12" + _varint(len(text)) + text
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(token: str | None) -> tuple[int, str] | None:
    """Time and name of a token; None for no token and for one that is not ours, which restarts a
    listing.
    """
    if not token or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        fields = dict(_fields(raw))
        stamp = dict(_fields(_as_bytes(fields[1])))
        seconds, nanos = _as_int(stamp[1]), _as_int(stamp.get(2, 0))
        name = _as_bytes(fields[2]).decode()
    except (Base64Error, ValueError, KeyError, IndexError, TypeError):
        return None
    if seconds >= _SIGNED:
        seconds -= 1 << 64
    if nanos >= 1_000_000_000 or not -(1 << 40) < seconds < 1 << 40:
        return None
    return seconds * 1_000_000 + nanos // 1000, name


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def _read_varint(raw: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 70:
        byte = raw[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
    raise ValueError("varint too long")


def _fields(raw: bytes) -> list[tuple[int, int | bytes]]:
    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(raw):
        tag, at = _read_varint(raw, at)
        value, at = _read_varint(raw, at)
        if tag & 7 == 2:
            if at + value > len(raw):
                raise ValueError("truncated field")
            found.append((tag >> 3, raw[at : at + value]))
            at += value
        elif tag & 7 == 0:
            found.append((tag >> 3, value))
        else:
            raise ValueError("unknown wire type")
    return found


def _as_bytes(value: int | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    raise TypeError("expected bytes")


def _as_int(value: int | bytes) -> int:
    if isinstance(value, int):
        return value
    raise TypeError("expected a number")
