"""Two clients on an exchange with three quiet markets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from kalshi_async import KalshiClient
from kalshi_async._operations import CREATE_ORDER, GET_FILLS, GET_ORDERS, Operation
from kalshi_async.resources.communications import Communications
from kalshi_async.resources.order_groups import OrderGroups
from kalshi_async.sandbox import Credentials, Sandbox
from tests.sandbox.desk import FIRST, quiet_markets


@dataclass
class Member:
    """One account: its client, and the resources under test on the client's transport."""

    client: KalshiClient
    credentials: Credentials
    communications: Communications = field(init=False)
    order_groups: OrderGroups = field(init=False)

    def __post_init__(self) -> None:
        self.communications = Communications(self.client._transport)
        self.order_groups = OrderGroups(self.client._transport)

    @property
    def user_id(self) -> str:
        return self.credentials.user_id

    async def raw(self, operation: Operation, **options: Any) -> Any:
        """The answer to an operation as plain JSON."""
        response = await self.client._transport.call(operation, **options)
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

    async def place(self, side: str, price: str, count: str, **fields: object) -> Any:
        """A raw order in the first market, good till cancelled unless said otherwise."""
        body = {
            "ticker": FIRST,
            "side": side,
            "price": price,
            "count": count,
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
        }
        return await self.raw(CREATE_ORDER, body=body | fields)


@dataclass
class Room:
    """An exchange and two of its members, with $10,000 each."""

    exchange: Sandbox
    one: Member
    other: Member


@asynccontextmanager
async def room_on(folder: Path) -> AsyncIterator[Room]:
    """A room whose markets are kept in ``folder``."""
    serving = Sandbox.serve(seed=7, markets=20, load=quiet_markets(folder), tier=None)
    async with serving as exchange, AsyncExitStack() as clients:
        members = []
        for _ in range(2):
            credentials = exchange.add_account(tier=None)
            client = exchange.client(
                api_key_id=credentials.api_key_id,
                private_key=credentials.private_key_pem,
                limits=None,
            )
            members.append(Member(await clients.enter_async_context(client), credentials))
        yield Room(exchange, *members)
