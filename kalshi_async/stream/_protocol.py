"""The protocol of one WebSocket connection, without the socket: frames in, commands out.

``receive`` takes a frame and hands its message on to the leg that it belongs to; what has to be
sent piles up in ``outgoing``. Replies find their command by its id. Nothing here waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from time import monotonic
from typing import NamedTuple

import msgspec

from .._errors import one_line
from .._stream_errors import StreamError, SubscriptionRefusedError
from .._stream_events import StreamEvent, StreamUnknown, StreamUnreadable
from ._frames import (
    BrokenFrame,
    Buffer,
    DataFrame,
    Frame,
    Refused,
    Subscribed,
    UnknownFrame,
    decode_frame,
)
from ._leg import Leg
from ._stats import StreamStats

logger = logging.getLogger("kalshi_async.stream")

# Codes of error frames: there is no such subscription, or no longer; too much at once.
ENDED = frozenset((7, 10, 25))
LATER = frozenset((18, 27))
# What is wrong with the command itself, now and later.
FINAL = frozenset((2, 3, 4, 5, 8, 11, 12, 13, 14, 15, 19, 20, 21, 22, 24, 26, 28))
MARKET_LIMIT = 26
INVALID_PARAMETER = 11
_INITIAL = "send_initial_snapshot"
# How many names of what is unknown are told apart, and how much of each is logged.
_MOST_NAMES, _HEAD = 1000, 200
# How many requests for snapshots are remembered by their ids.
_MOST_ASKED = 1000
# How many markets one command asks snapshots of.
_AT_ONCE = 1000

Replied = Callable[["Frame | None"], None]
_encode = msgspec.json.Encoder().encode


class Interrupted(Exception):  # noqa: N818 - nobody outside sees it
    """The connection was lost before a command was answered."""


Ended = Callable[[StreamError | Interrupted | None], None]


class _Pending(NamedTuple):
    """A command that was sent: what its answer is for (None: the connection was lost)."""

    leg: Leg
    replied: Replied
    sent_at: float


class Protocol:
    """One connection's commands, sids and numbers.

    Args:
        number: Which connection of the stream it is, from 1.
        stats: Where to count.
        tell: Called with each event.
    """

    def __init__(
        self,
        number: int,
        stats: StreamStats,
        tell: Callable[[StreamEvent], None],
    ) -> None:
        self.number, self._stats, self._tell = number, stats, tell
        self.outgoing: list[bytes] = []
        self.legs: dict[int, Leg] = {}
        self.last_data: DataFrame | None = None
        self._pending: dict[int, _Pending] = {}
        # Requests for snapshots, which nothing but an error answers by their id for certain.
        self._asked: dict[int, Leg] = {}
        # Commands whose answers are of no interest.
        self._settled: set[int] = set()
        self._last_id = 0
        self.ended: list[Leg] = []
        self.unfinished: list[tuple[Leg, int]] = []

    def __repr__(self) -> str:
        return (
            f"<Protocol {self.number}: {len(self.legs)} subscriptions, "
            f"{len(self._pending)} commands unanswered>"
        )

    # Commands

    def subscribe(self, leg: Leg, ended: Ended) -> None:
        """Subscribe; ``ended`` is called with None when it stands, or with why it does not."""

        def replied(frame: Frame | None) -> None:
            if isinstance(frame, Subscribed):
                before = self.legs.get(frame.msg.sid)
                if before is not None and before is not leg:
                    self.renew(before, "its number was given to another subscription")
                self.legs[frame.msg.sid] = leg
                leg.opened(self, frame.msg.sid)
                ended(None)
                if leg.dropped:  # while the answer was on its way
                    self.unsubscribe(leg, lambda _: None)
            else:
                ended(_refusal(leg, frame))

        params: dict[str, object] = {"channels": [leg.channel.name], **leg.params}
        if leg.subjects:
            params[leg.channel.subjects] = list(leg.subjects)
        self._send("subscribe", params, leg, replied)

    def add(self, leg: Leg, subjects: Iterable[str], ended: Ended) -> None:
        """Have these sent as well."""
        named = tuple(subjects)

        def agreed_or_not(error: StreamError | Interrupted | None) -> None:
            if error is not None:
                leg.unexpect(named)
            ended(error)

        # Their first frames may come before the answer.
        leg.expect(named)
        self._update(leg, leg.channel.follow, named, lambda: leg.added(named), agreed_or_not)

    def remove(self, leg: Leg, subjects: Iterable[str], ended: Ended) -> None:
        """Have these sent no longer."""
        named = tuple(subjects)
        self._update(leg, leg.channel.unfollow, named, lambda: leg.removed(named), ended)

    def unsubscribe(self, leg: Leg, ended: Ended, sid: int = 0) -> None:
        """End a subscription; ``sid``: that of one that is closed here already."""
        sid = sid or leg.sid

        def replied(frame: Frame | None) -> None:
            if self.legs.get(sid) is leg:
                del self.legs[sid]
                leg.closed("it was unsubscribed")
            if isinstance(frame, Refused) and frame.msg.code in LATER:
                self.unfinished.append((leg, sid))
            ended(_refusal(leg, frame) if isinstance(frame, Refused) else None)

        self._send("unsubscribe", {"sids": [sid]}, leg, replied)

    def request_snapshots(self, leg: Leg, tickers: Iterable[str]) -> None:
        """Have whole books sent; they come as frames of the subscription. Nothing else answers: who
        waits too long asks again.
        """
        for part in _parts(tickers):
            params = {"sid": leg.sid, "action": "get_snapshot", "market_tickers": part}
            self._asked[self._queue("update_subscription", params)] = leg
        while len(self._asked) > _MOST_ASKED:
            del self._asked[next(iter(self._asked))]

    def _update(
        self,
        leg: Leg,
        action: str,
        named: tuple[str, ...],
        agreed: Callable[[], None],
        ended: Ended,
    ) -> None:
        def replied(frame: Frame | None) -> None:
            if frame is None or isinstance(frame, Refused):
                ended(_refusal(leg, frame))
            else:
                agreed()
                ended(None)

        params: dict[str, object] = {"sid": leg.sid, "action": action, leg.channel.subjects: named}
        if _INITIAL in leg.params:  # the only one that an update takes as well
            params[_INITIAL] = leg.params[_INITIAL]
        self._send("update_subscription", params, leg, replied)

    def _send(self, command: str, params: dict[str, object], leg: Leg, replied: Replied) -> None:
        self._pending[self._queue(command, params)] = _Pending(leg, replied, monotonic())

    def _queue(self, command: str, params: dict[str, object]) -> int:
        self._last_id += 1
        self.outgoing.append(_encode({"id": self._last_id, "cmd": command, "params": params}))
        return self._last_id

    # Frames

    def receive(self, data: Buffer, received_at: float) -> None:
        """Take a frame; ``received_at`` is Unix seconds. Nothing that is sent makes it raise."""
        frame = decode_frame(data)
        if isinstance(frame, DataFrame):
            self.last_data = frame
            leg = self.legs.get(frame.sid)
            if leg is None:
                self._stats.dropped["nobody"] += 1
                return
            if frame.msg.extra:
                self._count_extra(frame)
            leg.receive(frame, received_at)
        else:
            self._control(frame)

    def _control(self, frame: Frame) -> None:
        if isinstance(frame, BrokenFrame):
            self._broken(frame)
            return
        leg = self.legs.get(frame.sid)
        fresh = leg is None or not frame.seq or leg.count(frame.seq)
        pending = self._pending.pop(frame.id, None)
        asked = self._asked.pop(frame.id, None)
        if frame.id in self._settled:
            return
        if isinstance(frame, Refused) and frame.msg.code in ENDED:
            self._ended(frame, leg or (pending.leg if pending else asked), pending)
        elif pending is not None:  # whatever its number: nobody has answered it yet
            pending.replied(frame)
        elif not fresh:
            return
        elif isinstance(frame, UnknownFrame):
            self._count_unknown(frame.type)
            self._tell(StreamUnknown(frame.type, frame.raw))
        elif isinstance(frame, Refused):
            logger.warning("the exchange says: %s", _said(frame))

    def _ended(self, frame: Refused, leg: Leg | None, pending: _Pending | None) -> None:
        """The exchange has no such subscription, or no longer."""
        said = _said(frame)
        if leg is None:  # it may be any of them: those that are gone will not answer
            logger.warning("the exchange says: %s", said)
            for each in list(self.legs.values()):
                each.doubt(f"the exchange says: {said}")
        elif leg.line is self and not leg.dropped:
            if pending is not None:
                pending.replied(frame)
            self.renew(leg, f"the exchange ended it: {said}")
        elif pending is not None:
            pending.replied(frame)

    def renew(self, leg: Leg, reason: str, *, there: bool = False) -> None:
        """A subscription is gone: have it made again. ``there``: the exchange may still have it."""
        sid = leg.sid
        self.legs.pop(sid, None)
        if there:
            self._settled.add(self._queue("unsubscribe", {"sids": [sid]}))
        # What was asked of the old one is no complaint about the new one.
        self._settled.update(number for number, each in self._asked.items() if each is leg)
        leg.closed(reason)
        self.ended.append(leg)
        for number, pending in list(self._pending.items()):
            if pending.leg is leg:  # what it asks for is asked for again, of the next one
                del self._pending[number]
                pending.replied(None)

    def _broken(self, frame: BrokenFrame) -> None:
        """What cannot be read may have been anything: with a number it is missed from its own
        subscription, without one possibly from each.
        """
        self._stats.unreadable += 1
        self._tell(StreamUnreadable(frame.error()))
        concerned = self.legs.get(frame.sid)
        if concerned is not None and frame.seq and not concerned.count(frame.seq):
            return
        for leg in [concerned] if concerned else list(self.legs.values()):
            leg.doubt("a frame could not be read")

    def _count_extra(self, frame: DataFrame) -> None:
        known = type(frame.msg).__struct_encode_fields__
        for name in frame.msg.extra or ():
            why = "with a value that" if name in known else "which"
            self._count_unknown(f"{type(frame).__struct_config__.tag}.{name}", why)

    def _count_unknown(self, name: str, why: str = "which") -> None:
        unknown = self._stats.unknown
        told = name in unknown
        if not told and len(unknown) >= _MOST_NAMES:
            told, name = True, "others"
        unknown[name] += 1
        if not told:
            shown = one_line(name[:_HEAD])
            logger.warning("the exchange sends %r, %s this version does not know", shown, why)

    # The end

    def overdue(self) -> float:
        """For how many seconds the oldest command has been waiting for its answer; 0 for none."""
        oldest = next(iter(self._pending.values()), None)
        return monotonic() - oldest.sent_at if oldest else 0.0

    def close(self, reason: str) -> None:
        """The connection is gone: every leg is closed, no command will be answered."""
        legs, self.legs = list(self.legs.values()), {}
        pending, self._pending = list(self._pending.values()), {}
        for leg in legs:
            leg.closed(reason)
        for each in pending:
            each.replied(None)


def _refusal(leg: Leg, frame: Frame | None) -> StreamError | Interrupted:
    if isinstance(frame, Refused):
        why = frame.msg
        return SubscriptionRefusedError(leg.channel.name, why.code, why.msg, why.markets)
    if frame is None:
        return Interrupted(leg.channel.name)
    return StreamError(f"{leg.channel.name}: the answer was {type(frame).__name__}")


def _said(frame: Refused) -> str:
    return f"error {frame.msg.code}, {one_line(frame.msg.msg)}"


def _parts(tickers: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(tickers)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
