"""Both forms of the wire, and what happens to what does not fit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import models
from kalshi_async._decode import PageDecoder, object_decoder
from kalshi_async._errors import DecodeError

TODAY = {
    "ticker": "KXA-1",
    "event_ticker": "KXA",
    "status": "active",
    "yes_bid_dollars": "0.4700",
    "yes_ask_dollars": "0.4800",
    "volume_fp": "12.50",
    "open_time": "2026-08-01T12:00:00Z",
    "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
}


def page_of(*items, model=models.Market, key="markets", cursor=""):
    body = msgspec.json.encode({key: list(items), "cursor": cursor})
    return PageDecoder(model, key).decode(body)


def one(raw, model=models.Market):
    item, drift = object_decoder(model).decode(msgspec.json.encode(raw))
    return item, drift


def test_todays_form():
    market, drift = one(TODAY)
    assert (market.yes_bid, market.yes_ask, market.volume) == (
        Decimal("0.4700"),
        Decimal("0.4800"),
        Decimal("12.50"),
    )
    assert market.open_time == datetime(2026, 8, 1, 12, tzinfo=UTC)
    assert market.price_ranges[0].step == Decimal("0.0100")
    assert market.is_open
    assert (market.spread, market.mid) == (Decimal("0.0100"), Decimal("0.4750"))
    assert drift == []


def test_models_are_immutable_and_equal_by_value():
    market, _ = one(TODAY)
    with pytest.raises(AttributeError):
        market.yes_bid = Decimal(1)
    assert market == one(TODAY)[0]
    assert market != one(TODAY | {"volume_fp": "12.51"})[0]


@given(cents=st.integers(0, 100), count=st.integers(0, 10**9))
def test_cents_and_whole_counts_are_the_same_market(cents, count):
    old = {"ticker": "A", "yes_bid": cents, "last_price": cents, "volume": count}
    new = {
        "ticker": "A",
        "yes_bid_dollars": f"{cents // 100}.{cents % 100:02d}00",
        "last_price_dollars": f"{cents // 100}.{cents % 100:02d}00",
        "volume_fp": f"{count}.00",
    }
    decoded, drift = one(old)
    assert decoded == one(new)[0]
    assert str(decoded.yes_bid) == new["yes_bid_dollars"]
    assert str(decoded.volume) == new["volume_fp"]
    assert drift == []


def test_dollar_strings_win_over_cents_beside_them():
    market, _ = one({"ticker": "A", "yes_bid": 47, "yes_bid_dollars": "0.4650", "volume": 3})
    assert market.yes_bid == Decimal("0.4650")
    assert market.volume == Decimal(3)


def test_old_trade():
    old = {"trade_id": "t", "ticker": "A", "count": 2, "yes_price": 6, "no_price": 94}
    trade, drift = one(old | {"price": 0.06, "taker_side": "no"}, models.Trade)
    assert (str(trade.count), str(trade.yes_price), str(trade.no_price)) == (
        "2.00",
        "0.0600",
        "0.9400",
    )
    assert (trade.taker_side, trade.taker_outcome_side) == ("no", None)
    assert drift == []


OLD_CANDLE = {
    "end_period_ts": 60,
    "volume": 4,
    "open_interest": 9,
    "yes_bid": {"open": 1, "low": 1, "high": 3, "close": 2},
    "yes_ask": {"open": 4, "low": 4, "high": 5, "close": 5},
    "price": {"close": 3, "previous": None},
}
CANDLE = {
    "end_period_ts": 60,
    "volume_fp": "4.00",
    "open_interest_fp": "9.00",
    "yes_bid": {
        "open_dollars": "0.0100",
        "low_dollars": "0.0100",
        "high_dollars": "0.0300",
        "close_dollars": "0.0200",
    },
    "yes_ask": {
        "open_dollars": "0.0400",
        "low_dollars": "0.0400",
        "high_dollars": "0.0500",
        "close_dollars": "0.0500",
    },
    "price": {"close_dollars": "0.0300"},
}


def test_old_and_new_candles_are_the_same():
    assert one(OLD_CANDLE, models.Candlestick) == one(CANDLE, models.Candlestick)
    assert one(CANDLE, models.Candlestick)[0].price.close == Decimal("0.0300")


def test_old_candles_inside_lists_of_lists():
    """The answer for an event nests candles twice."""
    envelope = {"market_tickers": ["A"], "adjusted_end_ts": 60}
    old, drift = one(envelope | {"market_candlesticks": [[OLD_CANDLE]]}, models.EventCandlesticks)
    new, _ = one(envelope | {"market_candlesticks": [[CANDLE]]}, models.EventCandlesticks)
    assert old == new
    assert old.market_candlesticks[0][0].volume == Decimal("4.00")
    assert drift == []


def test_old_markets_inside_an_event():
    old = {"ticker": "A", "yes_bid": 47, "volume": 3}
    page = page_of({"event_ticker": "E", "markets": [TODAY, old]}, model=models.Event, key="events")
    today, before = page[0].markets
    assert today == one(TODAY)[0]
    assert (before.yes_bid, before.volume) == (Decimal("0.4700"), Decimal("3.00"))
    assert page.drift == ()


def test_historical_candle_has_the_face_of_a_live_one():
    raw = {
        "end_period_ts": 60,
        "volume": "4.00",
        "open_interest": "9.00",
        "yes_bid": {"open": "0.0100", "low": "0.0100", "high": "0.0300", "close": "0.0200"},
        "yes_ask": {"open": "0.0400", "low": "0.0400", "high": "0.0500", "close": "0.0500"},
        "price": {"open": None, "close": "0.0300", "previous": None},
    }
    past, drift = one(raw, models.HistoricalCandlestick)
    live, _ = one(CANDLE, models.Candlestick)
    assert isinstance(past, models.Candlestick)
    for name in ("end_period_ts", "volume", "open_interest"):
        assert getattr(past, name) == getattr(live, name)
    for side in ("yes_bid", "yes_ask", "price"):
        for name in ("open", "low", "high", "close"):
            assert getattr(getattr(past, side), name) == getattr(getattr(live, side), name)
    assert drift == []


def test_unknown_fields_and_words_survive():
    market, drift = one(TODAY | {"status": "suspended", "brand_new": {"x": [1]}})
    assert market.status == "suspended"
    assert not market.is_open
    assert drift == []


def test_a_required_field_that_is_gone_is_none():
    market, drift = one({"ticker": "A", "volume_fp": "1.00"})
    assert market.yes_bid is None
    assert market.title is None
    assert drift == []


@pytest.mark.parametrize("field", ["price_ranges", "yes_bid_dollars", "open_time", "rules_primary"])
def test_null_where_none_is_allowed_is_none(field):
    page = page_of(TODAY | {field: None}, TODAY)
    assert len(page) == 2
    assert getattr(page[0], field.removesuffix("_dollars")) is None
    assert page.drift == ()
    assert page.undecoded == ()


def test_a_field_of_the_wrong_type_is_set_aside_and_reported():
    page = page_of(TODAY, TODAY | {"open_time": "tomorrow", "yes_bid_dollars": {}}, cursor="more")
    assert page[0] == one(TODAY)[0]
    assert (page[1].open_time, page[1].yes_bid) == (None, None)
    assert page[1].yes_ask == Decimal("0.4800")
    assert {(drift.index, drift.field) for drift in page.drift} == {
        (1, "open_time"),
        (1, "yes_bid_dollars"),
    }
    assert page.cursor == "more"


def test_an_item_without_identity_is_kept_aside_with_its_text():
    page = page_of(TODAY, {"event_ticker": "KXA"}, TODAY)
    assert len(page) == 2
    (lost,) = page.undecoded
    assert lost.index == 1
    assert msgspec.json.decode(lost.raw) == {"event_ticker": "KXA"}
    assert "ticker" in lost.problem


def test_a_nested_object_that_cannot_be_read_is_reported():
    legs = [{"event_ticker": "E", "side": "yes"}, "no leg", {"market_ticker": 7}]
    page = page_of(TODAY | {"mve_selected_legs": legs})
    assert [leg.side for leg in page[0].mve_selected_legs] == ["yes", None]
    assert {drift.field for drift in page.drift} == {
        "mve_selected_legs[1]",
        "mve_selected_legs[2].market_ticker",
    }


def test_maps_of_objects():
    raw = {"filters_by_sports": {"Golf": {"scopes": ["Games"], "competitions": {}}}}
    filters, drift = one(raw | {"sport_ordering": ["Golf"]}, models.FiltersBySport)
    assert filters.filters_by_sports["Golf"].scopes == ["Games"]
    assert drift == []
    filters, drift = one({"filters_by_sports": {"Golf": 3}}, models.FiltersBySport)
    assert filters.filters_by_sports is None
    assert [change.field for change in drift] == ["filters_by_sports"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'"text"', b"<html>", b'{"other":[]}', b'{"markets":{}}']
)
def test_what_is_no_page_is_an_error(body):
    with pytest.raises(DecodeError):
        PageDecoder(models.Market, "markets").decode(body)


def test_doubles_are_exact():
    series, _ = one(
        msgspec.Raw(b'{"ticker":"A","fee_multiplier":0.35,"volume_fp":"1.00"}'), models.Series
    )
    assert str(series.fee_multiplier) == "0.35"
    point, _ = one(msgspec.Raw(b'{"t":1,"v":71.04,"status":"ok"}'), models.WeatherIndexPoint)
    assert str(point.v) == "71.04"


def test_exports_are_sorted_and_exist():
    assert models.__all__ == sorted(models.__all__)
    assert len(set(models.__all__)) == len(models.__all__)
    for name in models.__all__:
        assert getattr(models, name) is not None
