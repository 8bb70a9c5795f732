"""Reads that lag: an account as it was a while ago, as when it is read from a copy that trails the
exchange.

While a lag is configured, what every change of an account replaced is kept for as long as the lag,
so that a view takes back the changes since then. Fills, settlements, payments and transfers never
change: their times tell which were there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ._events import CashMoved, Event, OrderChanged, PositionChanged
from ._holdings import Trader
from ._records import RESTING, Fill, Order, Payment, Position, Settlement, Transfer, Wallet
from ._text import SECOND

if TYPE_CHECKING:
    from ._exchange import Exchange

K = TypeVar("K", bound=Hashable)
V = TypeVar("V", Order, Position, Wallet)


@dataclass(frozen=True, slots=True)
class PastTrader:
    """What handlers read of a `Trader`, as it was."""

    user_id: str
    subaccounts: set[int]
    wallets: dict[tuple[int, int], Wallet]
    positions: dict[tuple[int, str], Position]
    orders: dict[str, Order]
    resting: dict[str, Order]
    fills: list[Fill]
    settlements: list[Settlement]
    payments: list[Payment]
    transfers: list[Transfer]


TraderView = Trader | PastTrader


class Shelf(Generic[K, V]):
    """The objects of one kind of one account: how they are, and what recent changes replaced."""

    def __init__(self) -> None:
        self._present: dict[K, V] = {}
        self._replaced: deque[tuple[int, K, V | None]] = deque()

    def __len__(self) -> int:
        """How many changes can be taken back."""
        return len(self._replaced)

    def start(self, key: K, value: V) -> None:
        """Know an object that was there when recording began."""
        self._present[key] = copy(value)

    def note(self, time: int, key: K, value: V, *, final: bool) -> None:
        """An object is new or has changed; a `final` one never will again. Times never go back."""
        before = self._present.get(key)
        if before == value:
            return
        if self._replaced:
            time = max(time, self._replaced[-1][0])
        self._replaced.append((time, key, before))
        if final:
            self._present.pop(key, None)
        else:
            self._present[key] = copy(value)

    def forget(self, oldest: int) -> int:
        """Let go of changes before a time; the latest time let go, or 0."""
        time, replaced = 0, self._replaced
        while replaced and replaced[0][0] < oldest:
            time = replaced.popleft()[0]
        return time

    def since(self, as_of: int) -> dict[K, V | None]:
        """What the objects that changed after a time were at that time; None: not there yet."""
        found: dict[K, V | None] = {}
        for time, key, before in reversed(self._replaced):
            if time <= as_of:
                break
            found[key] = before
        return found

    def past(self, present: dict[K, V], as_of: int) -> dict[K, V]:
        """The objects as they were, in their order."""
        return _patched(present, self.since(as_of))


def _patched(present: dict[K, V], before: dict[K, V | None]) -> dict[K, V]:
    if not before:
        return present
    found = dict(present)
    for key, value in before.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value
    return found


def _second(pair: tuple[object, int]) -> int:
    return pair[1]


class _Timed(Protocol):
    @property
    def time(self) -> int: ...


T = TypeVar("T", bound=_Timed)


def _until(entries: list[T], as_of: int) -> list[T]:
    return entries[: bisect_right(entries, as_of, key=lambda entry: entry.time)]


class _Touched:
    """What the events of one command changed of an account, and when last: of a command one sees
    only how everything was after it, and a view must not show that any earlier.
    """

    def __init__(self) -> None:
        self.orders: dict[str, int] = {}
        self.positions: dict[tuple[int, str], int] = {}
        self.wallets: dict[tuple[int, int], int] = {}


class _History:
    """What is known of one account."""

    def __init__(self) -> None:
        self.orders: Shelf[str, Order] = Shelf()
        self.positions: Shelf[tuple[int, str], Position] = Shelf()
        self.wallets: Shelf[tuple[int, int], Wallet] = Shelf()

    def start(self, trader: Trader) -> None:
        # Orders that have ended do not change any more.
        for order in trader.resting.values():
            self.orders.start(order.order_id, order)
        for place, position in trader.positions.items():
            self.positions.start(place, position)
        for key, wallet in trader.wallets.items():
            self.wallets.start(key, wallet)

    def note(self, trader: Trader, touched: _Touched) -> int:
        """Keep what the changes replaced; the time of the latest."""
        for order_id, time in sorted(touched.orders.items(), key=_second):
            order = trader.orders[order_id]
            self.orders.note(time, order_id, order, final=order.status != RESTING)
        for place, time in sorted(touched.positions.items(), key=_second):
            position = trader.positions.get(place)
            if position is not None:
                self.positions.note(time, place, position, final=False)
        for key, time in sorted(touched.wallets.items(), key=_second):
            self.wallets.note(time, key, trader.wallets[key], final=False)
        times = (*touched.orders.values(), *touched.positions.values(), *touched.wallets.values())
        return max(times)

    def forget(self, oldest: int) -> int:
        return max(
            self.orders.forget(oldest),
            self.positions.forget(oldest),
            self.wallets.forget(oldest),
        )

    def view(self, trader: Trader, as_of: int) -> PastTrader:
        changed = self.orders.since(as_of)
        wallets = self.wallets.past(trader.wallets, as_of)
        return PastTrader(
            user_id=trader.user_id,
            subaccounts={number for number in trader.subaccounts if (number, 0) in wallets} | {0},
            wallets=wallets,
            positions=self.positions.past(trader.positions, as_of),
            orders=_patched(trader.orders, changed),
            # What changed later was resting then, or not there.
            resting=_patched(trader.resting, changed),
            fills=_until(trader.fills, as_of),
            settlements=_until(trader.settlements, as_of),
            payments=_until(trader.payments, as_of),
            transfers=_until(trader.transfers, as_of),
        )


class LaggedView:
    """Accounts of an exchange as they were up to some seconds ago: see `keep`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._window = 0
        self._since = 0
        self._histories: dict[str, _History] = {}
        self._stop: Callable[[], None] | None = None

    def __repr__(self) -> str:
        changes = sum(
            len(history.orders) + len(history.positions) + len(history.wallets)
            for history in self._histories.values()
        )
        return f"<LaggedView of the last {self._window / SECOND:g} s: {changes} changes>"

    def keep(self, seconds: float) -> None:
        """Be able to show accounts as they were up to so many seconds ago, though not before this
        moment; 0 keeps nothing.
        """
        self._window = round(seconds * SECOND)
        if self._window and self._stop is None:
            # What is due belongs to the time before.
            self._exchange.tick()
            self._since = self._exchange.now()
            for trader in self._exchange.engine.traders.values():
                if not trader.house:
                    self._histories[trader.user_id] = history = _History()
                    history.start(trader)
            self._stop = self._exchange.listen(self._record)
        elif not self._window and self._stop is not None:
            self._stop()
            self._stop = None
            self._histories.clear()

    def view(self, user_id: str, as_of: int) -> TraderView:
        """The account as it was at a time in Unix microseconds, or at the earliest time that is
        known; what is returned must not be changed. Raises `ApiError` 404 for an unknown account.
        """
        trader = self._exchange.engine.trader(user_id)
        history = self._histories.get(user_id)
        if history is None:
            return trader
        return history.view(trader, max(as_of, self._since))

    def _record(self, events: Sequence[Event]) -> None:
        traders = self._exchange.engine.traders
        for user_id, touched in _touched(events).items():
            trader = traders[user_id]
            if trader.house:
                continue
            history = self._histories.get(user_id)
            if history is None:
                history = self._histories[user_id] = _History()
            latest = history.note(trader, touched)
            self._since = max(self._since, history.forget(latest - self._window))


def _touched(events: Iterable[Event]) -> dict[str, _Touched]:
    found: defaultdict[str, _Touched] = defaultdict(_Touched)
    for event in events:
        if isinstance(event, OrderChanged):
            order = event.order
            touched = found[order.user_id]
            touched.orders[order.order_id] = event.time
            # What backs the order changed with it.
            touched.wallets[order.subaccount, order.shard] = event.time
        elif isinstance(event, CashMoved):
            found[event.user_id].wallets[event.subaccount, event.shard] = event.time
        elif isinstance(event, PositionChanged):
            position = event.position
            found[position.user_id].positions[position.subaccount, position.ticker] = event.time
    return found
