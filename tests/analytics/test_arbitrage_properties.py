"""No package loses, whatever happens; and none that gains is missed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, Inexact, localcontext
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async.analytics import arbitrage
from kalshi_async.analytics.arbitrage import Package
from kalshi_async.analytics.fees import FeeSchedule, OrderFees
from kalshi_async.models import Event, Level, Market, OrderBook

from .arbitrage_events import Books, bought, event, numeric, outcome, pays

CENT = Decimal("0.01")
SEEDS = st.integers(0, 2**32)
SCHEDULES = [
    FeeSchedule(),
    FeeSchedule(multiplier=Decimal("0.5")),
    FeeSchedule("quadratic_with_maker_fees", Decimal("1.75")),
    FeeSchedule(multiplier=Decimal(0)),
    FeeSchedule(step=CENT),
]
Outcome = Callable[[Market], bool]


def random_book(
    rng: Random, ticker: str, *, levels: int = 3, size: int = 150, highest: int = 9_800
) -> OrderBook:
    """A book with wide prices, so that packages are common; now and then crossed or one-sided."""
    middle = rng.randint(200, rng.choice((3_000, highest)))
    over = rng.randint(100, 1_500) if rng.random() < 0.1 else -rng.randint(1, 4_000)
    over = max(over, -middle // 2)
    sides = []
    for best in (middle, 10_000 - middle + over):
        tick = rng.choice((100, 100, 1, 10))
        deeper = {rng.randint(0, 2_000) for _ in range(levels - 1)}
        prices = {(best - down) // tick * tick for down in {0, *deeper}}
        sides.append(
            tuple(
                Level(Decimal(price) / 10_000, Decimal(rng.randint(1, size)) * CENT)
                for price in sorted(prices)
                if 0 < price < 10_000
            )
        )
    if rng.random() < 0.1:
        sides[rng.randrange(2)] = ()
    return OrderBook(ticker=ticker, yes=sides[0], no=sides[1])


def split(rng: Random, count: Decimal) -> Iterator[Decimal]:
    """A count in fills of all sizes; often every fill is the smallest there is."""
    steps, small = int(count / CENT), rng.random() < 0.5
    while steps:
        taken = 1 if small else rng.randint(1, steps)
        steps -= taken
        yield taken * CENT


def outlay(rng: Random, package: Package, books: Books, schedule: FeeSchedule) -> Decimal:
    """What the legs cost at the prices of the books, with fees charged fill by fill."""
    total = Decimal(0)
    for leg in package.legs:
        charged = OrderFees(schedule)
        taken = bought(leg.side, books[leg.market], leg.count)
        assert taken[-1][1] == leg.limit
        for count, price in taken:
            assert price <= leg.limit
            for each in split(rng, count):
                charged.fill(each, price)
            total += count * price
        assert charged.total <= leg.worst_fees
        total += charged.total
    return total


def assert_none_loses(
    rng: Random,
    held: Event,
    packages: Iterable[Package],
    books: Books,
    outcomes: list[Outcome],
    schedule: FeeSchedule,
) -> None:
    markets = {market.ticker: market for market in held.markets or ()}
    for package in packages:
        assert len(package.legs) >= 2
        spent = outlay(rng, package, books, schedule)
        assert package.profit > 0
        for happens in outcomes:
            paid = sum(
                leg.count
                for leg in package.legs
                if happens(markets[leg.market]) == (leg.side == "yes")
            )
            assert paid - spent >= package.profit, (package, happens)
        # Nor where the offers moved and every contract costs its limit, but for roundings.
        at_limits = sum(
            leg.count * leg.limit + schedule.worst(leg.count, leg.limit) for leg in package.legs
        )
        assert package.payout - at_limits >= -schedule.step * len(package.legs) * 3


def winners(markets: list[Market], *, none: bool) -> list[Outcome]:
    names: list[str | None] = [market.ticker for market in markets]
    return [
        lambda market, name=name: market.ticker == name  # type: ignore[misc]
        for name in names + ([None] if none else [])
    ]


@given(SEEDS, st.booleans(), st.sampled_from(SCHEDULES))
@settings(max_examples=200)
def test_exclusive_outcomes(seed: int, exhaustive: bool, schedule: FeeSchedule) -> None:
    rng = Random(seed)
    markets = [outcome(name) for name in "ABCDE"[: rng.randint(2, 5)]]
    books = {market.ticker: random_book(rng, market.ticker) for market in markets}
    held = event(markets, exclusive=True)
    said = True if exhaustive else None
    found = arbitrage.find(held, books, fees=schedule, exhaustive=said, min_profit=0)
    if not exhaustive:
        assert all(package.kind != "all_yes" for package in found)
    assert_none_loses(rng, held, found, books, winners(markets, none=not exhaustive), schedule)


def random_strikes(rng: Random, count: int, what: str, prefix: str) -> list[Market]:
    markets = []
    for number in range(count):
        kind = rng.choice(("greater", "greater_or_equal", "less", "less_or_equal", "between"))
        low, high = sorted(rng.choices(("1", "2", "2.5", "3", "4"), k=2), key=Decimal)
        markets.append(
            numeric(
                f"{prefix}{number}",
                kind,
                None if kind.startswith("less") else low,
                None if kind.startswith("greater") else high,
                what=what,
            )
        )
    return markets


VALUES = [
    Decimal(text) for text in ("0", "1", "1.5", "2", "2.2", "2.5", "2.7", "3", "3.5", "4", "5")
]


@given(SEEDS, st.sampled_from(SCHEDULES))
@settings(max_examples=300)
def test_strikes_of_one_number_take_every_value(seed: int, schedule: FeeSchedule) -> None:
    rng = Random(seed)
    markets = random_strikes(rng, rng.randint(2, 6), "the index close", "A")
    books = {market.ticker: random_book(rng, market.ticker) for market in markets}
    held = event(markets)
    found = arbitrage.find(held, books, fees=schedule, min_profit=0)
    outcomes: list[Outcome] = [
        lambda market, value=value: pays(market, value)  # type: ignore[misc]
        for value in VALUES
    ]
    assert_none_loses(rng, held, found, books, outcomes, schedule)


@given(SEEDS, st.sampled_from(["0.5", "2"]))
@settings(max_examples=200)
def test_strikes_of_a_number_in_steps(seed: int, step: str) -> None:
    rng, schedule = Random(seed), FeeSchedule()
    markets = random_strikes(rng, rng.randint(2, 5), "the count", "A")
    books = {market.ticker: random_book(rng, market.ticker) for market in markets}
    held = event(markets)
    found = arbitrage.find(held, books, fees=schedule, min_profit=0, resolution=step)
    outcomes: list[Outcome] = [
        lambda market, value=number * Decimal(step): pays(market, value)  # type: ignore[misc]
        for number in range(-2, 12)
    ]
    assert_none_loses(rng, held, found, books, outcomes, schedule)


@given(SEEDS, st.booleans(), st.sampled_from(["tile", "gap", "overlap"]))
@settings(max_examples=200)
def test_brackets_over_the_whole_line(seed: int, exclusive: bool, shape: str) -> None:
    """They pay in all if they touch; not where a bracket is missing or a boundary is left out."""
    rng, schedule = Random(seed), FeeSchedule()
    touching = rng.random() < 0.5
    markets = [
        numeric("A0", "less" if touching else "less_or_equal", high="1"),
        numeric("A1", "between", "1", "2.5"),
        numeric("A2", "between", "2.5" if shape == "overlap" else "2.7", "3"),
        numeric("A3", "greater" if touching else "greater_or_equal", "3"),
    ]
    if shape == "tile":
        markets[1:3] = [numeric("A1", "between", "1", "3")]
    books = {market.ticker: random_book(rng, market.ticker, highest=2_000) for market in markets}
    held = event(markets, exclusive=exclusive)
    found = arbitrage.find(held, books, fees=schedule, min_profit=0)
    values = [value for value in VALUES if sum(pays(each, value) for each in markets) <= 1]
    outcomes: list[Outcome] = [
        lambda market, value=value: pays(market, value)  # type: ignore[misc]
        for value in (values if exclusive else VALUES)
    ]
    assert_none_loses(rng, held, found, books, outcomes, schedule)
    if shape == "gap" or (exclusive and not (touching and shape == "tile")):
        assert "all_yes" not in {package.kind for package in found}


@given(SEEDS, st.sampled_from(["hits of Ann", "the price of gold"]))
@settings(max_examples=200)
def test_two_numbers_in_one_event_take_any_two_values(seed: int, other: str) -> None:
    rng, schedule = Random(seed), FeeSchedule()
    first = random_strikes(rng, rng.randint(1, 3), "hits of Bob", "A")
    second = random_strikes(rng, rng.randint(1, 3), other, "B")
    held = event(first + second)
    books = {market.ticker: random_book(rng, market.ticker) for market in first + second}
    found = arbitrage.find(held, books, fees=schedule, min_profit=0)
    outcomes: list[Outcome] = [
        lambda market, one=one, two=two: pays(  # type: ignore[misc]
            market, one if market.ticker.startswith("A") else two
        )
        for one, two in itertools.product(VALUES, repeat=2)
    ]
    assert_none_loses(rng, held, found, books, outcomes, schedule)


@given(SEEDS, st.sampled_from(["hit at any time", "stay throughout"]))
@settings(max_examples=200)
def test_a_number_on_its_way_takes_many_values(seed: int, way: str) -> None:
    """Strikes then hold where the way touches them, or where all of it is within them."""
    rng, schedule = Random(seed), FeeSchedule()
    markets = random_strikes(rng, rng.randint(2, 5), f"the price ({way})", "A")
    books = {market.ticker: random_book(rng, market.ticker) for market in markets}
    held = event(markets)
    found = arbitrage.find(held, books, fees=schedule, min_profit=0)
    holds = any if way.startswith("hit") else all
    outcomes: list[Outcome] = [
        lambda market, part=VALUES[low:high]: holds(  # type: ignore[misc]
            pays(market, value) for value in part
        )
        for low, high in itertools.combinations(range(len(VALUES) + 1), 2)
    ]
    assert_none_loses(rng, held, found, books, outcomes, schedule)


def gain(legs: list[tuple[str, str]], paying: int, books: Books, schedule: FeeSchedule) -> Decimal:
    """The most that any count of these legs gains, tried one by one."""
    depth = min(books[ticker].depth("no" if side == "yes" else "yes") for ticker, side in legs)
    best = Decimal(0)
    for steps in range(1, int(depth / CENT) + 1):
        count = steps * CENT
        total = count * paying
        for ticker, side in legs:
            for taken, price in bought(side, books[ticker], count):
                total -= taken * price + schedule.worst(taken, price)
        best = max(best, total)
    return best


@given(SEEDS, st.sampled_from(SCHEDULES[:3]))
@settings(max_examples=150)
def test_the_best_of_all_counts_and_subsets_is_found(seed: int, schedule: FeeSchedule) -> None:
    rng = Random(seed)
    markets = [outcome(name) for name in "ABCD"[: rng.randint(2, 4)]]
    books = {
        market.ticker: random_book(rng, market.ticker, levels=2, size=12) for market in markets
    }
    plain = [name for name, each in books.items() if not is_crossed(each)]
    subsets = [
        legs for size in range(2, len(plain) + 1) for legs in itertools.combinations(plain, size)
    ]
    best = max(
        (gain([(name, "no") for name in legs], len(legs) - 1, books, schedule) for legs in subsets),
        default=Decimal(0),
    )
    found = arbitrage.find(
        event(markets, exclusive=True), books, fees=schedule, min_profit=0, exhaustive=True
    )
    by_kind = {package.kind: package.profit for package in found}
    assert by_kind.get("all_no", 0) == best
    if len(plain) == len(markets):
        every = gain([(name, "yes") for name in plain], 1, books, schedule)
        assert by_kind.get("all_yes", 0) == every
    for name in set(books) - set(plain):
        both = gain([(name, "yes"), (name, "no")], 1, books, schedule)
        crossed = [p.profit for p in found if p.kind == "crossed" and p.legs[0].market == name]
        assert crossed == ([both] if both else [])


@given(SEEDS)
@settings(max_examples=150)
def test_every_pair_out_of_order_is_found(seed: int) -> None:
    rng, schedule = Random(seed), FeeSchedule()
    markets = random_strikes(rng, 4, "the index close", "A")
    books = {
        market.ticker: random_book(rng, market.ticker, levels=2, size=12) for market in markets
    }
    plain = [market for market in markets if not is_crossed(books[market.ticker])]
    expected = {}
    for one, other in itertools.permutations(plain, 2):
        held = [(pays(one, value), pays(other, value)) for value in VALUES]
        candidates = []
        if all(wide or not narrow for wide, narrow in held):
            candidates.append([(one.ticker, "yes"), (other.ticker, "no")])
        if all(yes or also for yes, also in held):
            candidates.append([(one.ticker, "yes"), (other.ticker, "yes")])
        if not any(yes and also for yes, also in held):
            candidates.append([(one.ticker, "no"), (other.ticker, "no")])
        for legs in candidates:
            best = gain(legs, 1, books, schedule)
            if best:
                expected[frozenset(legs)] = best
    found = arbitrage.find(event(markets), books, fees=schedule, min_profit=0)
    assert {
        frozenset((leg.market, str(leg.side)) for leg in package.legs): package.profit
        for package in found
        if len(package.legs) == 2 and package.kind != "crossed"
    } == expected


def is_crossed(each: OrderBook) -> bool:
    return bool(each.yes and each.no) and each.yes[-1].price + each.no[-1].price >= 1


@given(SEEDS)
@settings(max_examples=25)
def test_the_callers_decimal_context_changes_nothing(seed: int) -> None:
    rng, schedule = Random(seed), FeeSchedule(multiplier=Decimal("0.75"))
    markets = random_strikes(rng, 4, "the index close", "A")
    books = {market.ticker: random_book(rng, market.ticker) for market in markets}
    held = event(markets)
    expected = [
        (package, package.profit, package.return_on_capital)
        for package in arbitrage.find(held, books, fees=schedule, min_profit=0)
    ]
    with localcontext(prec=2) as context:
        context.traps[Inexact] = True
        found = arbitrage.find(held, books, fees=schedule, min_profit=0)
        assert [(each, each.profit, each.return_on_capital) for each in found] == expected


@pytest.mark.parametrize("kind", ["crossed", "all_yes", "all_no", "monotone", "covering"])
def test_the_random_events_hold_packages_of_each_kind(kind: str) -> None:
    """What the properties above are worth."""
    found = 0
    tiles = [numeric("A0", "less", high="1"), numeric("A1", "greater_or_equal", "1")]
    tiles.append(numeric("A2", "between", "0", "2"))
    for seed in range(60):
        rng = Random(seed)
        names = [outcome(name) for name in "ABC"]
        numbers = random_strikes(rng, 5, "the index close", "A")
        for held in (event(names, exclusive=True), event(numbers), event(tiles)):
            books = {each.ticker: random_book(rng, each.ticker) for each in held.markets or ()}
            said = True if held.mutually_exclusive else None
            packages = arbitrage.find(held, books, fees=FeeSchedule(), exhaustive=said)
            found += sum(package.kind == kind for package in packages)
    assert found >= 5
