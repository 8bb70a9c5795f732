"""Trends of polars frames are those of the models they were made from."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async import InvalidRequestError
from kalshi_async.analytics import trend as tr
from kalshi_async.models.trades import Trade

from .trend_rows import CLOSES, START, TRADES, D, candle, candles, trade


@settings(max_examples=20)
@given(CLOSES, TRADES, st.sets(st.integers(0, 11)))
def test_frames_give_the_same_figures(
    closes: Sequence[str | None], rows: list[Trade], again: set[int]
) -> None:
    pytest.importorskip("polars", reason="polars is not installed: frames are not tested")
    rows = rows + [rows[index] for index in again if index < len(rows)]
    series = [*candles("0.4321", *closes), candle(20, "0.7", bid="0.00")]
    deals = tr.frame(rows)
    assert tr.trend(tr.frame(series), deals) == tr.trend(series, rows)
    assert tr.vwap(deals) == tr.vwap(rows)
    assert tr.volume_profile(deals, "0.0005") == tr.volume_profile(rows, "0.0005")
    assert tr.changes(tr.frame(series), of="mid") == tr.changes(series, of="mid")


def test_frames_hold_every_field_exactly() -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed: frames are not tested")
    table = tr.frame([candle(0, "0.123456", high="0.2"), candle(1, None)])
    assert table["price_close"].to_list() == [D("0.123456"), None]
    assert table["yes_bid_open"].to_list() == [D("0.49"), D("0.49")]
    assert table["open_interest"].to_list() == [D(100), D(100)]
    assert table["price_high"].dtype == polars.Decimal(38, 6)
    deals = tr.frame([trade(1, "0.5", "2.25", None, taker_side="no")])
    assert deals.rows(named=True)[0] | {"is_block_trade": None} == {
        "trade_id": "t1", "ticker": "KXA-1",
        "created_time": datetime.fromtimestamp(START + 1, UTC),
        "yes_price": D("0.5"), "no_price": D("0.5"), "count": D("2.25"),
        "taker_outcome_side": "no", "is_block_trade": None,
    }  # fmt: skip
    with pytest.raises(InvalidRequestError, match="at most 6 decimals"):
        tr.frame([trade(1, "0.1234567")])
    with pytest.raises(InvalidRequestError, match="nothing to put into a frame"):
        tr.frame([])
    with pytest.raises(InvalidRequestError, match="candlesticks and trades mixed"):
        tr.frame([candle(0), trade(1, "0.5")])  # type: ignore[list-item]
    with pytest.raises(InvalidRequestError, match="rows hold a dict"):
        tr.frame([{}])  # type: ignore[list-item]


def test_of_trades_with_one_id_the_first_counts() -> None:
    rows = [trade(1, "0.5", "3"), trade(2, "0.4", "3"), trade(1, "0.9", "9")]
    assert tr.vwap(rows) == D("0.45")
    pytest.importorskip("polars", reason="polars is not installed: frames are not tested")
    assert tr.vwap(tr.frame(rows)) == D("0.45")


def test_frames_that_are_not_exact_are_refused() -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed: frames are not tested")
    table = tr.frame([trade(1, "0.5"), trade(2, "0.6")])
    cases = {
        "no column 'count'": table.drop("count"),
        "column 'count' of trades is Float64; expected exact": table.cast(
            {"count": polars.Float64}
        ),
        "column 'yes_price' of trades has rows without a value": table.with_columns(
            yes_price=polars.lit(None, polars.Decimal(38, 6))
        ),
        "'count' of trades has a value that is not above 0": table.with_columns(
            count=polars.lit(D(0), polars.Decimal(38, 2))
        ),
        "there are no trades": table.clear(),
        "several markets": table.with_columns(ticker=polars.col("trade_id")),
        "a LazyFrame has no rows yet": table.lazy(),
    }
    for message, broken in cases.items():
        with pytest.raises(InvalidRequestError, match=message):
            tr.vwap(broken)
    prices = tr.frame(candles("0.5", "0.6")).cast({"price_close": polars.Float64})
    with pytest.raises(InvalidRequestError, match="column 'price_close' of candles is Float64"):
        tr.trend(prices)


def test_without_polars_a_frame_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match=r"pip install 'kalshi-async\[data\]'"):
        tr.frame([trade(1, "0.5")])
    assert tr.vwap([trade(1, "0.5")]) == D("0.5")
