"""Candles and trades to reckon with."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Context, Decimal

from hypothesis import strategies as st

from kalshi_async.models.candlesticks import BidAskDistribution, Candlestick, PriceDistribution
from kalshi_async.models.trades import Trade

D = Decimal
START = 1_786_137_900


def candle(
    minute: int,
    close: str | None = "0.50",
    *,
    previous: str | None = None,
    bid: str = "0.49",
    ask: str = "0.51",
    volume: str = "10.00",
    length: int = 60,
    high: str | None = None,
    low: str | None = None,
) -> Candlestick:
    price = close and D(close)
    sides = {
        name: BidAskDistribution(open=D(each), low=D(each), high=D(each), close=D(each))
        for name, each in (("yes_bid", bid), ("yes_ask", ask))
    }
    return Candlestick(
        end_period_ts=START + minute * length,
        price=PriceDistribution(
            open=price, close=price, mean=price, previous=previous and D(previous),
            high=high and D(high), low=low and D(low),
        ),
        volume=D(volume) if close else D(0),
        open_interest=D(100),
        **sides,
    )  # fmt: skip


def trade(number: int, price: str, count: str = "1.00", taker: str | None = "yes", **more) -> Trade:
    fields = {
        "trade_id": f"t{number}",
        "ticker": "KXA-1",
        "created_time": datetime.fromtimestamp(START + number, UTC),
        "yes_price": D(price),
        "no_price": 1 - D(price),
        "count": D(count),
        "taker_outcome_side": taker,
        "is_block_trade": False,
    }
    return Trade(**(fields | more))


def candles(*closes: str | None) -> list[Candlestick]:
    return [candle(minute, close) for minute, close in enumerate(closes)]


CLOSES = st.lists(
    st.none() | st.integers(1, 9999).map(lambda ticks: f"0.{ticks:04d}"), min_size=2, max_size=12
)
TRADES = st.lists(
    st.tuples(
        st.integers(1, 9999).map(lambda ticks: f"0.{ticks:04d}"),
        st.integers(1, 10**14).map(lambda count: str(D(count).scaleb(-2, Context(prec=60)))),
        st.sampled_from(["yes", "no", None]),
    ),
    min_size=1,
    max_size=12,
).map(lambda rows: [trade(number, *row) for number, row in enumerate(rows)])
