"""The face of live streams: ``client.stream()``."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import sniffio

from .._errors import ConfigurationError, InvalidRequestError
from . import _channels as channels
from ._audit import ReadBooks
from ._backfill import Backfill
from ._books import OrderBooks
from ._channels import Channel
from ._private import FillStream, OrderStream, PositionStream
from ._session import Events, Session
from ._stats import StreamStats
from ._subscription import Subscription
from .messages import (
    CfBenchmarksValue,
    CfBenchmarksValue5Hz,
    CommunicationsMessage,
    LifecycleMessage,
    MultivariateMessage,
    OrderGroupUpdate,
    PythValue,
    TickerUpdate,
    TradeUpdate,
)

if TYPE_CHECKING:
    from .recording import Recording

DEFAULT_MAX_QUEUE = 10_000
_TICKER = attrgetter("market_ticker")


class Stream:
    """Live data of the exchange, over one connection or as many as are needed.

    Made by ``client.stream()``; use it as ``async with client.stream() as stream``, entered and
    left in one task. Its subscriptions may be used in others.

    Each method that names a channel gives a subscription: an async iterator and context manager.
    Connections that are lost are made again, everything is subscribed to again, books start from
    new snapshots, and what the private channels missed is read over REST.

    Every such method takes ``max_queue``: how many messages may wait for their consumer before
    reading from the exchange stands still (what was just read comes on top). A consumer who does
    not take half of that within most of a heartbeat, or for whom a heartbeat was missed, gets
    ``SlowConsumer``.
    With ``conflate=True``, where offered, only the newest message of each market waits instead.
    """

    # What subscriptions are made of.
    _plain: ClassVar[type[Subscription[Any]]] = Subscription
    _books: ClassVar[type[OrderBooks]] = OrderBooks
    _fills: ClassVar[type[FillStream]] = FillStream
    _orders: ClassVar[type[OrderStream]] = OrderStream
    _positions: ClassVar[type[PositionStream]] = PositionStream

    def __init__(
        self,
        session: Session,
        backfill: Callable[[], Backfill],
        read_books: ReadBooks,
        *,
        max_queue: int,
        connect_deadline: float | None,
    ) -> None:
        self._session, self._make_backfill, self._read_books = session, backfill, read_books
        self._max_queue, self._connect_deadline = max_queue, connect_deadline
        self._entered = False

    def __repr__(self) -> str:
        session = self._session
        listed = ", ".join(map(repr, session.connections)) or "no connection"
        return (
            f"<Stream {session.state}: {len(session.subscriptions)} subscriptions | {listed} | "
            f"{session.stats.frames} frames, {session.stats.gaps} gaps, "
            f"{session.stats.reconnects} reconnects>"
        )

    async def __aenter__(self) -> Self:
        if self._entered:
            raise InvalidRequestError("a stream can be entered once; make another one")
        if sniffio.current_async_library() != "asyncio":
            raise ConfigurationError("streams need asyncio; only REST calls run on trio as well")
        self._entered = True
        await self._session.start(self._connect_deadline)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.stop()

    @property
    def stats(self) -> StreamStats:
        """Live counters; see ``StreamStats``."""
        return self._session.stats

    @property
    def state(self) -> Literal["connected", "connecting", "closed", "lost"]:
        """``connecting`` also while a lost connection is made again; ``lost``: it was given up."""
        return self._session.state

    def events(self) -> Events:
        """What happens to the stream itself, from now on; see ``StreamEvent``."""
        return Events(self._session)

    def record(self, path: str | Path, *, overwrite: bool = False) -> Recording:
        """Write down everything that is received while the recording is entered.

            async with stream.record("today.jsonl.gz"):
                ...

        ``Replay`` plays it again. Begin it before or after subscribing: what stands by then goes
        into the file as well.

        Args:
            path: A name that ends in ``.jsonl`` or, compressed, in ``.jsonl.gz``.
            overwrite: Whether a file of that name may be replaced.

        Raises:
            ConfigurationError: On entering: the file exists, or cannot be made.
            StreamError: When the disk fails, in place of the block's own end.
        """
        from .recording import record

        return record(self, path, overwrite=overwrite)

    # Public channels

    def orderbook(
        self, *tickers: str, conflate: bool = False, max_queue: int | None = None
    ) -> OrderBooks:
        """Order books, kept up to date; entering it returns when all of them stand."""
        return self._books(
            self._session,
            self._read_books,
            tickers,
            max_queue=self._queue(max_queue),
            conflate=_TICKER if conflate else None,
        )

    def ticker(
        self, *tickers: str, conflate: bool = False, max_queue: int | None = None
    ) -> Subscription[TickerUpdate]:
        """Prices and volumes as they change, of these markets or of all; first as they are now."""
        params: dict[str, object] = {"send_initial_snapshot": True, "skip_ticker_ack": True}
        key = _TICKER if conflate else None
        return self._subscription(channels.TICKER, tickers, max_queue, params, key)

    def trades(self, *tickers: str, max_queue: int | None = None) -> Subscription[TradeUpdate]:
        """Public trades of these markets, or of all."""
        return self._subscription(channels.TRADE, tickers, max_queue, {"skip_ticker_ack": True})

    def lifecycle(self, *, max_queue: int | None = None) -> Subscription[LifecycleMessage]:
        """What becomes of markets and events: created, closed, determined, settled, new fees."""
        return self._subscription(channels.MARKET_LIFECYCLE, (), max_queue)

    def multivariate(self, *, max_queue: int | None = None) -> Subscription[MultivariateMessage]:
        """What becomes of combo markets and their events."""
        return self._subscription(channels.MULTIVARIATE, (), max_queue)

    def cfbenchmarks(
        self, *index_ids: str, conflate: bool = False, max_queue: int | None = None
    ) -> Subscription[CfBenchmarksValue]:
        """Values of crypto indices (``"BRTI"``, or ``"all"``), once a second."""
        key = attrgetter("index_id") if conflate else None
        return self._subscription(channels.CFBENCHMARKS, _some(index_ids), max_queue, conflate=key)

    def cfbenchmarks_5hz(
        self, *index_ids: str, conflate: bool = False, max_queue: int | None = None
    ) -> Subscription[CfBenchmarksValue5Hz]:
        """Values of crypto indices, five times a second."""
        key = attrgetter("index_id") if conflate else None
        return self._subscription(
            channels.CFBENCHMARKS_5HZ, _some(index_ids), max_queue, conflate=key
        )

    def pyth(
        self, *underlyings: str, conflate: bool = False, max_queue: int | None = None
    ) -> Subscription[PythValue]:
        """Prices of commodities (``"Metal.XAU/USD"``, or ``"all"``)."""
        key = attrgetter("underlying_ticker") if conflate else None
        return self._subscription(channels.PYTH, _some(underlyings), max_queue, conflate=key)

    # Channels of the account

    def fills(self, *tickers: str, max_queue: int | None = None) -> FillStream:
        """The account's fills in these markets, or in all: each exactly once, in order."""
        return self._fills(
            self._session, self._make_backfill(), tickers, max_queue=self._queue(max_queue)
        )

    def orders(self, *tickers: str, max_queue: int | None = None) -> OrderStream:
        """The account's orders as they change, in these markets or in all."""
        return self._orders(
            self._session, self._make_backfill(), tickers, max_queue=self._queue(max_queue)
        )

    def positions(self, *tickers: str, max_queue: int | None = None) -> PositionStream:
        """The account's positions as they change, in these markets or in all."""
        return self._positions(
            self._session, self._make_backfill(), tickers, max_queue=self._queue(max_queue)
        )

    def order_groups(self, *, max_queue: int | None = None) -> Subscription[OrderGroupUpdate]:
        """What becomes of the account's order groups."""
        return self._subscription(channels.ORDER_GROUPS, (), max_queue)

    def communications(
        self,
        *,
        own_only: bool = False,
        shard: tuple[int, int] | None = None,
        max_queue: int | None = None,
    ) -> Subscription[CommunicationsMessage]:
        """RFQs of everybody, and the quotes that concern the account.

        Args:
            own_only: Only the account's own RFQs.
            shard: ``(factor, key)``: the part ``key`` (from 0) of ``factor`` parts (up to 100), to
                spread them over several subscribers.
            max_queue: See ``Stream``.
        """
        params: dict[str, object] = {"user_filter": "self"} if own_only else {}
        if shard is not None:
            factor, key = shard
            if not (0 < factor <= 100 and 0 <= key < factor):
                raise InvalidRequestError(
                    f"shard is {shard}; expected (factor, key) with 1 <= factor <= 100 and "
                    "0 <= key < factor"
                )
            params |= {"shard_factor": factor, "shard_key": key}
        return self._subscription(channels.COMMUNICATIONS, (), max_queue, params)

    def _subscription(
        self,
        channel: Channel,
        subjects: Sequence[str],
        max_queue: int | None,
        params: dict[str, object] | None = None,
        conflate: Callable[[Any], Hashable] | None = None,
    ) -> Subscription[Any]:
        return self._plain(
            self._session,
            channel,
            subjects,
            params or {},
            max_queue=self._queue(max_queue),
            conflate=conflate,
        )

    def _queue(self, max_queue: int | None) -> int:
        return checked_queue(self._max_queue if max_queue is None else max_queue)


def checked_queue(max_queue: object) -> int:
    """How many messages may wait.

    Raises:
        InvalidRequestError: It is no positive whole number.
    """
    if isinstance(max_queue, bool) or not isinstance(max_queue, int) or max_queue < 1:
        raise InvalidRequestError(f"max_queue is {max_queue!r}; expected 1 or more messages")
    return max_queue


def _some(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise InvalidRequestError('name at least one index or underlying, or "all"')
    return names
