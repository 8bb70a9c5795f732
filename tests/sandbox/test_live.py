"""What the public sees of markets that trade, beside those that nobody trades."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._catalog.query import ALWAYS, MarketQuery, Window
from kalshi_async.sandbox._live.prints import Prints
from kalshi_async.sandbox._live.view import AnyTrade
from kalshi_async.sandbox._records import Trade
from kalshi_async.sandbox._text import DAY, SECOND, parse_time
from kalshi_async.sandbox._units import ONE

from .clocked import FED, Clocked


@pytest.fixture
def on() -> Clocked:
    return Clocked()


def tape(on: Clocked, limit: int = 50, **options: Any) -> list[AnyTrade]:
    ticker, window = options.pop("ticker", FED), options.pop("window", ALWAYS)
    after = options.pop("after", None)
    return list(islice(on.live.trades(ticker, window, after, limit, **options), limit))


# Market objects


def test_markets_nobody_traded_are_the_bytes_of_the_catalog(on: Clocked) -> None:
    on.order("a", "bid", 6300, 1)
    for market in on.catalog.markets(MarketQuery()):
        if market.ticker != FED:
            assert on.live.market_json(market) == market.json()
            assert on.live.of(market) is market


@pytest.mark.parametrize("far", [True, False])
def test_looking_at_a_market_changes_nothing_in_its_object(far: bool) -> None:
    on = Clocked() if far else Clocked(wall=Clocked(markets=0).catalog.now / SECOND)
    assert bool(on.exchange.shift) is far
    for market in list(on.catalog.markets(MarketQuery())):
        before = market.json()
        on.look(market.ticker)
        assert on.live.market_json(market) == before


def test_a_trade_shows_in_the_object(on: Clocked) -> None:
    before = on.catalog.market(FED)
    assert before is not None
    on.order("a", "bid", 6300, 10)
    shown = on.shown()
    assert shown["last_price_dollars"] == "0.6300"
    assert (shown["volume_fp"], shown["volume_24h_fp"]) == ("48260.00", "12850.00")
    assert shown["open_interest_fp"] == "34010.00"
    assert (shown["yes_ask_dollars"], shown["yes_ask_size_fp"]) == ("0.6300", "970.00")
    assert (shown["no_bid_dollars"], shown["no_ask_dollars"]) == ("0.3700", "0.3900")
    assert parse_time(shown["updated_time"]) == on.exchange.now()
    assert shown["status"] == "active"
    assert shown.keys() == json.loads(before.json()).keys()


def test_orders_show_as_best_prices_and_sizes(on: Clocked) -> None:
    on.order("a", "bid", 6200, 2.5)
    on.order("b", "ask", 6250 // 100 * 100 + 100, 1)
    shown = on.shown()
    assert (shown["yes_bid_dollars"], shown["yes_bid_size_fp"]) == ("0.6200", "2.50")
    assert (shown["yes_ask_dollars"], shown["yes_ask_size_fp"]) == ("0.6300", "981.00")


def test_volume_of_a_day_and_the_price_of_a_day_ago_go_with_the_clock(on: Clocked) -> None:
    on.order("a", "bid", 6300, 10)
    first = on.shown()
    assert first["previous_price_dollars"] == "0.6000"
    on.later(DAY // SECOND // 2)
    half = on.shown()
    assert 10 < float(half["volume_24h_fp"]) < 12_850
    on.later(DAY // SECOND // 2 + 120)
    later = on.shown()
    assert later["volume_24h_fp"] == "0.00"
    assert later["volume_fp"] == "48260.00"
    assert later["previous_price_dollars"] == "0.6300"
    assert later["previous_yes_bid_dollars"] == "0.6100"


def test_results_and_settlement_show(on: Clocked) -> None:
    on.order("a", "bid", 6300, 10)
    on.exchange.do(lambda engine, now: engine.close_market(FED, now))
    closed = on.shown()
    assert closed["status"] == "closed"
    assert parse_time(closed["close_time"]) == on.exchange.now()
    assert (closed["yes_bid_dollars"], closed["yes_ask_dollars"]) == ("0.0000", "1.0000")
    assert (closed["result"], closed["yes_bid_size_fp"]) == ("", "0.00")
    on.exchange.do(lambda engine, now: engine.determine(FED, ONE, now))
    determined = on.shown()
    assert (determined["status"], determined["result"]) == ("determined", "yes")
    assert determined["settlement_value_dollars"] == "1.0000"
    assert determined["expiration_value"] == determined["yes_sub_title"]
    assert "settlement_ts" not in determined
    on.exchange.do(lambda engine, now: engine.settle(FED, now))
    settled = on.shown()
    assert settled["status"] == "finalized"
    assert parse_time(settled["settlement_ts"]) == on.exchange.now()
    assert on.live.book(FED) == {"yes_dollars": [], "no_dollars": []}


def test_objects_recorded_in_cents_keep_their_form(tmp_path: Any) -> None:
    (tmp_path / "a.json").write_text(
        '{"ticker":"KXA-1","event_ticker":"KXA","status":"active","yes_bid":61,"yes_ask":63,'
        '"no_bid":37,"no_ask":39,"last_price":62,"volume":10,"open_interest":7,"odd":1e2,'
        '"close_time":"2026-01-01T00:00:00Z","open_time":"2025-12-01T00:00:00Z"}'
    )
    on = Clocked(0, load=[tmp_path])
    on.order("a", "bid", 6300, 1, "KXA-1")
    on.order("a", "bid", 6200, 4, "KXA-1")
    shown = on.shown("KXA-1")
    assert (shown["yes_bid"], shown["yes_ask"], shown["no_bid"]) == (62, 100, 0)
    assert (shown["last_price"], shown["volume"], shown["open_interest"]) == (63, 11, 8)
    assert (shown["yes_bid_dollars"], shown["volume_fp"]) == ("0.6200", "11.00")
    # Its dates are those of the recording: it does not close here.
    assert shown["close_time"] == "2026-01-01T00:00:00Z"
    assert b'"odd":1e2' in on.listed("KXA-1").json()


# Listings


def test_listings_follow_the_state(on: Clocked) -> None:
    for ticker in (FED, "KXFED-26MAR19-T4.25", "KXFED-26MAR19-T4.00", "KXFED-26MAR19-T4.50"):
        on.look(ticker)
    before = on.tickers(word="open")
    on.exchange.do(lambda engine, now: engine.pause_market(FED, now))
    on.exchange.do(lambda engine, now: engine.close_market("KXFED-26MAR19-T4.25", now))
    on.exchange.do(lambda engine, now: engine.determine("KXFED-26MAR19-T4.00", 0, now))
    on.exchange.do(lambda engine, now: engine.settle("KXFED-26MAR19-T4.00", now))
    gone = {FED, "KXFED-26MAR19-T4.25", "KXFED-26MAR19-T4.00"}
    assert on.tickers(word="open") == [ticker for ticker in before if ticker not in gone]
    assert FED in on.tickers(word="paused")
    # Lists of closed and settled markets begin with the latest close: what closed just now.
    assert on.tickers(word="closed")[0] == "KXFED-26MAR19-T4.25"
    assert on.tickers(word="settled")[0] == "KXFED-26MAR19-T4.00"
    assert sorted(on.tickers()) == sorted(m.ticker for m in on.catalog.markets(MarketQuery()))
    event = on.live.event(FED)
    assert event is not None
    assert on.live.words(event) == {"paused", "closed", "settled", "open"}
    on.exchange.do(lambda engine, now: engine.resume_market(FED, now))
    assert FED in on.tickers(word="open")


def test_pages_of_changed_listings_are_complete(on: Clocked) -> None:
    for number, ticker in enumerate(on.tickers(word="open")[:60]):
        on.look(ticker)
        if number % 3 == 0:
            on.exchange.do(lambda engine, now, t=ticker: engine.close_market(t, now))
        on.later(1)
    for query in ({"word": "open"}, {"word": "closed"}, {}, {"series": "KXMLBGAME"}):
        asked = MarketQuery(**query)
        whole = list(on.live.markets(asked))
        keys = [
            (market.close if asked.order == "close" else market.created, market.ticker)
            for market in whole
        ]
        assert keys == sorted(keys, reverse=True)
        assert len(set(keys)) == len(keys)
        pages: list[str] = []
        after = None
        while page := list(islice(on.live.markets(asked, after), 7)):
            pages += [market.ticker for market in page]
            after = keys[len(pages) - 1]
        assert pages == [market.ticker for market in whole]


def test_windows_look_at_what_happened_here(on: Clocked) -> None:
    start = on.exchange.now()
    on.order("a", "bid", 6300, 1)
    assert on.tickers(updated=Window(low=start), combos=False) == [FED]
    on.exchange.do(lambda engine, now: engine.determine(FED, ONE, now))
    on.exchange.do(lambda engine, now: engine.settle(FED, now))
    assert on.tickers(settled=Window(low=start)) == [FED]
    assert on.tickers(close=Window(low=start, high=start + SECOND)) == [FED]
    assert on.tickers(word="settled", settled=Window(low=start)) == [FED]
    assert on.tickers(tickers=(FED, "UNKNOWN"), word="settled") == [FED]


# Books


def test_books_are_the_engines(on: Clocked) -> None:
    quiet = "KXFED-26MAR19-T4.25"
    assert on.live.book(quiet) == on.catalog.book(quiet).json()
    assert on.live.book("UNKNOWN") == {"yes_dollars": [], "no_dollars": []}
    on.look(FED)
    assert on.live.book(FED) == on.catalog.book(FED).json()
    on.order("a", "bid", 6200, 1.25)
    on.order("b", "ask", 7000, 3)
    book = on.live.book(FED)
    assert book["yes_dollars"][-1] == ["0.6200", "1.25"]
    assert ["0.3000", "3.00"] in book["no_dollars"]
    assert on.live.book(FED, 1) == {
        "yes_dollars": [["0.6200", "1.25"]],
        "no_dollars": [book["no_dollars"][-1]],
    }
    shown = on.listed().book()
    assert (shown.yes[0], shown.no[0][0]) == ((620, 125), 370)


# Trades


def test_trades_made_here_stand_in_front(on: Clocked) -> None:
    old = tape(on)
    on.order("a", "bid", 6300, 1)
    on.later(1)
    on.order("b", "ask", 6100, 2)
    found = tape(on)
    assert found[2:] == old[: len(found) - 2]
    newest, older = found[0].json(), found[1].json()
    assert newest == {
        "count_fp": "2.00",
        "created_time": newest["created_time"],
        "is_block_trade": False,
        "no_price_dollars": "0.3900",
        "taker_book_side": "ask",
        "taker_outcome_side": "no",
        "taker_side": "no",
        "ticker": FED,
        "trade_id": newest["trade_id"],
        "yes_price_dollars": "0.6100",
    }
    assert newest.keys() == old[0].json().keys()
    assert parse_time(newest["created_time"]) == on.exchange.now()
    assert older["yes_price_dollars"] == "0.6300"
    assert tape(on, ticker=None, limit=2) == found[:2]
    assert tape(on, window=Window(low=on.exchange.now())) == found[:1]


def test_a_sweep_is_paged_within_its_microsecond(on: Clocked) -> None:
    on.order("a", "bid", 7000, 4_000)
    whole = tape(on, 500)
    assert len({trade.time for trade in whole[:4]}) == 1
    for size in (1, 2, 3):
        found: list[AnyTrade] = []
        while len(found) < 30:
            found += tape(on, size, after=found[-1].key if found else None)
        assert found == whole[: len(found)]


def test_block_trades_are_told_apart(on: Clocked) -> None:
    on.order("a", "bid", 6300, 1)
    on.exchange.do(
        lambda engine, now: engine.cross(
            maker_user="a", taker_user="b", ticker=FED, taker_bid=True, price=6200, count=500,
            now=now, block=True,
        )
    )  # fmt: skip
    assert [trade.json()["is_block_trade"] for trade in tape(on, 2)] == [True, False]
    assert [trade.json()["count_fp"] for trade in tape(on, block=True)] == ["5.00"]
    assert tape(on, 1, block=False)[0].json()["count_fp"] == "1.00"


def made(number: int, time: int, ticker: str = "A") -> Trade:
    return Trade(
        trade_id=f"{number}", ticker=ticker, price=1, count=number, taker_bid=True, time=time
    )


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from("ABC")), max_size=200))
def test_the_tape_is_bounded_and_stays_in_order(steps: list[tuple[int, str]]) -> None:
    prints, time, whole = Prints(most=32), 0, []
    for number, (step, ticker) in enumerate(steps):
        time += step - 1  # a clock can be set back
        whole.append(made(number, time, ticker))
        prints.add(whole[-1])
        assert len(prints) <= 32
    found = [entry.trade for entry in prints.newest(None, ALWAYS, None, None, 1_000)]
    assert len(found) >= min(len(whole), 30)
    assert [trade.time for trade in found] == sorted((t.time for t in found), reverse=True)
    for ticker in "ABC":
        own = [entry.trade for entry in prints.newest(ticker, ALWAYS, None, None, 1_000)]
        assert own == [trade for trade in found if trade.ticker == ticker]
