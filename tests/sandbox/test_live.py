"""What the public sees of markets that trade, beside those that nobody trades."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._live import AnyTrade
from kalshi_async.sandbox._minutes import Minutes
from kalshi_async.sandbox._prints import Prints
from kalshi_async.sandbox._query import ALWAYS, MarketQuery, Window
from kalshi_async.sandbox._records import Trade
from kalshi_async.sandbox._text import DAY, MINUTE, SECOND, parse_time
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


def test_looking_at_a_market_moves_its_dates_into_trading_time_only() -> None:
    for wall, shift in ((1_790_000_000.0, True), (None, False)):
        on = Clocked() if wall else Clocked(wall=Clocked(markets=0).catalog.now / SECOND)
        assert bool(on.exchange.shift) is shift
        for market in list(on.catalog.markets(MarketQuery())):
            before = market.json()
            on.look(market.ticker)
            after = on.live.market_json(market)
            if not shift or market.word in ("closed", "settled"):
                assert after == before
            else:
                changed = dict(on.shown(market.ticker))
                assert parse_time(changed["close_time"]) == market.close + on.exchange.shift
                assert changed["created_time"] in before.decode()


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
    assert shown.keys() == on.shown("KXFED-26MAR19-T4.25").keys()


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


# Candlesticks


def test_candles_tell_of_every_minute(on: Clocked) -> None:
    start = on.seconds() // 60 * 60
    on.order("a", "bid", 6300, 10)
    on.later(60)
    on.later(60)
    on.order("a", "bid", 6200, 5)
    on.order("b", "ask", 6200, 4)
    found = on.live.candles(on.listed(), start + 1, start + 180, 1)
    assert [candle.end for candle in found] == [start + 60, start + 120, start + 180]
    first, quiet, last = found
    assert (first.price, first.volume, first.mean) == ((6300,) * 4, 1000, 6300)
    assert (first.previous, first.bid, first.ask) == (6200, (6100,) * 4, (6300,) * 4)
    assert (quiet.price, quiet.volume, quiet.previous) == (None, 0, 6300)
    assert (quiet.bid, quiet.open_interest) == ((6100,) * 4, 3_401_000)
    assert last.bid == (6100, 6100, 6200, 6200)
    assert (last.price, last.volume, last.open_interest) == ((6200,) * 4, 400, 3_401_000)
    hour = on.live.candles(on.listed(), start - 3600, start + 7200, 60)[-1]
    assert (hour.price, hour.volume) == ((6300, 6200, 6300, 6200), 1400)
    assert hour.mean == (6300 * 1000 + 6200 * 400) // 1400


def test_the_lead_is_the_latest_candle_before(on: Clocked) -> None:
    on.later(30 - on.seconds() % 60)
    start = on.seconds() // 60 * 60
    on.order("a", "bid", 6300, 10)
    on.later(600)
    found = on.live.candles(on.listed(), start + 360, start + 480, 1, lead=True)
    assert [candle.end for candle in found] == [start + 60 * n for n in (5, 6, 7, 8)]
    # Right at the beginning, what came before is the catalog's.
    found = on.live.candles(on.listed(), start + 60, start + 60, 1, lead=True)
    assert len(found) == 2
    assert found[0].end <= on.catalog.now // SECOND + 60
    quiet = on.listed("KXFED-26MAR19-T4.25")
    assert on.live.candles(quiet, start, start + 60, 1, lead=True) == []


def test_what_the_catalog_knows_of_a_period_is_joined() -> None:
    on = Clocked(wall=Clocked(markets=0).catalog.now / SECOND)
    day = on.live.candles(on.listed(), on.seconds() - 86_400, on.seconds() + 86_400, 1440)[-1]
    on.order("a", "bid", 6300, 10)
    after = on.live.candles(on.listed(), on.seconds() - 86_400, on.seconds() + 86_400, 1440)[-1]
    assert after.end == day.end
    assert after.volume == day.volume + 1000
    assert after.price is not None
    assert day.price is not None
    assert (after.price[0], after.price[3]) == (day.price[0], 6300)
    assert after.open_interest == 3_401_000


STEPS = st.tuples(st.integers(0, 200), st.integers(1, 99), st.integers(0, 50))


@given(st.lists(STEPS, max_size=60), st.sampled_from([1, 60, 1440]))
def test_candles_add_up(steps: list[tuple[int, int, int]], minutes: int) -> None:
    start = 1_000 * DAY
    kept = Minutes(start, 5000)
    kept.quote(start, 4900, 5100, 0)
    time, trades = start, []
    for gap, price, count in steps:
        time += gap * 20 * SECOND
        kept.quote(time, price * 100 - 100, price * 100 + 100, 0)
        if count:
            kept.trade(time, price * 100, count, 0)
            trades.append((time, price * 100, count))
    final = -(-(time + 1) // (minutes * MINUTE))
    found = kept.candles(0, final, minutes)
    assert [candle.end for candle in found] == [
        number * minutes * 60 for number in range(start // MINUTE // minutes + 1, final + 1)
    ]
    previous = 5000
    for candle in found:
        inside = [
            trade
            for trade in trades
            if (candle.end - minutes * 60) * SECOND <= trade[0] < candle.end * SECOND
        ]
        prices = [price for _, price, _ in inside]
        assert candle.volume == sum(count for _, _, count in inside)
        assert candle.previous == previous
        if not prices:
            assert candle.price is None
        else:
            assert candle.price == (prices[0], min(prices), max(prices), prices[-1])
            previous = prices[-1]
        assert candle.bid[1] <= min(candle.bid[0], candle.bid[3]) <= candle.bid[2]
    assert kept.volume_since(0) == sum(count for _, _, count in trades)


def test_minutes_become_hours_when_there_are_many() -> None:
    start = 1_000 * DAY
    kept = Minutes(start, 5000)
    for number in range(40_000):
        kept.trade(start + number * MINUTE, 4000 + number % 7, 1, number)
    assert len(kept) < 11_000
    days = kept.candles(0, 1 << 40 if False else start // DAY + 40, 1440)
    assert sum(candle.volume for candle in days) == 40_000
    assert days[3].price == (4000 + 3 * 1440 % 7, 4000, 4006, 4000 + (4 * 1440 - 1) % 7)
    recent = kept.candles((start // MINUTE) + 39_990, (start // MINUTE) + 40_000, 1)
    assert [candle.volume for candle in recent] == [1] * 11
