"""The face of recordings: a stream that comes out of a file."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

import anyio

from ..._errors import ConfigurationError, InvalidRequestError
from ..._options import is_positive
from ..._stream_errors import SlowConsumer
from ..._stream_events import StreamEvent
from .._channels import Channel
from .._session import Events
from .._stream import DEFAULT_MAX_QUEUE, Stream, checked_queue
from .._subscription import Subscription
from ..messages import StreamMessage
from ..orderbook import BookView
from .followers import (
    NO_BACKFILL,
    Played,
    PlayedBooks,
    PlayedFills,
    PlayedOrders,
    PlayedPositions,
    take,
)
from .playback import Pace, Playback
from .readers import Reader

if TYPE_CHECKING:
    from .._session import Session


class Replay(Stream):
    """A recording, played to the same subscriptions as a live stream: ``async with Replay(path)``.

    Frames go through the same protocol, checks and books as live, and carry the time of the
    recording. What was recorded several times comes once. Iterating ends when the file does.

    The file goes on when somebody waits for a message and nobody who iterates still has one to
    take: the same every time, and never ahead of a consumer up to its first ``await`` between two
    messages. Nothing is read before somebody iterates, so that books stand once their snapshot
    was read. Subscriptions get what comes after they were opened, the account's ones without what
    was read over REST; ``own_only`` and ``shard`` change nothing.

    Args:
        path: A file that ``Stream.record`` wrote.
        speed: None plays as fast as the consumers take it; otherwise recorded seconds in one
            second, 1 being real time, from when the first subscription is opened on.
        max_queue: How many messages may wait for a consumer who does not take them.
        patience: Seconds (of this day) that the file waits for a consumer who does not come to
            take what there is; its messages pile up from then on, and with ``max_queue`` of them
            it gets ``SlowConsumer``. None waits for ever. Who only reads books subscribes with
            ``conflate=True``, and is not waited for.
        clock: Seconds that only grow; ``sleep`` waits for so many of them. Both for ``speed``.

    Raises:
        ConfigurationError: ``speed`` is not above 0. When entering: the file is no recording, or
            one of another format.
        OSError: When entering: the file cannot be read.
        StreamError: While iterating, from every subscription: a line of it is corrupt.
    """

    _plain = Played
    _books = PlayedBooks
    _fills = PlayedFills
    _orders = PlayedOrders
    _positions = PlayedPositions

    def __init__(
        self,
        path: str | Path,
        *,
        speed: float | None = None,
        max_queue: int = DEFAULT_MAX_QUEUE,
        patience: float | None = 8.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        for name, value in (("speed", speed), ("patience", patience)):
            if value is not None and not (is_positive(value) and value < inf):
                raise ConfigurationError(f"{name} is {value!r}; expected a number above 0, or None")
        self._playback = Playback(path, Pace(speed, patience, clock, sleep))
        super().__init__(
            cast("Session", self._playback),
            lambda: NO_BACKFILL,
            _no_rest,
            max_queue=checked_queue(max_queue),
            connect_deadline=None,
        )

    def __repr__(self) -> str:
        playback = self._playback
        state = "ended" if playback.ended else playback.state
        return f"<Replay {playback.path}: {state}, {playback.stats.frames} frames>"

    async def __aenter__(self) -> Self:
        return await super().__aenter__()

    # What the file holds

    @property
    def books(self) -> Mapping[str, BookView]:
        """All books read so far by market, as they stand; stale ones answer as live ones do."""
        return MappingProxyType(self._playback.ledger.books)

    @property
    def kinds(self) -> Mapping[str, int]:
        """How many frames of each type were read so far."""
        return Counter(self._playback.ledger.kinds)

    @property
    def now(self) -> float:
        """The recorded time that was reached, in Unix seconds; 0 before the first entry."""
        return self._playback.now()

    @property
    def started_at(self) -> float:
        """When recording began, in Unix seconds; 0 before the replay was entered."""
        return self._playback.file.started_at if self._playback.file else 0.0

    @property
    def ended(self) -> bool:
        """Whether the whole file was read."""
        return self._playback.ended

    @property
    def truncated(self) -> bool:
        """Whether the file, read to its end, breaks off: its writer was killed, or still writes."""
        return self._playback.file is not None and self._playback.file.truncated

    @property
    def lost(self) -> int:
        """Frames read of so far that the recorder could not write."""
        return self._playback.lost

    def messages(self) -> Messages:
        """All messages of the file from here on, in order, whatever their channel."""
        return Messages(self._playback, self._max_queue)

    def events(self) -> Events:
        """What happened to the recorded stream, and what its frames do to books, from now on."""
        return _PlayedEvents(self._playback)

    def record(self, path: str | Path, *, overwrite: bool = False) -> NoReturn:
        """Not possible: the file is a recording already."""
        raise InvalidRequestError(f"a replay is not recorded: copy {self._playback.path} instead")

    def _subscription(
        self,
        channel: Channel,
        subjects: Sequence[str],
        max_queue: int | None,
        params: dict[str, object] | None = None,
        conflate: Callable[[Any], Hashable] | None = None,
    ) -> Subscription[Any]:
        # In a recording nothing goes by this name: all indices are wanted.
        named = () if "all" in subjects else subjects
        return super()._subscription(channel, named, max_queue, params, conflate)


class Messages:
    """All messages of a recording: ``async for`` gives them in order. See ``Replay.messages``."""

    def __init__(self, playback: Playback, max_queue: int) -> None:
        self._playback, self._most = playback, max_queue
        self._inbox = playback.inbox(max_queue)
        self._reader = Reader(self._inbox, self._too_slow)
        playback.tap(self._inbox)
        playback.enter(self._reader)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamMessage:
        """The next message. Cancelling is safe."""
        message: StreamMessage = await take(self._playback, self._reader)
        return message

    def _too_slow(self, waited: float) -> None:
        self._inbox.fail(SlowConsumer("messages", self._inbox.clear(), waited))
        self._playback.readers.leave(self._reader)


class _PlayedEvents(Events):
    """The events of a replay; who iterates over them has the file go on."""

    def __init__(self, playback: Playback) -> None:
        super().__init__(cast("Session", playback))
        self._playback = playback
        self._reader = Reader(self._inbox, lambda _: None, optional=True)
        playback.enter(self._reader)

    async def __anext__(self) -> StreamEvent:
        event: StreamEvent = await take(self._playback, self._reader)
        return event

    def close(self) -> None:
        """See ``Events``."""
        super().close()
        self._playback.readers.leave(self._reader)


def _no_rest(*_: object) -> NoReturn:
    raise InvalidRequestError("a recording has nothing to compare with over REST")
