"""Signed access of one account to a running sandbox, by the names of operations."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx

from kalshi_async.sandbox import Credentials, Sandbox
from kalshi_async.sandbox._catalog.query import MarketQuery
from kalshi_async.sandbox._operations import API_ROOT, OPERATIONS

from .conftest import signed
from .digest_check import CONTRACT

OPERATION = {operation.name: operation for operation in OPERATIONS}


class Member:
    """Calls operations with one key, and remembers every answer that succeeded. It signs by
    `clock`, which is that of the exchange.
    """

    def __init__(
        self,
        exchange: Sandbox,
        http: httpx.AsyncClient,
        credentials: Credentials,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.exchange, self.http, self.credentials = exchange, http, credentials
        self.clock = clock
        self.answers: list[tuple[str, Any]] = []

    async def send(
        self,
        name: str,
        body: object = None,
        *,
        names: dict[str, str] | None = None,
        content: bytes | None = None,
        **params: Any,
    ) -> httpx.Response:
        """The answer to an operation; `names` fills the placeholders of its path."""
        operation = OPERATION[name]
        path = API_ROOT + operation.path.format(**names or {})
        return await self.http.request(
            operation.method,
            self.exchange.base_url.removesuffix(API_ROOT) + path,
            params=params,
            headers=self.signature(operation.method, path),
            **({"content": content} if body is None else {"json": body}),
        )

    def signature(self, method: str, path: str) -> dict[str, str]:
        """The headers that sign a request."""
        return signed(self.credentials, method, path, offset=self.clock() - time.time())

    async def ok(self, name: str, body: object = None, **options: Any) -> Any:
        """The body of a success."""
        response = await self.send(name, body, **options)
        assert response.status_code == OPERATION[name].status, response.text
        answer = response.json() if response.content else None
        self.answers.append((name, answer))
        return answer

    async def refused(self, name: str, status: int, body: object = None, **options: Any) -> Any:
        """The body of a refusal."""
        response = await self.send(name, body, **options)
        assert response.status_code == status, response.text
        return response.json()

    async def pages(self, name: str, items: str, **options: Any) -> list[Any]:
        """Every item of a paginated list, in order."""
        found: list[Any] = []
        cursor = ""
        while True:
            answer = await self.ok(name, **options, **({"cursor": cursor} if cursor else {}))
            found += answer[items]
            if not answer["cursor"]:
                return found
            assert answer["cursor"] != cursor
            assert answer[items]
            cursor = answer["cursor"]

    def check(self) -> set[str]:
        """Hold everything that was answered against the contract; the operations it was."""
        for name, answer in self.answers:
            assert CONTRACT.problems(name, answer, OPERATION[name].status) == []
        return {name for name, _ in self.answers}


async def place(member: Member, ticker: str, side: str, count: str, price: str, **more: Any) -> Any:
    """Place an order that rests until it is filled or cancelled."""
    return await member.ok(
        "CreateOrderV2",
        {
            "ticker": ticker,
            "side": side,
            "count": count,
            "price": price,
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
        }
        | more,
    )


async def trade(
    buyer: Member, seller: Member, ticker: str, count: str, price: str, **more: Any
) -> None:
    """Let the buyer's bid rest and the seller take it; `more` goes to both orders."""
    await place(buyer, ticker, "bid", count, price, **more)
    await place(seller, ticker, "ask", count, price, **more)


def quiet_events(exchange: Sandbox) -> dict[str, list[tuple[str, str]]]:
    """Events of shard 0 with two or more open markets in whose spread there is room, as
    (ticker, price in the middle of the spread).
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for market in exchange.catalog.markets(MarketQuery(word="open", combos=False)):
        shown = json.loads(market.json())
        bid, ask = Decimal(shown["yes_bid_dollars"]), Decimal(shown["yes_ask_dollars"])
        middle = ((bid + ask) / 2).quantize(Decimal("0.01"))
        if shown["exchange_index"] == 0 and bid < middle < ask:
            found.setdefault(market.event_ticker, []).append((market.ticker, f"{middle:.4f}"))
    return {event: markets for event, markets in found.items() if len(markets) > 1}
