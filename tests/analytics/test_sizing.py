"""Sizes: never more than the bankroll, nothing without an edge, as Kelly has it in between."""

from __future__ import annotations

import decimal
import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import InvalidRequestError
from kalshi_async.analytics import fees, sizing
from kalshi_async.analytics.fees import FREE, STANDARD, FeeSchedule, OrderFees
from kalshi_async.analytics.sizing import Bet, kelly, kelly_exclusive
from kalshi_async.models import Level, OrderBook, PriceRange

from .amounts import cents, chances, schedules, ticks

ONE = Decimal(1)
DIME = (PriceRange(start=Decimal(0), end=ONE, step=Decimal("0.1")),)


def growth(chance: Decimal, count: Decimal, outlay: Decimal, bankroll: Decimal) -> float:
    """How fast a bankroll grows with a bet, on average."""
    lost, won = float(bankroll - outlay), float(bankroll - outlay + count)
    of_losing = 0.0 if chance == 1 else float(1 - chance) * math.log(lost)
    return of_losing + (float(chance) * math.log(won) if chance else 0.0)


def offering(*levels: tuple[str, int]) -> OrderBook:
    """A book in which YES is to be had so."""
    bids = sorted(Level(1 - Decimal(price), Decimal(size)) for price, size in levels)
    return OrderBook(ticker="KX-A", no=tuple(bids))


@st.composite
def books(draw: st.DrawFn) -> OrderBook:
    asks = sorted(draw(st.lists(cents(), max_size=6, unique=True)))
    levels = [Level(1 - ask, Decimal(draw(st.integers(1, 5_000))) / 100) for ask in asks]
    return OrderBook(ticker="KX-A", no=tuple(sorted(levels)), yes=())


# The share


def test_known_shares() -> None:
    assert kelly(probability="0.60", price="0.50", fees=FREE) == Decimal("0.2")
    assert kelly(probability="0.60", price="0.50", role="maker") == Decimal("0.2")
    after_fees = (Decimal("0.6") - Decimal("0.5175")) / (1 - Decimal("0.5175"))
    assert abs(kelly(probability="0.60", price="0.50") - after_fees) < Decimal("1e-27")
    assert kelly(probability="0.60", price="0.50", fees=FREE, fraction="0.25") == Decimal("0.05")
    assert kelly(probability="0.40", price="0.50", side="no", fees=FREE) == Decimal("0.2")
    assert kelly(probability=0.6, price="0.50", fees=FREE) == Decimal("0.2")
    assert kelly(probability=1, price="0.50") == 1
    assert kelly(probability=0, price="0.50") == 0


@given(chances(), ticks(), schedules(), st.sampled_from(["maker", "taker"]))
def test_a_share_is_between_nothing_and_all(
    chance: Decimal, price: Decimal, schedule: FeeSchedule, role: fees.Role
) -> None:
    for side in ("yes", "no"):
        share = kelly(probability=chance, price=price, side=side, fees=schedule, role=role)  # type: ignore[arg-type]
        assert 0 <= share <= 1
        wins = chance if side == "yes" else 1 - chance
        assert (share > 0) == (wins > schedule.cost(price, maker=role == "maker"))


@given(ticks(), schedules())
def test_nothing_at_the_fair_price(price: Decimal, schedule: FeeSchedule) -> None:
    fair = fees.break_even(price, fees=schedule)
    if fair <= 1:
        assert kelly(probability=fair, price=price, fees=schedule) == 0
    assert kelly(probability=price, price=price, fees=schedule) == 0
    assert kelly(probability=ONE - price, price=price, side="no", fees=schedule) == 0


@given(chances(), ticks(), schedules())
def test_the_other_side_with_the_other_chance_is_the_same_bet(
    chance: Decimal, price: Decimal, schedule: FeeSchedule
) -> None:
    yes = kelly(probability=chance, price=price, fees=schedule)
    assert yes == kelly(probability=ONE - chance, price=price, side="no", fees=schedule)


@given(chances(), ticks(), schedules())
def test_a_share_is_exact_but_for_its_last_digit_which_is_rounded_down(
    chance: Decimal, price: Decimal, schedule: FeeSchedule
) -> None:
    share = kelly(probability=chance, price=price, fees=schedule)
    fair, each = Fraction(chance), Fraction(price)
    cost = each + Fraction(schedule.multiplier) * Fraction(7, 100) * each * (1 - each)
    exact = max((fair - cost) / (1 - cost), Fraction(0)) if cost < 1 else Fraction(0)
    assert 0 <= exact - Fraction(share) < Fraction(1, 10**27)
    assert len(share.as_tuple().digits) <= 28


@given(chances(), cents(), schedules(), st.sampled_from([-0.01, 0.01]))
def test_no_other_share_grows_faster(
    chance: Decimal, price: Decimal, schedule: FeeSchedule, away: float
) -> None:
    share = float(kelly(probability=chance, price=price, fees=schedule))
    cost = float(schedule.cost(price))

    def grows(part: float) -> float:
        won, lost = 1 - part + part / cost, 1 - part
        parts = ((float(chance), won), (1 - float(chance), lost))
        return sum(p * (math.log(w) if w > 0 else -math.inf) for p, w in parts if p)

    other = min(max(share + away, 0.0), 1.0)
    assert grows(share) >= grows(other) - 1e-12


# Several outcomes


def test_one_outcome_is_one_bet() -> None:
    stakes = kelly_exclusive({"A": "0.6"}, {"A": "0.50"})
    assert abs(stakes["A"] - kelly(probability="0.6", price="0.50")) < Decimal("1e-26")


def test_an_outcome_without_an_edge_may_be_worth_holding() -> None:
    alone = kelly(probability="0.30", price="0.30", fees=FREE)
    stakes = kelly_exclusive({"A": "0.60", "B": "0.30"}, {"A": "0.40", "B": "0.30"}, fees=FREE)
    assert alone == 0
    assert stakes["B"] > 0


def test_outcomes_that_cost_less_than_they_pay_take_all() -> None:
    stakes = kelly_exclusive({"A": "0.5", "B": "0.5"}, {"A": "0.40", "B": "0.45"}, fees=FREE)
    assert stakes == {"A": Decimal("0.5"), "B": Decimal("0.5")}


@st.composite
def races(draw: st.DrawFn) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    weights = draw(st.lists(st.integers(0, 50), min_size=2, max_size=6))
    none = draw(st.integers(0, 50))
    total = max(sum(weights) + none, 1)
    names = [f"M{number}" for number in range(len(weights))]
    chances = {
        name: (Decimal(weight) / total).quantize(Decimal("0.000001"), decimal.ROUND_DOWN)
        for name, weight in zip(names, weights, strict=True)
    }
    return chances, {name: draw(cents()) for name in names}


def race_growth(
    chances: dict[str, Decimal], stakes: dict[str, float], costs: dict[str, float]
) -> float:
    kept = 1 - sum(stakes.values())
    none = 1 - float(sum(chances.values()))
    outcomes = [(float(p), kept + stakes[name] / costs[name]) for name, p in chances.items()]
    outcomes.append((none, kept))
    if any(p > 1e-12 and wealth <= 0 for p, wealth in outcomes):
        return -math.inf
    return sum(p * math.log(wealth) for p, wealth in outcomes if p > 1e-12)


@given(races(), st.data())
def test_no_other_stakes_grow_faster(
    race: tuple[dict[str, Decimal], dict[str, Decimal]], data: st.DataObject
) -> None:
    chances, asks = race
    stakes = kelly_exclusive(chances, asks)
    assert all(stake >= 0 for stake in stakes.values())
    assert sum(stakes.values()) <= 1
    costs = {name: float(STANDARD.cost(ask)) for name, ask in asks.items()}
    best = {name: float(stake) for name, stake in stakes.items()}
    # From the optimum every step in a direction that is allowed leads downwards.
    for _ in range(4):
        other = {name: data.draw(st.floats(0, 1)) for name in best}
        total = max(sum(other.values()), 1.0)
        for way in (0.001, 0.05, 1.0):
            mixed = {
                name: (1 - way) * stake + way * other[name] / total for name, stake in best.items()
            }
            known = race_growth(chances, best, costs)
            assert race_growth(chances, mixed, costs) <= known + 1e-9


# Contracts


def test_a_book_is_walked_as_far_as_it_pays() -> None:
    book = offering(("0.50", 100), ("0.60", 50), ("0.69", 500))
    bet = sizing.size(probability="0.70", bankroll=1_000, book=book)
    assert (bet.count, bet.limit, bet.capped_by) == (Decimal(150), Decimal("0.60"), "edge")
    assert bet.cost == Decimal("80.00")
    assert bet.fee == fees.taker_fee(100, "0.50") + fees.taker_fee(50, "0.60")
    assert bet.fee <= bet.worst_fee < bet.fee + Decimal("0.02")
    assert bet.expected == 150 * Decimal("0.70") - bet.outlay


def test_no_is_bought_from_those_who_bid_for_yes() -> None:
    book = OrderBook(yes=(Level(Decimal("0.60"), Decimal(7)),), no=(Level(Decimal("0.1"), ONE),))
    bet = sizing.size(probability="0.20", bankroll=1_000, book=book, side="no")
    assert (bet.count, bet.limit, bet.cost) == (7, Decimal("0.40"), Decimal("2.80"))


def test_rounding_that_eats_the_edge_is_no_bet() -> None:
    cents = FeeSchedule(step=Decimal("0.01"))
    bet = sizing.size(probability="0.52", bankroll=20, price="0.50", fees=cents)
    assert (bet.count, bet.limit, bet.outlay, bet.capped_by) == (0, None, 0, "edge")
    assert sizing.size(probability="0.53", bankroll=20, price="0.50", fees=cents).count == 1


def test_what_ends_a_size() -> None:
    book = offering(("0.50", 10), ("0.55", 10))

    def capped(**more: object) -> tuple[Decimal, str]:
        given: dict[str, object] = {"probability": "0.70", "bankroll": 1_000, "book": book}
        bet = sizing.size(**(given | more))  # type: ignore[arg-type]
        return bet.count, bet.capped_by

    assert capped() == (20, "depth")
    assert capped(price="0.52") == (10, "limit")
    assert capped(max_count="12.5") == (Decimal("12.5"), "max_count")
    assert capped(bankroll=10)[1] == "edge"
    assert capped(probability="0.50") == (0, "edge")
    assert capped(book=OrderBook()) == (0, "depth")
    assert capped(book=OrderBook(yes=(Level(Decimal("0.4"), Decimal(5)),))) == (0, "depth")
    assert capped(book=None, price="0.50", probability=1)[1] == "stake"
    assert capped(book=None, price="0.005") == (0, "limit")
    none = Level(Decimal(0), Decimal(5))
    assert capped(book=OrderBook(no=(none,))) == (0, "depth")
    finest = (PriceRange(start=Decimal(0), end=ONE, step=Decimal("0.0001")),)
    assert capped(book=None, price="0.0001", bankroll=10**12, grid=finest) == (10**12, "max_count")


def test_a_price_is_brought_down_to_the_grid() -> None:
    bet = sizing.size(probability="0.70", bankroll=100, price="0.55", grid=DIME)
    assert bet.limit == Decimal("0.5")
    bet = sizing.size(probability="0.30", bankroll=100, price="0.55", side="no", grid=DIME)
    assert bet.limit == Decimal("0.5")
    nothing = sizing.size(probability="0.70", bankroll=100, price="0.05", grid=DIME)
    assert (nothing.count, nothing.limit) == (0, None)


def test_a_maker_pays_no_fee_and_rests() -> None:
    bet = sizing.size(probability="0.70", bankroll=100, price="0.55", role="maker")
    assert bet.fee == bet.worst_fee == 0
    order = bet.request("KX-A")
    assert order is not None
    assert (order.action, order.side, order.price, order.post_only) == (
        "buy",
        "yes",
        Decimal("0.55"),
        True,
    )
    assert order.contracts == bet.count


def test_a_taker_does_not_rest() -> None:
    bet = sizing.size(probability="0.20", bankroll=100, price="0.55", side="no", step=ONE)
    assert bet.count == int(bet.count)
    order = bet.request("KX-A", client_order_id="mine")
    assert order is not None
    assert (order.side, order.time_in_force) == ("no", "immediate_or_cancel")
    assert order.client_order_id == "mine"
    assert order.limit == Decimal("0.45")
    assert sizing.size(probability="0.5", bankroll=100, price="0.55").request("KX-A") is None


@given(
    chances(), st.integers(1, 100_000), books(), schedules(), st.sampled_from(["1", "0.5", "0.25"])
)
def test_no_bet_spends_more_than_its_share_of_the_bankroll_in_any_fills(
    chance: Decimal, cents: int, book: OrderBook, schedule: FeeSchedule, fraction: str
) -> None:
    bankroll = Decimal(cents) / 100
    bet = sizing.size(
        probability=chance, bankroll=bankroll, book=book, fees=schedule, fraction=fraction
    )
    assert bet.cost + bet.worst_fee <= bankroll * Decimal(fraction)
    assert bet.count <= book.depth("no")
    assert (bet.count == 0) == (bet.limit is None)
    if bet.count:
        assert bet.expected > 0
        assert bet.cost == book.cost("yes", bet.count)
        worst_case = OrderFees(schedule)
        for price, taken in taken_of(book, bet):
            for _ in range(min(int(taken * 100), 20)):
                worst_case.fill("0.01", price)
        assert worst_case.total <= bet.worst_fee


def taken_of(book: OrderBook, bet: Bet) -> Sequence[tuple[Decimal, Decimal]]:
    left, found = bet.count, []
    for level in reversed(book.no):
        taken = min(left, level.size)
        if taken:
            found.append((1 - level.price, taken))
        left -= taken
    return found


@given(chances(), books(), st.sampled_from([Decimal(-1), Decimal(1)]), st.integers(1, 500))
def test_no_other_count_grows_faster(
    chance: Decimal, book: OrderBook, way: Decimal, steps: int
) -> None:
    bankroll = Decimal(50)
    bet = sizing.size(probability=chance, bankroll=bankroll, book=book, fees=FREE)
    other = bet.count + way * steps / 100
    if not 0 < other <= book.depth("no"):
        return
    cost = book.cost("yes", other)
    if cost >= bankroll:
        return
    known = growth(chance, bet.count, bet.cost, bankroll) if bet.cost < bankroll else math.inf
    # A count in steps of 0.01 may miss the optimum by less than one of them.
    assert growth(chance, other, cost, bankroll) <= known + 1e-6


def test_what_the_caller_has_set_for_decimals_decides_nothing() -> None:
    book = offering(("0.51", 123), ("0.57", 45))
    known = sizing.size(probability="0.7321", bankroll="1234.56", book=book)
    share = kelly(probability="0.7321", price="0.5123")
    with decimal.localcontext(decimal.Context(prec=3, traps=[decimal.Inexact])):
        assert sizing.size(probability="0.7321", bankroll="1234.56", book=book) == known
        assert kelly(probability="0.7321", price="0.5123") == share


# Bad input


@pytest.mark.parametrize(
    "bad", ["-0.1", "1.1", "NaN", float("nan"), "x", None, True, [], "Infinity"]
)
def test_what_is_no_probability(bad: object) -> None:
    with pytest.raises(InvalidRequestError, match="probability"):
        kelly(probability=bad, price="0.50")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="probabilities"):
        kelly_exclusive({"A": bad}, {"A": "0.5"})  # type: ignore[dict-item]
    with pytest.raises(InvalidRequestError, match="fraction"):
        kelly(probability="0.6", price="0.50", fraction=bad)  # type: ignore[arg-type]


def test_percent_is_told_apart() -> None:
    with pytest.raises(InvalidRequestError, match=r"for 62 % pass '0.62'"):
        kelly(probability=62, price="0.50")
    with pytest.raises(InvalidRequestError, match="NaN"):
        kelly(probability=Decimal("NaN"), price="0.50")


@pytest.mark.parametrize("bad", ["0", "1", "NaN", 0.5, 62, None])
def test_what_is_no_price(bad: object) -> None:
    with pytest.raises(InvalidRequestError, match="price"):
        kelly(probability="0.6", price=bad)  # type: ignore[arg-type]
    if bad is not None:
        with pytest.raises(InvalidRequestError):
            sizing.size(probability="0.6", bankroll=10, price=bad)  # type: ignore[arg-type]


def test_contradictions() -> None:
    book = offering(("0.50", 10))
    with pytest.raises(InvalidRequestError, match="give price=, or book="):
        sizing.size(probability="0.6", bankroll=10)
    with pytest.raises(InvalidRequestError, match="a maker does not walk the book"):
        sizing.size(probability="0.6", bankroll=10, book=book, role="maker")
    with pytest.raises(InvalidRequestError, match=r"book\.snapshot\(\)"):
        sizing.size(probability="0.6", bankroll=10, book=object())  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match=r"bankroll is 10\.0, a float"):
        sizing.size(probability="0.6", bankroll=10.0, book=book)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="side"):
        sizing.size(probability="0.6", bankroll=10, book=book, side="both")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="role"):
        kelly(probability="0.6", price="0.50", role="broker")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match=r"add up to 1\.2"):
        kelly_exclusive({"A": "0.6", "B": "0.6"}, {"A": "0.5"})
    with pytest.raises(InvalidRequestError, match="'B', which has no probability"):
        kelly_exclusive({"A": "0.6"}, {"A": "0.5", "B": "0.2"})
    with pytest.raises(InvalidRequestError, match="expected a FeeSchedule"):
        kelly_exclusive({"A": "0.6"}, {"A": "0.5"}, fees={"A": "quadratic"})  # type: ignore[dict-item]
    with pytest.raises(InvalidRequestError, match="no schedule for 'A'"):
        kelly_exclusive({"A": "0.6"}, {"A": "0.5"}, fees={})


def test_what_are_no_fees() -> None:
    for role in ("taker", "maker"):
        with pytest.raises(InvalidRequestError, match="expected a FeeSchedule"):
            kelly(probability="0.6", price="0.50", fees=None, role=role)  # type: ignore[arg-type]


def test_the_smallest_fill_bounds_the_worst_fees() -> None:
    broker = FeeSchedule(step=Decimal("0.01"))
    offers = offering(("0.50", 1_000))

    def bet(smallest: str) -> Bet:
        return sizing.size(
            probability="0.70", bankroll=100, book=offers, fees=broker, step=ONE, smallest=smallest
        )

    assert (bet("1").capped_by, bet("0.01").capped_by) == ("edge", "stake")
    assert bet("1").worst_fee < bet("1").fee + Decimal("0.02")
