"""What the methods send and return, beyond what the contract test covers for all alike."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from kalshi_async import models
from kalshi_async._decode import Page
from kalshi_async._errors import DecodeError, InvalidRequestError
from kalshi_async._pagination import Paginator
from kalshi_async.resources.events import Events
from kalshi_async.resources.historical import Historical
from kalshi_async.resources.live_data import LiveData
from kalshi_async.resources.markets import Markets
from kalshi_async.resources.milestones import Milestones
from kalshi_async.resources.series import SeriesResource
from kalshi_async.resources.structured_targets import StructuredTargets

from .fake import FakeTransport

MARKET = {"ticker": "A", "yes_bid_dollars": "0.4700", "volume_fp": "1.00"}
EVENT = {"event_ticker": "E", "title": "?"}
SIDES = {"yes_dollars": [["0.4700", "3.00"]], "no_dollars": [["0.4800", "3.00"]]}


class Quote(msgspec.Struct):
    ticker: str
    yes_bid: Decimal


class Name(msgspec.Struct):
    ticker: str


class Tape(msgspec.Struct):
    trade_id: str
    count: Decimal


class Title(msgspec.Struct):
    event_ticker: str
    title: str


@pytest.mark.parametrize(
    ("resource", "method", "schema", "key", "item"),
    [
        (Markets, "list", Quote, "markets", MARKET),
        (Historical, "markets", Quote, "markets", MARKET),
        (Markets, "trades", Tape, "trades", {"trade_id": "t", "count_fp": "2.00"}),
        (Historical, "trades", Tape, "trades", {"trade_id": "t", "count_fp": "2.00"}),
        (Events, "list", Title, "events", EVENT),
        (SeriesResource, "list", Name, "series", {"ticker": "S", "title": "?"}),
    ],
)
async def test_schema_replaces_the_model(resource, method, schema, key, item):
    transport = FakeTransport.answering({key: [item], "cursor": ""})
    page = await getattr(resource(transport), method)(schema=schema)
    assert isinstance(page, Page)
    assert [isinstance(found, schema) for found in page] == [True]
    with pytest.raises(InvalidRequestError, match=r"msgspec\.Struct"):
        getattr(resource(transport), method)(schema=dict)


@pytest.mark.parametrize(
    "body",
    [
        {"event": EVENT | {"markets": [MARKET]}},
        {"event": EVENT | {"markets": [MARKET]}, "markets": []},
        {"event": EVENT, "markets": [MARKET]},
        {"event": EVENT | {"markets": None}, "markets": [MARKET]},
        {"event": EVENT, "markets": [{"ticker": "A", "yes_bid": 47, "volume": 1}]},
    ],
)
async def test_an_events_markets_are_found_where_they_are(body):
    event = await Events(FakeTransport.answering(body)).get("E")
    assert [market.ticker for market in event.markets] == ["A"]
    assert str(event.markets[0].yes_bid) == "0.4700"


async def test_an_event_without_markets():
    transport = FakeTransport.answering({"event": EVENT, "markets": None})
    event = await Events(transport).get("E", exclude_markets=True)
    assert event.markets is None
    assert transport.calls[0].query == "exclude_markets=true"


async def test_milestones_come_with_their_page():
    milestone = {"id": "m", "title": "Game"}
    body = {"events": [EVENT], "milestones": [milestone, {"title": "no id"}], "cursor": ""}
    transport = FakeTransport.answering(body)
    pages = [page async for page in Events(transport).list(with_milestones=True).pages()]
    (page,) = pages
    assert [found.id for found in page.milestones] == ["m"]
    assert [event.event_ticker for event in page] == ["E"]
    assert [drift.field for drift in page.drift] == ["milestones[1]"]
    assert len(transport.drift) == 1
    assert (await Events(transport).list()).milestones == ()
    without = FakeTransport.answering({"events": [EVENT], "milestones": None})
    assert (await Events(without).list(with_milestones=True)).milestones == ()
    absent = FakeTransport.answering({"events": [EVENT]})
    assert (await Events(absent).list(with_milestones=True)).milestones == ()


async def test_event_paginator_is_a_paginator():
    body = {"events": [EVENT], "cursor": ""}
    paginator = Events(FakeTransport.answering(body | {"cursor": "c"}, body)).list(limit=1)
    assert isinstance(paginator, Paginator)
    assert [event.event_ticker async for event in paginator] == ["E", "E"]
    assert paginator.pages_read == 2


async def test_orderbook():
    transport = FakeTransport.answering({"orderbook_fp": SIDES})
    book = await Markets(transport).orderbook("KX/A", depth=10)
    assert (book.ticker, book.best_yes_bid, book.best_yes_ask) == (
        "KX/A",
        Decimal("0.4700"),
        Decimal("0.5200"),
    )
    assert transport.calls[0].path == "/markets/KX%2FA/orderbook"
    assert transport.calls[0].query == "depth=10"


async def test_an_unreadable_book_is_an_error_that_names_the_operation():
    sides = SIDES | {"no_dollars": [["0.4800"]]}
    with pytest.raises(DecodeError, match="no order book that can be read"):
        await Markets(FakeTransport.answering({"orderbook_fp": sides})).orderbook("A")


async def test_orderbooks_are_asked_for_one_by_one_and_a_bad_one_is_told():
    bad = {"ticker": "B", "orderbook_fp": {"yes_dollars": "?", "no_dollars": []}}
    transport = FakeTransport.answering(
        {"orderbooks": [{"ticker": "A", "orderbook_fp": SIDES}, bad]}
    )
    books = await Markets(transport).orderbooks(tickers=["A", "B"])
    assert transport.calls[0].query == "tickers=A&tickers=B"
    assert [(book.ticker, book.depth("yes")) for book in books] == [("A", Decimal("3.00"))]
    assert [lost.index for lost in books.undecoded] == [1]
    assert len(transport.undecoded) == 1
    await Markets(transport).orderbooks(tickers="A,B")
    assert transport.calls[1].query == "tickers=A&tickers=B"


async def test_candlesticks_send_seconds():
    transport = FakeTransport.answering({"ticker": "A", "candlesticks": [{"end_period_ts": 60}]})
    candles = await Markets(transport).candlesticks(
        "S",
        "A",
        start_ts=datetime(1970, 1, 1, tzinfo=UTC),
        end_ts=120,
        period_interval=1,
        include_latest_before_start=True,
    )
    assert [candle.end_period_ts for candle in candles] == [60]
    assert transport.calls[0].path == "/series/S/markets/A/candlesticks"
    assert transport.calls[0].query == (
        "start_ts=0&end_ts=120&period_interval=1&include_latest_before_start=true"
    )


async def test_batches_join_or_repeat_as_the_operation_wants():
    transport = FakeTransport.answering({"markets": []})
    span = {"start_ts": 1, "end_ts": 2, "period_interval": 60}
    await Markets(transport).candlesticks_batch(market_tickers=["A", "B"], **span)
    assert transport.calls[0].query.startswith("market_tickers=A%2CB&")
    transport = FakeTransport.answering({"live_datas": []})
    await LiveData(transport).batch(milestone_ids=["m", "n"])
    assert transport.calls[0].query == "milestone_ids=m&milestone_ids=n"
    transport = FakeTransport.answering({"structured_targets": []})
    await StructuredTargets(transport).list(ids=["x", "y"], page_size=2000)
    assert transport.calls[0].query == "ids=x&ids=y&page_size=2000"


async def test_weather_times_are_milliseconds():
    transport = FakeTransport.answering({"city": "miami", "units": "F", "timeseries": []})
    weather = LiveData(transport)
    await weather.weather("miami", from_=datetime(1970, 1, 1, 0, 1, tzinfo=UTC), to=61_000)
    assert transport.calls[0].query == "from=60000&to=61000"
    with pytest.raises(InvalidRequestError, match="last_sec excludes from_ and to"):
        await weather.weather("miami", last_sec=60, to=5)
    with pytest.raises(InvalidRequestError, match=r"from_ \(2\) is later than to \(1\)"):
        await weather.weather("miami", from_=2, to=1)
    assert len(transport.calls) == 1


async def test_milestones_start_date_is_text():
    transport = FakeTransport.answering({"milestones": []})
    start = datetime(2026, 8, 1, 12, tzinfo=UTC)
    await Milestones(transport).list(minimum_start_date=start, type="football_game")
    assert transport.calls[0].query == (
        "limit=100&minimum_start_date=2026-08-01T12%3A00%3A00Z&type=football_game"
    )


async def test_options_reach_the_transport_and_only_those_given():
    transport = FakeTransport.answering({"market": MARKET})
    markets = Markets(transport)
    await markets.get("A", timeout=3, deadline=None)
    await markets.get("A")
    assert [call.options for call in transport.calls] == [{"timeout": 3, "deadline": None}, {}]


@pytest.mark.parametrize("ticker", ["", "  ", None, 7])
async def test_empty_identifiers_are_not_sent(ticker):
    transport = FakeTransport.answering({})
    for call in (
        Markets(transport).get,
        Markets(transport).orderbook,
        Historical(transport).market,
        Events(transport).get,
        SeriesResource(transport).get,
        LiveData(transport).weather,
    ):
        with pytest.raises(InvalidRequestError, match="expected a non-empty identifier"):
            await call(ticker)
    assert transport.calls == []


async def test_drift_of_a_page_is_noted_once():
    bad = MARKET | {"open_time": "soon"}
    transport = FakeTransport.answering({"markets": [bad, {}], "cursor": ""})
    page = await Markets(transport).list()
    assert [drift.field for drift in transport.drift] == ["open_time"]
    assert [lost.index for lost in transport.undecoded] == [1]
    assert page[0].ticker == "A"


async def test_a_page_that_is_none_names_the_operation():
    transport = FakeTransport.answering(b"<html>")
    with pytest.raises(DecodeError, match="not a page of 'markets'") as caught:
        await Markets(transport).list()
    assert caught.value.operation == "GetMarkets"


async def test_get_returns_the_model():
    market = await Markets(FakeTransport.answering({"market": MARKET})).get("A")
    assert isinstance(market, models.Market)
    with pytest.raises(DecodeError, match="no 'market' in it"):
        await Markets(FakeTransport.answering({"markets": []})).get("A")
