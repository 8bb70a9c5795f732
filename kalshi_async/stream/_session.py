"""What a stream consists of: connections that are kept up, subscriptions on them, one watchman."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Literal
from weakref import WeakSet

import anyio
from anyio.abc import TaskGroup

from .._errors import KalshiError
from .._stream_errors import StreamClosedError, StreamError, StreamLostError
from .._stream_events import StreamEvent
from ._clock import ExchangeClock
from ._connection import Connection
from ._inbox import Inbox
from ._leg import Leg
from ._route import Route, Tape
from ._stats import StreamStats
from ._subscription import Subscription

# How many events wait for who reads them; later ones are dropped.
MOST_EVENTS = 1000
# Of a heartbeat: for so long reading may stand still before the next one would be missed.
_STANDSTILL = 0.8
_LATE = 60.0


class Session:
    """The engine of one stream.

    Args:
        route: Where connections go.
        emit: Called with every event, besides those who iterate over them.
        now: Unix seconds by the exchange's clock.
        rng: Draws the jitter of back-offs.
        most_markets: Markets that one connection carries.
    """

    def __init__(
        self,
        route: Route,
        emit: Callable[[StreamEvent], None],
        now: ExchangeClock,
        rng: random.Random,
        most_markets: int,
    ) -> None:
        self._route, self._emit, self._rng = route, emit, rng
        self.now, self.most_markets, self.patience = now, most_markets, route.patience
        # What happened so long before the last bytes were read may not have been among them: frames
        # come up to 4 s late, and more may have waited to be read.
        self.late = _LATE + 3 * route.heartbeat
        self.stats = StreamStats()
        self.connections: list[Connection] = []
        self.subscriptions: set[Subscription[Any]] = set()
        self._tape: Tape | None = None
        # Whoever is no longer iterated over is forgotten.
        self._listeners: WeakSet[Inbox[StreamEvent]] = WeakSet()
        self._group: TaskGroup | None = None
        self._work: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._work_came = asyncio.Event()
        self._closed = False

    @property
    def state(self) -> Literal["connected", "connecting", "closed", "lost"]:
        """``connected``, ``connecting`` (also: again), ``closed`` or ``lost``."""
        if self._closed or self._group is None:
            return "closed"
        if any(connection.error for connection in self.connections):
            return "lost"
        return "connected" if all(each.commands for each in self.connections) else "connecting"

    # Life

    async def start(self, deadline: float | None) -> None:
        """Connect.

        Raises:
            KalshiError: The exchange refuses, or was not reached within ``deadline`` seconds.
        """
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        try:
            self._group.start_soon(self._watch)
            self._group.start_soon(self._start_work, self._group)
            first = self._connect()
            with anyio.move_on_after(deadline):
                await first.ready.wait()
            if first.error is not None:
                raise first.error
            if first.commands is None:
                why = first.failure
                raise StreamLostError(
                    f"no connection within {deadline} s: {why or 'no answer'}", tries=first.tries
                ) from why
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close everything; iterating over any subscription raises ``StreamClosedError`` then."""
        self._closed = True
        closed = StreamClosedError("the stream was closed")
        for subscription in list(self.subscriptions):
            subscription.failed(closed)
        for listener in list(self._listeners):
            listener.fail(closed)
        group, self._group = self._group, None
        if group is not None:
            group.cancel_scope.cancel()
            await group.__aexit__(None, None, None)

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have work done beside all else, until the stream is closed; callable from anywhere."""
        # A callback of the event loop is no task, and only tasks can start others.
        self._work.append(work)
        self._work_came.set()

    def _connect(self) -> Connection:
        connection = Connection(len(self.connections) + 1, self._route, self)
        connection.tape = self._tape
        self.connections.append(connection)
        self.spawn(connection.run)
        return connection

    async def _start_work(self, group: TaskGroup) -> None:
        while True:
            await self._work_came.wait()
            self._work_came.clear()
            waiting, self._work = self._work, []
            for work in waiting:
                group.start_soon(work)

    async def _watch(self) -> None:
        """Look for consumers who hold everything up."""
        patience = self._route.heartbeat * _STANDSTILL
        while True:
            await anyio.sleep(patience / 8)
            for subscription in list(self.subscriptions):
                since = subscription.full_since
                if since is not None and monotonic() - since >= patience:
                    subscription.breathe(monotonic() - since)

    # For subscriptions

    def place(self, leg: Leg) -> Connection:
        """The connection that is to carry a leg: one with room, or a new one.

        Raises:
            StreamError: The stream is not open, or gave up.
        """
        if self._closed or self._group is None:
            raise StreamClosedError("the stream is not open: use `async with client.stream()`")
        for connection in self.connections:
            if connection.error is not None:
                raise connection.error.with_traceback(None)
            room = self.most_markets - connection.load
            if not connection.full and len(leg.subjects) <= room:
                return connection
        return self._connect()

    def joined(self, subscription: Subscription[Any]) -> None:
        """A subscription opens."""
        if self._closed or self._group is None:
            raise StreamClosedError("the stream is not open: use `async with client.stream()`")
        self.subscriptions.add(subscription)

    def left(self, subscription: Subscription[Any]) -> None:
        """A subscription is closed."""
        self.subscriptions.discard(subscription)

    # For connections

    def learn_clock(self, date: str | None, sent_at: float, received_at: float) -> None:
        """A handshake was answered."""
        self.now.learn(date, sent_at, received_at)

    def jitter(self, failures: int) -> float:
        """Seconds to wait before connecting again."""
        return self._route.reconnect.wait(failures, self._rng)

    def lost(self, connection: Connection, error: KalshiError) -> None:
        """A connection was given up: what it carried cannot go on."""
        for leg in [*connection.legs, *connection.opening]:
            leg.consumer.failed(error)

    # Events

    @property
    def tape(self) -> Tape | None:
        """Who writes down what is received."""
        return self._tape

    @tape.setter
    def tape(self, tape: Tape | None) -> None:
        self._tape = tape
        for connection in self.connections:
            connection.tape = tape

    def tell(self, event: StreamEvent) -> None:
        """Pass an event on."""
        self._emit(event)
        if self._tape is not None:
            self._tape.event(event, self.now())
        for listener in list(self._listeners):
            if len(listener) < MOST_EVENTS:
                listener.put(event)
            else:
                self.stats.dropped["events"] += 1

    def listen(self) -> Inbox[StreamEvent]:
        """An inbox for events, until ``unlisten``."""
        inbox: Inbox[StreamEvent] = Inbox(
            MOST_EVENTS + 1, on_full=lambda: None, on_drained=lambda: None
        )
        if self._closed:
            inbox.fail(StreamClosedError("the stream was closed"))
        self._listeners.add(inbox)
        return inbox

    def unlisten(self, inbox: Inbox[StreamEvent]) -> None:
        """No more events for this one."""
        self._listeners.discard(inbox)


class Events:
    """The events of a stream: ``async for`` gives each as it happens, from now on.

    Connected, resumed, stale, gap, … : see the classes of ``StreamEvent``. Up to 1,000 wait; later
    ones are then dropped and counted in ``stats.dropped["events"]``. Iterating raises
    ``StreamClosedError`` when the stream is closed.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._inbox = session.listen()

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> StreamEvent:
        return await self._inbox.take()

    def close(self) -> None:
        """Listen no longer."""
        self._session.unlisten(self._inbox)
        self._inbox.fail(StreamError("these events are no longer listened to"))
