"""The live order book against a naive model: two mappings of exact fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from kalshi_async import models
from kalshi_async._errors import InvalidRequestError
from kalshi_async._stream_errors import BookError, StaleBookError
from kalshi_async.stream.orderbook import LevelDifference, OrderBook

D = Decimal
SIDES = ("yes", "no")
GRID = [D(text) for text in ("0", "0.01", "0.4700", "0.47", "0.470", "0.52", "0.5200", "0.99", "1")]
FINE = [D("0.001"), D("0.4705"), D("0.470000000001"), D("0.12345678901234567")]
ODD = [D("0.333333333333333333333333333"), D("1E-20"), D("-0"), D("5E-1"), D("1.0000")]
READ = ("best_yes_bid", "best_yes_ask", "best_no_bid", "best_no_ask", "spread", "mid", "yes", "no")

sides = st.sampled_from(SIDES)
prices = st.one_of(
    st.sampled_from(GRID),
    st.sampled_from(GRID + FINE + ODD),
    st.decimals(0, 1, places=4),
    st.integers(0, 1000).map(lambda tick: D(tick).scaleb(-3)),
)
sizes = st.one_of(
    st.sampled_from([D("0.01"), D("1"), D("1.00"), D("2.5"), D("1E+3"), D("0.0003")]),
    st.decimals(D("0.01"), D("1000000"), places=2),
)
deltas = st.one_of(sizes, sizes.map(lambda size: -size), st.just(D("0.00")))
not_prices = st.sampled_from(
    [D("-0.0001"), D("1.0001"), D("47"), D("NaN"), D("sNaN"), D("Infinity"), D("-Infinity")]
)
not_numbers = st.sampled_from([D("NaN"), D("sNaN"), D("Infinity"), D("-Infinity")])
bids = st.dictionaries(prices, sizes, max_size=12).map(lambda levels: list(levels.items()))

Levels = dict[Fraction, Fraction]


def exact(levels: object) -> list[tuple[Fraction, Fraction]]:
    return [(Fraction(price), Fraction(size)) for price, size in levels]


def other(side: str) -> str:
    return "no" if side == "yes" else "yes"


def naive_cost(offers: Levels, count: Fraction) -> Fraction | None:
    """What ``count`` contracts cost, None where there are not so many."""
    total, left = Fraction(0), count
    for price in sorted(offers, reverse=True):
        taken = min(left, offers[price])
        total, left = total + taken * (1 - price), left - taken
    return None if left else total


def naive_prices(model: dict[str, Levels]) -> dict[str, Fraction | None]:
    bid, no_bid = (max(model[side], default=None) for side in SIDES)
    ask = None if no_bid is None else 1 - no_bid
    both = bid is not None and ask is not None
    return {
        "best_yes_bid": bid,
        "best_yes_ask": ask,
        "best_no_bid": no_bid,
        "best_no_ask": None if bid is None else 1 - bid,
        "spread": ask - bid if both else None,
        "mid": (ask + bid) / 2 if both else None,
    }


class BookMachine(RuleBasedStateMachine):
    """Any order of snapshots, deltas, mistakes and staleness."""

    seen = Bundle("seen")

    @initialize()
    def start(self):
        self.book = OrderBook("KXM-1")
        self.face = self.book.view(allow_stale=True)
        self.model: dict[str, Levels] = {"yes": {}, "no": {}}
        self.reason: str | None = "no snapshot yet"
        self.version = self.book.version

    @rule(target=seen, yes=bids, no=bids)
    def snapshot(self, yes, no):
        self.book.apply_snapshot(yes, no)
        self.model = {"yes": dict(exact(yes)), "no": dict(exact(no))}
        self.reason = None
        self.changed()
        return multiple(*(price for price, _ in yes + no))

    @rule(target=seen, side=sides, price=prices, delta=deltas)
    def delta(self, side, price, delta):
        self.apply(side, price, delta)
        return price

    @rule(side=sides, price=seen, delta=deltas)
    def delta_at_a_price_seen(self, side, price, delta):
        self.apply(side, price, delta)

    @rule(side=sides, price=seen)
    def empty_a_level(self, side, price):
        held = self.face.size_at(side, price)
        self.apply(side, price, -held)
        assert self.face.size_at(side, price) == 0

    @rule(side=sides)
    def empty_the_best_level(self, side):
        levels = self.face.yes if side == "yes" else self.face.no
        if levels:
            price, size = levels[-1]
            self.apply(side, D(str(price)), -size)

    @rule(side=sides, price=prices, delta=deltas, bad_price=not_prices, bad_number=not_numbers)
    def mistakes(self, side, price, delta, bad_price, bad_number):
        before = self.state()
        with pytest.raises(BookError, match="KXM-1"):
            self.book.apply_delta(side, bad_price, delta)
        with pytest.raises(BookError, match="KXM-1"):
            self.book.apply_delta(side, price, bad_number)
        with pytest.raises(BookError, match="KXM-1"):
            self.book.apply_snapshot([(price, D(1))], [(bad_price, D(1))])
        with pytest.raises(BookError, match="KXM-1"):
            self.book.apply_snapshot([(price, bad_number)], [])
        assert self.state() == before

    @rule(reason=st.sampled_from(["sequence gap", "connection lost"]))
    def stale(self, reason):
        self.book.mark_stale(reason)
        self.reason = reason

    def apply(self, side: str, price: Decimal, delta: Decimal) -> None:
        left = self.model[side].get(Fraction(price), Fraction(0)) + Fraction(delta)
        if left < 0:
            before = self.state()
            with pytest.raises(BookError):
                self.book.apply_delta(side, price, delta)
            assert self.state() == before
            return
        self.book.apply_delta(side, price, delta)
        self.model[side][Fraction(price)] = left
        if not left:
            del self.model[side][Fraction(price)]
        self.changed()

    def changed(self) -> None:
        assert self.book.version > self.version
        self.version = self.book.version

    def state(self) -> tuple[object, ...]:
        book = self.book
        return self.face.snapshot(), book.version, book.stale_reason, book.clock, repr(book)

    @invariant()
    def levels_are_the_models(self):
        for side, levels in (("yes", self.face.yes), ("no", self.face.no)):
            assert exact(levels) == sorted(self.model[side].items())
            assert all(size > 0 and not size.is_signed() for _, size in levels)
            assert self.face.depth(side) == sum(self.model[side].values())

    @invariant()
    def prices_are_the_models(self):
        for name, wanted in naive_prices(self.model).items():
            found = getattr(self.face, name)
            assert (None if found is None else Fraction(found)) == wanted, name

    @invariant()
    def yes_and_no_mirror_each_other(self):
        face = self.face
        for bid, ask in (
            (face.best_yes_bid, face.best_no_ask),
            (face.best_no_bid, face.best_yes_ask),
        ):
            assert (bid is None) == (ask is None)
            assert bid is None or Fraction(bid) + Fraction(ask) == 1

    @invariant()
    def a_stale_book_refuses_and_a_fresh_one_answers(self):
        book = self.book
        assert (book.stale, book.stale_reason) == (self.reason is not None, self.reason)
        if self.reason is None:
            assert book.snapshot() == self.face.snapshot()
            assert all(getattr(book, name) == getattr(self.face, name) for name in READ)
            assert book.differences(self.face.snapshot()) == ()
            return
        for read in (
            *(lambda name=name: getattr(book, name) for name in READ),
            lambda: book.depth("yes"),
            lambda: book.size_at("no", "0.5"),
            lambda: book.cost("yes", 1),
            book.snapshot,
            lambda: book.differences(models.OrderBook()),
        ):
            with pytest.raises(StaleBookError, match=self.reason):
                read()


TestBookMachine = BookMachine.TestCase
TestBookMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def filled(yes: object, no: object) -> OrderBook:
    book = OrderBook("KXM-1")
    book.apply_snapshot(yes, no)
    return book


@given(bids, bids, sides, st.one_of(sizes, st.integers(1, 2_000_000)))
def test_cost_is_the_models(yes, no, side, count):
    book = filled(yes, no)
    offers = dict(exact(no if side == "yes" else yes))
    wanted = naive_cost(offers, Fraction(count))
    if wanted is None:
        with pytest.raises(InvalidRequestError, match="offers only"):
            book.cost(side, count)
    else:
        assert Fraction(book.cost(side, count)) == wanted


@given(bids, bids, sides)
def test_all_that_is_offered_costs_what_it_costs(yes, no, side):
    book = filled(yes, no)
    offered = book.depth(other(side))
    if offered:
        by_hand = sum(
            Fraction(size) * (1 - Fraction(price)) for price, size in (no if side == "yes" else yes)
        )
        assert Fraction(book.cost(side, offered)) == by_hand


@given(bids, sides, prices, st.integers(0, 15))
def test_depth_and_size_at_are_the_models(levels, side, price, count):
    book = filled(levels, []) if side == "yes" else filled([], levels)
    model = dict(exact(levels))
    best = sorted(model, reverse=True)[:count]
    assert Fraction(book.depth(side, count)) == sum(model[p] for p in best)
    assert Fraction(book.size_at(side, price)) == model.get(Fraction(price), 0)
    assert Fraction(book.size_at(side, str(price))) == model.get(Fraction(price), 0)
    assert book.size_at(other(side), price) == book.depth(other(side)) == 0


@given(bids, bids)
def test_swapping_the_sides_swaps_the_answers(yes, no):
    book, swapped = filled(yes, no), filled(no, yes)
    assert (book.best_yes_bid, book.best_yes_ask) == (swapped.best_no_bid, swapped.best_no_ask)
    assert (book.yes, book.spread) == (swapped.no, swapped.spread)
    if book.mid is not None:
        assert Fraction(book.mid) + Fraction(swapped.mid) == 1


@given(bids, bids)
def test_deltas_build_what_a_snapshot_gives(yes, no):
    book = filled([], [])
    for side, levels in (("yes", yes), ("no", no)):
        for price, size in levels:
            book.apply_delta(side, price, size)
    assert book.snapshot() == filled(yes, no).snapshot()


@given(bids, bids, bids, bids)
def test_differences_are_what_differs(yes, no, their_yes, their_no):
    book = filled(yes, no)
    theirs = filled(their_yes, their_no).snapshot()
    found = book.differences(theirs)
    expected = set()
    for side, mine, them in (("yes", yes, their_yes), ("no", no, their_no)):
        ours, other_sizes = dict(exact(mine)), dict(exact(them))
        for price in ours.keys() | other_sizes.keys():
            pair = ours.get(price, Fraction(0)), other_sizes.get(price, Fraction(0))
            if pair[0] != pair[1]:
                expected.add((side, price, *pair))
    assert {(d.side, *map(Fraction, (d.price, d.ours, d.theirs))) for d in found} == expected
    assert len(found) == len(expected)
    assert all(isinstance(difference, LevelDifference) for difference in found)
