"""Who hears of what, without sockets: sessions on a feed of a real exchange."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._catalog.catalog import Catalog
from kalshi_async.sandbox._catalog.draw import default_now
from kalshi_async.sandbox._catalog.query import MarketQuery
from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._exchange import Exchange
from kalshi_async.sandbox._records import NewOrder
from kalshi_async.sandbox._rfq.views import communications_id
from kalshi_async.sandbox._units import DOLLAR
from kalshi_async.sandbox._ws.feed import Feed
from kalshi_async.sandbox._ws.protocol import Session

from .ws_client import Books

CATALOG = Catalog(seed=7, markets=200, now=default_now(7))
TICKERS = [market.ticker for market in islice(CATALOG.markets(MarketQuery(word="open")), 3)]
MAKER, TAKER = "maker", "taker"


class Ear(Books):
    """A session on a feed, and what it was told."""

    def __init__(self, feed: Feed, user_id: str = TAKER, **options: Any) -> None:
        super().__init__()
        self.frames: list[dict[str, Any]] = []
        self.session = Session(feed, self, user_id, **options)

    def put(self, channel: str, payload: bytes) -> None:
        frame = json.loads(payload)
        self.frames.append(frame)
        self.read(frame)

    def send(self, cmd: str, **params: Any) -> None:
        text = json.dumps({"id": 1, "cmd": cmd, "params": params})
        for channel, payload in self.session.receive(text, 0):
            self.put(channel, payload)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        return [frame["msg"] for frame in self.frames if frame["type"] == kind]


def running() -> tuple[Exchange, Feed]:
    exchange = Exchange(CATALOG, seed=7, clock=lambda: CATALOG.now / 1_000_000)
    for user_id in (MAKER, TAKER):
        exchange.engine.open_account(user_id)
        exchange.do(lambda engine, now, who=user_id: engine.deposit(who, 1_000_000 * DOLLAR, now))
    return exchange, Feed(exchange)


def place(exchange: Exchange, user_id: str, **wanted: Any) -> None:
    wanted.setdefault("ticker", TICKERS[0])
    new = NewOrder(user_id=user_id, **wanted)
    exchange.do(lambda engine, now: engine.place(new, now))


STEPS = st.one_of(
    st.tuples(
        st.just("place"),
        st.sampled_from(TICKERS),
        st.tuples(st.booleans(), st.integers(1, 99), st.integers(1, 3_000)),
    ),
    st.tuples(st.just("cancel"), st.sampled_from([MAKER, TAKER]), st.none()),
    st.tuples(
        st.sampled_from(["add_markets", "delete_markets", "get_snapshot"]),
        st.sampled_from(TICKERS),
        st.integers(0, 2),
    ),
)


@given(st.lists(STEPS, max_size=30))
def test_books_follow_the_exchange_whatever_is_subscribed_when(steps: list[tuple[str, Any, Any]]):
    exchange, feed = running()
    ears = [Ear(feed), Ear(feed), Ear(feed, MAKER)]
    for ear in ears:
        ear.send("subscribe", channels=["orderbook_delta"], market_tickers=TICKERS[:1])
    for kind, what, detail in steps:
        if kind == "place":
            bid, cents, count = detail
            user_id = MAKER if count % 2 else TAKER
            try:
                place(exchange, user_id, ticker=what, bid=bid, price=100 * cents, count=count)
            except ApiError:
                continue
        elif kind == "cancel":
            exchange.do(lambda engine, now, who=what: engine.cancel_all(who, now))
        else:
            ears[detail].send("update_subscription", sid=1, action=kind, market_tickers=[what])
    for ear in ears:
        for ticker in ear.session.subscriptions[1].markets or ():
            levels = {
                "yes": dict(exchange.book_levels(ticker, True)),
                "no": {
                    10_000 - price: count for price, count in exchange.book_levels(ticker, False)
                },
            }
            followed = {
                side: {int(price * 10_000): int(count * 100) for price, count in found.items()}
                for side, found in ear.books[ticker].items()
            }
            assert followed == levels
            assert ear.clocks[ticker] == exchange.engine.markets[ticker].clock


def test_a_key_of_one_subaccount_hears_of_that_one_only():
    exchange, feed = running()
    exchange.do(lambda engine, now: engine.create_subaccount(TAKER, now))
    exchange.do(lambda engine, now: engine.transfer(TAKER, DOLLAR, now, to_subaccount=1))
    ears = {locked: Ear(feed, subaccount=locked) for locked in (None, 0, 1)}
    for ear in ears.values():
        ear.send("subscribe", channels=["user_orders"])
        ear.send("subscribe", channels=["orderbook_delta"], market_tickers=TICKERS[:1])
    for subaccount in (0, 1):
        place(
            exchange,
            TAKER,
            bid=True,
            price=100,
            count=100,
            subaccount=subaccount,
            client_order_id=f"of {subaccount}",
        )
    told = {
        locked: [order["subaccount_number"] for order in ear.heard("user_order")]
        for locked, ear in ears.items()
    }
    assert told == {None: [0, 1], 0: [0], 1: [1]}
    named = {
        locked: [delta.get("client_order_id") for delta in ear.heard("orderbook_delta")]
        for locked, ear in ears.items()
    }
    assert named == {None: ["of 0", "of 1"], 0: ["of 0", None], 1: [None, "of 1"]}
    assert ears[1].heard("orderbook_delta")[1]["subaccount"] == 1


def test_shards_of_the_communications_channel_share_it_out():
    _, feed = running()
    shards = [Ear(feed) for _ in range(3)]
    whole = Ear(feed)
    whole.send("subscribe", channels=["communications"])
    for key, ear in enumerate(shards):
        ear.send("subscribe", channels=["communications"], shard_factor=3, shard_key=key)
    for number in range(60):
        feed.communicated("rfq_created", {"id": f"rfq-{number}"}, None)
        feed.communicated("quote_created", {"quote_id": "q", "rfq_id": f"rfq-{number}"}, {TAKER})
    found = [{msg["id"] for msg in ear.heard("rfq_created")} for ear in shards]
    assert sum(map(len, found)) == len(set().union(*found)) == 60
    assert all(found)
    for ear, ids in zip(shards, found, strict=True):
        assert {msg["rfq_id"] for msg in ear.heard("quote_created")} == ids
    assert len(whole.heard("rfq_created")) == len(whole.heard("quote_created")) == 60


def test_quotes_are_for_their_parties_and_rfqs_for_all_who_want_them():
    _, feed = running()
    everything, own, stranger = Ear(feed), Ear(feed), Ear(feed, MAKER)
    for ear in (everything, own, stranger):
        params = {"user_filter": "self"} if ear is own else {}
        ear.send("subscribe", channels=["communications"], **params)
    feed.communicated("rfq_created", {"id": "a", "creator_id": ""}, None)
    feed.communicated("rfq_deleted", {"id": "b", "creator_id": communications_id(TAKER)}, None)
    feed.communicated("quote_created", {"rfq_id": "b"}, frozenset((TAKER,)))
    kinds = [[frame["type"] for frame in ear.frames[1:]] for ear in (everything, own, stranger)]
    assert kinds == [
        ["rfq_created", "rfq_deleted", "quote_created"],
        ["rfq_deleted", "quote_created"],
        ["rfq_created", "rfq_deleted"],
    ]


@pytest.mark.parametrize("channel", ["ticker", "trade"])
def test_without_a_list_every_market_is_meant(channel: str):
    exchange, feed = running()
    everything, one = Ear(feed), Ear(feed)
    everything.send("subscribe", channels=[channel])
    one.send("subscribe", channels=[channel], market_tickers=TICKERS[1:2])
    for ticker in TICKERS[:2]:
        place(exchange, MAKER, ticker=ticker, bid=False, price=9_900, count=100)
        place(exchange, TAKER, ticker=ticker, bid=True, price=9_900, count=1_000_000)
    assert {msg["market_ticker"] for msg in everything.heard(channel)} == set(TICKERS[:2])
    assert {msg["market_ticker"] for msg in one.heard(channel)} == {TICKERS[1]}


def test_markets_of_the_catalog_are_not_announced_as_new():
    exchange, feed = running()
    ear = Ear(feed)
    ear.send("subscribe", channels=["market_lifecycle_v2"])
    exchange.do(lambda engine, now: engine.market(TICKERS[0], now))
    assert len(ear.frames) == 1
    exchange.do(lambda engine, now: engine.pause_market(TICKERS[0], now))
    assert ear.heard("market_lifecycle_v2")[0]["is_deactivated"] is True


def test_a_closed_session_hears_nothing():
    exchange, feed = running()
    ear = Ear(feed)
    ear.send("subscribe", channels=["orderbook_delta", "trade"], market_tickers=TICKERS)
    before = len(ear.frames)
    ear.session.close()
    place(exchange, TAKER, bid=True, price=100, count=100)
    assert len(ear.frames) == before
    assert repr(feed) == "<Feed: 0 subscriptions>"
