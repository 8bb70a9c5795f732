"""Webhooks of the intelligence API: who is told of what, and how a delivery is signed."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from .._listener import is_loopback
from .given import Given, missing, refusal

ANALYSIS_COMPLETE, PRICE_SHIFT, WHALE_ALERT = "analysis_complete", "price_shift", "whale_alert"
EVENTS = (WHALE_ALERT, PRICE_SHIFT, ANALYSIS_COMPLETE)
SIGNATURE_HEADER = "X-Rekko-Signature"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A place that is told of events; the secret signs what it is sent."""

    webhook_id: str
    url: str
    events: tuple[str, ...]
    created_at: str
    secret: str = field(repr=False)

    def json(self) -> dict[str, object]:
        """The object as the API sends it, without the secret."""
        return {
            "id": self.webhook_id,
            "url": self.url,
            "events": list(self.events),
            "created_at": self.created_at,
            "active": True,
        }


@dataclass(slots=True)
class Delivery:
    """One event for one webhook: what was sent, and what came of it.

    Attributes:
        webhook_id: Whom it was for.
        event: Its type, such as ``analysis_complete``.
        url: Where it was posted.
        body: The JSON that was posted.
        headers: The signature among them.
        status: HTTP status of the answer; None while there is none.
        error: Why there was no answer, None otherwise.
    """

    webhook_id: str
    event: str
    url: str
    body: bytes
    headers: dict[str, str] = field(repr=False)
    status: int | None = None
    error: str | None = None


def signature(body: bytes, secret: str, stamp: int) -> str:
    """``t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">``."""
    digest = hmac.digest(secret.encode(), b"%d.%s" % (stamp, body), "sha256")
    return f"t={stamp},v1={digest.hex()}"


def delivery(
    webhook: Webhook, event: str, event_id: str, created_at: str, data: object, stamp: int
) -> Delivery:
    """An event as one webhook gets it; `stamp` is the time of signing in Unix seconds."""
    told = {"id": event_id, "type": event, "created_at": created_at, "data": data}
    body = msgspec.json.encode(told)
    headers = {
        "Content-Type": "application/json",
        SIGNATURE_HEADER: signature(body, webhook.secret, stamp),
    }
    return Delivery(webhook.webhook_id, event, webhook.url, body, headers)


def webhook_of(given: Given, webhook_id: str, created_at: str, made_secret: str) -> Webhook:
    """The webhook a body asks for; 422 for a bad one."""
    url = given.needed("url", "the address to post events to")
    _check_url(url)
    events = given.texts("events", least=1, most=len(EVENTS))
    unknown = [event for event in events if event not in EVENTS]
    if unknown:
        raise refusal(
            422,
            "invalid_parameter",
            f"events: {unknown[0]!r} is none of {', '.join(EVENTS)}",
            parameter="events",
        )
    secret = given.text("secret") or made_secret
    return Webhook(webhook_id, url, tuple(events), created_at, secret)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host:
        raise missing("url", "an address such as http://127.0.0.1:8080/rekko")
    # An exchange for tests must not call strangers.
    if not is_loopback(host):
        raise refusal(
            422,
            "invalid_parameter",
            f"url: the sandbox delivers to this machine only, not to {host!r}",
            parameter="url",
        )
