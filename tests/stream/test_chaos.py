"""A stream amid lost connections and lost frames; the exchange's own record is the judge.

The same at full scale: ``python -m benchmarks stream-chaos``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks._stream_chaos import Told, compared
from benchmarks.contenders.stream_chaos import KINDS, Plan, chaos
from kalshi_async.stream import FillUpdate, OrderbookDelta, OrderbookSnapshot, UserOrderUpdate
from kalshi_async.stream._backfill import Backfill
from kalshi_async.stream._leg import Leg

SMALL = Plan(disconnects=20, gaps=20, markets=10, between=15, pace=0.2, drop_rate=0.02)
# So short that a wrong outcome is not waited for.
BRIEF = Plan(disconnects=3, gaps=1, markets=5, pace=0.2, drop_rate=0.05, patience=2.0)


@pytest.fixture(autouse=True)
def short_waits() -> None:
    """Reads lag here as those of a real exchange: so the waits are what they are for one."""


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", logger="kalshi_async")
    caplog.set_level("CRITICAL", logger="websockets")


async def test_nothing_is_lost_or_told_twice_or_wrong() -> None:
    run = await chaos(1, SMALL)
    assert run.wrong == 0, run
    assert run.struck.total() == 20
    assert run.struck.keys() == KINDS.keys()
    figures = run.figures
    assert figures["gaps"] >= 20
    assert figures["checkpoints"] == 2
    assert figures["repeats"] > 0
    assert figures["backfilled"] > 0
    assert min(figures[f"told {what}"] for what in ("fill", "user_orders", "trade")) > 20


async def test_a_stream_that_does_not_read_what_it_missed_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nothing(
        self: Backfill, since: float, tickers: Collection[str] | None = None
    ) -> Sequence[FillUpdate]:
        return []

    monkeypatch.setattr(Backfill, "fills", nothing)
    run = await chaos(2, BRIEF)
    assert run.verdict.missing > 0
    assert run.verdict.double == run.verdict.disordered == run.verdict.books == 0


async def test_a_stream_that_does_not_count_its_frames_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def count(self: Leg, seq: int) -> bool:
        self.next_seq = seq + 1
        self.consumer.stats.gaps += 1
        return True

    monkeypatch.setattr(Leg, "count", count)
    run = await chaos(3, replace(BRIEF, disconnects=0, gaps=8, settling=0.2, patience=0.2))
    assert run.figures["gaps unnoticed"] > 0
    assert run.verdict.books > 0


# The judge


RECORD = [("t1", "a"), ("t1", "b"), ("t2", "a"), ("t3", "c")]


def test_what_was_told_as_recorded_is_right() -> None:
    assert compared(RECORD, RECORD).wrong == 0
    assert compared([], []).wrong == 0


@given(st.permutations(RECORD), st.lists(st.sampled_from([*RECORD, ("t9", "x")]), max_size=3))
def test_each_mistake_counts(order: list[tuple[str, str]], more: list[tuple[str, str]]) -> None:
    verdict = compared([*order, *more], RECORD)
    known = [key for key in more if key in RECORD]
    strangers = {key for key in more if key not in RECORD}
    assert (verdict.missing, verdict.strangers) == (0, len(strangers))
    assert verdict.double == len(known) + (len(more) - len(known) - len(strangers))
    assert (verdict.disordered == 0) == (order == RECORD)
    assert compared(order[1:], RECORD).missing == 1


def snapshot(clock: int | None) -> OrderbookSnapshot:
    return OrderbookSnapshot(market_ticker="M", clock=clock)


def delta(clock: int) -> OrderbookDelta:
    return OrderbookDelta(
        market_ticker="M", clock=clock, price=Decimal("0.5"), delta=Decimal(1), side="yes"
    )


@pytest.mark.parametrize(
    ("updates", "unnoticed"),
    [
        ([snapshot(4), delta(5), delta(6)], 0),
        ([snapshot(None), delta(8), delta(9)], 0),
        ([snapshot(None), delta(8), delta(10)], 1),
        ([snapshot(4), delta(6)], 1),
        ([snapshot(4), delta(5), snapshot(9), delta(10)], 0),
        ([snapshot(4), delta(5), snapshot(9), delta(11)], 1),
        ([snapshot(4), delta(5), delta(7)], 1),
        ([snapshot(4), delta(5), delta(5)], 1),
        ([delta(5)], 1),
    ],
)
def test_a_change_that_does_not_follow_is_noticed(updates: list[Any], unnoticed: int) -> None:
    told = Told()
    for update in updates:
        told.book(update)
    assert told.unnoticed == unnoticed


def state(ms: int, filled: int, status: str) -> UserOrderUpdate:
    return UserOrderUpdate(
        order_id="o", ticker="M", last_updated_ts_ms=ms, fill_count=Decimal(filled), status=status
    )


def test_a_state_of_an_order_that_was_told_before_a_newer_one_is_noticed() -> None:
    told = Told()
    for each in (state(1, 0, "resting"), state(1, 2, "resting"), state(1, 2, "executed")):
        told.order(each)
    assert told.backwards == 0
    told.order(state(1, 1, "resting"))
    assert told.backwards == 1
