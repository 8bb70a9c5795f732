"""A recording as the engine of a stream: whom the file waits for, and what reaches whom."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Literal, Protocol

import anyio
import msgspec
from anyio.abc import TaskGroup

from ..._errors import KalshiError
from ..._stream_errors import StreamClosedError, StreamError
from ..._stream_events import StreamConnected, StreamDisconnected, StreamEvent, StreamResumed
from .._channels import ORDERBOOK
from .._frames import DataFrame
from .._inbox import Inbox
from .._leg import Leg
from .._session import MOST_EVENTS
from .._stats import StreamStats
from ..messages import OrderbookSnapshot, StreamMessage
from .lines import (
    Entry,
    RecordedBook,
    RecordedCommand,
    RecordedEvent,
    RecordedFrame,
    RecordedLoss,
    RecordedOpen,
    RecordingReader,
)
from .played import Ledger, PlayedLine
from .readers import AT_ONCE, Reader, Readers

logger = logging.getLogger("kalshi_async.stream")

_EVENTS: dict[str, type[StreamConnected | StreamDisconnected | StreamResumed]] = {
    each.__name__: each for each in (StreamConnected, StreamDisconnected, StreamResumed)
}


class Follower(Protocol):
    """A replayed subscription."""

    reader: Reader

    def failed(self, error: KalshiError) -> None: ...


class Pace:
    """How fast a file is read.

    Args:
        speed: Recorded seconds in one second; None: as fast as readers take it.
        patience: Seconds to wait for a reader who does not come back; None waits for ever.
        clock: Seconds.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        speed: float | None,
        patience: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.speed, self.patience, self.clock, self.sleep = speed, patience, clock, sleep


class Playback:
    """The engine of one replay, in the place of a live stream's session.

    The file goes on when a reader waits for a message and no other reader still has one to take.
    """

    most_markets = 1 << 62
    patience = 0.0

    def __init__(self, path: str | Path, pace: Pace) -> None:
        self.path, self._pace = Path(path), pace
        self.stats = StreamStats()
        self.ledger = Ledger(self.stats, self.tell, self._deliver)
        self.subscriptions: set[Follower] = set()
        self.connections: list[PlayedLine] = []
        self.file: RecordingReader | None = None
        self.lost = 0
        self._at = 0.0
        self._entries: Iterator[Entry] = iter(())
        step = self._step if pace.speed is None else None
        self.readers = Readers(step, pace.patience)
        self._legs: dict[str, tuple[Leg, ...]] = {}
        self._taps: tuple[Inbox[StreamMessage], ...] = ()
        self._listeners: set[Inbox[StreamEvent]] = set()
        self._group: TaskGroup | None = None
        self._begun = asyncio.Event()
        self._over: BaseException | None = None
        self._closed = False

    @property
    def state(self) -> Literal["connected", "connecting", "closed", "lost"]:
        """``connected`` while it is open."""
        return "closed" if self._closed or self.file is None else "connected"

    @property
    def ended(self) -> bool:
        """Whether the whole file was read."""
        return self._over is not None

    # Life

    async def start(self, deadline: float | None) -> None:
        """Open the file; in real time, it begins when the first subscription stands."""
        self.file = RecordingReader(self.path)
        self._entries = iter(self.file)
        if self._pace.speed is not None:
            self._group = anyio.create_task_group()
            await self._group.__aenter__()
            self._group.start_soon(self._keep_pace, self._pace.speed)

    async def stop(self) -> None:
        """Close everything."""
        self._closed = True
        closed = StreamClosedError("the replay was closed")
        for subscription in list(self.subscriptions):
            subscription.failed(closed)
        for listener in self._listeners:
            listener.fail(closed)
        self.readers.fail(closed)
        if self.file is not None:
            self.file.close()
        group, self._group = self._group, None
        if group is not None:
            group.cancel_scope.cancel()
            await group.__aexit__(None, None, None)

    # For subscriptions: what a live session does

    def now(self) -> float:
        """The recorded time, in Unix seconds; 0 before the first entry was read."""
        return self._at

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Nothing is read over REST here."""

    def tell(self, event: StreamEvent) -> None:
        """Pass an event on."""
        for listener in self._listeners:
            if len(listener) < MOST_EVENTS:
                listener.put(event)
            else:
                self.stats.dropped["events"] += 1

    def joined(self, subscription: Follower) -> None:
        """A subscription opens."""
        self._check_open()
        self.subscriptions.add(subscription)
        self.enter(subscription.reader)

    def left(self, subscription: Follower) -> None:
        """A subscription is closed."""
        self.subscriptions.discard(subscription)
        self.readers.leave(subscription.reader)

    def _check_open(self) -> None:
        if self._closed or self.file is None:
            raise StreamClosedError("the replay is not open: use `async with Replay(…)`")

    def follow(self, leg: Leg) -> None:
        """Deliver to a leg from now on."""
        name = leg.channel.name
        self._legs[name] = (*self._legs.get(name, ()), leg)
        self.greet(leg, leg.subjects)

    def unfollow(self, leg: Leg) -> None:
        """Deliver to it no longer."""
        name = leg.channel.name
        self._legs[name] = tuple(each for each in self._legs.get(name, ()) if each is not leg)

    def greet(self, leg: Leg, subjects: Iterable[str]) -> None:
        """Begin with the books that stand by now, as the exchange would."""
        if leg.channel is not ORDERBOOK:
            return
        for ticker in subjects:
            book = self.ledger.book(ticker)
            if not book.stale:
                snapshot = OrderbookSnapshot(
                    market_ticker=ticker,
                    yes=list(book.yes) or None,
                    no=list(book.no) or None,
                    clock=book.clock,
                    received_at=self._at,
                )
                leg.consumer.put(snapshot)

    def listen(self) -> Inbox[StreamEvent]:
        """An inbox for events, until ``unlisten``."""
        inbox: Inbox[StreamEvent] = self.inbox(MOST_EVENTS + 1)
        self._listeners.add(inbox)
        return inbox

    def unlisten(self, inbox: Inbox[StreamEvent]) -> None:
        """No more events for this one."""
        self._listeners.discard(inbox)

    def tap(self, inbox: Inbox[StreamMessage]) -> None:
        """Put all messages into this inbox as well."""
        self._check_open()
        self._taps = (*self._taps, inbox)

    def inbox(self, size: int) -> Inbox[Any]:
        """An inbox that ends with the file."""
        made: Inbox[Any] = Inbox(size, on_full=lambda: None, on_drained=lambda: None)
        if self._closed:
            made.fail(StreamClosedError("the replay was closed"))
        elif self._over is not None:
            made.fail(self._over)
        return made

    def _deliver(self, channel: str, subject: str, message: StreamMessage) -> None:
        for tap in self._taps:
            tap.put(message)
        for leg in self._legs.get(channel, ()):
            if not leg.subjects or subject in leg.subjects:
                leg.consumer.put(message)

    def enter(self, reader: Reader) -> None:
        """A reader who is to be waited for once it has begun to take."""
        self.readers.enter(reader)
        self._begun.set()
        if self._over is not None:
            reader.inbox.fail(self._over)

    # The file

    def _step(self) -> None:
        """Read one entry."""
        entry = self._next()
        if entry is None:
            return
        self._apply(entry)
        self.readers.served()

    async def _keep_pace(self, speed: float) -> None:
        """Read the file in real time, ``speed`` times as fast."""
        await self._begun.wait()
        pace, began, first = self._pace, self._pace.clock(), None
        for turn in count():
            entry = self._next()
            if entry is None:
                return
            first = entry.at if first is None else first
            delay = began + (entry.at - first) / speed - pace.clock()
            if delay > 0 or turn % AT_ONCE == 0:
                await pace.sleep(max(delay, 0.0))
            await self.readers.room()
            self._apply(entry)
            self.readers.wake()

    def _next(self) -> Entry | None:
        """The next entry; None where there is none, and everybody was told."""
        if self._over is not None:
            return None
        try:
            entry = next(self._entries, None)
        except (StreamError, OSError) as error:
            self._finish(error)
            return None
        if entry is None:
            self._finish(StopAsyncIteration())
        return entry

    def _finish(self, why: BaseException) -> None:
        self._over = why
        for listener in self._listeners:
            listener.fail(why)
        self.readers.fail(why)
        for name, legs in self._legs.items():
            for subject in {each for leg in legs for each in leg.subjects}:
                if not self.ledger.has(name, subject):
                    logger.warning("%s has no %s of %s", self.path, name, subject)

    def _apply(self, entry: Entry) -> None:
        self._at = entry.at
        if isinstance(entry, RecordedFrame):
            self._frame(entry)
        elif isinstance(entry, RecordedEvent):
            self._event(entry)
        elif isinstance(entry, RecordedCommand):
            self._line(entry.connection).sent(entry.data)
        elif isinstance(entry, RecordedLoss):
            self.lost += entry.frames
            for line in self.connections:
                line.lose()
        elif isinstance(entry, RecordedOpen):
            leg = self._line(entry.connection).open(entry.sid, entry.channel, entry.subjects)
            if leg is not None:
                leg.next_seq = entry.next_seq
        else:
            self._book(entry)

    def _frame(self, entry: RecordedFrame) -> None:
        self.stats.frames += 1
        self.stats.bytes += len(entry.data)
        line = self._line(entry.connection)
        line.receive(entry.data, entry.at)
        if line.last_data is not None:
            self.stats.saw_age(line.last_data.msg.age)
            line.last_data = None

    def _book(self, entry: RecordedBook) -> None:
        leg = self._line(entry.connection).legs.get(entry.sid)
        try:
            message = msgspec.json.decode(entry.msg, type=OrderbookSnapshot)
        except msgspec.DecodeError as exc:
            logger.warning("%s: a book cannot be read: %s", self.path, exc)
            return
        if leg is not None:
            leg.receive(DataFrame(sid=entry.sid, msg=message), entry.at)

    def _event(self, entry: RecordedEvent) -> None:
        kind = _EVENTS.get(entry.name)
        if kind is None:
            return  # what frames do is told again as they are read
        try:
            event = msgspec.convert(entry.fields, kind)
        except msgspec.ValidationError:
            logger.warning("%s: an event cannot be read: %s", self.path, entry.name)
            return
        lost = event.reason if isinstance(event, StreamDisconnected) else "the connection was lost"
        for line in [each for each in self.connections if each.number == event.connection]:
            self.connections.remove(line)
            line.close(lost)
        if isinstance(event, StreamResumed):
            self.stats.reconnects += 1
        self.stats.connects += not isinstance(event, StreamDisconnected)
        self.tell(event)

    def _line(self, number: int) -> PlayedLine:
        for line in self.connections:
            if line.number == number:
                return line
        line = PlayedLine(number, self.ledger)
        self.connections.append(line)
        return line
