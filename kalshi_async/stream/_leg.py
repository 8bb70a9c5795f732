"""A subscription as one connection carries it: its number, its sequence, where its messages go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from time import monotonic
from typing import Protocol

from msgspec.structs import force_setattr

from .._errors import KalshiError
from .._stream_errors import BookError
from .._stream_events import StreamEvent, StreamFresh, StreamGap, StreamStale
from ._channels import Channel
from ._frames import DataFrame
from ._stats import StreamStats
from .messages import OrderbookDelta, OrderbookSnapshot, StreamMessage
from .orderbook import OrderBook

# So many frames in a row with numbers of the past are no repeats any more: it counts anew.
MOST_REPEATS = 64
# Seconds before a snapshot that was just asked for is asked for once more, whatever happens.
_BREATH = 1.0
_MOST_DOUBLINGS = 5


class Line(Protocol):
    """The connection, as far as a leg speaks to it."""

    number: int

    def request_snapshots(self, leg: Leg, tickers: Iterable[str]) -> None: ...


class Consumer(Protocol):
    """The subscription that a leg is part of."""

    stats: StreamStats
    put: Callable[[StreamMessage], None]

    def tell(self, event: StreamEvent) -> None: ...
    def lost(self) -> None: ...
    def live(self) -> None: ...
    def doubted(self) -> None: ...
    def too_slow(self, waited: float) -> None: ...
    def failed(self, error: KalshiError) -> None: ...


class BookConsumer(Consumer, Protocol):
    """The subscription that a leg of order books is part of."""

    def fresh(self) -> None: ...


class Leg:
    """One channel on one connection.

    Args:
        channel: The channel.
        subjects: Its markets (or indices), in the order of asking; empty stands for all.
        params: What else to subscribe with.
        consumer: Where everything goes.
    """

    def __init__(
        self,
        channel: Channel,
        subjects: Iterable[str],
        params: Mapping[str, object],
        consumer: Consumer,
    ) -> None:
        self.channel, self.params, self.consumer = channel, dict(params), consumer
        self.subjects: dict[str, None] = dict.fromkeys(subjects)
        self.names_some = bool(self.subjects)
        self.line: Line | None = None
        # Set while it is subscribed to, and for good when it is dropped.
        self.up = asyncio.Event()
        self.dropped = False
        self.sid = 0
        self.next_seq = 1
        self.put = consumer.put
        self._repeats = self._repeated_at = 0
        self._kinds, self._taken = channel.kinds, consumer.stats.messages

    def __repr__(self) -> str:
        state = f"sid {self.sid}, next {self.next_seq}" if self.line else "not subscribed"
        return f"<Leg {self.channel.name}: {len(self.subjects) or 'all'}, {state}>"

    # What the connection tells

    def opened(self, line: Line, sid: int) -> None:
        """It is subscribed to; its frames carry this sid and count from 1."""
        self.line, self.sid, self.next_seq, self._repeats = line, sid, 1, 0
        self.up.set()
        self.consumer.live()

    def closed(self, reason: str) -> None:
        """Nothing comes any more until it is opened again."""
        if self.line is not None:
            self.line, self.sid = None, 0
            if not self.dropped:
                self.up.clear()
                self.interrupted(reason)
                self.consumer.lost()

    def interrupted(self, reason: str) -> None:
        """Nothing comes for now."""

    def drop(self) -> None:
        """Nobody wants it any more."""
        self.dropped = True
        self.up.set()

    def receive(self, frame: DataFrame, received_at: float) -> None:
        """Take a data frame."""
        seq, message = frame.seq, frame.msg
        if seq:
            if seq == self.next_seq:
                self.next_seq = seq + 1
            elif not self.count(seq):
                return
            force_setattr(message, "seq", seq)
        force_setattr(message, "received_at", received_at)
        if type(message) in self._kinds:
            self._taken[self.channel.name] += 1
            self.put(message)
        else:
            self._refuse("it does not belong to the channel")

    def _refuse(self, why: str) -> None:
        """A message is not taken."""
        self.consumer.stats.dropped[f"{self.channel.name}: {why}"] += 1

    def count(self, seq: int) -> bool:
        """Whether a frame with this number is to be taken; what is missing before it is noticed."""
        expected = self.next_seq
        if seq == expected:
            self.next_seq += 1
            return True
        stats = self.consumer.stats
        if seq < expected:
            stats.repeats += 1
            self._repeats = self._repeats + 1 if self._repeated_at == expected else 1
            self._repeated_at = expected
            if self._repeats <= MOST_REPEATS:
                return False
            reason = f"its numbers start again at {seq}"
        else:
            stats.missed += seq - expected
            reason = f"frames {expected} to {seq - 1} are missing"
        stats.gaps += 1
        self.next_seq = seq + 1
        number = self.line.number if self.line else 0
        self.consumer.tell(StreamGap(number, self.channel.name, expected, seq))
        self.doubt(reason)
        return True

    def doubt(self, reason: str) -> None:
        """Something of it may be missing."""
        self.consumer.doubted()

    # What the subscription changes

    def expect(self, subjects: Iterable[str]) -> None:
        """The exchange is being asked to send these as well."""

    def unexpect(self, subjects: Iterable[str]) -> None:
        """It did not agree, or has not answered."""

    def added(self, subjects: Iterable[str]) -> None:
        """The exchange agreed to send these as well."""
        self.subjects.update(dict.fromkeys(subjects))

    def removed(self, subjects: Iterable[str]) -> None:
        """The exchange no longer sends these."""
        for subject in subjects:
            self.subjects.pop(subject, None)


class BookLeg(Leg):
    """Order books, kept up to date with every frame."""

    def __init__(
        self,
        channel: Channel,
        subjects: Iterable[str],
        params: Mapping[str, object],
        consumer: BookConsumer,
    ) -> None:
        super().__init__(channel, subjects, params, consumer)
        self.books = {ticker: OrderBook(ticker) for ticker in self.subjects}
        # Those that wait for a snapshot; and of them those that were doubted again right after it
        # was asked for.
        self.waiting = set(self.books)
        self._again: set[str] = set()
        self._asked_at: dict[str, float] = {}
        self._fresh = consumer.fresh
        self._doubted_at = self._came_at = 0.0
        self._asked = self._probes = 0
        self._quiet_seq, self._quiet_since, self._probed_at = 0, 0.0, 0.0
        self._seq_when_asked = 0

    def opened(self, line: Line, sid: int) -> None:
        """See ``Leg``; each book begins with a snapshot."""
        super().opened(line, sid)
        self._came_at = monotonic()
        self._asked, self._probed_at = 0, 0.0
        self.waiting = set(self.books)
        self._asked_at = dict.fromkeys(self.books, self._came_at)
        self._again.clear()

    def expect(self, subjects: Iterable[str]) -> None:
        """See ``Leg``."""
        for ticker in subjects:
            if ticker not in self.books:
                self.books[ticker] = OrderBook(ticker)
                self.waiting.add(ticker)
                self._asked_at[ticker] = monotonic()

    def unexpect(self, subjects: Iterable[str]) -> None:
        """See ``Leg``."""
        self.removed(name for name in tuple(subjects) if name not in self.subjects)

    def added(self, subjects: Iterable[str]) -> None:
        """See ``Leg``."""
        super().added(subjects)
        self.expect(self.subjects)

    def removed(self, subjects: Iterable[str]) -> None:
        """See ``Leg``; those who hold on to such a book find it stale."""
        for ticker in subjects:
            book = self.books.pop(ticker, None)
            self.subjects.pop(ticker, None)
            self._asked_at.pop(ticker, None)
            if book is not None:
                book.mark_stale("it is no longer subscribed to")
                self._refreshed(ticker)

    def drop(self) -> None:
        """See ``Leg``; those who hold on to its books find them stale."""
        super().drop()
        for book in self.books.values():
            book.mark_stale("it is no longer subscribed to")

    def receive(self, frame: DataFrame, received_at: float) -> None:
        """See ``Leg``. (Written out once more: it is done for each change of each book.)"""
        seq, message = frame.seq, frame.msg
        if seq == self.next_seq:
            self.next_seq = seq + 1
        elif seq and not self.count(seq):
            return
        force_setattr(message, "seq", seq)
        force_setattr(message, "received_at", received_at)
        kind = type(message)
        if kind is not OrderbookDelta and kind is not OrderbookSnapshot:
            self._refuse("it does not belong to the channel")
            return
        self._taken["orderbook_delta"] += 1
        book = self.books.get(message.market_ticker)  # type: ignore[attr-defined]
        if book is None:
            self._refuse("the market is not subscribed to")
            return
        try:
            if isinstance(message, OrderbookDelta):
                if book.stale:
                    self.consumer.stats.skipped += 1
                    return
                book.apply_delta(message.side, message.price, message.delta)
            elif isinstance(message, OrderbookSnapshot):
                book.apply_snapshot(message.yes or (), message.no or (), clock=message.clock)
                self._came_at = monotonic()
                self._refreshed(book.ticker)
        except BookError as error:
            self.doubt_about((book.ticker,), error.summary)
            return
        self.put(message)

    def _refreshed(self, ticker: str) -> None:
        if ticker not in self.waiting:
            return
        self.waiting.remove(ticker)
        self._again.discard(ticker)
        if self.waiting:
            return
        self._asked = 0
        if self._doubted_at:
            seconds, self._doubted_at = monotonic() - self._doubted_at, 0.0
            self.consumer.tell(StreamFresh(self.channel.name, seconds))
        self._fresh()

    def interrupted(self, reason: str) -> None:
        """See ``Leg``."""
        self.doubt(reason)

    def doubt(self, reason: str) -> None:
        """See ``Leg``: no book answers before its next snapshot."""
        self.doubt_about(tuple(self.books), reason)

    def doubt_about(self, tickers: tuple[str, ...], reason: str) -> None:
        """These books may be wrong. Their snapshots are asked for at once, unless that was just
        done: then it is for ``ask_again``.
        """
        for ticker in tickers:
            self.books[ticker].mark_stale(reason)
        now = monotonic()
        self._doubted_at = self._doubted_at or now
        self.consumer.tell(StreamStale(self.channel.name, tickers, reason))
        self.waiting.update(tickers)
        due = [name for name in tickers if now - self._asked_at.get(name, -_BREATH) >= _BREATH]
        # What was asked for a moment ago may have been lost with what is missing now.
        self._again.update(set(tickers).difference(due))
        self.ask(due)

    def ask(self, tickers: Collection[str]) -> None:
        """Have snapshots sent."""
        if self.line is not None and tickers:
            self._asked_at.update(dict.fromkeys(tickers, monotonic()))
            self._again.difference_update(tickers)
            self.consumer.stats.resyncs += 1
            self.line.request_snapshots(self, tickers)

    def ask_again(self, patience: float) -> bool:
        """Ask once more for snapshots that did not come, while none came for so many seconds; each
        time it takes twice as long: there may be none of a market.

        Returns:
            Whether the exchange seems to have forgotten the subscription: it was asked more than
            once, and no frame of it has come since.
        """
        now, asked = monotonic(), self._asked_at
        late = [name for name in self._again if now - asked[name] >= _BREATH]
        wait = patience * 2 ** min(self._asked, _MOST_DOUBLINGS)
        unanswered = []
        if now - self._came_at >= patience:
            unanswered = [name for name in self.waiting if now - asked[name] >= wait]
        if unanswered:
            if self._asked and self.next_seq == self._seq_when_asked:
                return True
            self._asked += 1
            self._seq_when_asked = self.next_seq
            # There may be no snapshot of those; of one that stands there is.
            unanswered += islice((name for name in self.books if name not in self.waiting), 1)
        self.ask({*late, *unanswered})
        return False

    def probe(self, after: float, patience: float) -> None:
        """Where no frame came for so many seconds, have one sent: the snapshot of one book, of each
        in turn. Should the last frame have been lost, its number tells; should nothing come within
        ``patience``, no book is to be trusted.
        """
        now = monotonic()
        if self.next_seq != self._quiet_seq:
            self._quiet_seq, self._quiet_since, self._probed_at = self.next_seq, now, 0.0
        elif self.waiting or not self.books or self.line is None:
            return
        elif self._probed_at:
            if now - self._probed_at >= patience:
                self._probed_at = 0.0
                self.doubt("the exchange does not answer")
        elif now - self._quiet_since >= after:
            self._probed_at = now
            self._probes += 1
            ticker = list(self.books)[self._probes % len(self.books)]
            self.line.request_snapshots(self, (ticker,))
