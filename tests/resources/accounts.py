"""Accounts of an embedded exchange, each with a client of its own, and orders in short."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from kalshi_async import KalshiClient
from kalshi_async._operations import CREATE_ORDER, GET_FILLS, GET_ORDERS, Operation
from kalshi_async._transport import Transport
from kalshi_async.resources.communications import Communications
from kalshi_async.resources.order_groups import OrderGroups
from kalshi_async.sandbox import Credentials, Sandbox
from tests.sandbox.desk import quiet_markets


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

    @property
    def communications(self) -> Communications:
        return self.client.communications

    @property
    def order_groups(self) -> OrderGroups:
        return self.client.order_groups

    @property
    def user_id(self) -> str:
        return self.credentials.user_id

    async def raw(self, operation: Operation, **options: Any) -> Any:
        """The answer to an operation as plain JSON."""
        response = await self.transport.call(operation, **options)
        return msgspec.json.decode(response.body)

    async def fills(self) -> set[tuple[str, str, str, str]]:
        """What this account traded: (ticker, book side, YES price, count)."""
        return {
            (fill["ticker"], fill["book_side"], fill["yes_price_dollars"], fill["count_fp"])
            for fill in (await self.raw(GET_FILLS))["fills"]
        }

    async def resting(self) -> list[str]:
        """The ids of the orders on the book."""
        orders = (await self.raw(GET_ORDERS, query={"status": "resting"}))["orders"]
        return [order["order_id"] for order in orders]

    async def place(self, ticker: str, side: str, count: str, price: str, **more: Any) -> str:
        """Place an order, good till cancelled unless said otherwise; its id."""
        body = {
            "ticker": ticker,
            "side": side,
            "count": count,
            "price": price,
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
        }
        order_id: str = (await self.raw(CREATE_ORDER, body=body | more))["order_id"]
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


@dataclass
class Room:
    """An exchange with three quiet markets, and two of its accounts."""

    exchange: Sandbox
    one: Account
    other: Account


@asynccontextmanager
async def room_on(folder: Path) -> AsyncIterator[Room]:
    """A room whose markets are kept in ``folder``."""
    serving = Sandbox.serve(seed=7, markets=20, load=[quiet_markets(folder)], tier=None)
    async with serving as exchange, AsyncExitStack() as clients:
        one, other = [await clients.enter_async_context(account_on(exchange)) for _ in range(2)]
        yield Room(exchange, one, other)
