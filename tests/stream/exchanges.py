"""An embedded exchange with a stream on it, and trades made on purpose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import anyio

from kalshi_async import KalshiClient, RetryPolicy
from kalshi_async.sandbox import Faults, Sandbox
from kalshi_async.stream import Reconnect, Stream
from kalshi_async.stream._connection import Connection
from kalshi_async.stream._leg import Leg
from tests.sandbox.ws_client import open_tickers, owner

GUARD = 15.0
"""Seconds after which a test that hangs fails instead."""

QUICK = RetryPolicy(first=0.01, longest=0.05)


@dataclass
class Floor:
    """The exchange, two accounts, and a stream of the first."""

    exchange: Sandbox
    kalshi: KalshiClient
    rival: KalshiClient
    stream: Stream
    tickers: list[str]

    async def rest(self, ticker: str, *, cents: int = 1, count: str = "1") -> str:
        """A bid for YES of the first account."""
        placed = await self.kalshi.orders.create(
            ticker, action="buy", side="yes", count=count, yes_price=cents
        )
        return placed.order_id

    async def fill(self, ticker: str) -> None:
        """One contract traded between the two accounts, inside the spread."""
        book = await self.kalshi.markets.orderbook(ticker)
        price = (book.best_yes_bid or Decimal(0)) + Decimal("0.01")
        assert price < (book.best_yes_ask or Decimal(1)), "no room inside the spread"
        await self.kalshi.orders.create(
            ticker, action="buy", side="yes", count=1, price=price, post_only=True
        )
        await self.rival.orders.create(
            ticker, action="sell", side="yes", count=1, price=price,
            time_in_force="immediate_or_cancel",
        )  # fmt: skip

    def only_leg(self) -> tuple[Connection, Leg]:
        """The stream's one subscription, and the connection that carries it."""
        (connection,) = self.stream._session.connections
        assert connection.commands is not None
        (leg,) = connection.commands.legs.values()
        return connection, leg

    def reset(self, channel: str = "*") -> None:
        """Break the connection with the next frame of a channel."""
        self.exchange.faults.on_frame(channel, nth=1, reset=True)


@asynccontextmanager
async def floor(
    *, markets: int = 3, faults: Faults | None = None, **options: Any
) -> AsyncIterator[Floor]:
    """An exchange on loopback whose first account streams."""
    options = {"reconnect": Reconnect(base=0.01, cap=0.05), "patience": 5.0} | options
    with anyio.fail_after(GUARD):
        async with Sandbox.serve(seed=7, markets=200, faults=faults or Faults(seed=1)) as exchange:
            known = exchange.add_account(deposit="1000")
            async with (
                exchange.client(limits=None, retry=QUICK) as kalshi,
                exchange.client(
                    limits=None,
                    api_key_id=known.api_key_id,
                    private_key=known.private_key_pem,
                ) as rival,
                kalshi.stream(**options) as stream,
            ):
                owner(exchange)
                tickers = open_tickers(exchange, markets)
                yield Floor(exchange, kalshi, rival, stream, tickers)
