"""Deliveries of Rekko's webhooks: believe only what is signed.

    event = verify(body, request.headers["x-rekko-signature"], secret)
    if isinstance(event.data, Analysis): ...

``body`` is the raw body as it came: decoded and encoded again, it is another text.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable
from datetime import datetime

import msgspec

from .._errors import DecodeError, InvalidRequestError
from .._options import is_positive
from .._rekko_errors import WebhookSignatureError
from .._repair import UNREADABLE
from ..models.secret import Secret
from ._decoding import plain, read_object
from .models import (
    Analysis,
    PriceShift,
    RekkoModel,
    WebhookData,
    WebhookEvent,
    WhaleAlert,
)

SIGNATURE_HEADER = "X-Rekko-Signature"

Body = bytes | bytearray | memoryview

_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_TIME = re.compile(r"[0-9]{1,12}")
_LONGEST = 1000

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])

_KINDS: dict[str, type[WhaleAlert] | type[PriceShift] | type[Analysis]] = {
    "whale_alert": WhaleAlert,
    "price_shift": PriceShift,
    "analysis_complete": Analysis,
}


class _Envelope(RekkoModel, kw_only=True):
    """What every delivery has around its data."""

    type: str
    id: str | None = None
    created_at: datetime | None = None


def verify(
    body: Body,
    signature: str,
    secret: str | Secret,
    *,
    tolerance: float | None = 300.0,
    wall_clock: Callable[[], float] = time.time,
) -> WebhookEvent:
    """The event of a delivery, after its signature was found right.

    Two forms of signature are known: ``t=<Unix seconds>,v1=<hex>``, an HMAC-SHA256 of
    ``<t>.<body>``, and a bare hex HMAC-SHA256 of the body (also behind ``sha256=``). The second
    carries no time, so that ``tolerance`` cannot be kept: remember ``event.id`` to notice repeats.

    Args:
        body: The raw body, as bytes.
        signature: The value of the header ``X-Rekko-Signature``.
        secret: The webhook's secret.
        tolerance: Seconds that the signature may be old, or ahead; None for any age.
        wall_clock: Unix seconds.

    Raises:
        WebhookSignatureError: Not signed with this secret, or too long ago. Answer with 401.
        DecodeError: Signed, and yet no event.
        InvalidRequestError: The body is no bytes, the secret is empty, the tolerance not above 0.

    It neither waits nor sends; comparing takes the same time wherever the signatures differ.
    """
    raw, key = _checked_body(body), _checked_secret(secret)
    if tolerance is not None and not is_positive(tolerance):
        raise InvalidRequestError(
            f"tolerance is {tolerance!r}; expected seconds above 0, or None for any age"
        )
    sent_at = _check_signature(raw, signature, key)
    if sent_at is not None and tolerance is not None:
        age = wall_clock() - sent_at
        if not abs(age) <= tolerance:
            when = f"{age:.0f} s ago" if age > 0 else f"{-age:.0f} s ahead of this machine's clock"
            raise WebhookSignatureError(
                f"the delivery was signed {when}, more than {tolerance:g} s: it is a repeat, or a "
                "clock is off"
            )
    return _event(raw)


def sign(body: Body, secret: str | Secret, *, at: int) -> str:
    """The signature that Rekko would send with a body: for tests of a receiver.

    Args:
        body: The raw body.
        secret: The webhook's secret.
        at: When it is sent, in Unix seconds.
    """
    return f"t={at},v1={_digest(_checked_secret(secret), b'%d.' % at + _checked_body(body))}"


def _checked_body(body: object) -> bytes:
    if not isinstance(body, bytes | bytearray | memoryview):
        raise InvalidRequestError(
            f"body is a {type(body).__name__}; expected the raw bytes as they were received "
            "(what was decoded and encoded again has another signature)"
        )
    return bytes(body)


def _checked_secret(secret: object) -> bytes:
    text = secret.reveal() if isinstance(secret, Secret) else secret
    if not isinstance(text, str) or not text:
        raise InvalidRequestError("secret is empty, or no text; expected the webhook's secret")
    return text.encode("utf-8", "surrogatepass")


def _digest(key: bytes, message: bytes) -> str:
    return hmac.new(key, message, "sha256").hexdigest()


def _check_signature(body: bytes, signature: object, key: bytes) -> int | None:
    """When it was signed, in Unix seconds; None where the signature does not say.

    Raises:
        WebhookSignatureError: It is not signed with the key.
    """
    if not isinstance(signature, str) or not signature.strip():
        raise WebhookSignatureError(f"the delivery has no signature ({SIGNATURE_HEADER})")
    parts = [part.strip() for part in signature[:_LONGEST].split(",")]
    times = [part.removeprefix("t=") for part in parts if part.startswith("t=")]
    if times:
        given = [part.removeprefix("v1=") for part in parts if part.startswith("v1=")]
        well_formed = len(times) == 1 and _TIME.fullmatch(times[0]) is not None
    else:
        given, well_formed = [parts[0].removeprefix("sha256=")], len(parts) == 1
    digests = [one.lower() for one in given if _DIGEST.fullmatch(one)]
    if not well_formed or not digests:
        raise WebhookSignatureError(
            f"{SIGNATURE_HEADER} is none; expected t=<seconds>,v1=<hex> or a hex digest"
        )
    right = _digest(key, times[0].encode() + b"." + body if times else body)
    # All are compared, whichever fits.
    matches = sum(hmac.compare_digest(right, one) for one in digests)
    if not matches:
        raise WebhookSignatureError(
            "the delivery is not signed with this secret; check that it is this webhook's, and "
            "that the body is passed as it was received"
        )
    return int(times[0]) if times else None


def _event(body: bytes) -> WebhookEvent:
    try:
        fields = _fields.decode(body)
        data = bytes(fields.pop("data", b"{}"))
        around = read_object(_Envelope, msgspec.json.encode(fields), "", [])
    except UNREADABLE as exc:
        raise DecodeError(f"signed, and yet no event: {exc}", body=body) from None
    read, extra = _data(around.type, data), around.extra
    if read is None:
        read, extra = {}, {**extra, "data": plain(data)}
    return WebhookEvent(around.id, around.type, around.created_at, read, extra)


def _data(kind: str, raw: bytes) -> WebhookData | None:
    """What happened; None where it is not even an object."""
    model = _KINDS.get(kind)
    if model is None:
        found = plain(raw)
        return found if isinstance(found, dict) else None
    try:
        return read_object(model, raw, "data.", [])
    except UNREADABLE:
        return None
