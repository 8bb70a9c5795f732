"""Subscriptions to a recording: those of a live stream, fed by a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .._books import BookUpdate, OrderBooks
from .._channels import Channel
from .._leg import BookConsumer, BookLeg, Leg
from .._private import FillStream, OrderStream, PositionStream
from .._protocol import Ended
from .._subscription import Subscription
from ..messages import FillUpdate, MarketPositionUpdate, UserOrderUpdate
from .playback import Playback
from .readers import Reader

if TYPE_CHECKING:
    from .._backfill import Backfill
    from .._connection import Connection

T = TypeVar("T")

NO_BACKFILL = cast("Backfill", None)
"""What the account's subscriptions read over REST with."""


async def take(playback: Playback, reader: Reader) -> Any:
    """The next message for a reader, for which the file goes on. Cancelling is safe."""
    await playback.readers.fill(reader)
    taken = await reader.inbox.take()
    playback.readers.taken()
    return taken


class Deck:
    """Takes the place of the connection that carries a replayed subscription."""

    load = 0

    def __init__(self, playback: Playback) -> None:
        self._playback = playback
        self.reserved = 0

    async def subscribe(self, leg: Leg) -> None:
        """Deliver to it from now on."""
        self._playback.follow(leg)

    async def command(self, do: Callable[[Deck, Ended], None], *_: object) -> None:
        """Do it at once."""
        do(self, lambda _: None)

    def add(self, leg: Leg, subjects: Sequence[str], ended: Ended) -> None:
        """Deliver these as well."""
        leg.added(subjects)
        self._playback.greet(leg, subjects)
        ended(None)

    def remove(self, leg: Leg, subjects: Sequence[str], ended: Ended) -> None:
        """Deliver these no longer."""
        leg.removed(subjects)
        ended(None)

    def drop(self, leg: Leg) -> None:
        """Deliver nothing any more."""
        self._playback.unfollow(leg)

    def pause(self, whom: object) -> None:
        """The file waits for its readers anyway."""

    def resume(self, whom: object) -> None:
        """See ``pause``."""


class FollowedBooks(BookLeg):
    """A replayed subscription to books: they are those of the recording."""

    def __init__(
        self, channel: Channel, consumer: BookConsumer, playback: Playback, tickers: Sequence[str]
    ) -> None:
        super().__init__(channel, (), {}, consumer)
        self._playback = playback
        self.added(tickers)

    def added(self, subjects: Iterable[str]) -> None:
        """See ``Leg``."""
        for ticker in subjects:
            self.subjects[ticker] = None
            self.books[ticker] = self._playback.ledger.book(ticker)

    def removed(self, subjects: Iterable[str]) -> None:
        """See ``Leg``; the recording may go on with these books."""
        for ticker in subjects:
            self.subjects.pop(ticker, None)
            self.books.pop(ticker, None)


class Played(Subscription[T]):
    """A subscription to a recording."""

    def __init__(self, carrier: Any, *args: Any, **options: Any) -> None:
        super().__init__(carrier, *args, **options)
        self._playback: Playback = carrier
        conflates = options.get("conflate") is not None
        self.reader = Reader(self._inbox, self.too_slow, optional=conflates)

    async def __anext__(self) -> T:
        if not self._opened:
            await self.open()
        message: T = await take(self._playback, self.reader)
        return message

    async def _open_legs(self, subjects: Sequence[str]) -> None:
        # Not by way of the account's subscriptions, which read over REST what stands.
        await Subscription._open_legs(self, subjects)

    async def _subscribe(self, leg: Leg) -> None:
        deck = Deck(self._playback)
        self._legs[leg] = cast("Connection", deck)
        await deck.subscribe(leg)

    def lost(self) -> None:
        """What was lost is not in the file."""

    def live(self) -> None:
        """See ``lost``."""

    def doubted(self) -> None:
        """See ``lost``."""


class PlayedBooks(Played[BookUpdate], OrderBooks):
    """Order books of a recording: all that is read of them is told."""

    def __init__(self, carrier: Any, *args: Any, **options: Any) -> None:
        super().__init__(carrier, *args, **options)
        self.put: Callable[[Any], None] = self._inbox.put

    async def _settle(self) -> None:
        """Nothing is read before somebody iterates."""

    async def _all_stand(self) -> None:
        """See ``_settle``."""

    def _make_leg(self, subjects: Sequence[str]) -> Leg:
        return FollowedBooks(self._kind, self, self._playback, subjects)


class PlayedFills(Played[FillUpdate], FillStream):
    """Recorded fills."""


class PlayedOrders(Played[UserOrderUpdate], OrderStream):
    """Recorded orders."""


class PlayedPositions(Played[MarketPositionUpdate], PositionStream):
    """Recorded positions."""
