"""Making a stream out of a client's parts."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .._config import Config, is_loopback_url
from .._errors import ConfigurationError
from .._options import is_positive
from ..models.orderbook import OrderBook
from ._backfill import Backfill
from ._clock import ExchangeClock
from ._reconnect import Reconnect
from ._route import Route
from ._session import Session
from ._stream import Stream, checked_queue

if TYPE_CHECKING:
    from .._auth import Signer
    from .._client import KalshiClient
    from .._hooks import Telemetry


def make_stream(
    client: KalshiClient,
    config: Config,
    signer: Signer | None,
    telemetry: Telemetry,
    rng: random.Random,
    *,
    user_agent: str,
    timeout: float | None,
    heartbeat: float,
    patience: float,
    verify: float | None,
    reconnect: Reconnect | None,
    max_queue: int,
    max_markets: int,
    connect_deadline: float | None,
) -> Stream:
    """A stream that is not open yet.

    Raises:
        ConfigurationError: There is no key, no address, or an option is out of range.
    """
    if signer is None:
        raise ConfigurationError(
            "streams need a key, also for public channels: give api_key_id= and private_key_path=, "
            "or set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH"
        )
    if not config.ws_url:
        raise ConfigurationError("there is no WebSocket address: give ws_url= or KALSHI_WS_URL")
    _check("heartbeat", heartbeat)
    _check("patience", patience)
    if verify is not None:
        _check("verify", verify)
    if connect_deadline is not None:
        _check("connect_deadline", connect_deadline)
    if isinstance(max_markets, bool) or not isinstance(max_markets, int) or max_markets < 1:
        raise ConfigurationError(f"max_markets is {max_markets!r}; expected 1 or more")

    now = ExchangeClock(signer)

    async def read_books(tickers: Sequence[str]) -> Iterable[OrderBook]:
        return await client.markets.orderbooks(tickers=tickers)

    route = Route(
        url=config.ws_url,
        path=urlsplit(config.ws_url).path,
        signer=signer,
        user_agent=user_agent,
        direct=is_loopback_url(config.ws_url),
        timeout=timeout,
        heartbeat=heartbeat,
        patience=patience,
        verify=verify,
        reconnect=reconnect or Reconnect(),
    )
    return Stream(
        Session(route, telemetry.emit, now, rng, max_markets),
        partial(Backfill, client, clock=now),
        read_books,
        max_queue=checked_queue(max_queue),
        connect_deadline=connect_deadline,
    )


def _check(name: str, seconds: object) -> None:
    if not is_positive(seconds):
        raise ConfigurationError(f"{name} is {seconds!r}; expected seconds above 0")
