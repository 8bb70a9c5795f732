"""Counters of a stream."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

_AGES = 4096


@dataclass(slots=True)
class StreamStats:
    """Counters of one stream since it was opened; read them at any time.

    Attributes:
        frames: Frames received.
        bytes: Bytes of them.
        messages: Messages received by channel.
        connects: Connections that stood, the first included.
        reconnects: Connections that replaced a lost one.
        failures: Attempts to connect that failed.
        gaps: Jumps in the numbers of a subscription.
        missed: Frames that those jumps skipped.
        repeats: Frames that came again, by number or by identity, and were dropped.
        resyncs: Snapshots asked for because a book was in doubt.
        skipped: Changes that were not applied because their book was waiting for its snapshot.
        replaced: Messages that a newer one replaced before they were taken (``conflate=True``).
        dropped: Messages that were dropped with a slow consumer, or that nobody had asked for, by
            channel.
        backfilled: Messages read over REST after a reconnect.
        unknown: Frames of a type, and fields (``type.field``), that this version does not know, or
            whose value it cannot read.
        unreadable: Frames that could not be read.
        pauses: How often reading stood still for a slow consumer.
    """

    frames: int = 0
    bytes: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    connects: int = 0
    reconnects: int = 0
    failures: int = 0
    gaps: int = 0
    missed: int = 0
    repeats: int = 0
    resyncs: int = 0
    skipped: int = 0
    replaced: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    backfilled: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    pauses: int = 0
    _ages: deque[float] = field(default_factory=lambda: deque(maxlen=_AGES), repr=False)

    def saw_age(self, age: float | None) -> None:
        """Remember how old a message was when it arrived."""
        if age is not None:
            self._ages.append(age)

    def age(self, percentile: float) -> float | None:
        """How old messages were when they arrived, in seconds: so many percent were no older.

        Of the last few thousand reads from the socket, one message each; None before the first.

        Raises:
            ValueError: ``percentile`` is not from 0 to 100.
        """
        if not 0 <= percentile <= 100:
            raise ValueError(f"percentile is {percentile}; expected 0 to 100")
        ages = sorted(self._ages)
        last = len(ages) - 1
        return ages[min(int(len(ages) * percentile // 100), last)] if ages else None
