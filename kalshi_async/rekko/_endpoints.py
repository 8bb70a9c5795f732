"""``rekko.webhooks``: where deliveries go. What they are, and whether to believe them, is in
``webhooks``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Unpack
from urllib.parse import urlsplit

from .._config import is_loopback_url
from .._errors import DecodeError, InvalidRequestError
from ..models.secret import Secret
from ..resources._base import CallOptions
from ..resources._checks import identifier, identifiers
from . import _checks as check
from . import _operations as ops
from ._base import Calls
from .models import Listing, Webhook

_URL = re.compile(r"https?://[^\s/@?#]+(?:[/?][!-~]*)?", re.ASCII)


class Webhooks(Calls):
    """Deliveries to a URL of yours: ``whale_alert``, ``price_shift``, ``analysis_complete``."""

    async def list(self, **options: Unpack[CallOptions]) -> Listing[Webhook]:
        """The webhooks of the key. Cancelling is safe."""
        return await self._listing(ops.LIST_WEBHOOKS, Webhook, "webhooks", options)

    async def create(
        self,
        url: str,
        *,
        events: Sequence[str],
        secret: str | Secret | None = None,
        **options: Unpack[CallOptions],
    ) -> Webhook:
        """Have events delivered to a URL.

        A repeat makes a second webhook: only what certainly was not carried out is sent again by
        itself. Cancelled after sending, it may exist all the same; ``list()`` tells.

        Args:
            url: An https URL (http on loopback).
            events: Which; words that this version does not know are sent as they are.
            secret: What signs the deliveries. Left out, Rekko chooses one, and the answer is the
                only place where it ever shows: keep ``webhook.secret.reveal()``.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: No such URL, no events, an empty secret; nothing is sent.
            PlanRequiredError: The key's plan has no webhooks.
        """
        text = secret.reveal() if isinstance(secret, Secret) else secret
        if text is not None and (not isinstance(text, str) or not text.strip()):
            raise InvalidRequestError("secret is empty, or no text; leave it out to be given one")
        fields = {
            "url": _checked_url(url),
            "events": identifiers("events", events),
            "secret": text,
        }
        try:
            return await self._object(ops.CREATE_WEBHOOK, Webhook, options, body=check.body(fields))
        except DecodeError as exc:
            exc.body = b""  # it may hold the secret
            raise

    async def delete(self, webhook_id: str, **options: Unpack[CallOptions]) -> None:
        """End a webhook. To repeat it changes nothing, so that it is sent again after a failure.

        Raises:
            NotFoundError: There is none, or it is already gone: also when a first attempt deleted
                it and its answer was lost (``error.attempts`` is above 1).
        """
        path: dict[str, str | int] = {"webhook_id": identifier("webhook_id", webhook_id)}
        await self._transport.call(ops.DELETE_WEBHOOK, path=path, **options)


def _checked_url(url: object) -> str:
    expected = 'expected one like "https://example.com/rekko"'
    if not isinstance(url, str) or not _URL.fullmatch(url):
        shown = "no URL" if not isinstance(url, str) or "@" in url else repr(url)
        raise InvalidRequestError(f"url is {shown}; {expected}")
    try:
        plain = urlsplit(url).scheme != "https" and not is_loopback_url(url)
    except ValueError:
        raise InvalidRequestError(f"url is {url!r}; {expected}") from None
    if plain:
        raise InvalidRequestError(f"url is {url!r}; deliveries go over https: {expected}")
    return url
