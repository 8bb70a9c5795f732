"""How far a call has got."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Trail:
    """What a call has left behind so far, readable also when it is cancelled.

    Attributes:
        attempts: How many times the request was handed to the network.
        sent_at: When the last attempt left, in Unix seconds by the clock that signs.
        in_flight: Whether an attempt is under way.
        arrived: Whether an attempt may have reached the exchange.
        doubtful: Whether an attempt that has ended may have been carried out.
    """

    attempts: int = 0
    sent_at: float = 0.0
    in_flight: bool = False
    arrived: bool = False
    doubtful: bool = False

    @property
    def unknown(self) -> bool:
        """Whether something may have been carried out that nobody has told of."""
        return self.in_flight or self.doubtful
