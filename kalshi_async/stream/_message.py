"""What all messages of live streams share.

They follow the naming of ``models``: no ``_dollars`` and ``_fp`` suffixes, prices and money in
dollars and counts in contracts as exact ``Decimal``, ``*_ts`` in Unix seconds and ``*_ms`` in Unix
milliseconds where the wire has whole numbers, aware ``datetime`` where it has text. Values of
enumerations are plain text, because they grow.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

import msgspec

from ..models._base import Model


class Part(Model, forbid_unknown_fields=True):
    """An object inside a message."""


class StreamMessage(Model, forbid_unknown_fields=True):
    """One message of a live stream: the fields of the exchange, and four of the client's own.

    The structs declare their fields in the order of the wire, which decodes faster. A field that
    the structs do not know is refused, so that whoever decodes can keep it in ``extra``.
    ``msgspec.json.encode`` gives the form of the wire again, the client's own fields marked ``~``.

    Attributes:
        received_at: When its bytes arrived, in Unix seconds by the client's corrected clock; 0
            before the client has set it.
        seq: Number of its frame within its subscription; None on channels that are not numbered.
        backfilled: Whether it was read over REST after a reconnect instead of arriving live.
        extra: Fields that this version does not know, as plain Python values; None without any.
    """

    __times__: ClassVar[tuple[str, ...]] = ()
    """Fields that say when the exchange made it, the most exact first."""

    received_at: float = msgspec.field(default=0.0, name="~received_at")
    seq: int | None = msgspec.field(default=None, name="~seq")
    backfilled: bool = msgspec.field(default=False, name="~backfilled")
    extra: dict[str, object] | None = msgspec.field(default=None, name="~extra")

    @property
    def age(self) -> float | None:
        """Seconds from the exchange's own time stamp to ``received_at``.

        None where it carries no such time or ``received_at`` is not set. Below 0 where the clocks
        disagree by more than the message took.
        """
        if not self.received_at:
            return None
        for name in self.__times__:
            value: datetime | int | None = getattr(self, name)
            if value is not None:
                try:
                    return self.received_at - _seconds(name, value)
                except OverflowError:  # no time that ever was
                    return None
        return None


def _seconds(name: str, value: datetime | int) -> float:
    """A time in Unix seconds, whatever its field counts in."""
    if isinstance(value, datetime):
        return value.timestamp()
    return value / 1000 if name.endswith("_ms") else value


class MarketMessage(StreamMessage):
    """A message about one market."""

    if TYPE_CHECKING:  # each subclass declares it where the wire has it, for the decoder's sake
        market_ticker: str

    @property
    def ticker(self) -> str:
        """The market: ``market_ticker`` of the wire."""
        return self.market_ticker
