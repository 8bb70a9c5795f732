"""Two members on an exchange with three quiet markets, and short words for their orders."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from kalshi_async.sandbox import Sandbox

from .members import Member

# One event of two markets on shard 0, and one market on shard 2.
FIRST, SECOND, FAR = "KXDESK-26-A", "KXDESK-26-B", "KXFAR-26-A"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
NOT_FOUND = {"error": {"code": "not_found", "message": "not found"}}


def quiet_markets(folder: Path) -> Path:
    """A file of open markets in which nothing rests yet."""
    facts = {
        "status": "active",
        "created_time": "2026-01-01T00:00:00Z",
        "yes_bid_dollars": "0.0000",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
    }
    markets = [
        {**facts, "ticker": ticker, "event_ticker": ticker[:-2], "exchange_index": shard}
        for ticker, shard in ((FIRST, 0), (SECOND, 0), (FAR, 2))
    ]
    path = folder / "quiet.json"
    path.write_text(json.dumps({"markets": markets}))
    return path


@dataclass
class Desk:
    """`maker` and `taker` have $10,000 each on shard 0, and $1,000 on shard 2."""

    exchange: Sandbox
    maker: Member
    taker: Member


@asynccontextmanager
async def desk_on(folder: Path) -> AsyncIterator[Desk]:
    """A desk whose markets are kept in `folder`."""
    serving = Sandbox.serve(markets=20, load=quiet_markets(folder), tier=None)
    async with serving as exchange, httpx.AsyncClient(trust_env=False, verify=False) as http:
        members = []
        for _ in range(2):
            credentials = exchange.add_account(tier=None)
            exchange.deposit(credentials.user_id, "1000.00", exchange_index=2)
            members.append(Member(exchange, http, credentials))
        yield Desk(exchange, *members)


def order(side: str = "bid", price: str = "0.50", count: str = "10", **fields: Any) -> Any:
    """The body of a new order, good till cancelled in the first market unless said otherwise."""
    facts = {
        "ticker": FIRST,
        "side": side,
        "price": price,
        "count": count,
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    }
    return {**facts, **fields}


async def place(member: Member, *args: str, **fields: Any) -> Any:
    """The answer to a new order that is accepted."""
    return await member.ok("CreateOrderV2", order(*args, **fields))


async def open_subaccount(member: Member, cents: int = 10_000) -> int:
    """A further subaccount, with money of the primary one."""
    number: int = (await member.ok("CreateSubaccount", {}))["subaccount_number"]
    transfer = {
        "client_transfer_id": str(uuid4()),
        "from_subaccount": 0,
        "to_subaccount": number,
        "amount_cents": cents,
    }
    await member.ok("ApplySubaccountTransfer", transfer)
    return number


def named(order_id: str) -> dict[str, Any]:
    """The option that puts an order into a path."""
    return {"names": {"order_id": order_id}}
