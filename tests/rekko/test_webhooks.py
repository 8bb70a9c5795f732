"""Deliveries: what is believed, and what is not."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import DecodeError, InvalidRequestError, WebhookSignatureError
from kalshi_async.rekko import Analysis, PriceShift, Secret, WebhookEvent, WhaleAlert, sign, verify

SECRET = "whsec_0123456789"
AT = 1_774_000_000
BODY = json.dumps(
    {
        "id": "e1",
        "type": "whale_alert",
        "created_at": "2026-03-20T09:46:40Z",
        "data": {"platform": "kalshi", "size_usd": 25000.5, "price": 0.62, "wallet": "0x"},
        "attempt": 2,
    }
).encode()


def hexdigest(message: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def check(
    body: bytes = BODY, signature: str | None = None, secret: str = SECRET, *, now: float = AT,
    tolerance: float | None = 300,
) -> WebhookEvent:  # fmt: skip
    signature = sign(body, SECRET, at=AT) if signature is None else signature
    return verify(body, signature, secret, tolerance=tolerance, wall_clock=lambda: now)


def event(kind: str, data: object) -> WebhookEvent:
    return check(json.dumps({"type": kind, "data": data}).encode())


def test_a_signed_delivery_is_an_event() -> None:
    found = check()
    assert (found.id, found.type, found.extra) == ("e1", "whale_alert", {"attempt": 2})
    assert found.created_at == datetime(2026, 3, 20, 9, 46, 40, tzinfo=UTC)
    assert found.data == WhaleAlert(
        platform="kalshi",
        size_usd=Decimal("25000.5"),
        price=Decimal("0.62"),
        extra={"wallet": "0x"},
    )


def test_the_signature_is_that_of_the_time_and_the_body() -> None:
    assert sign(BODY, SECRET, at=AT) == f"t={AT},v1={hexdigest(b'%d.' % AT + BODY)}"
    assert sign(BODY, Secret(SECRET), at=AT) == sign(BODY, SECRET, at=AT)


@pytest.mark.parametrize(
    "signature",
    [
        f"t={AT}, v1={hexdigest(b'%d.' % AT + BODY).upper()}",
        f"v1={hexdigest(b'%d.' % AT + BODY)},t={AT}",
        f"t={AT},v1={'0' * 64},v1={hexdigest(b'%d.' % AT + BODY)},v0=old",
        hexdigest(BODY),
        f"sha256={hexdigest(BODY)}",
        f" sha256={hexdigest(BODY)} ",
    ],
)
def test_forms_of_a_signature(signature: str) -> None:
    assert check(signature=signature).id == "e1"


@pytest.mark.parametrize(
    "signature",
    [
        "", " ", "x", "t=", "sha256=", f"t={AT}", f"v1={hexdigest(BODY)}", "0" * 64,
        f"t={AT},v1=", f"t={AT},v1={'0' * 64}", f"t={AT},v1={hexdigest(BODY)}",
        f"t={AT + 1},v1={hexdigest(b'%d.' % AT + BODY)}",
        f"t={AT},t={AT},v1={hexdigest(b'%d.' % AT + BODY)}",
        f"t=x,v1={hexdigest(b'x.' + BODY)}", f"t=-5,v1={hexdigest(b'-5.' + BODY)}",
        f"t={AT},{hexdigest(BODY)}", f"{hexdigest(BODY)},{hexdigest(BODY)}",
        f"sha1={hexdigest(BODY)}", f"t={AT},v1=\u00e9{'0' * 63}", "\u0661" * 64, None, b"x", 7,
    ],
)  # fmt: skip
def test_what_is_no_right_signature(signature: Any) -> None:
    with pytest.raises(WebhookSignatureError):
        verify(BODY, signature, SECRET, wall_clock=lambda: AT)


@pytest.mark.parametrize(("now", "right"), [
    (AT, True), (AT + 300, True), (AT - 300, True), (AT + 301, False), (AT - 301, False),
    (float("nan"), False),
])  # fmt: skip
def test_how_old_it_may_be(now: float, right: bool) -> None:
    if right:
        assert check(now=now).id == "e1"
    else:
        with pytest.raises(WebhookSignatureError, match="signed"):
            check(now=now)
    assert check(now=now, tolerance=None).id == "e1"


@pytest.mark.parametrize("tolerance", [0, -1, True, "5", float("nan")])
def test_impossible_tolerances_are_refused(tolerance: Any) -> None:
    with pytest.raises(InvalidRequestError, match="tolerance is"):
        check(tolerance=tolerance)


@given(st.binary(max_size=40), st.integers(0, 39), st.integers(1, 255))
def test_nobody_can_change_a_byte(tail: bytes, place: int, flip: int) -> None:
    changed = bytearray(BODY)
    changed[place] ^= flip
    signature = sign(BODY, SECRET, at=AT)
    for other in (bytes(changed), BODY + tail + b"x", tail):
        with pytest.raises(WebhookSignatureError):
            check(other, signature)
    with pytest.raises(WebhookSignatureError):
        check(BODY, signature, SECRET + "x")


@given(st.text(max_size=80))
def test_no_header_is_too_odd(signature: str) -> None:
    with pytest.raises(WebhookSignatureError):
        check(signature=signature)


def test_a_signature_with_a_time_cannot_lose_it() -> None:
    """As a bare digest it would sign another body, which is none."""
    digest = hexdigest(b"%d." % AT + BODY)
    with pytest.raises(WebhookSignatureError):
        check(signature=digest, now=AT + 9999)
    with pytest.raises(DecodeError):
        check(b"%d." % AT + BODY, digest, now=AT + 9999)


def test_neither_the_secret_nor_what_would_be_right_is_told() -> None:
    right = hexdigest(b"%d." % AT + BODY)
    wrong = f"t={AT},v1={'1' * 64}"
    with pytest.raises(WebhookSignatureError) as caught:
        check(signature=wrong)
    for text in (str(caught.value), repr(caught.value), repr(vars(caught.value))):
        assert SECRET not in text
        assert right not in text
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("body", ["text", {"a": 1}, None, 7])
def test_only_bytes_are_a_body(body: Any) -> None:
    with pytest.raises(InvalidRequestError, match="raw bytes"):
        verify(body, "x", SECRET)


def test_other_kinds_of_bytes_are_bytes() -> None:
    for body in (bytearray(BODY), memoryview(BODY)):
        assert verify(body, hexdigest(BODY), SECRET).id == "e1"


@pytest.mark.parametrize("secret", ["", None, b"bytes", Secret("")])
def test_there_is_a_secret(secret: Any) -> None:
    with pytest.raises(InvalidRequestError, match="secret is empty"):
        verify(BODY, hexdigest(BODY), secret)


# ---------------------------------------------------------------------------- events


def test_each_type_has_its_data() -> None:
    shift = event("price_shift", {"from_price": 0.5, "to_price": 0.6}).data
    assert shift == PriceShift(from_price=Decimal("0.5"), to_price=Decimal("0.6"))
    done = event("analysis_complete", {"analysis_id": "a", "probability": 0.7, "new": 1}).data
    assert isinstance(done, Analysis)
    assert (done.analysis_id, done.probability, done.extra) == ("a", Decimal("0.7"), {"new": 1})
    assert event("news", {"p": 0.1}).data == {"p": Decimal("0.1")}


@pytest.mark.parametrize("kind", ["whale_alert", "news"])
def test_data_that_is_no_object_is_kept(kind: str) -> None:
    assert event(kind, [1, 2]).data == {}
    assert event(kind, [1, 2]).extra == {"data": [1, 2]}
    assert check(b'{"type":"%s"}' % kind.encode()).extra == {}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"type":null}', b'{"type":[]}', b"\xff", b"[" * 9000]
)
def test_signed_and_yet_no_event(body: bytes) -> None:
    with pytest.raises(DecodeError, match="signed, and yet no event"):
        check(body)
