"""What takes the place of connections when a recording is played: whom the file waits for."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import anyio
import anyio.lowlevel
import msgspec
from anyio.abc import TaskGroup

from .._errors import InvalidRequestError, KalshiError
from .._stream_errors import StreamClosedError, StreamError
from .._stream_events import (
    StreamConnected,
    StreamDisconnected,
    StreamEvent,
    StreamResumed,
)
from ._channels import ORDERBOOK
from ._frames import DataFrame
from ._inbox import Inbox
from ._leg import BookLeg, Leg
from ._played import CHANNELS, Ledger, PlayedLine
from ._protocol import Ended
from ._recording_lines import (
    Entry,
    RecordedBook,
    RecordedCommand,
    RecordedEvent,
    RecordedFrame,
    RecordedLoss,
    RecordedOpen,
    RecordingReader,
)
from ._session import MOST_EVENTS
from ._stats import StreamStats
from .messages import OrderbookSnapshot, StreamMessage

if TYPE_CHECKING:
    from ._connection import Connection, Tape
    from ._subscription import Subscription

logger = logging.getLogger("kalshi_async.stream")

# After so many frames in one go everybody else has a turn.
_AT_ONCE = 200
# In real time: seconds that the file waits for who does not take what fills an inbox.
_PATIENCE = 8.0
_CONNECTION_EVENTS: dict[str, type[StreamConnected | StreamDisconnected | StreamResumed]] = {
    each.__name__: each for each in (StreamConnected, StreamDisconnected, StreamResumed)
}


class Reader:
    """Somebody who takes messages out of an inbox.

    Args:
        inbox: What waits for them.
        too_slow: Called when it is full and nobody is there to take them.
    """

    def __init__(self, inbox: Inbox[Any], too_slow: Callable[[float], None]) -> None:
        self.inbox, self.too_slow = inbox, too_slow
        self.task: asyncio.Task[Any] | None = None
        self.waits = False


class Played(Protocol):
    """A replayed subscription, as far as the playback speaks to it."""

    reader: Reader


class FollowedBooks(BookLeg):
    """A replayed subscription to order books: the books are those of the recording."""

    def __init__(self, leg: BookLeg, playback: Playback) -> None:
        super().__init__(leg.channel, (), leg.params, leg.consumer)  # type: ignore[arg-type]
        self._playback = playback
        self.added(leg.subjects)

    def added(self, subjects: object) -> None:
        """See ``Leg``."""


class Deck:
    """Takes the place of the connection that carries a replayed subscription."""

    load = 0

    def __init__(self, playback: Playback) -> None:
        self._playback = playback

    @property
    def alive_at(self) -> float:
        """The time of the recording."""
        return self._playback.now()

    async def subscribe(self, leg: Leg) -> None:
        """Deliver to it from now on; what was read already does not come again."""
        self._playback.follow(leg)

    async def command(self, do: Callable[[Deck, Ended], None]) -> None:
        """Do it at once."""
        do(self, lambda _: None)

    def add(self, leg: Leg, subjects: list[str], ended: Ended) -> None:
        """Deliver these as well."""
        leg.added(subjects)
        ended(None)

    def remove(self, leg: Leg, subjects: list[str], ended: Ended) -> None:
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
        self._playback.wake()
