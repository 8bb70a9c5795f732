"""What a client has from its pool: counters, an end, and a block that brings it about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from ._hooks import Stats, Telemetry
from ._transport import Transport


class ClientLife(ABC):
    """A client of one pool, used as ``async with`` or closed by ``aclose()``."""

    _telemetry: Telemetry
    _transport: Transport

    @property
    def stats(self) -> Stats:
        """Live counters; see ``kalshi_async.Stats``."""
        return self._telemetry.stats

    @property
    def closed(self) -> bool:
        """Whether the client has been closed."""
        return self._transport.closed

    @abstractmethod
    async def aclose(self) -> None:
        """Close the connections; later calls raise ``ClientClosedError``. May be called twice."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
