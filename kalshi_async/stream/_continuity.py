"""Fills, orders and positions across a lost connection: which messages are news, in which order.

Their frames carry no sequence number, so what was sent while no connection was there is read over
REST. One object a subscription takes what is live and what was read, and gives each thing once, in
order. No I/O and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Generic, TypeVar

from .messages import FillUpdate, MarketPositionUpdate, UserOrderUpdate

T = TypeVar("T")

WINDOW = 65_536
"""How many fills, orders that have ended, and positions that are flat are remembered."""

Place = tuple[str, int]
"""A market and a subaccount."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Continuity(Generic[T]):
    """What the three kinds have in common.

    Call ``hold`` when the connection is lost, before any message of the next one is given to
    ``live``; read over REST once the subscription is confirmed and reads cannot lag behind that any
    more; give the result to ``release``. A connection that is lost before the release is one more
    ``hold``: what is held stays, and the reading has to begin where the first one had to. A release
    without what was read loses no live message.

    Held messages are bounded by nothing here: ``held`` says how many there are, and the caller
    counts them against the limit of the inbox for which they are meant.

    Attributes:
        duplicates: Live messages that told nothing new, and were not delivered.
        holding: Whether live messages are held back.
    """

    def __init__(self) -> None:
        self.duplicates = 0
        self.holding = False
        self._held: list[T] = []
        # Those before this index came over connections that were lost since.
        self._fresh_from = 0

    def __repr__(self) -> str:
        state = f"holding {self.held}" if self.holding else "live"
        return f"<{type(self).__name__}: {state}, {self.duplicates} duplicates>"

    @property
    def held(self) -> int:
        """How many live messages are held back."""
        return len(self._held)

    def live(self, message: T) -> Sequence[T]:
        """What to deliver now that this message has come: itself, or nothing."""
        if self.holding:
            self._held.append(message)
            return ()
        return (message,) if self._accepts(message) else ()

    def hold(self) -> None:
        """Hold live messages back: the connection was lost."""
        self.holding = True
        self._fresh_from = len(self._held)

    def release(self, backfilled: Sequence[T]) -> Sequence[T]:
        """What to deliver now that these were read: with those that were held, merged, in order,
        each once. Later messages are delivered at once again. Nothing where nothing is held back:
        what was read may by now be older than what was told.
        """
        if not self.holding:
            return ()
        held, fresh_from = self._held, self._fresh_from
        self._held, self._fresh_from, self.holding = [], 0, False
        return self._merged(backfilled, held, fresh_from)

    def _accepts(self, message: T) -> bool:
        """Whether a live message is news, which is then remembered as told; else it is counted."""
        raise NotImplementedError

    def _merged(self, backfilled: Sequence[T], held: list[T], fresh_from: int) -> list[T]:
        raise NotImplementedError


# Fills


class FillContinuity(Continuity[FillUpdate]):
    """Each fill once, ordered by time.

    Args:
        window: How many fills are remembered by their ids.
        since: Unix seconds of the exchange from which on fills are wanted: when it was subscribed.

    A fill that was both read and held is delivered as the live one, which knows more.
    """

    def __init__(self, *, window: int = WINDOW, since: float = 0.0) -> None:
        super().__init__()
        self._window = window
        self._told: dict[tuple[str, str], int] = {}
        # The newest millisecond of which a fill that was read may have been told long ago.
        self._floor = ceil(since * 1000) - 1

    @property
    def since_floor(self) -> float:
        """Unix seconds before which a backfill need not reach: fills of that time are unwanted, or
        too long ago to be recognised.
        """
        return (self._floor + 1) / 1000

    def _accepts(self, message: FillUpdate) -> bool:
        if (message.trade_id, message.order_id) in self._told:
            self.duplicates += 1
            return False
        self._tell(message)
        return True

    def _merged(
        self, backfilled: Sequence[FillUpdate], held: list[FillUpdate], fresh_from: int
    ) -> list[FillUpdate]:
        live: dict[tuple[str, str], FillUpdate] = {}
        for fill in held:
            identity = (fill.trade_id, fill.order_id)
            if identity in self._told or identity in live:
                self.duplicates += 1
            else:
                live[identity] = fill
        read: dict[tuple[str, str], FillUpdate] = {}
        for fill in backfilled:
            identity = (fill.trade_id, fill.order_id)
            if identity in live:
                read[identity] = live.pop(identity)
            elif identity not in self._told and _fill_ms(fill) > self._floor:
                read.setdefault(identity, fill)
        # Sorting is stable: within a millisecond they are as REST lists them, and what came after
        # that is last.
        merged = sorted([*read.values(), *live.values()], key=_fill_ms)
        for fill in merged:
            self._tell(fill)
        return merged

    def _tell(self, fill: FillUpdate) -> None:
        self._told[fill.trade_id, fill.order_id] = _fill_ms(fill)
        if len(self._told) > self._window:
            self._floor = max(self._floor, self._told.pop(next(iter(self._told))))


def _fill_ms(fill: FillUpdate) -> int:
    """When it happened, or for want of that when it was received; Unix milliseconds."""
    return fill.ts_ms or (fill.ts or 0) * 1000 or int(fill.received_at * 1000)


# Orders


class OrderContinuity(Continuity[UserOrderUpdate]):
    """Each state of an order once, and none that is older than what was told of it.

    Remembered are all orders that rest, of which an account has so many, and ``window`` of those
    that have ended.

    Args:
        window: How many orders that have ended are remembered.
        since: Unix seconds of the exchange from which on changes are wanted: when subscribing
            began. A second too early does no harm.
    """

    def __init__(self, *, window: int = WINDOW, since: float = 0.0) -> None:
        super().__init__()
        self._window = window
        self._since = ceil(since * 1_000_000)
        self._told: dict[str, UserOrderUpdate] = {}
        self._ended: dict[str, None] = {}
        # Orders that rested before anything was told of them: as they were, or None where that
        # was wanted and its live message may be lost.
        self._before: dict[str, UserOrderUpdate | None] = {}
        # The newest microsecond of which the end of an order may have been told and forgotten.
        self._floor = -1

    @property
    def believed_resting(self) -> frozenset[str]:
        """Ids of the orders that were last known to rest. A backfill has to tell of all of them."""
        told = (order_id for order_id, order in self._told.items() if not has_ended(order))
        return frozenset((*told, *self._before))

    def baseline(self, orders: Iterable[UserOrderUpdate]) -> None:
        """Know the orders that rest, so that they can be asked for should they end unseen. Nothing
        is delivered of them, and live messages about them are delivered all the same.

        Called with what is read before the first subscription (what ends at once is known then),
        and with what is read once it is confirmed (so is what came in between).
        """
        for order in orders:
            if order.order_id not in self._told and not has_ended(order):
                self._note(order)

    def _note(self, order: UserOrderUpdate) -> None:
        self._before[order.order_id] = None if self._is_wanted(order) else order

    def _is_wanted(self, order: UserOrderUpdate) -> bool:
        return order_micros(order) >= self._since

    def _accepts(self, message: UserOrderUpdate) -> bool:
        told = self._told.get(message.order_id)
        if told is not None and not is_newer(message, told):
            self.duplicates += 1
            return False
        self._tell(message)
        return True

    def _merged(
        self, backfilled: Sequence[UserOrderUpdate], held: list[UserOrderUpdate], fresh_from: int
    ) -> list[UserOrderUpdate]:
        # Sorting is stable: of two that say the same, the live one is told, which knows more.
        union = [*((order, True) for order in held), *((order, False) for order in backfilled)]
        union.sort(key=lambda pair: _place_in_time(pair[0]))
        merged = []
        for order, is_live in union:
            if is_live:
                if self._accepts(order):
                    merged.append(order)
            elif self._is_news(order):
                self._tell(order)
                merged.append(order)
        return merged

    def _is_news(self, order: UserOrderUpdate) -> bool:
        """Whether a state that was read has to be told."""
        order_id = order.order_id
        known = self._told.get(order_id) or self._before.get(order_id)
        if known is not None:
            return is_newer(order, known)
        if has_ended(order):
            return self._is_wanted(order) and order_micros(order) > self._floor
        if self._is_wanted(order):
            return True
        self._note(order)
        return False

    def _tell(self, order: UserOrderUpdate) -> None:
        order_id = order.order_id
        self._told[order_id] = order
        self._before.pop(order_id, None)
        if not has_ended(order):
            self._ended.pop(order_id, None)
            return
        self._ended[order_id] = None
        if len(self._ended) > self._window:
            oldest = next(iter(self._ended))
            del self._ended[oldest]
            self._floor = max(self._floor, order_micros(self._told.pop(oldest)))


def has_ended(order: UserOrderUpdate) -> bool:
    """Whether it has left the book."""
    return order.status != "resting"


def is_newer(order: UserOrderUpdate, than: UserOrderUpdate) -> bool:
    """Whether it tells something of the same order that came after the other state.

    By the time of the last update, then by what was filled, then by whether it has ended. Where
    all that is the same, a state that differs is taken for newer.
    """
    # Only one of the two may have microseconds.
    now, then = order_micros(order), order_micros(than)
    if now // 1000 != then // 1000:
        return now > then
    if now % 1000 and then % 1000 and now != then:
        return now > then
    filled, before = order.fill_count or Decimal(0), than.fill_count or Decimal(0)
    if filled != before:
        return filled > before
    if has_ended(order) != has_ended(than):
        return has_ended(order)
    return _differ(order, than, _ORDER_FACTS)


def order_micros(order: UserOrderUpdate) -> int:
    """When an order changed last, in Unix microseconds; as exact as it is told."""
    for at, at_ms in (
        (order.last_update_time, order.last_updated_ts_ms),
        (order.created_time, order.created_ts_ms),
    ):
        if at is not None:
            return (at - _EPOCH) // _MICROSECOND
        if at_ms is not None:
            return at_ms * 1000
    return int(order.received_at * 1_000_000)


def _place_in_time(order: UserOrderUpdate) -> tuple[int, Decimal, bool]:
    return order_micros(order), order.fill_count or Decimal(0), has_ended(order)


_ORDER_FACTS = (
    "client_order_id",
    "expiration_time",
    "initial_count",
    "remaining_count",
    "status",
    "yes_price",
)


# Positions


class PositionContinuity(Continuity[MarketPositionUpdate]):
    """The changes of each position, none of them back to an earlier state.

    Positions carry no time. What was read is older than what the present connection has said of the
    same position, and newer than all that came before; the volume and the fees, which only grow,
    recognise what comes late. What was read says no volume: where the fees do not tell either, a
    message that is later than the reading of what came after it is told, until that comes as well.

    Remembered are all positions that are not flat, of which an account has so many, and ``window``
    of the others.

    Args:
        window: How many flat positions are remembered.
    """

    def __init__(self, *, window: int = WINDOW) -> None:
        super().__init__()
        self._window = window
        self._told: dict[Place, MarketPositionUpdate] = {}
        self._before: dict[Place, MarketPositionUpdate] = {}
        self._flat: dict[Place, None] = {}

    @property
    def believed_held(self) -> frozenset[Place]:
        """The places in which something was last known to be held. A backfill has to tell of all of
        them.
        """
        known = (*self._told.items(), *self._before.items())
        return frozenset(place for place, position in known if position.position)

    def baseline(self, positions: Iterable[MarketPositionUpdate]) -> None:
        """Know the positions of before the first subscription, read before it was made; nothing is
        delivered of them. Without this, the first backfill delivers all positions.
        """
        for position in positions:
            place = place_of(position)
            if place not in self._told:
                self._before[place] = position

    def _accepts(self, message: MarketPositionUpdate) -> bool:
        if self._changes(message, self._told.get(place_of(message))):
            self._tell(message)
            return True
        self.duplicates += 1
        return False

    def _merged(
        self,
        backfilled: Sequence[MarketPositionUpdate],
        held: list[MarketPositionUpdate],
        fresh_from: int,
    ) -> list[MarketPositionUpdate]:
        earlier, fresh = held[:fresh_from], held[fresh_from:]
        merged = [position for position in earlier if self._accepts(position)]
        live = {place_of(position) for position in fresh}
        for position in backfilled:
            place = place_of(position)
            known = self._told.get(place) or self._before.get(place)
            if place not in live and self._changes(position, known):
                self._tell(position)
                merged.append(position)
        merged += [position for position in fresh if self._accepts(position)]
        return merged

    @staticmethod
    def _changes(position: MarketPositionUpdate, known: MarketPositionUpdate | None) -> bool:
        """Whether it tells something that came after what is known."""
        if known is None:
            return True
        for name in ("volume", "fees_paid"):
            now, before = getattr(position, name), getattr(known, name)
            if now is not None and before is not None and now != before:
                return bool(now > before)
        return _differ(position, known, _POSITION_FACTS)

    def _tell(self, position: MarketPositionUpdate) -> None:
        place = place_of(position)
        self._told[place] = position
        self._before.pop(place, None)
        if position.position:
            self._flat.pop(place, None)
            return
        self._flat[place] = None
        if len(self._flat) > self._window:
            oldest = next(iter(self._flat))
            del self._flat[oldest]
            del self._told[oldest]


def place_of(position: MarketPositionUpdate) -> Place:
    """Where it is held."""
    return position.market_ticker, position.subaccount or 0


_POSITION_FACTS = ("position", "position_cost", "position_fee_cost", "realized_pnl")


def _differ(one: object, other: object, names: Iterable[str]) -> bool:
    """Whether a field that both know is not the same."""
    for name in names:
        here, there = getattr(one, name), getattr(other, name)
        if here is not None and there is not None and here != there:
            return True
    return False
