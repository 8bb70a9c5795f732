"""A WebSocket connection to a running sandbox, and books kept from what it says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from kalshi_async.sandbox import Credentials, Sandbox
from kalshi_async.sandbox._catalog.query import MarketQuery
from kalshi_async.sandbox._records import MarketState, NewOrder, Order

from .conftest import signed

WS_PATH = "/trade-api/ws/v2"


def owner(exchange: Sandbox) -> Credentials:
    """The key of the first account."""
    return Credentials(exchange.api_key_id, exchange.private_key_pem, exchange.user_id)


def activate(exchange: Sandbox, ticker: str) -> MarketState | None:
    """Let a market trade, as the first order in it would."""
    return exchange._exchange.do(lambda engine, now: engine.market(ticker, now))


def open_tickers(exchange: Sandbox, count: int) -> list[str]:
    """Markets that trade and take every whole cent."""
    found = []
    for market in exchange.catalog.markets(MarketQuery(word="open", combos=False)):
        ticker = market.ticker
        state = activate(exchange, ticker)
        if state is not None and all(state.on_grid(price) for price in range(100, 10_000, 100)):
            found.append(ticker)
        if len(found) == count:
            return found
    raise AssertionError(f"only {len(found)} such markets")


def place(exchange: Sandbox, user_id: str, ticker: str, **wanted: Any) -> Order:
    """Place an order as if it came over REST; price in $0.0001, count in 0.01 contracts."""
    new = NewOrder(user_id=user_id, ticker=ticker, **wanted)
    return exchange._exchange.do(lambda engine, now: engine.place(new, now))


def wire_book(exchange: Sandbox, ticker: str) -> dict[str, dict[Decimal, Decimal]]:
    """The exchange's own book, in the form `Stream.books` has it."""
    return {side: dict(levels) for side, levels in exchange.book(ticker).items()}


class Books:
    """What the order book frames of one connection add up to, by ticker and side. A frame out of
    sequence is an AssertionError.
    """

    def __init__(self) -> None:
        self.books: dict[str, dict[str, dict[Decimal, Decimal]]] = {}
        self.clocks: dict[str, int] = {}
        self.seqs: dict[int, int] = {}

    def read(self, frame: dict[str, Any]) -> None:
        if "seq" in frame:
            expected = self.seqs.get(frame["sid"], 0) + 1
            assert frame["seq"] == expected, f"expected seq {expected}: {frame}"
            self.seqs[frame["sid"]] = expected
        if frame["type"] == "orderbook_snapshot":
            self._restart(frame["msg"])
        elif frame["type"] == "orderbook_delta":
            self._apply(frame["msg"])

    def _restart(self, msg: dict[str, Any]) -> None:
        self.clocks[msg["market_ticker"]] = msg["clock"]
        self.books[msg["market_ticker"]] = {
            side: {
                Decimal(price): Decimal(count) for price, count in msg.get(f"{side}_dollars_fp", [])
            }
            for side in ("yes", "no")
        }

    def _apply(self, msg: dict[str, Any]) -> None:
        ticker = msg["market_ticker"]
        assert msg["clock"] == self.clocks[ticker] + 1
        self.clocks[ticker] = msg["clock"]
        side, price = self.books[ticker][msg["side"]], Decimal(msg["price_dollars"])
        side[price] = side.get(price, Decimal(0)) + Decimal(msg["delta_fp"])
        assert side[price] >= 0
        if not side[price]:
            del side[price]


class Stream(Books):
    """One connection; `frames` is everything received."""

    def __init__(self, connection: ClientConnection) -> None:
        super().__init__()
        self.connection = connection
        self.frames: list[dict[str, Any]] = []
        self.id = 0

    async def send(self, cmd: str, **params: Any) -> None:
        self.id += 1
        await self.connection.send(json.dumps({"id": self.id, "cmd": cmd, "params": params}))

    async def receive(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.connection.recv())
        self.frames.append(frame)
        self.read(frame)
        return frame

    async def ask(self, cmd: str, **params: Any) -> dict[str, Any]:
        """Send a command and receive until its first answer."""
        await self.send(cmd, **params)
        while (frame := await self.receive()).get("id") != self.id:
            pass
        return frame

    async def subscribe(self, *channels: str, **params: Any) -> None:
        """Subscribe, and receive the answer of every channel."""
        await self.ask("subscribe", channels=list(channels), **params)
        for _ in channels[1:]:
            await self.receive()

    async def until(self, kind: str) -> dict[str, Any]:
        """Receive until a frame of this type."""
        while (frame := await self.receive())["type"] != kind:
            pass
        return frame

    async def settle(self) -> list[dict[str, Any]]:
        """Receive everything the exchange has sent by now; what it was."""
        before = len(self.frames)
        await self.ask("list_subscriptions")
        return self.frames[before:-1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of one type."""
        return [frame["msg"] for frame in self.frames if frame["type"] == kind]


@asynccontextmanager
async def stream(
    exchange: Sandbox, credentials: Credentials | None = None, **options: Any
) -> AsyncIterator[Stream]:
    """An open connection with the key of the first account, or another."""
    headers = signed(credentials or owner(exchange), "GET", WS_PATH)
    async with connect(
        exchange.ws_url, additional_headers=headers, proxy=None, **options
    ) as connection:
        yield Stream(connection)
