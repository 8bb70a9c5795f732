"""Numbers that no exchange sends, and decimal contexts that no caller should have set."""

from __future__ import annotations

import decimal
import pickle
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import InvalidRequestError, _amounts
from kalshi_async.analytics import fees, prices, quotes, sizing, tickers, trend
from kalshi_async.analytics.fees import FeeSchedule
from kalshi_async.models import Level, OrderBook

from .trend_rows import candle

BOOK = OrderBook(
    ticker="KX-A",
    yes=(Level(Decimal("0.43"), Decimal(10)),),
    no=(Level(Decimal("0.47"), Decimal(10)),),
)
QUOTES = [
    quotes.Quote("a", "1", bid=Decimal("0.40"), ask=Decimal("0.41")),
    quotes.Quote("b", "1", bid=Decimal("0.50"), ask=Decimal("0.51")),
]

PRICES: dict[str, Callable[..., object]] = {
    "fee": lambda x: fees.taker_fee(1, x),
    "rate": fees.taker_fee_per_contract,
    "break even": fees.break_even,
    "exit": lambda x: fees.exit_price(1, x),
    "fill": lambda x: fees.OrderFees().fill(1, x),
    "complement": prices.complement,
    "all outcomes": lambda x: prices.implied_probabilities([x]),
    "limit": lambda x: prices.limit(x, action="buy"),
    "kelly": lambda x: sizing.kelly(probability="0.9", price=x),
    "size": lambda x: sizing.size(probability="0.9", bankroll=10, price=x),
}
OTHERS: dict[str, Callable[..., object]] = {
    "count": lambda x: fees.taker_fee(x, "0.50"),
    "multiplier": lambda x: FeeSchedule(multiplier=x).taker(1, "0.50"),
    "step": lambda x: FeeSchedule(step=x),
    "smallest": lambda x: FeeSchedule().worst(1, "0.50", smallest=x),
    "value": lambda x: fees.position(1, "0.50").net_payout(x),
    "probability": lambda x: sizing.kelly(probability=x, price="0.50"),
    "fraction": lambda x: sizing.kelly(probability="0.9", price="0.50", fraction=x),
    "bankroll": lambda x: sizing.size(probability="0.9", bankroll=x, book=BOOK),
    "fees": lambda x: sizing.size(probability="0.9", bankroll=10, book=BOOK, fees=x),
    "grid": lambda x: prices.next_up("0.50", [x]),
    "chances": lambda x: sizing.kelly_exclusive(x, {"A": "0.5"}),
    "quote": lambda x: quotes.Quote("a", "1", volume=x, close_time=x),
    "venue fees": lambda x: quotes.compare(QUOTES, fees={"a": x, "b": x}),
    "strike": lambda x: tickers.build("KXA", period="26", strike=x, strike_prefix=x),
}
HOSTILE: dict[str, object] = {
    "signaling": Decimal("sNaN"),
    "endless": Decimal("-Infinity"),
    "huge": Decimal("1E+1000000"),
    "vast": Decimal("1E+999999999999999999"),
    "below 0": Decimal("-1E-999999"),
    "huge text": "1E+1000000",
    "long text": "5" * 1_000_000,
    "huge integer": -(10**5_000),
    "list": [],
    "bytes": b"0.5",
}
TINY = [Decimal("1E-999999"), Decimal("1E-999999999999999999"), "1E-1000000", Decimal("0.00001")]


@pytest.mark.parametrize("ask", [*PRICES, *OTHERS])
@pytest.mark.parametrize("bad", HOSTILE)
def test_a_short_message_and_nothing_else(ask: str, bad: str) -> None:
    with pytest.raises(InvalidRequestError) as told:
        (PRICES | OTHERS)[ask](HOSTILE[bad])
    assert len(str(told.value)) < 300


@pytest.mark.parametrize("bad", [None, [], 7, Decimal("sNaN"), b"quadratic"])
def test_what_is_no_text_is_no_fee_type(bad: object) -> None:
    with pytest.raises(InvalidRequestError, match=r"fee_type is .*; expected one of quadratic"):
        FeeSchedule(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("ask", PRICES)
@pytest.mark.parametrize("bad", TINY)
def test_next_to_nothing_is_no_multiple_of_a_tick(ask: str, bad: object) -> None:
    with pytest.raises(InvalidRequestError, match=r"multiple of \$0\.0001"):
        PRICES[ask](bad)


@pytest.mark.parametrize("bad", TINY)
def test_next_to_nothing_is_no_count_and_no_multiplier(bad: object) -> None:
    with pytest.raises(InvalidRequestError, match=r"multiple of 0\.01 contracts"):
        fees.taker_fee(bad, "0.50")  # type: ignore[arg-type]
    if bad != TINY[-1]:
        with pytest.raises(InvalidRequestError, match="at most 20 decimals"):
            FeeSchedule(multiplier=bad)  # type: ignore[arg-type]


def everything() -> list[object]:
    """What the functions say of numbers with many digits."""
    schedule = FeeSchedule("quadratic_with_maker_fees", Decimal("0.333"))
    order = fees.OrderFees(schedule)
    order.fill("12345.67", "0.4321")
    return [
        _amounts.cents("yes_price", 62),
        _amounts.money_text(Decimal("1234567.891234")),
        fees.taker_fee("12345.67", "0.4321", action="sell"),
        fees.taker_fee(12_345, Decimal("0.4321")),
        schedule.maker("12345.67", "0.4321"),
        schedule.worst("12345.67", "0.4321"),
        order.total,
        fees.exit_price(12_345, "0.4321"),
        fees.position("12345.67", "0.4321").net_payout("0.12345"),
        prices.next_up("0.4321"),
        prices.mirrored(prices.CENTS),
        prices.limit("0.4321", action="sell", side="no"),
        prices.implied_probabilities(["0.4321", "0.6543"]),
        sizing.kelly(probability="0.54321", price="0.4321", side="yes", fraction="0.333"),
        sizing.kelly_exclusive({"A": "0.54321", "B": "0.3"}, {"A": "0.4321", "B": "0.2987"}),
        sizing.size(probability="0.65432", bankroll="98765.43", book=BOOK),
        sizing.size(probability="0.65432", bankroll="98765.43", price="0.43", side="yes"),
        quotes.Quote.from_orderbook(BOOK).ask,
        quotes.compare(QUOTES, fees={"a": Decimal("0.0123"), "b": schedule}),
    ]


@given(
    st.integers(1, 8),
    st.sampled_from([decimal.ROUND_UP, decimal.ROUND_DOWN, decimal.ROUND_05UP]),
    st.booleans(),
)
def test_no_context_of_the_caller_changes_anything(
    digits: int, rounding: str, trapping: bool
) -> None:
    known = everything()
    traps = [decimal.Inexact, decimal.Rounded, decimal.FloatOperation] if trapping else []
    hostile = decimal.Context(prec=digits, rounding=rounding, Emax=9, Emin=-9, traps=traps)
    with decimal.localcontext(hostile):
        found = everything()
    assert repr(found) == repr(known)


def test_defaults_that_were_changed_before_the_import_change_nothing() -> None:
    program = (
        "import decimal; decimal.DefaultContext.traps[decimal.Inexact] = True;"
        "decimal.DefaultContext.Emin = -2; decimal.DefaultContext.rounding = 'ROUND_UP';"
        "from kalshi_async.analytics import sizing;"
        "print(sizing.kelly(probability='0.6', price='0.50'))"
    )
    run = subprocess.run(  # its own interpreter: the defaults are the process'
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.stderr == ""
    assert run.stdout.strip() == str(sizing.kelly(probability="0.6", price="0.50"))


@given(st.permutations([Decimal("0.5"), Decimal("0.50"), Decimal("0.5000"), "0.500"]))
def test_what_was_asked_before_does_not_show(order: list[Decimal | str]) -> None:
    schedule = FeeSchedule()
    shown = {str((schedule.taker_rate(each), schedule.cost(each))) for each in order}
    assert shown == {"(Decimal('0.0175'), Decimal('0.5175'))"}


@pytest.mark.parametrize("form", ["0.01", "0.010", "1E-2", "0.01000000"])
def test_a_step_counts_by_its_value(form: str) -> None:
    schedule = FeeSchedule(step=Decimal(form))
    assert schedule.taker(1, "0.50") == Decimal("0.02")
    assert schedule == FeeSchedule(step=Decimal("0.01"))


def test_schedules_are_values() -> None:
    schedule = FeeSchedule("quadratic_with_maker_fees", Decimal("0.50"))
    known = schedule.taker(7, Decimal("0.37")), schedule.maker(7, Decimal("0.37"))
    twin = pickle.loads(pickle.dumps(schedule))
    assert twin == schedule
    assert (
        hash(twin)
        == hash(schedule)
        == hash(FeeSchedule("quadratic_with_maker_fees", Decimal("0.5")))
    )
    assert (twin.taker(7, Decimal("0.37")), twin.maker(7, Decimal("0.37"))) == known


def test_truth_values_and_floats_do_not_pass_for_equal_decimals() -> None:
    schedule = FeeSchedule()
    schedule.cost(Decimal("0.5"))
    for bad in (0.5, True, 1, complex(0.5)):
        with pytest.raises(InvalidRequestError):
            schedule.cost(bad)  # type: ignore[arg-type]
    for bad in (0.5, True, 1.0):
        with pytest.raises(InvalidRequestError, match="value"):
            fees.position(1, "0.50").net_payout(bad)  # type: ignore[arg-type]
        with pytest.raises(InvalidRequestError, match="count"):
            schedule.taker(bad, Decimal("0.5"))  # type: ignore[arg-type]


def test_trades_may_be_none_whatever_holds_them() -> None:
    candles = [candle(0), candle(1)]
    assert trend.trend(candles, iter(())) == trend.trend(candles) == trend.trend(candles, [])
    with pytest.raises(InvalidRequestError, match="NoneType"):
        trend.trend(candles, None)  # type: ignore[arg-type]
