"""What a live stream tells about itself: frozen events, for ``stream.events()`` and for hooks."""

from __future__ import annotations

from dataclasses import dataclass

from ._errors import KalshiError
from ._stream_errors import FrameError


@dataclass(frozen=True, slots=True)
class StreamConnected:
    """A connection stands for the first time; ``tries`` says how many it took."""

    connection: int
    tries: int


@dataclass(frozen=True, slots=True)
class StreamDisconnected:
    """A connection was lost; it is made again unless ``final``."""

    connection: int
    reason: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class StreamRetrying:
    """A connection could not be made, ``tries`` times in a row; ``wait``: seconds to the next."""

    connection: int
    tries: int
    error: KalshiError
    wait: float


@dataclass(frozen=True, slots=True)
class StreamResumed:
    """A connection stands again, and everything was subscribed to anew.

    ``gap``: seconds since the last sign of life of the one before. Books come as new snapshots;
    fills, orders and positions of the gap follow as ``backfilled`` messages; of the other channels
    what happened meanwhile is not sent.
    """

    connection: int
    tries: int
    gap: float


@dataclass(frozen=True, slots=True)
class StreamGap:
    """Frames are missing: ``expected`` was the next number of the subscription, ``got`` came."""

    connection: int
    channel: str
    expected: int
    got: int


@dataclass(frozen=True, slots=True)
class StreamStale:
    """The books of these markets may be out of date, until new snapshots have come."""

    channel: str
    tickers: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class StreamFresh:
    """All books of a subscription that were stale are right again, after ``seconds``."""

    channel: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StreamUnknown:
    """A frame of a type that this version does not know, as it came."""

    kind: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class StreamUnreadable:
    """A frame that cannot be read; the books it may have been about are stale."""

    error: FrameError


@dataclass(frozen=True, slots=True)
class StreamBackfill:
    """What a private channel may have missed was read over REST; with ``error``, it was not yet.

    ``messages``: how many of what was read were news; ``undecoded``: how many items REST sent that
    this version cannot read.
    """

    channel: str
    messages: int
    undecoded: int = 0
    error: KalshiError | None = None


@dataclass(frozen=True, slots=True)
class StreamSlow:
    """Reading stands still because ``channel`` is not read; ``dropped`` messages are gone."""

    channel: str
    waiting: int
    dropped: int = 0


StreamEvent = (
    StreamConnected
    | StreamDisconnected
    | StreamResumed
    | StreamRetrying
    | StreamGap
    | StreamStale
    | StreamFresh
    | StreamUnknown
    | StreamUnreadable
    | StreamBackfill
    | StreamSlow
)
