"""Streams on the embedded exchange: what a consumer sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from kalshi_async import (
    ConfigurationError,
    InvalidRequestError,
    KalshiClient,
    SlowConsumer,
    StaleBookError,
    StreamClosedError,
    SubscriptionRefusedError,
)
from kalshi_async.sandbox import Sandbox
from kalshi_async.stream import (
    OrderbookDelta,
    OrderbookSnapshot,
    StreamConnected,
    StreamDisconnected,
    StreamEvent,
    StreamResumed,
    StreamSlow,
    StreamStale,
)

from .exchanges import Floor, floor


async def event(events: AsyncIterator[StreamEvent], kind: type) -> StreamEvent:
    """The next event of a kind."""
    async for each in events:
        if isinstance(each, kind):
            return each
    raise AssertionError("unreachable")


def same_book(at: Floor, books: object, ticker: str) -> bool:
    own = books.book(ticker)  # type: ignore[attr-defined]
    theirs = at.exchange.book(ticker)
    return {"yes": list(own.yes), "no": list(own.no)} == {
        side: sorted((price, size) for price, size in theirs[side]) for side in ("yes", "no")
    }


# ---------------------------------------------------------------------------- books


async def test_books_stand_when_entered_and_begin_with_snapshots() -> None:
    async with floor() as at, at.stream.orderbook(*at.tickers) as books:
        assert books.stale == ()
        assert all(same_book(at, books, ticker) for ticker in at.tickers)
        first = [await anext(books) for _ in at.tickers]
        assert [type(update) for update in first] == [OrderbookSnapshot] * 3
        assert [update.market_ticker for update in first] == at.tickers
        assert [tuple(update.yes or ()) for update in first if update.seq] == [
            books.book(ticker).yes for ticker in at.tickers
        ]  # fmt: skip
        await at.rest(at.tickers[1])
        change = await anext(books)
        assert isinstance(change, OrderbookDelta)
        assert (change.ticker, change.price, change.delta) == (
            at.tickers[1], Decimal("0.01"), Decimal(1)
        )  # fmt: skip
        assert change.client_order_id is not None
        assert change.age is not None
        assert same_book(at, books, at.tickers[1])


async def test_what_came_before_the_first_snapshot_is_taken_is_part_of_it() -> None:
    async with floor(markets=2) as at, at.stream.orderbook(*at.tickers) as books:
        a, b = at.tickers
        async with at.stream.orders() as orders:
            await at.rest(a)
            await at.rest(b, cents=2)
            await anext(orders), await anext(orders)
        assert books.waiting == 2
        for ticker in (a, b):
            update = await anext(books)
            assert isinstance(update, OrderbookSnapshot)
            assert tuple(update.yes or ()) == books.book(ticker).yes
        await at.rest(a, cents=3)
        update = await anext(books)
        assert isinstance(update, OrderbookDelta)
        assert update.price == Decimal("0.03"), "an earlier change was told twice"


async def test_markets_come_and_go_while_it_runs() -> None:
    async with floor() as at:
        a, b, c = at.tickers
        async with at.stream.orderbook(a) as books, at.stream.trades(a, b) as trades:
            await anext(books)
            await books.add(b, c, b)
            assert books.subjects == (a, b, c)
            assert [(await anext(books)).market_ticker for _ in range(2)] == [b, c]
            assert same_book(at, books, c)
            held = books.book(a)
            await books.remove(a)
            assert books.subjects == (b, c)
            with pytest.raises(StaleBookError, match="no longer subscribed"):
                _ = held.best_yes_bid
            with pytest.raises(InvalidRequestError, match="no book of"):
                books.book(a)
            await at.rest(a)
            await at.rest(c)
            assert (await anext(books)).market_ticker == c
            with pytest.raises(InvalidRequestError, match="close the subscription"):
                await books.remove(b, c)
            await at.fill(a)
            assert (await anext(trades)).ticker == a, "another subscription lost something"


async def test_an_unknown_market_is_refused_and_nothing_changes() -> None:
    async with floor(markets=1) as at:
        (a,) = at.tickers
        with pytest.raises(SubscriptionRefusedError, match="KXNOSUCH") as refused:
            await at.stream.orderbook(a, "KXNOSUCH").open()
        assert (refused.value.channel, refused.value.code) == ("orderbook_delta", 11)
        assert refused.value.markets == ("KXNOSUCH",)
        async with at.stream.orderbook(a) as books:
            with pytest.raises(SubscriptionRefusedError):
                await books.add("KXNOSUCH")
            assert books.subjects == (a,)
            assert same_book(at, books, a)


async def test_a_book_is_stale_until_the_connection_is_back() -> None:
    async with floor(markets=1) as at:
        (a,) = at.tickers
        events = at.stream.events()
        async with at.stream.orderbook(a) as books:
            book = books.book(a)
            at.reset("orderbook_delta")
            await at.rest(a)
            stale = await event(events, StreamStale)
            assert stale.tickers == (a,)  # type: ignore[attr-defined]
            with pytest.raises(StaleBookError):
                _ = book.spread
            assert "stale" in repr(books.book(a, allow_stale=True))
            assert books.book(a, allow_stale=True).best_yes_bid is not None
            resumed = await event(events, StreamResumed)
            assert resumed.gap >= 0  # type: ignore[attr-defined]
            while books.stale:
                await anext(books)
            assert same_book(at, books, a)
            assert book.spread is not None
        stats = at.stream.stats
        assert (stats.connects, stats.reconnects) == (2, 1)


async def test_a_lost_frame_is_noticed_and_mended() -> None:
    async with floor(markets=2) as at, at.stream.orderbook(*at.tickers) as books:
        a, b = at.tickers
        at.exchange.faults.on_frame("orderbook_delta", nth=1, drop=True)
        await at.rest(a)
        events = at.stream.events()
        await at.rest(b)
        await event(events, StreamStale)
        while books.stale:
            await anext(books)
        assert same_book(at, books, a)
        assert same_book(at, books, b)
        stats = at.stream.stats
        assert (stats.gaps, stats.missed, stats.reconnects) == (1, 1, 0)


async def test_the_last_frame_before_a_silence_is_missed_too() -> None:
    async with floor(markets=1, patience=0.2, verify=0.05) as at:
        (a,) = at.tickers
        events = at.stream.events()
        async with at.stream.orderbook(a) as books:
            at.exchange.faults.on_frame("orderbook_delta", nth=1, drop=True)
            await at.rest(a)
            assert not same_book(at, books, a)
            await event(events, StreamStale)
            while not same_book(at, books, a):
                await anext(books)


async def test_an_audit_tells_right_from_wrong() -> None:
    async with floor() as at, at.stream.orderbook(*at.tickers) as books:
        found = await books.audit()
        assert [audit.ticker for audit in found] == at.tickers
        assert all(audit.equal for audit in found)
        at.exchange.faults.on_frame("orderbook_delta", nth=1, drop=True)
        await at.rest(at.tickers[0])
        events = at.stream.events()
        (wrong,) = await books.audit(at.tickers[0], patience=0.05)
        assert not wrong.equal
        ((side, price, ours, theirs),) = wrong.differences
        assert (side, price, theirs - ours) == ("yes", Decimal("0.01"), 1)
        assert (await event(events, StreamStale)).tickers == (at.tickers[0],)  # type: ignore[attr-defined]
        while books.stale:
            await anext(books)
        (mended,) = await books.audit(at.tickers[0])
        assert mended.equal
        with pytest.raises(InvalidRequestError):
            await books.audit("KXOTHER")


# ---------------------------------------------------------------------------- consumers


async def test_a_consumer_that_sleeps_is_told_and_the_others_go_on() -> None:
    async with floor(markets=1, heartbeat=0.5, max_queue=4) as at:
        (a,) = at.tickers
        events = at.stream.events()
        async with at.stream.orderbook(a, conflate=True) as books, at.stream.orderbook(a) as slow:
            for _ in range(2):
                await at.rest(a)
                await at.rest(a)
            full = await event(events, StreamSlow)
            assert (full.waiting, full.dropped) == (4, 0)  # type: ignore[attr-defined]
            dropped = await event(events, StreamSlow)
            assert dropped.dropped >= 4  # type: ignore[attr-defined]
            with pytest.raises(SlowConsumer, match="conflate=True") as told:
                await anext(slow)
            assert told.value.dropped == dropped.dropped  # type: ignore[attr-defined]
            assert at.stream.stats.dropped["orderbook_delta"] == told.value.dropped
            await at.rest(a)
            while not same_book(at, books, a):
                await anext(books)
        assert at.stream.state == "connected"


async def test_conflated_prices_are_the_newest_and_what_they_replace_is_counted() -> None:
    async with floor(markets=2) as at:
        a, b = at.tickers
        async with at.stream.ticker(a, b, conflate=True) as prices, at.stream.trades(a) as trades:
            for _ in range(3):
                await at.fill(a)
                await anext(trades)
            await at.rest(b)
            async with at.stream.ticker(a) as now:
                newest = await anext(now)
            first, second = await anext(prices), await anext(prices)
            assert {first.ticker, second.ticker} == {a, b}
            seen = first if first.ticker == a else second
            assert (seen.price, seen.volume) == (newest.price, newest.volume)
            assert at.stream.stats.replaced > 0


async def test_iterating_subscribes_and_never_just_ends() -> None:
    async with floor(markets=1) as at:
        prices = at.stream.ticker(*at.tickers)
        assert (await anext(prices)).ticker == at.tickers[0]
        await prices.aclose()
        await prices.aclose()
        with pytest.raises(StreamClosedError):
            await anext(prices)
        with pytest.raises(StreamClosedError):
            await prices.open()
        stream = at.stream
        other = await stream.ticker().__aenter__()
    while True:
        try:
            await anext(other)
        except StreamClosedError:
            break
    with pytest.raises(StreamClosedError, match="not open"):
        await stream.ticker().open()


async def test_many_markets_take_as_many_connections_as_needed() -> None:
    async with floor(markets=5, max_markets=2) as at:
        async with at.stream.orderbook(*at.tickers) as books:
            assert repr(at.stream).count("<Connection") == 3
            assert all(same_book(at, books, ticker) for ticker in at.tickers)
            await books.remove(at.tickers[4])
            assert set(books.subjects) == set(at.tickers[:4])
            await books.add(at.tickers[4])
            assert same_book(at, books, at.tickers[4])


async def test_every_channel_can_be_subscribed_to() -> None:
    async with floor(markets=1) as at:
        stream, a = at.stream, at.tickers[0]
        for subscription in (
            stream.orderbook(a), stream.ticker(), stream.ticker(a), stream.trades(),
            stream.trades(a), stream.fills(), stream.fills(a), stream.orders(),
            stream.positions(), stream.lifecycle(),
            stream.multivariate(), stream.order_groups(), stream.communications(own_only=True),
            stream.communications(shard=(4, 1)), stream.cfbenchmarks("BRTI"),
            stream.cfbenchmarks_5hz("all"), stream.pyth("Metal.XAU/USD"),
        ):  # fmt: skip
            async with subscription as entered:
                assert entered is subscription
                assert "open" in repr(entered)
        async with stream.pyth("Metal.XAU/USD") as gold:
            await gold.add("Metal.XAG/USD")
            assert {(await anext(gold)).underlying_ticker for _ in range(2)} == {
                "Metal.XAU/USD", "Metal.XAG/USD"
            }  # fmt: skip


async def test_what_happens_is_told_to_hooks_as_well() -> None:
    heard: list[object] = []
    async with Sandbox.serve(seed=7, markets=50) as exchange:
        async with exchange.client(hooks=[heard.append]) as kalshi, kalshi.stream() as stream:
            assert stream.state == "connected"
    assert isinstance(heard[0], StreamConnected)
    assert not any(isinstance(each, StreamDisconnected) for each in heard)


# ---------------------------------------------------------------------------- bad input


def test_streams_need_a_key() -> None:
    with pytest.raises(ConfigurationError, match="need a key"):
        KalshiClient(http="httpx").stream()


@pytest.mark.parametrize(
    "wrong",
    [
        {"heartbeat": 0}, {"heartbeat": "10"}, {"patience": -1}, {"verify": 0}, {"max_markets": 0},
        {"max_queue": 0}, {"max_queue": True}, {"connect_deadline": 0},
    ],
)  # fmt: skip
async def test_options_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    async with Sandbox.serve(seed=7, markets=10) as exchange, exchange.client() as kalshi:
        with pytest.raises((ConfigurationError, InvalidRequestError), match=next(iter(wrong))):
            kalshi.stream(**wrong)  # type: ignore[arg-type]


async def test_what_cannot_be_subscribed_to_is_refused_before_it_is_sent() -> None:
    async with floor(markets=1) as at:
        for make in (
            at.stream.orderbook,
            lambda: at.stream.orderbook(""),
            lambda: at.stream.ticker(7),  # type: ignore[arg-type]
            at.stream.pyth,
            lambda: at.stream.trades(max_queue=0),
            lambda: at.stream.communications(shard=(4, 4)),
        ):
            with pytest.raises(InvalidRequestError):
                make()
        assert at.stream.stats.messages.total() == 0
        with pytest.raises(InvalidRequestError, match="once"):
            await at.stream.__aenter__()
