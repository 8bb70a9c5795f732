"""What a recording holds, frame by frame through the same protocol and books as live.

A recorded subscription may have been to more markets than a replayed one, and a market may have
been recorded more than once. So each recorded subscription has a leg of its own, with the books
that its frames make up, and one of them at a time speaks for a market.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from operator import attrgetter

import msgspec

from ..._errors import KalshiError
from ..._stream_events import StreamEvent
from .. import _channels
from .._channels import Channel
from .._frames import (
    BrokenFrame,
    Buffer,
    DataFrame,
    Done,
    Frame,
    Refused,
    Subscribed,
    UnknownFrame,
    Unsubscribed,
    decode_frame,
)
from .._leg import BookLeg, Leg
from .._protocol import Protocol as Commands
from .._stats import StreamStats
from ..messages import MESSAGES, MarketMessage, StreamMessage
from ..orderbook import OrderBook

logger = logging.getLogger("kalshi_async.stream")

CHANNELS: dict[str, Channel] = {
    each.name: each for each in vars(_channels).values() if isinstance(each, Channel)
}
# Channels whose messages go by another name; all that is left is of the communications channel.
_OTHER_NAMES = {
    "orderbook_snapshot": _channels.ORDERBOOK,
    "user_order": _channels.USER_ORDERS,
    "market_position": _channels.MARKET_POSITIONS,
    "event_lifecycle": _channels.MARKET_LIFECYCLE,
    "event_fee_update": _channels.MARKET_LIFECYCLE,
}
_CHANNEL_OF = {
    kind: CHANNELS.get(kind) or _OTHER_NAMES.get(kind, _channels.COMMUNICATIONS)
    for kind in MESSAGES
}
_SUBJECTS = ("ticker", "index_id", "underlying_ticker")

_Key = tuple[str, str]


class _Asked(msgspec.Struct):
    """A command, as far as its answer is understood by it."""

    id: int = 0
    cmd: str = ""
    params: dict[str, object] = {}


_read_command = msgspec.json.Decoder(_Asked).decode


def subject_of(message: StreamMessage) -> str:
    """The market or index that a message is about; empty for what is about neither."""
    if isinstance(message, MarketMessage):
        return message.market_ticker
    read = _READERS.get(type(message))
    if read is None:
        name = next((each for each in _SUBJECTS if hasattr(type(message), each)), None)
        read = _READERS[type(message)] = attrgetter(name) if name else lambda _: ""
    return read(message)


_READERS: dict[type[StreamMessage], Callable[[StreamMessage], str]] = {}


class Ledger:
    """The books of a recording, and who speaks for which market.

    Args:
        stats: Where to count.
        tell: Called with each event.
        deliver: Called with each message, once however often it was recorded, with its channel
            and what it is about.
    """

    def __init__(
        self,
        stats: StreamStats,
        tell: Callable[[StreamEvent], None],
        deliver: Callable[[str, str, StreamMessage], None],
    ) -> None:
        self.stats, self.tell, self.deliver = stats, tell, deliver
        self.books: dict[str, OrderBook] = {}
        self.kinds: Counter[str] = Counter()
        # None: whoever spoke for it has ended, and nobody has since.
        self._speakers: dict[_Key, Source | None] = {}
        self._book_legs: list[SourceBooks] = []

    def __repr__(self) -> str:
        return f"<Ledger: {len(self.books)} books>"

    def has(self, channel: str, subject: str) -> bool:
        """Whether anything of it was read so far."""
        return (channel, subject) in self._speakers

    def book(self, ticker: str) -> OrderBook:
        """The book of a market, whoever speaks for it; stale before anybody does."""
        book = self.books.get(ticker)
        if book is None:
            book = self.books[ticker] = OrderBook(ticker)
        return book

    def leg(self, channel: Channel, subjects: Iterable[str] = ()) -> Leg:
        """A leg for a recorded subscription."""
        source = Source(self, channel.name)
        if channel is not _channels.ORDERBOOK:
            return Leg(channel, subjects, {}, source)
        leg = SourceBooks(channel, subjects, source)
        self._book_legs.append(leg)
        return leg

    def speaks(self, source: Source, subject: str) -> bool:
        """Whether a recorded subscription is the one that counts for a market."""
        key = (source.channel, subject)
        speaker = self._speakers.get(key)
        if speaker is None:
            self._speakers[key] = speaker = source
        return speaker is source

    def silent(self, source: Source, subjects: Iterable[str] | None = None) -> None:
        """A recorded subscription no longer speaks for these markets, or (None) for any."""
        gone = [
            key
            for key, speaker in self._speakers.items()
            if speaker is source and (subjects is None or key[1] in subjects)
        ]
        for key in gone:
            self._speakers[key] = None
        if subjects is None:
            self._book_legs = [leg for leg in self._book_legs if leg.source is not source]
        if source.channel == _channels.ORDERBOOK.name:
            for _, ticker in gone:
                self._succeed(ticker)

    def _succeed(self, ticker: str) -> None:
        """Let another recorded subscription to the same market keep its book from now on."""
        for leg in self._book_legs:
            own = leg.books.get(ticker)
            if own is None or not self.speaks(leg.source, ticker):
                continue
            book = self.book(ticker)
            if own.stale_reason is None:
                book.apply_snapshot(own.yes, own.no, clock=own.clock)
            else:
                book.mark_stale(own.stale_reason)
            leg.books[ticker] = book
            return


class Source:
    """What a recorded subscription tells."""

    def __init__(self, ledger: Ledger, channel: str) -> None:
        self._ledger, self.channel = ledger, channel
        self.stats = ledger.stats
        self.put: Callable[[StreamMessage], None] = self._put

    def _put(self, message: StreamMessage) -> None:
        """A message came; it counts unless another one speaks for its market."""
        subject = subject_of(message)
        if self._ledger.speaks(self, subject):
            self._ledger.deliver(self.channel, subject, message)
        else:
            self.stats.repeats += 1

    def tell(self, event: StreamEvent) -> None:
        """Something happened that is no message."""
        self._ledger.tell(event)

    def lost(self) -> None:
        """It ended, in the recording."""
        self._ledger.silent(self)

    def live(self) -> None:
        """It stands, in the recording."""

    def doubted(self) -> None:
        """Something may be missing from the recording."""

    def too_slow(self, waited: float) -> None:
        """A file waits."""

    def failed(self, error: KalshiError) -> None:
        """It cannot go on; there is nobody to tell."""

    def fresh(self) -> None:
        """All its books stand."""

    def book(self, ticker: str) -> OrderBook:
        """The book to keep: everybody's, or one aside where another one speaks for the market."""
        return self._ledger.book(ticker) if self._ledger.speaks(self, ticker) else OrderBook(ticker)

    def removed(self, tickers: Iterable[str]) -> None:
        """These markets are no longer sent."""
        self._ledger.silent(self, frozenset(tickers))


class SourceBooks(BookLeg):
    """A recorded subscription to order books; it learns its markets from what was sent."""

    def __init__(self, channel: Channel, subjects: Iterable[str], source: Source) -> None:
        super().__init__(channel, (), {}, source)
        self.source = source
        self._in_question = False
        self.added(subjects)

    def added(self, subjects: Iterable[str]) -> None:
        """See ``Leg``."""
        new = [ticker for ticker in subjects if ticker not in self.books]
        if new:
            super().added(new)
            self.books.update((ticker, self.source.book(ticker)) for ticker in new)

    def removed(self, subjects: Iterable[str]) -> None:
        """See ``Leg``."""
        gone = tuple(subjects)
        super().removed(gone)
        self.source.removed(gone)

    def receive(self, frame: DataFrame, received_at: float) -> None:
        """See ``Leg``."""
        message = frame.msg
        if isinstance(message, MarketMessage) and message.market_ticker not in self.books:
            self.added((message.market_ticker,))
        if self._in_question:
            self._answered(frame.seq)
        super().receive(frame, received_at)

    def ask(self, tickers: Iterable[str]) -> None:
        """See ``BookLeg``; nobody sends more than was recorded."""

    def question(self, reason: str) -> None:
        """Frames were not recorded here: the number of the next one tells whether they were of
        these books, which do not answer until then.
        """
        for book in self.books.values():
            if not book.stale:
                book.mark_stale(reason)
                self._in_question = True

    def _answered(self, seq: int) -> None:
        if seq < self.next_seq:
            return
        self._in_question = False
        if seq > self.next_seq:
            return
        for book in self.books.values():
            if book.stale_reason == LOSS:
                known = book.view(allow_stale=True)
                book.apply_snapshot(known.yes, known.no, clock=known.clock)


LOSS = "frames were not recorded"


class PlayedLine(Commands):
    """One recorded connection: frames in, nothing out."""

    def __init__(self, number: int, ledger: Ledger) -> None:
        super().__init__(number, ledger.stats, ledger.tell)
        self._ledger = ledger
        self._awaited: dict[int, _Asked] = {}
        self._over: set[int] = set()

    def request_snapshots(self, leg: Leg, tickers: Iterable[str]) -> None:
        """See ``Protocol``; here there is nobody to ask."""

    def sent(self, data: bytes) -> None:
        """A command that was recorded."""
        try:
            asked = _read_command(data)
        except msgspec.DecodeError:
            return
        self._awaited[asked.id] = asked

    def open(self, sid: int, channel: str, subjects: Iterable[str] = ()) -> Leg | None:
        """A recorded subscription; None where this version does not know the channel."""
        known = CHANNELS.get(channel)
        if known is None:
            return None
        before = self.legs.pop(sid, None)
        if before is not None:
            before.closed("it was subscribed to anew")
        leg = self.legs[sid] = self._ledger.leg(known, subjects)
        self._over.discard(sid)
        leg.opened(self, sid)
        return leg

    def lose(self) -> None:
        """Some frames were not recorded here."""
        for leg in self.legs.values():
            if isinstance(leg, SourceBooks):
                leg.question(LOSS)

    def receive(self, data: Buffer, received_at: float) -> None:
        """See ``Protocol``."""
        frame = decode_frame(data)
        self._ledger.kinds[_kind(frame)] += 1
        if not isinstance(frame, DataFrame):
            self._control(frame)
            return
        leg = self.legs.get(frame.sid) or self._found(frame)
        if leg is None:
            self._stats.dropped["nobody"] += 1
            return
        self._count_extra(frame)
        leg.receive(frame, received_at)

    def _found(self, frame: DataFrame) -> Leg | None:
        """A subscription that was made before recording began."""
        if frame.sid in self._over:
            return None
        leg = self.open(frame.sid, _CHANNEL_OF[_kind(frame)].name)
        if leg is not None and frame.seq:
            leg.next_seq = frame.seq
        return leg

    def _control(self, frame: Frame) -> None:
        asked = self._awaited.pop(frame.id, None)
        if isinstance(frame, Subscribed):
            self.open(frame.msg.sid, frame.msg.channel, _named(asked))
            return
        if isinstance(frame, Refused) and frame.id:
            return
        super()._control(frame)
        leg = self.legs.get(frame.sid)
        if leg is None:
            return
        if isinstance(frame, Unsubscribed):
            self._over.add(frame.sid)
            del self.legs[frame.sid]
            leg.closed("it was unsubscribed")
        elif isinstance(frame, Done) and asked is not None:
            action = asked.params.get("action")
            if action == leg.channel.follow:
                leg.added(_named(asked))
            elif action == leg.channel.unfollow:
                leg.removed(_named(asked))


def _kind(frame: Frame) -> str:
    if isinstance(frame, UnknownFrame):
        return frame.type
    if isinstance(frame, BrokenFrame):
        return "unreadable"
    return str(type(frame).__struct_config__.tag)


def _named(asked: _Asked | None) -> list[str]:
    """The markets or indices that a command named."""
    if asked is None:
        return []
    for name in ("market_tickers", "index_ids", "underlying_tickers"):
        found = asked.params.get(name)
        if isinstance(found, list):
            return [each for each in found if isinstance(each, str)]
    ticker = asked.params.get("market_ticker")
    return [ticker] if isinstance(ticker, str) else []
