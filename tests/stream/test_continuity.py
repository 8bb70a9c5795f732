"""What is told after a lost connection, and in which order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from kalshi_async.stream._continuity import (
    FillContinuity,
    OrderContinuity,
    PositionContinuity,
    is_newer,
    order_micros,
)

from .test_continuity_model import (
    TICKER,
    fill,
    moment,
    order,
    position,
    read_fill,
    read_order,
    read_position,
)

AnyContinuity = FillContinuity | OrderContinuity | PositionContinuity

# Fills


def test_fills_pass_once() -> None:
    fills = FillContinuity()
    first = fill(1, 1000)
    assert list(fills.live(first)) == [first]
    assert list(fills.live(fill(1, 1000))) == []
    assert fills.duplicates == 1
    assert repr(fills) == "<FillContinuity: live, 1 duplicates>"


def test_a_trade_with_oneself_is_two_fills() -> None:
    fills = FillContinuity()
    two = [fill(1, 1000, order_id=name) for name in ("bid", "ask")]
    assert [told for each in two for told in fills.live(each)] == two


def test_what_was_read_and_what_was_held_come_in_order_of_time() -> None:
    fills = FillContinuity()
    fills.live(fill(1, 1000))
    fills.hold()
    assert list(fills.live(fill(4, 4000))) == []
    fills.live(fill(5, 4000))
    assert (fills.holding, fills.held) == (True, 2)
    read = [read_fill(1, 1000), read_fill(2, 2000), read_fill(3, 4000), read_fill(4, 4000)]
    released = fills.release(read)
    assert [each.trade_id for each in released] == ["trade-2", "trade-3", "trade-4", "trade-5"]
    # The fill that came both ways is the live one, which knows the position after it.
    assert [each.backfilled for each in released] == [True, True, False, False]
    assert (fills.holding, fills.held, fills.duplicates) == (False, 0, 0)
    assert list(fills.live(fill(3, 4000))) == []
    assert fills.duplicates == 1


def test_a_fill_that_is_held_twice_is_told_once() -> None:
    fills = FillContinuity()
    fills.hold()
    fills.live(fill(1, 1000))
    fills.live(fill(1, 1000))
    assert len(fills.release([])) == 1
    assert fills.duplicates == 1


def test_a_fill_that_was_told_and_is_sent_again_by_the_next_connection_is_told_once() -> None:
    fills = FillContinuity()
    fills.live(fill(1, 1000))
    fills.hold()
    fills.live(fill(1, 1000))
    assert fills.release([]) == []
    assert fills.duplicates == 1


def test_a_fill_on_two_pages_is_told_once() -> None:
    fills = FillContinuity()
    fills.hold()
    assert len(fills.release([read_fill(1, 1000), read_fill(1, 1000)])) == 1


def test_fills_that_fell_out_of_the_window_do_not_come_again() -> None:
    fills = FillContinuity(window=2)
    for number in range(1, 6):
        fills.live(fill(number, number * 1000))
    assert fills.since_floor == 3.001
    fills.hold()
    assert fills.release([read_fill(number, number * 1000) for number in range(1, 6)]) == []
    fills.hold()
    assert len(fills.release([read_fill(6, 5000)])) == 1


def test_fills_of_before_the_subscription_are_not_told() -> None:
    fills = FillContinuity(since=2.0)
    assert fills.since_floor == 2.0
    fills.hold()
    told = fills.release([read_fill(1, 1999), read_fill(2, 2000)])
    assert [each.trade_id for each in told] == ["trade-2"]
    # What comes live is news whatever its time.
    assert len(fills.live(fill(3, 1500))) == 1


def test_a_fill_without_milliseconds_stands_at_its_second() -> None:
    fills = FillContinuity()
    fills.hold()
    fills.live(fill(1, 5500))
    fills.live(fill(2, 0, ts=5, ts_ms=None))
    fills.live(fill(3, 0, ts=None, ts_ms=None, received_at=5.2))
    assert [each.trade_id for each in fills.release([])] == ["trade-2", "trade-3", "trade-1"]


@pytest.mark.parametrize("make", [FillContinuity, OrderContinuity, PositionContinuity])
def test_a_release_without_anything_is_nothing(make: type[AnyContinuity]) -> None:
    continuity = make()
    continuity.hold()
    assert repr(continuity).endswith("holding 0, 0 duplicates>")
    assert continuity.release([]) == []
    assert not continuity.holding


def test_what_was_read_for_nobody_is_nothing() -> None:
    positions = PositionContinuity()
    positions.live(position(10, 10))
    assert positions.release([read_position(5, 5)]) == ()


# Orders


def test_an_order_goes_forward_only() -> None:
    orders = OrderContinuity()
    states = [order("a", 1000), order("a", 2000, 3), order("a", 3000, 10, "executed")]
    told = [each for state in states for each in orders.live(state)]
    assert told == states
    for late in states:
        assert orders.live(late) == ()
    assert orders.duplicates == 3


@pytest.mark.parametrize(
    ("new", "old", "newer"),
    [
        (order("a", 2000), order("a", 1000), True),
        (order("a", 1000, 5), order("a", 2000), False),
        (order("a", 1500), order("a", 1400), True),
        (order("a", 1400, 1), order("a", 1400), True),
        (order("a", 1400, 1), order("a", 1400, 1, "canceled"), False),
        (order("a", 1400, 1, "canceled"), order("a", 1400, 1), True),
        (order("a", 1400), order("a", 1400), False),
        (order("a", 1400), order("a", 1400, remaining_count=Decimal(9)), True),
        (order("a", 1400), order("a", 1400, last_update_reason=None), False),
    ],
)
def test_which_state_is_newer(new: object, old: object, newer: bool) -> None:
    assert is_newer(new, old) is newer  # type: ignore[arg-type]


def test_milliseconds_and_microseconds_of_one_change_are_the_same_change() -> None:
    exact = read_order("a", 1_234)
    coarse = order("a", 1_234, last_update_time=None)
    assert (order_micros(exact), order_micros(coarse)) == (1_234, 1_000)
    assert not is_newer(exact, coarse)
    assert not is_newer(coarse, exact)
    created = order("a", 0, last_update_time=None, last_updated_ts_ms=None)
    assert order_micros(created) == 1
    timeless = order(
        "a", 0, last_update_time=None, last_updated_ts_ms=None, created_time=None, received_at=2.5
    )
    assert order_micros(timeless) == 2_500_000


def test_what_became_of_orders_meanwhile_is_told_in_order() -> None:
    orders = OrderContinuity()
    for name in "abc":
        orders.live(order(name, 1000))
    assert orders.believed_resting == {"a", "b", "c"}
    orders.hold()
    orders.live(order("c", 9000, 4))
    told = orders.release(
        [
            read_order("a", 1000),
            read_order("d", 8000),
            read_order("b", 5000, 10, "executed"),
            read_order("c", 4000, 2),
        ]
    )
    assert [(each.order_id, int(each.fill_count)) for each in told] == [
        ("c", 2),
        ("b", 10),
        ("d", 0),
        ("c", 4),
    ]
    assert [each.backfilled for each in told] == [True, True, True, False]
    assert orders.believed_resting == {"a", "c", "d"}
    assert orders.live(order("b", 5000, 10, "executed")) == ()


def test_an_order_that_was_read_and_held_is_the_live_one() -> None:
    orders = OrderContinuity()
    orders.hold()
    orders.live(order("a", 5_500, 1))
    (told,) = orders.release([read_order("a", 5_500, 1)])
    assert told.last_update_reason == "Trade"
    assert orders.duplicates == 0


def test_the_baseline_is_known_and_not_told() -> None:
    orders = OrderContinuity(since=1.0)
    orders.live(order("told", 1_200_000, 2))
    orders.baseline(
        [
            read_order("old", 10),
            read_order("gone", 10),
            read_order("told", 1_100_000),
            read_order("ended", 10, 10, "executed"),
        ]
    )
    assert orders.believed_resting == {"old", "gone", "told"}
    orders.hold()
    told = orders.release([read_order("old", 10), read_order("gone", 2_000_000, 0, "canceled")])
    assert [each.order_id for each in told] == ["gone"]
    # A live message is always told, whatever the baseline showed.
    assert len(orders.live(order("old", 10))) == 1


def test_a_change_that_the_baseline_shows_and_whose_message_was_lost_is_told() -> None:
    orders = OrderContinuity(since=1.0)
    orders.baseline([read_order("a", 1_500_000, 2)])
    orders.hold()
    assert len(orders.release([read_order("a", 1_500_000, 2)])) == 1
    orders.hold()
    assert orders.release([read_order("a", 1_500_000, 2)]) == []


def test_an_order_that_ended_before_and_that_the_baseline_still_showed_is_told() -> None:
    orders = OrderContinuity(since=1.0)
    orders.baseline([read_order("a", 500_000)])
    orders.hold()
    assert len(orders.release([read_order("a", 900_000, 0, "canceled")])) == 1
    assert orders.believed_resting == frozenset()


def test_orders_of_before_the_subscription_are_not_told_and_then_followed() -> None:
    orders = OrderContinuity(since=1.0)
    orders.hold()
    before = [read_order("ended", 900_000, 0, "canceled"), read_order("rests", 900_000)]
    assert orders.release(before) == []
    assert orders.believed_resting == {"rests"}
    orders.hold()
    assert len(orders.release([read_order("rests", 2_000_000, 0, "canceled")])) == 1
    assert orders.believed_resting == frozenset()


def test_ended_orders_are_forgotten_first_and_do_not_come_again() -> None:
    orders = OrderContinuity(window=2)
    orders.live(order("rests", 1))
    for number in range(5):
        orders.live(order(f"o{number}", 1000 * number + 1000))
        orders.live(order(f"o{number}", 1000 * number + 1500, 0, "canceled"))
    assert orders.believed_resting == {"rests"}
    orders.hold()
    again = [read_order(f"o{number}", 1000 * number + 1500, 0, "canceled") for number in range(5)]
    assert orders.release([read_order("rests", 1), *again]) == []
    orders.hold()
    assert len(orders.release([read_order("rests", 1200, 1)])) == 1
    assert len(orders._told) == 3


# Positions


def test_positions_go_forward_only() -> None:
    positions = PositionContinuity()
    states = [position(10, 10), position(4, 16), position(0, 20)]
    told = [each for state in states for each in positions.live(state)]
    assert told == states
    for late in states:
        assert positions.live(late) == ()
    assert positions.duplicates == 3


@pytest.mark.parametrize("grows", ["volume", "fees_paid"])
def test_what_only_grows_tells_what_comes_late(grows: str) -> None:
    positions = PositionContinuity()
    still: dict[str, Any] = {"volume": Decimal(9), "fees_paid": Decimal(0)}
    positions.live(position(10, 10, **still | {grows: Decimal(10)}))
    assert positions.live(position(9, 9, **still)) == ()
    assert len(positions.live(position(9, 11, **still | {grows: Decimal(11)}))) == 1


def test_subaccounts_are_apart_and_none_is_the_primary_one() -> None:
    positions = PositionContinuity()
    positions.live(position(10, 10))
    assert len(positions.live(position(10, 10, subaccount=1))) == 1
    assert positions.live(position(10, 10, subaccount=None)) == ()
    assert positions.believed_held == {(TICKER, 0), (TICKER, 1)}


def test_of_positions_only_changes_are_told() -> None:
    positions = PositionContinuity()
    for ticker in "ABC":
        positions.live(position(10, 10, ticker))
    positions.hold()
    positions.live(position(13, 13, "C"))
    read = [
        read_position(10, 10, "A"),
        read_position(12, 12, "B"),
        read_position(12, 12, "C"),
        read_position(1, 1, "D"),
    ]
    told = positions.release(read)
    assert [(each.ticker, int(each.position)) for each in told] == [("B", 12), ("D", 1), ("C", 13)]
    assert [each.backfilled for each in told] == [True, True, False]
    # Its message comes late, and tells what was read already.
    assert positions.live(position(12, 12, "B")) == ()
    assert positions.live(position(11, 11, "B")) == ()
    assert len(positions.live(position(15, 15, "B"))) == 1


def test_what_was_held_of_a_connection_that_was_lost_as_well_is_older_than_what_is_read() -> None:
    positions = PositionContinuity()
    positions.hold()
    positions.live(position(10, 10))
    positions.hold()
    told = positions.release([read_position(20, 20)])
    assert [each.position for each in told] == [10, 20]


def test_settlement_changes_a_position_without_trading() -> None:
    positions = PositionContinuity()
    positions.live(position(10, 10))
    settled = read_position(0, 10, realized_pnl=Decimal(5))
    positions.hold()
    assert list(positions.release([settled])) == [settled]
    assert positions.believed_held == frozenset()


def test_the_baseline_of_positions_is_known_and_not_told() -> None:
    positions = PositionContinuity()
    positions.live(position(7, 7, "C"))
    positions.baseline(
        [read_position(10, 10, "A"), read_position(5, 5, "B"), read_position(1, 1, "C")]
    )
    assert positions.believed_held == {("A", 0), ("B", 0), ("C", 0)}
    positions.hold()
    told = positions.release([read_position(10, 10, "A"), read_position(0, 10, "B")])
    assert [each.ticker for each in told] == ["B"]
    assert len(positions.live(position(10, 10, "A"))) == 1
    positions.live(position(0, 20, "A"))
    assert positions.believed_held == {("C", 0)}


def test_flat_positions_are_forgotten_first() -> None:
    positions = PositionContinuity(window=2)
    positions.live(position(1, 1, "HELD"))
    for number in range(5):
        positions.live(position(0, 2, f"FLAT-{number}"))
    assert set(positions._told) == {("HELD", 0), ("FLAT-3", 0), ("FLAT-4", 0)}
    positions.live(position(3, 5, "FLAT-3"))
    positions.live(position(0, 2, "FLAT-5"))
    assert positions.believed_held == {("HELD", 0), ("FLAT-3", 0)}
    assert set(positions._flat) == {("FLAT-4", 0), ("FLAT-5", 0)}


def test_a_message_without_some_figures_is_compared_by_the_others() -> None:
    positions = PositionContinuity()
    positions.live(position(10, 10))
    assert positions.live(position(10, 10, volume=None, fees_paid=None)) == ()
    assert len(positions.live(position(9, 10, volume=None, fees_paid=None))) == 1


def test_times_are_exact() -> None:
    state = read_order("a", 1_785_585_600_123_457)
    assert order_micros(state) == 1_785_585_600_123_457
    assert state.last_update_time == moment(1_785_585_600_123_457)
