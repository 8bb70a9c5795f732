"""Subscriptions: what a consumer holds, iterates over and closes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Sequence
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

import anyio

from .._errors import InvalidRequestError, KalshiError
from .._stream_errors import SlowConsumer, StreamClosedError, SubscriptionRefusedError
from .._stream_events import StreamEvent, StreamSlow
from ._channels import Channel
from ._inbox import Inbox
from ._leg import Leg
from ._protocol import MARKET_LIMIT

if TYPE_CHECKING:
    from ._connection import Connection
    from ._stats import StreamStats

T = TypeVar("T")


class Carrier(Protocol):
    """The stream, as far as a subscription speaks to it."""

    stats: StreamStats

    def tell(self, event: StreamEvent) -> None: ...
    def place(self, leg: Leg) -> Connection: ...
    def joined(self, subscription: Subscription[T]) -> None: ...
    def left(self, subscription: Subscription[T]) -> None: ...

    def now(self) -> float: ...
    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None: ...

    @property
    def most_markets(self) -> int: ...
    @property
    def patience(self) -> float: ...
    @property
    def late(self) -> float: ...


class Subscription(Generic[T]):
    """One channel, for one consumer: ``async for`` gives its messages, oldest first.

    Use it as ``async with stream.trades("TICKER") as trades``; iterating over one that was not
    entered subscribes at the first message (and closes it should that be cancelled). It outlives
    lost connections. It never just ends: when the stream cannot go on, or this consumer was too
    slow, iterating raises.

    Attributes:
        channel: Kalshi's name of the channel.
    """

    def __init__(
        self,
        carrier: Carrier,
        channel: Channel,
        subjects: Sequence[str],
        params: dict[str, object],
        *,
        max_queue: int,
        conflate: Callable[[T], Hashable] | None = None,
    ) -> None:
        self.channel = channel.name
        self._kind, self._params, self._carrier = channel, params, carrier
        self._subjects = tuple(dict.fromkeys(checked_subjects(channel, subjects)))
        self._inbox: Inbox[T] = Inbox(
            max_queue,
            on_full=self._on_full,
            on_drained=self._on_drained,
            on_replaced=self._on_replaced,
            key=conflate,
        )
        self._legs: dict[Leg, Connection] = {}
        self._opened = self._closed = False
        # One change at a time: each is checked against what the one before has left.
        self._changing = anyio.Lock()
        self.stats = carrier.stats
        # Called by the connection for each message.
        self.put: Callable[[Any], None] = self._inbox.put
        self.full_since: float | None = None

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open" if self._opened else "not subscribed"
        named = ", ".join(self.subjects[:3]) or "all"
        more = len(self.subjects) - 3
        listed = f"{named}, … ({more} more)" if more > 0 else named
        return f"<{type(self).__name__} {self.channel} {listed}: {state}, {self._inbox!r}>"

    @property
    def subjects(self) -> tuple[str, ...]:
        """Its markets, or indices; empty for all there are."""
        if not self._legs:
            return self._subjects
        return tuple(name for leg in self._legs for name in leg.subjects)

    @property
    def waiting(self) -> int:
        """Messages that were received and not taken yet."""
        return len(self._inbox)

    # What a consumer does

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if not self._opened:
            await self.open()
        return await self._inbox.take()

    async def open(self) -> None:
        """Subscribe; returns when the exchange has agreed.

        Raises:
            SubscriptionRefusedError: It does not agree.
            StreamError: The stream, or this subscription, is closed.
            KalshiError: REST could not be read, which orders and positions begin with.

        Cancelling is safe: the subscription is then closed for good.
        """
        if self._closed:
            raise StreamClosedError(f"this subscription to {self.channel} was closed")
        if self._opened:
            return
        self._opened = True
        try:
            self._carrier.joined(self)
            await self._open_legs(self._subjects)
            await self._settle()
            self._check_open()
        except BaseException:
            await self.aclose()
            raise

    async def _open_legs(self, subjects: Sequence[str]) -> None:
        most = self._carrier.most_markets
        parts = [subjects[at : at + most] for at in range(0, len(subjects), most)] or [()]
        for part in parts:
            leg = self._make_leg(part)
            await self._subscribe(leg)

    async def _settle(self) -> None:
        """Wait for what has to be there before the subscription is of use."""

    async def _subscribe(self, leg: Leg) -> None:
        self._check_open()
        connection = self._carrier.place(leg)
        shared = connection.load > 0
        self._legs[leg] = connection
        try:
            await connection.subscribe(leg)
            self._check_open()
            if self.full_since is not None:
                connection.pause(self)
        except BaseException as error:
            self._legs.pop(leg, None)
            connection.drop(leg)
            self.live()  # what waited for it goes on without
            if not isinstance(error, SubscriptionRefusedError) or error.code != MARKET_LIMIT:
                raise
            # A subscription carries fewer than was thought: two carry more. Or a connection does.
            subjects = tuple(leg.subjects)
            if len(subjects) < 2:
                if not shared:
                    raise
                connection.full = True
                await self._subscribe(self._make_leg(subjects))
                return
            for half in (subjects[: len(subjects) // 2], subjects[len(subjects) // 2 :]):
                await self._subscribe(self._make_leg(half))

    def _check_open(self) -> None:
        """Raise what it ended with, if it was ended meanwhile."""
        if self._closed and self._inbox.error is not None:
            raise self._inbox.error.with_traceback(None)

    def _make_leg(self, subjects: Sequence[str]) -> Leg:
        return Leg(self._kind, subjects, self._params, self)

    async def add(self, *subjects: str) -> None:
        """Have these markets (or indices) sent as well, while everything else goes on.

        Raises:
            SubscriptionRefusedError: The exchange does not know one of them. Where they take more
                than one connection, some may have been added: ``subjects`` tells.
            InvalidRequestError: This subscription is to all there are, or names none.
            KalshiError: REST could not be read, which orders and positions need.

        Cancelling is safe; ``subjects`` tells what was added by then.
        """
        checked = checked_subjects(self._kind, subjects)
        async with self._changing:
            self._changeable()
            wanted = [name for name in dict.fromkeys(checked) if name not in self]
            for leg, connection in list(self._legs.items()):
                room = max(self._carrier.most_markets - connection.load, 0)
                part, wanted = wanted[:room], wanted[room:]
                if part:
                    await self._add_to(leg, connection, part)
            if wanted:
                await self._open_legs(wanted)

    async def _add_to(self, leg: Leg, connection: Connection, part: list[str]) -> None:
        connection.reserved += len(part)
        try:
            await connection.command(lambda commands, ended: commands.add(leg, part, ended), leg)
            return
        except SubscriptionRefusedError as error:
            if error.code != MARKET_LIMIT:
                raise
        finally:
            connection.reserved -= len(part)
        await self._open_legs(part)

    async def remove(self, *subjects: str) -> None:
        """Have these markets (or indices) sent no longer; those it does not have are ignored. What
        waits to be taken still comes.

        Raises:
            InvalidRequestError: Nothing would be left: close the subscription instead.

        Cancelling is safe; ``subjects`` tells what is left.
        """
        checked = checked_subjects(self._kind, subjects)
        async with self._changing:
            self._changeable()
            gone = [name for name in dict.fromkeys(checked) if name in self]
            if len(gone) == len(self.subjects):
                raise InvalidRequestError(
                    f"{self.channel}: without {', '.join(gone[:3])} nothing is left to send; close "
                    "the subscription instead"
                )
            for leg, connection in list(self._legs.items()):
                part = [name for name in gone if name in leg.subjects]
                if len(part) == len(leg.subjects):  # with none left it would be subscribed to all
                    del self._legs[leg]
                    leg.removed(part)
                    connection.drop(leg)
                    self.live()  # what waited for it goes on without
                elif part:
                    await self._remove_from(leg, connection, part)

    async def _remove_from(self, leg: Leg, connection: Connection, part: list[str]) -> None:
        await connection.command(lambda commands, ended: commands.remove(leg, part, ended), leg)

    def __contains__(self, subject: object) -> bool:
        return any(subject in leg.subjects for leg in self._legs)

    def _changeable(self) -> None:
        if self._closed or not self._opened:
            raise StreamClosedError(f"this subscription to {self.channel} is not open")
        if not self.subjects:
            raise InvalidRequestError(f"{self.channel}: this subscription is to all there are")

    async def aclose(self) -> None:
        """End the subscription; what was not taken is gone. May be called twice.

        Iterating raises ``StreamClosedError`` from then on.
        """
        if self._closed:
            return
        self._end(StreamClosedError(f"this subscription to {self.channel} was closed"))
        self._inbox.clear()

    def _end(self, error: KalshiError) -> None:
        self._closed = True
        self._inbox.fail(error)
        legs, self._legs = self._legs, {}
        self._subjects = ()
        for leg, connection in legs.items():
            connection.drop(leg)
        self._carrier.left(self)

    # What the connection does

    def tell(self, event: StreamEvent) -> None:
        """Something happened that is no message."""
        self._carrier.tell(event)

    def lost(self) -> None:
        """Nothing comes any more, until ``live``."""

    def doubted(self) -> None:
        """Something may be missing, though the line stands."""

    def live(self) -> None:
        """It is subscribed to."""

    def failed(self, error: KalshiError) -> None:
        """It cannot go on; the consumer is told once it has taken what there is."""
        if not self._closed:
            self._end(error)

    def breathe(self, waited: float) -> None:
        """Reading has stood still for so long that a heartbeat would be missed: who has taken half
        of what waited has it go on, who has not was too slow.
        """
        if not self._inbox.relieve():
            self.too_slow(waited)

    def too_slow(self, waited: float) -> None:
        """Nobody takes its messages, and everything else stands still for it."""
        if self._closed:
            return
        dropped = len(self._inbox)
        self.stats.dropped[self.channel] += dropped
        self._carrier.tell(StreamSlow(self.channel, dropped, dropped))
        self._end(SlowConsumer(self.channel, dropped, waited))
        self._inbox.clear()

    def _on_replaced(self) -> None:
        self.stats.replaced += 1

    def _on_full(self) -> None:
        self.full_since = monotonic()
        self._carrier.tell(StreamSlow(self.channel, len(self._inbox)))
        for connection in self._legs.values():
            connection.pause(self)

    def _on_drained(self) -> None:
        self.full_since = None
        for connection in self._legs.values():
            connection.resume(self)


def checked_subjects(channel: Channel, subjects: Sequence[str]) -> Sequence[str]:
    """Markets or indices, if that is what they are."""
    for name in subjects:
        if not isinstance(name, str) or not name or name != name.strip():
            kind = "index" if channel.indices else "market ticker"
            raise InvalidRequestError(
                f"{channel.name}: {name!r} is no {kind}; expected its name as text"
            )
    if channel.markets == "required" and not subjects:
        raise InvalidRequestError(f"{channel.name}: name at least one market")
    if channel.markets == "none" and not channel.indices and subjects:
        raise InvalidRequestError(f"{channel.name} is about no markets; name none")
    return subjects
