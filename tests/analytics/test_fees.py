"""Fees: the formula, what is really charged, and what a position comes to."""

from __future__ import annotations

import copy
import dataclasses
import decimal
import pickle
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import InvalidRequestError, UnknownFeeTypeError
from kalshi_async.analytics import fees
from kalshi_async.analytics.fees import STANDARD, FeeSchedule, OrderFees
from kalshi_async.models import PriceRange
from kalshi_async.sandbox import _fees as exchange

from .amounts import cents, counts, schedules, ticks

ONE = Decimal(1)


def micro(amount: Decimal) -> int:
    """Dollars in $0.000001."""
    whole = amount.scaleb(6)
    assert whole == int(whole)
    return int(whole)


# The formula


@pytest.mark.parametrize(
    ("price", "fee"),
    [
        ("0.10", "0.0063"),
        ("0.25", "0.0131"),
        ("0.50", "0.0175"),
        ("0.75", "0.0131"),
        ("0.90", "0.0063"),
    ],
)
def test_the_plain_formula(price: str, fee: str) -> None:
    exact = fees.taker_fee_per_contract(price)
    assert exact.quantize(Decimal("0.0001"), ROUND_HALF_UP) == Decimal(fee)
    assert exact == Decimal("0.07") * Decimal(price) * (1 - Decimal(price))


@pytest.mark.parametrize(
    ("count", "price", "fee"),
    [
        (1, "0.50", "0.0175"),
        (1, "0.99", "0.0007"),
        (10, "0.50", "0.1750"),
        (100, "0.05", "0.3325"),
    ],
)
def test_what_takers_are_charged(count: int, price: str, fee: str) -> None:
    assert fees.taker_fee(count, price) == Decimal(fee)
    assert fees.taker_fee(str(count), Decimal(price), action="sell") == Decimal(fee)


def test_what_makers_are_charged() -> None:
    assert fees.maker_fee(1, "0.50") == Decimal("0.0044")
    assert fees.maker_fee(100, "0.25") == Decimal("0.3282")
    assert fees.maker_fee(100, "0.25", fee_type="quadratic") == 0
    combos = fees.maker_fee(100, "0.25", fee_type="quadratic_with_combo_maker_fees")
    assert combos == Decimal("0.6563")


def test_a_fee_is_written_as_it_is_charged() -> None:
    for fee in (fees.taker_fee(10, "0.50"), fees.taker_fee("10", Decimal("0.5"), action="sell")):
        assert str(fee) == "0.1750"
    assert str(fees.maker_fee(10, "0.50")) == "0.0438"
    assert str(fees.taker_fee("0.01", "0.5050")) == "0.000250"


def test_multiplier_and_broker() -> None:
    assert fees.taker_fee(10, "0.50", multiplier="0.5") == Decimal("0.0875")
    assert fees.taker_fee(10, "0.50", multiplier=2) == Decimal("0.3500")
    assert fees.taker_fee(1, "0.50", step=Decimal("0.01")) == Decimal("0.02")
    assert fees.FREE.taker(1_000, "0.50") == fees.FREE.maker(1_000, "0.50") == 0


def test_cash_finer_than_a_step_is_rounded_against_the_account() -> None:
    # 0.01 contracts at $0.5050 move $0.00505: $0.005225 with the fee of $0.000175.
    assert fees.taker_fee("0.01", "0.5050") == Decimal("0.000250")
    assert fees.taker_fee("0.01", "0.5050", action="sell") == Decimal("0.000250")
    assert fees.taker_fee("0.03", "0.5050", action="buy") == Decimal("0.00055")
    assert fees.taker_fee("0.03", "0.5050", action="sell") == Decimal("0.00055")


# Properties


@given(counts(), ticks(), schedules(), st.sampled_from(["buy", "sell"]))
def test_a_fee_is_never_negative_and_hardly_more_than_the_formula(
    count: Decimal, price: Decimal, schedule: FeeSchedule, action: str
) -> None:
    taker = schedule.taker(count, price, action)  # type: ignore[arg-type]
    maker = schedule.maker(count, price, action)  # type: ignore[arg-type]
    assert maker >= 0
    plain = schedule.taker_rate(price) * count
    assert plain <= taker < plain + Decimal("0.000101")
    assert (
        schedule.maker_share * plain <= maker < schedule.maker_share * plain + Decimal("0.000101")
    )


@given(counts(), counts(), ticks(), schedules())
def test_more_contracts_never_cost_less(
    count: Decimal, more: Decimal, price: Decimal, schedule: FeeSchedule
) -> None:
    outlay = count * price + schedule.taker(count, price)
    assert outlay <= (count + more) * price + schedule.taker(count + more, price)
    whole = int(count) + 1
    assert schedule.taker(whole, price) <= schedule.taker(whole + int(more), price)
    assert schedule.worst(count, price) <= schedule.worst(count + more, price)


@given(st.integers(1, 10**6), ticks(), schedules())
def test_both_sides_of_a_trade_of_whole_contracts_pay_the_same(
    count: int, price: Decimal, schedule: FeeSchedule
) -> None:
    assert schedule.taker(count, price) == schedule.taker(count, ONE - price)
    assert schedule.maker(count, price) == schedule.maker(count, ONE - price)
    assert schedule.taker_rate(price) == schedule.taker_rate(ONE - price)


@given(st.integers(1, 10**6), ticks())
def test_counts_and_prices_say_the_same_in_every_form(count: int, price: Decimal) -> None:
    known = STANDARD.taker(count, price)
    assert fees.taker_fee(count, price) == known
    assert fees.taker_fee(str(count), str(price)) == fees.taker_fee(Decimal(count), price) == known


@given(
    st.lists(
        st.tuples(counts(2_000), ticks(), st.booleans(), st.booleans()), min_size=1, max_size=30
    ),
    schedules(),
)
def test_an_order_is_charged_as_the_embedded_exchange_charges_it(
    fills: list[tuple[Decimal, Decimal, bool, bool]], schedule: FeeSchedule
) -> None:
    order, kept = OrderFees(schedule), 0
    thousandths, quarters = int(schedule.multiplier * 1000), int(schedule.maker_share * 4)
    total = Decimal(0)
    for count, price, maker, selling in fills:
        hundredths, tick = int(count * 100), int(price * 10_000)
        if maker:
            trading = exchange.maker_fee(thousandths, quarters, hundredths, tick)
        else:
            trading = exchange.taker_fee(thousandths, hundredths, tick)
        change = hundredths * tick if selling else -hundredths * tick
        _, charged, kept = exchange.align(change, trading, kept, 10**12)
        told = order.fill(
            count, price, role="maker" if maker else "taker", action="sell" if selling else "buy"
        )
        assert micro(told.trading) == trading
        assert micro(told.fee) == charged >= 0
        assert told.fee == told.trading + told.rounding - told.rebate
        total += told.fee
    assert order.total == total


@given(st.lists(counts(300), min_size=1, max_size=25), ticks(), schedules(), st.booleans())
def test_no_split_into_fills_costs_more_than_the_worst(
    sizes: list[Decimal], price: Decimal, schedule: FeeSchedule, maker: bool
) -> None:
    order = OrderFees(schedule)
    for size in sizes:
        order.fill(size, price, role="maker" if maker else "taker")
    assert order.total <= schedule.worst(sum(sizes), price, maker=maker)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=12),
    st.integers(1, 99),
    st.sampled_from([Decimal(1), Decimal("0.5")]),
    ticks(),
    schedules(),
)
def test_one_odd_fill_costs_no_more_than_the_worst_either(
    fills: list[int], odd: int, smallest: Decimal, price: Decimal, schedule: FeeSchedule
) -> None:
    sizes = [smallest * each for each in fills]
    sizes.append(smallest * odd / 100)
    if sizes[-1] % Decimal("0.01"):
        sizes.pop()
    order = OrderFees(schedule)
    for size in sizes:
        order.fill(size, price)
    assert order.total <= schedule.worst(sum(sizes), price, smallest=smallest)


def test_an_exit_without_a_known_grid_is_in_cents() -> None:
    assert fees.exit_price(100, "0.50", grid=()) == Decimal("0.54")


@given(st.integers(1, 60), cents(), schedules())
def test_the_worst_is_nearly_reached_by_the_smallest_fills(
    count: int, price: Decimal, schedule: FeeSchedule
) -> None:
    order = OrderFees(schedule)
    for _ in range(count):
        order.fill("0.01", price)
    total = Decimal(count) / 100
    assert order.total <= schedule.worst(total, price) < order.total + Decimal("0.00021")


def test_what_the_caller_has_set_for_decimals_decides_nothing() -> None:
    known = fees.taker_fee("12345.67", "0.4321"), fees.position("12345.67", "0.4321").break_even
    with decimal.localcontext(decimal.Context(prec=3, traps=[decimal.Inexact])):
        assert fees.taker_fee("12345.67", "0.4321") == known[0]
        assert fees.position("12345.67", "0.4321").break_even == known[1]


# Positions


def test_a_position() -> None:
    held = fees.position(10, "0.47")
    assert (held.cost, held.fee, held.outlay) == (
        Decimal("4.70"),
        Decimal("0.1744"),
        Decimal("4.8744"),
    )
    assert held.break_even == Decimal("0.48744")
    assert held.net_payout() == Decimal("5.1256")
    assert held.net_payout(0) == -held.outlay
    assert held.net_payout("0.5") == Decimal("0.1256")
    resting = fees.position(10, "0.47", role="maker")
    assert (resting.fee, resting.break_even) == (0, Decimal("0.47"))


@given(counts(), ticks(), schedules(), st.sampled_from(["maker", "taker"]))
def test_at_its_break_even_a_position_gains_nothing(
    count: Decimal, price: Decimal, schedule: FeeSchedule, role: fees.Role
) -> None:
    held = fees.position(count, price, fees=schedule, role=role)
    chance = held.break_even
    assert abs(chance * held.net_payout() + (1 - chance) * held.net_payout(0)) < Decimal("1e-18")
    assert Fraction(chance) >= Fraction(held.outlay) / Fraction(held.count)
    assert len(chance.as_tuple().digits) <= 28
    assert fees.break_even(price, fees=schedule, role=role) <= chance


@given(st.integers(1, 5_000), cents(), schedules())
def test_selling_at_the_exit_price_loses_nothing_and_a_tick_lower_does(
    count: int, price: Decimal, schedule: FeeSchedule
) -> None:
    paid = fees.position(count, price, fees=schedule).outlay

    def back(asked: Decimal) -> Decimal:
        return count * asked - schedule.taker(count, asked, "sell")

    found = fees.exit_price(count, price, fees=schedule)
    if found is None:
        assert back(Decimal("0.99")) < paid
        return
    assert back(found) >= paid
    lower = found - Decimal("0.01")
    assert lower < price or back(lower) < paid


@pytest.mark.parametrize("count", ["0.03", "0.37", "1.50", "12.34"])
@pytest.mark.parametrize("step", ["0.0001", "0.01"])
def test_selling_is_rounded_as_selling(count: str, step: str) -> None:
    grid = (PriceRange(start=Decimal(0), end=ONE, step=Decimal("0.001")),)
    schedule, exact = FeeSchedule(step=Decimal(step)), Decimal(count)
    for tick in range(100, 900, 13):
        price = Decimal(tick).scaleb(-3)
        paid = exact * price + schedule.taker(count, price, "buy")
        enough = (
            asked
            for each in range(tick, 1_000)
            if (asked := Decimal(each).scaleb(-3)) * exact - schedule.taker(count, asked, "sell")
            >= paid
        )
        assert fees.exit_price(count, price, fees=schedule, grid=grid) == next(enough, None)


def test_makers_get_out_sooner() -> None:
    assert fees.exit_price(100, "0.50") == Decimal("0.54")
    assert fees.exit_price(100, "0.50", exit_role="maker") == Decimal("0.52")
    assert fees.exit_price(100, "0.50", role="maker", exit_role="maker") == Decimal("0.50")
    assert fees.exit_price(100, "0.99") is None


# Bad input


@pytest.mark.parametrize("price", ["0", "1", "1.01", "-0.5", "NaN", "Infinity", "", "abc", None])
def test_what_is_no_price(price: object) -> None:
    for ask in (fees.taker_fee_per_contract, lambda p: fees.taker_fee(1, p), fees.break_even):
        with pytest.raises(InvalidRequestError, match="price"):
            ask(price)  # type: ignore[operator]


def test_floats_are_refused_with_the_fix() -> None:
    STANDARD.taker_rate(Decimal("0.5"))
    with pytest.raises(InvalidRequestError, match=r"pass dollars as text \('0.5'\)"):
        fees.taker_fee(1, 0.5)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match=r"pass dollars as text \('0.5'\)"):
        fees.break_even(0.5)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match=r"count is 1.0, a float; pass text: '1.0'"):
        fees.taker_fee(1.0, "0.50")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match=r"multiplier is 1.0, a float; pass text: '1.0'"):
        fees.taker_fee(1, "0.50", multiplier=1.0)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="cents"):
        fees.taker_fee(1, 62)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, -1, "0.001", "NaN", True, None])
def test_what_is_no_count(count: object) -> None:
    for price in ("0.50", Decimal("0.50")):
        with pytest.raises(InvalidRequestError, match="count"):
            fees.taker_fee(count, price)  # type: ignore[arg-type]


def test_unknown_words() -> None:
    with pytest.raises(UnknownFeeTypeError, match="'flat' of series KXODD has no formula") as told:
        FeeSchedule("flat", series="KXODD")
    assert (told.value.fee_type, told.value.series) == ("flat", "KXODD")
    with pytest.raises(InvalidRequestError, match="action"):
        fees.taker_fee(1, Decimal("0.50"), action="hold")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="role"):
        fees.position(1, "0.50", role="broker")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="role"):
        OrderFees().fill(1, "0.50", role="broker")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="step"):
        FeeSchedule(step=Decimal("0.05"))
    for multiplier in ("-1", "NaN", "x"):
        with pytest.raises(InvalidRequestError, match="multiplier"):
            FeeSchedule(multiplier=multiplier)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="value"):
        fees.position(1, "0.50").net_payout(2)


def test_what_takers_pay_is_not_taken_for_what_makers_pay() -> None:
    schedule, price = FeeSchedule("quadratic_with_maker_fees"), Decimal("0.50")
    for _ in range(2):
        assert schedule.cost(price) == Decimal("0.5175")
        assert schedule.cost(price, maker=True) == Decimal("0.504375")
        assert schedule.fee(1, price) == Decimal("0.0175")
        assert schedule.fee(1, price, maker=True) == Decimal("0.0044")


def test_a_schedule_is_what_it_says_and_no_more() -> None:
    schedule = FeeSchedule("quadratic_with_maker_fees", Decimal("0.5"), "KXA")
    schedule.taker(1, Decimal("0.5"))
    told = {
        "fee_type": "quadratic_with_maker_fees",
        "multiplier": Decimal("0.5"),
        "series": "KXA",
        "step": fees.STEP,
    }
    assert dataclasses.asdict(schedule) == told
    assert msgspec.to_builtins(schedule).keys() == told.keys()
    for again in (
        pickle.loads(pickle.dumps(schedule)),
        copy.deepcopy(schedule),
        dataclasses.replace(schedule),
    ):
        assert again == schedule
        assert again.taker(1, "0.5") == schedule.taker(1, "0.5")


@pytest.mark.parametrize("bad", [None, "quadratic", 0])
def test_what_are_no_fees(bad: object) -> None:
    for use in (
        lambda: fees.position(1, "0.5", fees=bad),  # type: ignore[arg-type]
        lambda: fees.break_even("0.5", fees=bad),  # type: ignore[arg-type]
        lambda: OrderFees(bad),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidRequestError, match="expected a FeeSchedule"):
            use()
