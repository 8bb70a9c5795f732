"""The arithmetic of the token bucket."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async import BucketLimits, InvalidRequestError, RateLimits
from kalshi_async._operations import BY_NAME
from kalshi_async._ratelimit import SLOWEST, TokenBucket

LIMITS = st.builds(
    BucketLimits,
    st.floats(1, 2000, allow_nan=False),
    st.floats(5, 6000, allow_nan=False),
)
COSTS = st.floats(0.5, 4000, allow_nan=False)
PAUSES = st.sampled_from([0.0, 0.0, 0.001, 0.05, 0.3, 1.0, 7.5, 60.0]) | st.floats(0, 20)
STEPS = st.lists(
    st.tuples(
        PAUSES,
        st.one_of(
            st.tuples(st.just("take"), COSTS),
            st.tuples(st.just("take"), COSTS),
            st.tuples(st.just("wait and take"), COSTS),
            st.tuples(st.just("penalize"), st.floats(0, 2)),
            st.tuples(st.just("give back"), st.none()),
            st.tuples(st.just("adopt"), LIMITS),
        ),
    ),
    max_size=40,
)


@dataclass
class Taken:
    """One entry of the ledger: net tokens, and what the bucket could have gained until then."""

    at: float
    tokens: float
    gained: float
    most: float


def burst(limits: BucketLimits) -> float:
    return TokenBucket(limits, 0.0).tokens(0.0)


class Ledger:
    """Drives a bucket and books what it hands out."""

    def __init__(self, limits: BucketLimits, start: float) -> None:
        self.bucket = TokenBucket(limits, start)
        self.now = start
        self.gained = 0.0
        self.entries: list[Taken] = []
        self.unspent: list[float] = []

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.gained += seconds * self.bucket.limits.rate

    def step(self, what: str, value: object) -> None:
        bucket = self.bucket
        if what == "adopt":
            assert isinstance(value, BucketLimits)
            bucket.adopt(value, self.now)
        elif what == "give back":
            if self.unspent:
                cost = self.unspent.pop()
                bucket.give_back(cost, self.now)
                self.entries.append(Taken(self.now, -cost, self.gained, 0.0))
        elif what == "penalize":
            assert isinstance(value, float)
            bucket.penalize(self.now - value, self.now)
            assert bucket.tokens(self.now) <= 0
        else:
            assert isinstance(value, float)
            if what == "wait and take":
                self.pass_time(bucket.wait(value, self.now))
            if bucket.take(value, self.now):
                self.unspent.append(value)
                most = max(burst(bucket.limits), value)
                self.entries.append(Taken(self.now, value, self.gained, most))
            else:
                assert what == "take", "what was waited for must be there"


@given(LIMITS, STEPS, st.sampled_from([0.0, 12_345.678]))
@settings(max_examples=80, deadline=None)
def test_no_window_gives_more_than_a_burst_and_the_rate(
    limits: BucketLimits, steps: list[tuple[float, tuple[str, object]]], start: float
) -> None:
    ledger = Ledger(limits, start)
    for pause, (what, value) in steps:
        ledger.pass_time(pause)
        ledger.step(what, value)
    entries = ledger.entries
    for last, end in enumerate(entries):
        if end.tokens < 0:
            continue
        total = 0.0
        for begin in reversed(entries[: last + 1]):
            total += begin.tokens
            allowed = end.most + end.gained - begin.gained
            assert total <= allowed + 1e-3, (begin, end)


@given(LIMITS, STEPS, COSTS)
@settings(max_examples=80, deadline=None)
def test_wait_is_exact(
    limits: BucketLimits, steps: list[tuple[float, tuple[str, object]]], cost: float
) -> None:
    ledger = Ledger(limits, 0.0)
    for pause, (what, value) in steps:
        ledger.pass_time(pause)
        ledger.step(what, value)
    bucket, now = ledger.bucket, ledger.now
    wait = bucket.wait(cost, now)
    assert copy.copy(bucket).take(cost, now + wait)
    margin = 1e-3 / bucket.limits.rate
    if wait > 2 * margin:
        assert not copy.copy(bucket).take(cost, now + wait - margin)


def test_the_burst_leaves_a_tenth_of_a_second_of_headroom() -> None:
    assert burst(BucketLimits(200, 200)) == 180
    assert burst(BucketLimits(300, 900)) == 870
    assert burst(BucketLimits(100, 4)) == 2  # never less than half


def test_a_request_larger_than_the_burst_takes_a_full_bucket_and_owes_the_rest() -> None:
    bucket = TokenBucket(BucketLimits(100, 100), 0.0)  # a burst of 90
    assert bucket.take(10, 0.0)
    assert not bucket.take(300, 0.0)
    assert bucket.wait(300, 0.0) == pytest.approx(0.1)
    assert bucket.take(300, 0.1)
    assert bucket.tokens(0.1) == pytest.approx(-210)
    assert bucket.wait(10, 0.1) == pytest.approx(2.2)


def test_a_penalty_empties_slows_by_a_tenth_and_heals() -> None:
    bucket = TokenBucket(BucketLimits(200, 200), 0.0)
    bucket.penalize(0.0, 1.0)
    assert bucket.tokens(1.0) == 0
    assert bucket.rate(1.0) == pytest.approx(180)
    assert bucket.rate(6.0) == pytest.approx(190)
    assert bucket.rate(11.0) == pytest.approx(200)
    assert bucket.rate(1000.0) == 200


def test_penalties_of_requests_under_way_at_the_slowdown_count_once() -> None:
    bucket = TokenBucket(BucketLimits(200, 200), 0.0)
    for sent_at in (0.9, 0.95, 1.0, 1.0):
        bucket.penalize(sent_at, 1.0)
    assert bucket.rate(1.0) == pytest.approx(180)
    bucket.penalize(0.99, 1.05)
    assert bucket.rate(1.05) == pytest.approx(180.1)
    bucket.penalize(1.04, 1.05)  # sent after the slowdown: it was not enough
    assert bucket.rate(1.05) == pytest.approx(162.09)


def test_many_penalties_leave_a_tenth_of_the_rate() -> None:
    bucket = TokenBucket(BucketLimits(200, 200), 0.0)
    for second in range(200):
        bucket.penalize(second + 0.5, second + 0.6)
    assert bucket.rate(199.6) >= 200 * SLOWEST
    assert bucket.rate(199.6) <= 200 * (SLOWEST + 0.02)


def test_adopting_keeps_what_was_spent() -> None:
    bucket = TokenBucket(BucketLimits(100, 100), 0.0)
    assert bucket.take(50, 0.0)
    bucket.adopt(BucketLimits(1000, 3000), 0.0)
    assert bucket.tokens(0.0) == 2850
    bucket.adopt(BucketLimits(10, 10), 0.0)
    assert bucket.tokens(0.0) == pytest.approx(-41)


def test_a_clock_that_stands_or_steps_back_gains_nothing() -> None:
    bucket = TokenBucket(BucketLimits(100, 100), 10.0)
    assert bucket.take(90, 10.0)
    assert bucket.tokens(9.0) == 0
    assert bucket.tokens(10.5) == pytest.approx(50)


@pytest.mark.parametrize(("rate", "capacity"), [(0, 1), (1, 0), (-1, 5), (float("inf"), 1)])
def test_impossible_limits_are_refused(rate: float, capacity: float) -> None:
    with pytest.raises(InvalidRequestError, match="both must be positive"):
        BucketLimits(rate, capacity)


def test_not_a_number_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        BucketLimits(float("nan"), 1)


def test_costs_by_operation_then_default_then_the_contract() -> None:
    markets, market = BY_NAME["GetMarkets"], BY_NAME["GetMarket"]
    plain = RateLimits()
    assert plain.cost(market) == market.cost
    live = replace(plain, costs={"GetMarkets": 30}, default_cost=7)
    assert (live.cost(markets), live.cost(market)) == (30, 7)
    assert live.read == plain.read


def test_limits_in_requests_a_second() -> None:
    limits = RateLimits.per_second(20)
    assert limits.read == limits.write == BucketLimits(200, 200)
    assert RateLimits.per_second(20, 5).write == BucketLimits(50, 50)
