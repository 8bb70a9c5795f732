"""Subscriptions to the account's own channels, which lose nothing over a lost connection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import anyio

from .._errors import (
    AuthenticationError,
    ClientClosedError,
    KalshiError,
    PermissionDeniedError,
)
from .._stream_errors import StreamError
from .._stream_events import StreamBackfill
from ._channels import FILL, MARKET_POSITIONS, USER_ORDERS, Channel
from ._continuity import Continuity, FillContinuity, OrderContinuity, PositionContinuity
from ._subscription import Carrier, Subscription
from .messages import FillUpdate, MarketPositionUpdate, StreamMessage, UserOrderUpdate

if TYPE_CHECKING:
    from ._backfill import Backfill

T = TypeVar("T", bound=StreamMessage)

# Reads lag writes by up to 0.4 s: one that begins so long after the subscription stands shows all
# that it does not.
LAG = 1.0
# For so many seconds REST may fail before waiting for it is given up.
GIVE_UP = 120.0
# The exchange's clock is not known better: rather a little of before than a gap.
_CLOCK_ERROR = 2.5
_LONGEST_RETRY = 10.0


class PrivateSubscription(Subscription[T], Generic[T]):
    """One of the account's own channels: each message once, in order, none lost.

    After a lost connection live messages wait until what was missed has been read over REST, some
    seconds at most; what was read is marked ``backfilled``. Should REST fail as well, it is tried
    for two minutes (``StreamBackfill`` events tell), or until ``max_queue`` messages wait; then
    iterating raises.
    """

    _of: ClassVar[Channel]
    _continuity: Continuity[T]

    def __init__(
        self,
        carrier: Carrier,
        backfill: Backfill,
        tickers: Sequence[str],
        *,
        max_queue: int,
    ) -> None:
        params: dict[str, object] = {"skip_ticker_ack": True}
        super().__init__(carrier, self._of, tickers, params, max_queue=max_queue)
        self.put = self._put_in_order
        self._continuity = self._begin(carrier.now())
        self._backfill, self._most_held = backfill, max_queue
        # By the monotonic clock: a wall clock may be set meanwhile.
        self._lost_at: float | None = None
        self._interruptions = 0
        self._catching_up = -1
        self._doubted_again = False

    def _begin(self, since: float) -> Continuity[T]:
        """What keeps the order; what happened from ``since`` on is wanted."""
        raise NotImplementedError

    async def _missed(self, since: float, tickers: Collection[str] | None) -> Sequence[T]:
        raise NotImplementedError

    @property
    def _tickers(self) -> Collection[str] | None:
        return frozenset(self.subjects) or None

    def _put_in_order(self, message: T) -> None:
        continuity = self._continuity
        known = continuity.duplicates
        for each in continuity.live(message):
            self._inbox.put(each)
        self.stats.repeats += continuity.duplicates - known
        if continuity.held > self._most_held:
            self.failed(
                StreamError(
                    f"{self.channel}: {continuity.held} messages wait for what was missed before "
                    "them, which could not be read over REST"
                )
            )

    def lost(self) -> None:
        """Nothing comes any more, until ``live``."""
        self._continuity.hold()
        self._interruptions += 1
        if self._lost_at is None:
            silence = max((each.silence for each in self._legs.values()), default=0.0)
            self._lost_at = monotonic() - silence

    def live(self) -> None:
        """It is subscribed to; once all of it is, what was missed can be read."""
        if self._lost_at is not None and self._stands:
            self._catching_up = self._interruptions
            self._carrier.spawn(self._catch_up)

    def doubted(self) -> None:
        """See ``Subscription``: REST tells what it was."""
        if self._catching_up == self._interruptions and self._stands:
            self._doubted_again = True  # what is being read may be of before
        else:
            self.lost()
            self.live()

    @property
    def _stands(self) -> bool:
        return all(leg.line is not None for leg in self._legs)

    def _goes_on(self, interruption: int) -> bool:
        """Whether there is still something to catch up with, and for this task to do it."""
        newest = interruption == self._interruptions and self._stands
        return newest and not self._closed and self._lost_at is not None

    async def _catch_up(self) -> None:
        """Read what was missed and go on with what is live."""
        interruption, wait, began = self._interruptions, LAG, monotonic()
        while True:
            await anyio.sleep(wait)
            if not self._goes_on(interruption) or self._lost_at is None:
                return
            undecoded = self._backfill.undecoded
            since = self._carrier.now() - (monotonic() - self._lost_at) - self._carrier.late
            try:
                missed = await self._missed(since, self._tickers)
            except (AuthenticationError, PermissionDeniedError, ClientClosedError) as error:
                self.failed(error)
                return
            except KalshiError as error:
                self.tell(StreamBackfill(self.channel, 0, error=error))
                if monotonic() - began >= GIVE_UP:
                    self._give_up(error)
                    return
                wait = min(wait * 2, _LONGEST_RETRY)
                continue
            if self._goes_on(interruption):
                self._lost_at, self._catching_up = None, -1
                self._go_on(missed, self._backfill.undecoded - undecoded)
                if self._doubted_again:
                    self._doubted_again = False
                    self.doubted()
            return

    def _give_up(self, error: KalshiError) -> None:
        lost = StreamError(
            f"{self.channel}: what was missed could not be read over REST for {GIVE_UP:.0f} s: "
            f"{error}"
        )
        lost.__cause__ = error
        if not self._closed:
            self.failed(lost)

    def _go_on(self, missed: Sequence[T], undecoded: int) -> None:
        continuity = self._continuity
        known, count = continuity.duplicates, 0
        for each in continuity.release(missed):
            count += each.backfilled
            self._inbox.put(each)
        self.stats.repeats += continuity.duplicates - known
        self.stats.backfilled += count
        self.tell(StreamBackfill(self.channel, count, undecoded))

    async def _open_legs(self, subjects: Sequence[str]) -> None:
        tickers = frozenset(subjects) or None
        if not self._legs:
            self._continuity = self._begin(self._carrier.now() - _CLOCK_ERROR)
        await self._know(tickers)
        await super()._open_legs(subjects)
        await self._know_more(tickers)

    async def add(self, *subjects: str) -> None:
        """See ``Subscription.add``."""
        await self._know(frozenset(subjects))
        await super().add(*subjects)
        await self._know_more(frozenset(subjects))

    async def _know(self, tickers: Collection[str] | None) -> None:
        """Learn, before subscribing, how things stand."""

    async def _know_more(self, tickers: Collection[str] | None) -> None:
        """Learn how things stand once it is subscribed to."""


class FillStream(PrivateSubscription[FillUpdate]):
    """The account's fills."""

    _of = FILL
    _continuity: FillContinuity

    def _begin(self, since: float) -> FillContinuity:
        return FillContinuity(since=since)

    async def _missed(self, since: float, tickers: Collection[str] | None) -> Sequence[FillUpdate]:
        since = max(since, self._continuity.since_floor)
        return await self._backfill.fills(since, tickers)


class OrderStream(PrivateSubscription[UserOrderUpdate]):
    """The account's orders."""

    _of = USER_ORDERS
    _continuity: OrderContinuity

    def _begin(self, since: float) -> OrderContinuity:
        return OrderContinuity(since=since)

    # An order that ends unseen is told of only if it was known to rest.

    async def _know(self, tickers: Collection[str] | None) -> None:
        self._continuity.baseline(await self._backfill.resting(tickers))

    _know_more = _know

    async def _missed(
        self, since: float, tickers: Collection[str] | None
    ) -> Sequence[UserOrderUpdate]:
        resting = self._continuity.believed_resting
        return await self._backfill.orders(since, resting, tickers)


class PositionStream(PrivateSubscription[MarketPositionUpdate]):
    """The account's positions."""

    _of = MARKET_POSITIONS
    _continuity: PositionContinuity

    def _begin(self, since: float) -> PositionContinuity:
        return PositionContinuity()

    async def _know(self, tickers: Collection[str] | None) -> None:
        self._continuity.baseline(await self._backfill.positions(tickers))

    async def _missed(
        self, since: float, tickers: Collection[str] | None
    ) -> Sequence[MarketPositionUpdate]:
        return await self._backfill.positions(tickers, self._continuity.believed_held)
