"""Accounts of an embedded exchange, each with a client of its own, and orders in short."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kalshi_async import KalshiClient
from kalshi_async._operations import CREATE_ORDER
from kalshi_async._transport import Transport
from kalshi_async.sandbox import Credentials, Sandbox


@dataclass
class Account:
    """An account, and a client that signs with its first key."""

    exchange: Sandbox
    credentials: Credentials
    client: KalshiClient
    placed: list[str] = field(default_factory=list)

    def with_key(self, api_key_id: str, private_key: str | bytes) -> KalshiClient:
        """A client that signs with another key."""
        return self.exchange.client(api_key_id=api_key_id, private_key=private_key, limits=None)

    @property
    def transport(self) -> Transport:
        return self.client._transport

    async def place(self, ticker: str, side: str, count: str, price: str, **more: Any) -> str:
        """Place an order that is good till cancelled; its id."""
        body = {
            "ticker": ticker,
            "side": side,
            "count": count,
            "price": price,
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
        }
        response = await self.transport.call(CREATE_ORDER, body=body | more)
        order_id: str = msgspec.json.decode(response.body)["order_id"]
        self.placed.append(order_id)
        return order_id


@asynccontextmanager
async def account_on(exchange: Sandbox, **options: Any) -> AsyncIterator[Account]:
    """A further account with $10,000; ``options`` go to its client."""
    credentials = exchange.add_account(deposit="10000.00")
    client = exchange.client(
        api_key_id=credentials.api_key_id,
        private_key=credentials.private_key_pem,
        limits=None,
        **options,
    )
    async with client:
        yield Account(exchange, credentials, client)


async def trade(buyer: Account, seller: Account, ticker: str, count: str, price: str) -> None:
    """Let the buyer's bid rest and the seller take it."""
    await buyer.place(ticker, "bid", count, price)
    await seller.place(ticker, "ask", count, price)
