"""Random histories of an account, cut by lost connections at random places, against what happened.

Live messages wait in the connection and are lost with it, or come twice. A look over REST shows the
account as it was at a random moment since the subscription was confirmed. Times are Unix
milliseconds for fills and microseconds for orders.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kalshi_async.stream._continuity import (
    Continuity,
    FillContinuity,
    OrderContinuity,
    PositionContinuity,
    has_ended,
    order_micros,
    place_of,
)
from kalshi_async.stream.messages import FillUpdate, MarketPositionUpdate, UserOrderUpdate

T = TypeVar("T", FillUpdate, UserOrderUpdate, MarketPositionUpdate)

TICKER = "KXFED-26MAR19"


def moment(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def fill(number: int, ms: int, **changes: Any) -> FillUpdate:
    """A fill with ids of its own, as it comes live."""
    facts: dict[str, Any] = {
        "trade_id": f"trade-{number}",
        "order_id": f"order-{number}",
        "market_ticker": TICKER,
        "ts": ms // 1000,
        "ts_ms": ms,
        "count": Decimal(1),
        "post_position": Decimal(number),
    }
    return FillUpdate(**facts | changes)


def order(
    name: str, micros: int, filled: int = 0, status: str = "resting", **changes: Any
) -> UserOrderUpdate:
    """A state of an order for ten contracts, as it comes live."""
    facts: dict[str, Any] = {
        "order_id": name,
        "ticker": TICKER,
        "status": status,
        "fill_count": Decimal(filled),
        "remaining_count": Decimal(10 - filled) if status == "resting" else Decimal(0),
        "initial_count": Decimal(10),
        "created_time": moment(1),
        "last_update_time": moment(micros),
        "last_updated_ts_ms": micros // 1000,
        "last_update_reason": "Trade",
    }
    return UserOrderUpdate(**facts | changes)


def position(held: int, traded: int, ticker: str = TICKER, **changes: Any) -> MarketPositionUpdate:
    """A position that costs half a dollar a contract, and a cent of fees for each that was ever
    traded, as it comes live.
    """
    facts: dict[str, Any] = {
        "market_ticker": ticker,
        "position": Decimal(held),
        "position_cost": Decimal(abs(held)) / 2,
        "realized_pnl": Decimal(0),
        "fees_paid": Decimal(traded) / 100,
        "volume": Decimal(traded),
        "subaccount": 0,
    }
    return MarketPositionUpdate(**facts | changes)


def read(message: T) -> T:
    """The same as it is read over REST, which knows less."""
    if isinstance(message, FillUpdate):
        return replace(message, post_position=None, backfilled=True)
    if isinstance(message, UserOrderUpdate):
        return replace(message, last_update_reason=None, backfilled=True)
    return replace(message, volume=None, backfilled=True)


def read_fill(*args: Any, **changes: Any) -> FillUpdate:
    return read(fill(*args, **changes))


def read_order(*args: Any, **changes: Any) -> UserOrderUpdate:
    return read(order(*args, **changes))


def read_position(*args: Any, **changes: Any) -> MarketPositionUpdate:
    return read(position(*args, **changes))


Look = Callable[[int], Sequence[T]]
"""What is read of an account at the moment when so much of its history had happened."""


class Line(Generic[T]):
    """A subscription, from its first confirmation on; what happened before is ``history`` then.

    Args:
        continuity: What is tested.
        history: What happened before it was subscribed.
        look: What a backfill reads.
        prompt: Whether nothing is on its way any more when a backfill is released.
    """

    def __init__(
        self, continuity: Continuity[T], history: list[T], look: Look[T], *, prompt: bool = False
    ) -> None:
        self.continuity: Continuity[T] = continuity
        self.history: list[T] = history
        self.look: Look[T] = look
        self.prompt = prompt
        self.told: list[T] = []
        self.on_its_way: deque[T] = deque()
        self.began = self.confirmed = self.safe = len(history)
        self.connected = True

    def happen(self, message: T) -> None:
        self.history.append(message)
        if self.connected:
            self.on_its_way.append(message)

    def arrive(self, count: int, *, twice: bool = False) -> None:
        for _ in range(min(count, len(self.on_its_way))):
            message = self.on_its_way.popleft()
            for _ in range(1 + twice):
                self.told += self.continuity.live(message)

    def lose(self) -> None:
        if self.connected:
            if not self.continuity.holding:
                # What is on its way has not been told, and a backfill must reach back to it.
                self.safe = len(self.history) - len(self.on_its_way)
            self.connected = False
            self.on_its_way.clear()
            self.continuity.hold()

    def reconnect(self) -> None:
        if not self.connected:
            self.connected, self.confirmed = True, len(self.history)

    def release(self, shown: int) -> None:
        """A look that shows what had happened ``shown`` messages after the confirmation."""
        if self.connected and self.continuity.holding:
            if self.prompt:
                self.arrive(len(self.on_its_way))
            at = self.confirmed + shown % (len(self.history) - self.confirmed + 1)
            self.told += self.continuity.release([read(each) for each in self.look(at)])

    def finish(self) -> None:
        """The connection is lost once more, and then all goes well."""
        self.lose()
        self.reconnect()
        self.release(0)
        self.arrive(len(self.on_its_way))

    def step(self, act: str, number: int) -> None:
        if act == "arrive":
            self.arrive(number, twice=number % 3 == 0)
        elif act == "lose":
            self.lose()
        elif act == "reconnect":
            self.reconnect()
        elif act == "release":
            self.release(number)

    @property
    def wanted(self) -> list[T]:
        """What happened since it was subscribed."""
        return self.history[self.began :]


def acts(most: int) -> st.SearchStrategy[list[tuple[str, int]]]:
    """Acts with numbers: stretches of a connected life, each ended by a loss, with or without a
    backfill that was released before the next.
    """
    number = st.integers(0, most)
    life = st.tuples(st.sampled_from(["happen", "happen", "arrive"]), number)
    away = st.tuples(st.just("happen"), number)
    release = st.tuples(st.just("release"), number)
    stretch = st.tuples(
        st.lists(life, max_size=6),
        st.just([("lose", 0)]),
        st.lists(away, max_size=3),
        st.just([("reconnect", 0)]),
        st.lists(life, max_size=8),
        st.lists(release, max_size=1),
    )
    return st.lists(stretch, min_size=1, max_size=5).map(
        lambda stretches: [act for parts in stretches for part in parts for act in part]
    )


@given(acts(7), st.integers(0, 5), st.sampled_from([3, 65_536]))
@settings(max_examples=300)
def test_each_fill_is_told_once_and_in_order(
    script: list[tuple[str, int]], before: int, window: int
) -> None:
    # With a small window it is the time that tells what is too long ago: then no two share one, and
    # nothing is so late that the window forgets it meanwhile.
    small = window == 3
    now = 1000
    history = [fill(number, now - before + number) for number in range(before)]
    continuity = FillContinuity(window=window, since=now / 1000)

    def look(at: int) -> list[FillUpdate]:
        # Some are read again that were told before.
        return history[max(0, line.safe - 4) : at]

    line = Line(continuity, history, look, prompt=small)
    for act, number in script:
        if act == "happen":
            now += number // 2 + small
            line.happen(fill(len(history), now))
        line.step(act, number)
    line.finish()
    told = [each.trade_id for each in line.told]
    assert sorted(told) == sorted(each.trade_id for each in line.wanted)
    times = [each.ts_ms for each in line.told]
    assert times == sorted(times)
    event(f"backfilled: {any(each.backfilled for each in line.told)}")


def next_order(state: UserOrderUpdate | None, name: str, now: int, choice: int) -> UserOrderUpdate:
    """What may come next of an order that is new or rests."""
    if state is None:
        return order(name, now, created_time=moment(now))
    created: dict[str, Any] = {"created_time": state.created_time}
    filled = int(state.fill_count)
    if choice < 4 and filled < 9:
        return order(name, now, filled + 1, **created)
    if choice < 6:
        return order(name, now, filled, yes_price=Decimal(now % 97) / 100, **created)
    if choice < 8:
        return order(name, now, filled, "canceled", **created)
    return order(name, now, 10, "executed", **created)


def newest(history: Sequence[UserOrderUpdate]) -> dict[str, UserOrderUpdate]:
    return {state.order_id: state for state in history}


@given(acts(9), st.lists(st.integers(0, 9), max_size=12), st.integers(0, 3), st.booleans())
@settings(max_examples=300)
def test_the_last_state_of_each_order_is_told_and_none_goes_back(
    script: list[tuple[str, int]], before: list[int], unseen: int, exact: bool
) -> None:
    now, names = 1_000_000, 0
    history: list[UserOrderUpdate] = []

    def change(choice: int) -> UserOrderUpdate:
        nonlocal now, names
        # Where messages say milliseconds only, two changes of one cannot be told apart.
        now += choice * 300 + 1 if exact else choice * 1000 + 1000
        states = newest(history)
        resting = sorted(name for name, state in states.items() if not has_ended(state))
        if resting and choice % 3:
            name = resting[(choice * 7 + now) % len(resting)]
            state = next_order(states[name], name, now, choice)
        else:
            names += 1
            state = next_order(None, f"o{names}", now, choice)
        return state if exact else replace(state, last_update_time=None)

    history.extend(change(choice) for choice in before)
    since = now + 1
    now += 1000
    continuity = OrderContinuity(since=since / 1_000_000)

    def look(at: int) -> list[UserOrderUpdate]:
        earlier = newest(history[: max(0, line.safe - 3)])
        asked = continuity.believed_resting
        # Those that rest, were created since, or are asked for by id.
        return [
            state
            for name, state in newest(history[:at]).items()
            if not has_ended(state) or name not in earlier or name in asked
        ]

    line = Line(continuity, history, look)
    # A look before subscribing may not show the last changes.
    known = newest(history[: max(0, len(history) - unseen)])
    continuity.baseline(read(each) for each in known.values() if not has_ended(each))
    hidden = newest(history).keys() - known.keys()
    for act, number in script:
        if act == "happen":
            line.happen(change(number))
        line.step(act, number)
    line.finish()
    states: dict[str, list[UserOrderUpdate]] = {}
    for state in line.told:
        states.setdefault(state.order_id, []).append(state)
    wanted = newest(line.wanted)
    for name, state in wanted.items():
        # What nobody could know of may end unseen.
        if name not in hidden or name in states:
            assert read(states[name][-1]) == read(state)
    # What the look before subscribing did not show may be told as well.
    shown = max(0, line.began - unseen)
    assert states.keys() <= newest(history[shown:]).keys()
    for each in states.values():
        times = [order_micros(state) for state in each]
        assert times == sorted(set(times))
    event(f"backfilled: {any(each.backfilled for each in line.told)}, hidden: {bool(hidden)}")


def next_position(state: MarketPositionUpdate, choice: int) -> MarketPositionUpdate:
    """What may come next of a position: trading, free of fees or not, or settlement."""
    held, traded = int(state.position), int(state.volume or 0)
    facts = {"realized_pnl": state.realized_pnl, "fees_paid": state.fees_paid}
    if choice == 0 and held:
        return position(0, traded, state.ticker, **facts | {"realized_pnl": Decimal(held)})
    count = choice + 1
    if choice % 2:
        facts["fees_paid"] = state.fees_paid + Decimal(count) / 100
    return position(
        held + (count if choice % 4 < 2 else -count), traded + count, state.ticker, **facts
    )


@given(acts(8), st.lists(st.integers(0, 8), max_size=6))
@settings(max_examples=300)
def test_the_last_state_of_each_position_is_told_and_none_goes_back(
    script: list[tuple[str, int]], before: list[int]
) -> None:
    states = {ticker: position(0, 0, ticker) for ticker in "ABC"}
    history: list[MarketPositionUpdate] = []

    def change(choice: int) -> MarketPositionUpdate:
        ticker = "ABC"[(choice + len(history)) % 3]
        states[ticker] = next_position(states[ticker], choice)
        return states[ticker]

    history.extend(change(choice) for choice in before)
    continuity = PositionContinuity()
    start = {place_of(each): each for each in history}
    continuity.baseline(read(each) for each in start.values())

    def look(at: int) -> list[MarketPositionUpdate]:
        return list({place_of(each): each for each in history[:at]}.values())

    line = Line(continuity, history, look, prompt=True)
    for act, number in script:
        if act == "happen":
            line.happen(change(number))
        line.step(act, number)
    line.finish()
    told: dict[str, list[MarketPositionUpdate]] = {}
    for each in line.told:
        told.setdefault(each.ticker, []).append(each)
    last = {each.ticker: each for each in line.wanted}
    for ticker, state in last.items():
        known = told[ticker][-1] if ticker in told else start[ticker, 0]
        assert read(known) == read(state)
    numbered = {
        ticker: [read(each) for each in history if each.ticker == ticker] for ticker in "ABC"
    }
    for ticker, each_told in told.items():
        # Each is found in the history, behind the one before it.
        steps = iter(numbered[ticker])
        for each in each_told:
            assert any(read(each) == step for step in steps)
    event(f"backfilled: {any(each.backfilled for each in line.told)}")
