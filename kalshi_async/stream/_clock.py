"""The exchange's clock, as well as it is known."""

from __future__ import annotations

from .._auth import Signer, exchange_time

# A ``Date`` tells whole seconds, and may have been on its way for one: less than that is no proof
# against a clock that signatures are accepted by.
_TRUSTED = 2.0


class ExchangeClock:
    """Unix seconds by the exchange: this machine's clock, corrected by what it was refused for and,
    where a handshake showed it to be off by seconds, by that.

    Args:
        signer: Has this machine's clock, and the correction of signatures.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._learned: float | None = None

    def __call__(self) -> float:
        offset = self._signer.offset if self._learned is None else self._learned
        return self._signer.wall_clock() + offset

    def learn(self, date: str | None, sent_at: float, received_at: float) -> None:
        """Take the time of an answer's ``Date`` into account; the others are by ``wall_clock``."""
        said = exchange_time(date)
        if said is not None:
            offset = said - (sent_at + received_at) / 2
            off = abs(offset - self._signer.offset) > _TRUSTED + (received_at - sent_at) / 2
            self._learned = offset if off else None
