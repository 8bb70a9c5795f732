"""Whoever is cancelled, wherever it waits: the others go on, lose nothing, and nothing is left.

Each test does the same thing again and again, cancelled at its first wait, its second, and so on
until it is done before it can be cancelled: just when it begins to wait, or in the very turn in
which it is woken, or after so many turns of the loop, in which others work for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from kalshi_async.stream import OrderbookSnapshot, Stream, Subscription, TradeUpdate
from tests.support import ScriptedHTTP, answer

from .cancelling import Moment, cancelled, each_wait, moments, nothing_left, tasks
from .hostile import Peer, client_of, delta, hostile, snapshot, stream_of, trade

KINDS = ("orders", "fills", "market_positions", "subaccount_balances")
LISTS = answer({**{kind: [] for kind in KINDS}, "cursor": ""})


class Exchange:
    """A server that tells of a trade, on its first subscription, with every answer."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.markets: dict[int, set[str]] = {}
        self.books: dict[int, str] = {}
        self.trades = self.sids = 0
        self._seqs: Counter[int] = Counter()
        self._own: dict[int, list[int]] = {}

    def seq(self, sid: int) -> int:
        """The next number of a subscription."""
        self._seqs[sid] += 1
        return self._seqs[sid]

    def news(self) -> list[dict[str, Any]]:
        """Two trades, and a change of a book of each subscription to books."""
        self.trades += 2
        trades = [trade(number, self.seq(1)) for number in (self.trades - 1, self.trades)]
        changes = [delta(name, self.seq(sid), sid=sid) for sid, name in self.books.items()]
        return trades + changes

    async def __call__(self, peer: Peer) -> None:
        await peer.accept()
        try:
            await self.serve(peer)
        finally:
            self.break_off(peer)

    def break_off(self, peer: Peer) -> None:
        """End a connection, and all that was subscribed to on it."""
        for sid in self._own.pop(peer.number, ()):
            self.markets.pop(sid, None)
        peer.reset()

    async def serve(self, peer: Peer) -> None:
        own = self._own[peer.number] = []
        while True:
            command = await peer.command()
            params, sid = command["params"], command["params"].get("sid", 0)
            named = params.get("market_tickers", [])
            if command["cmd"] == "subscribe":
                self.sids += 1
                sid, (channel,) = self.sids, params["channels"]
                own.append(sid)
                self.markets[sid] = set(named)
                msg = {"channel": channel, "sid": sid}
                await peer.say({"type": "subscribed", "id": command["id"], "msg": msg})
                if channel == "orderbook_delta":
                    books = [snapshot(name, self.seq(sid), sid=sid) for name in named]
                    await peer.say(*books)
                    self.books[sid] = named[0]
            elif command["cmd"] == "unsubscribe":
                (sid,) = params["sids"]
                del self.markets[sid]
                self.books.pop(sid, None)
                reply = {"type": "unsubscribed", "id": command["id"], "sid": sid}
                await peer.say(reply | {"seq": self.seq(sid)})
            else:
                change = {"add_markets": set.update, "delete_markets": set.difference_update}
                change[params["action"]](self.markets[sid], named)
                await peer.ok(command, self.seq(sid))
                if params["action"] == "add_markets" and sid in self.books:
                    await peer.say(*(snapshot(name, self.seq(sid), sid=sid) for name in named))
            if peer.number == 1:
                await peer.say(*self.news())


Trades = Subscription[TradeUpdate]


@asynccontextmanager
async def busy(
    **options: Any,
) -> AsyncIterator[tuple[Exchange, Stream, Trades, list[TradeUpdate]]]:
    """An exchange, a stream, a subscription that must not lose anything, and what was taken."""
    exchange = Exchange()
    before = tasks()
    async with hostile(exchange) as server:
        async with client_of(server, http=ScriptedHTTP(LISTS)) as client:
            async with stream_of(client, **options) as stream, stream.trades("A") as trades:
                exchange.peers = server.peers
                taken: list[TradeUpdate] = []
                yield exchange, stream, trades, taken
                await all_there(exchange, trades, taken)
            assert options or stream.stats.connects == 1
        await nothing_left(before)


async def settle(trades: Trades) -> None:
    """Let everything that was begun at the exchange come to its end."""
    for _ in range(3):
        await trades.add("Z")
        await trades.remove("Z")


async def all_there(exchange: Exchange, trades: Trades, taken: Sequence[TradeUpdate] = ()) -> None:
    """Every trade that was told of has come, once and in order."""
    await settle(trades)
    left = [await anext(trades) for _ in range(exchange.trades - len(taken))]
    found = [message.trade_id for message in (*taken, *left)]
    assert found == [f"t-{number}" for number in range(1, exchange.trades + 1)]


# ---------------------------------------------------------------------------- the stream


@moments
async def test_entering_a_stream(moment: Moment):
    async def once(at: int) -> bool:
        before = tasks()
        async with hostile(Exchange()) as server, client_of(server) as client:
            stream = stream_of(client)

            async def use() -> None:
                async with stream:
                    entered.append(stream.state)

            entered: list[str] = []
            reached = await cancelled(use(), at, moment)
            assert stream.state == "closed"
            await nothing_left(before)
        return reached

    await each_wait(once, moment, 2)


@moments
async def test_leaving_a_stream(moment: Moment):
    async def once(at: int) -> bool:
        before = tasks()
        async with hostile(Exchange()) as server, client_of(server) as client:
            stream = stream_of(client)

            async def enter() -> None:
                await stream.__aenter__()
                await stream.trades("A").open()

            leave = stream.__aexit__(None, None, None)
            reached = await cancelled(leave, at, moment, enter)
            assert stream.state == "closed"
            await nothing_left(before)
        return reached

    await each_wait(once, moment)


@moments
async def test_a_consumer_that_uses_a_stream_of_its_own(moment: Moment):
    """All of it: entering, subscribing, iterating, changing, leaving."""

    async def once(at: int) -> bool:
        before = tasks()
        async with hostile(Exchange()) as server, client_of(server) as client:

            async def use() -> None:
                async with stream_of(client) as stream, stream.trades("A") as trades:
                    await anext(trades)
                    async with stream.orderbook("A", "B") as books:
                        await anext(books)
                        await trades.add("B")
                    await trades.remove("B")

            reached = await cancelled(use(), at, moment)
            await nothing_left(before)
        return reached

    await each_wait(once, moment, 6)


# ---------------------------------------------------------------------------- beside others

OPENINGS: dict[str, Callable[[Stream], Subscription[Any]]] = {
    "trades": lambda stream: stream.trades("B", "C"),
    "ticker": lambda stream: stream.ticker(),
    "orderbook": lambda stream: stream.orderbook("B", "C"),
    "orderbook, conflated": lambda stream: stream.orderbook("B", conflate=True),
    "fills": lambda stream: stream.fills("B"),
    "orders": lambda stream: stream.orders("B"),
    "positions": lambda stream: stream.positions("B"),
}


@moments
@pytest.mark.parametrize("make", OPENINGS.values(), ids=OPENINGS)
async def test_subscribing(make, moment: Moment):
    async def once(at: int) -> bool:
        async with busy() as (exchange, stream, trades, _):
            subscription = make(stream)
            reached = await cancelled(subscription.open(), at, moment)
            await settle(trades)
            if reached:
                assert list(exchange.markets) == [1], "something is still subscribed to"
                assert "closed" in repr(subscription)
            else:
                assert len(exchange.markets) == 2
        return reached

    await each_wait(once, moment)


@moments
async def test_iterating(moment: Moment):
    async def once(at: int) -> bool:
        async with busy() as (_, _, trades, taken):

            async def take() -> None:
                while True:
                    taken.append(await anext(trades))

            task = asyncio.create_task(cancelled(take(), at, moment))
            await settle(trades)
            assert await task
        return at < 5

    await each_wait(once, moment)


@moments
async def test_iterating_over_books(moment: Moment):
    async def once(at: int) -> bool:
        async with busy() as (_, stream, trades, _), stream.orderbook("B", "C") as books:
            told: dict[str, Decimal] = {}

            async def take(most: int) -> None:
                for _ in range(most):
                    update = await anext(books)
                    if isinstance(update, OrderbookSnapshot):
                        assert update.yes is not None
                        told[update.ticker] = update.yes[0].size
                    else:
                        told[update.ticker] += update.delta

            task = asyncio.create_task(cancelled(take(1_000), at, moment))
            await settle(trades)
            assert await task
            while told != {name: books.book(name).size_at("yes", "0.40") for name in ("B", "C")}:
                await take(1)
            assert books.waiting == 0
        return at < 5

    await each_wait(once, moment)


@moments
@pytest.mark.parametrize("change", ["add", "remove"])
@pytest.mark.parametrize("kind", ["trades", "orderbook"])
async def test_changing(kind: str, change: str, moment: Moment):
    async def once(at: int) -> bool:
        async with busy() as (exchange, stream, trades, _):
            async with OPENINGS[kind](stream) as victim:
                work = victim.add("D", "E") if change == "add" else victim.remove("C")
                reached = await cancelled(work, at, moment)
                await settle(trades)
                assert exchange.markets[2] == set(victim.subjects)
                assert ("B" in victim, len(victim.subjects) in (1, 2, 4)) == (True, True)
            await settle(trades)
            assert list(exchange.markets) == [1]
        return reached

    await each_wait(once, moment)


@moments
async def test_growing_onto_another_connection(moment: Moment):
    async def once(at: int) -> bool:
        async with busy(max_markets=2) as (exchange, stream, _, _):

            async def agreed() -> None:
                """Both ends are of one mind, sooner or later."""
                while True:
                    theirs = [names for sid, names in exchange.markets.items() if sid != 1]
                    if sorted(victim.subjects) == sorted(name for each in theirs for name in each):
                        return
                    await asyncio.sleep(0)

            async with stream.trades("B", "C") as victim:
                reached = await cancelled(victim.add("D", "E"), at, moment)
                assert len(victim.subjects) == (2 if reached else 4)
                await agreed()
                for peer in exchange.peers[1:]:
                    exchange.break_off(peer)
                await agreed()
        return reached

    await each_wait(once, moment)
