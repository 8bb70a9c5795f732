"""What a connection needs of the world: where to go, and who it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .._errors import KalshiError
from .._stream_events import StreamEvent
from ._reconnect import Reconnect

if TYPE_CHECKING:
    from .._auth import Signer
    from ._connection import Connection
    from ._stats import StreamStats


@dataclass(frozen=True)
class Route:
    """How to reach the exchange."""

    url: str
    path: str
    signer: Signer
    user_agent: str
    direct: bool
    timeout: float | None
    heartbeat: float
    patience: float
    verify: float | None
    reconnect: Reconnect


class Tape(Protocol):
    """Who writes down what is received."""

    def frame(self, connection: int, data: bytes | bytearray, received_at: float) -> None: ...
    def command(self, connection: int, data: bytes, at: float) -> None: ...
    def event(self, event: StreamEvent, at: float) -> None: ...


class Host(Protocol):
    """The stream that a connection is part of."""

    stats: StreamStats

    def tell(self, event: StreamEvent) -> None: ...
    def now(self) -> float: ...
    def learn_clock(self, date: str | None, sent_at: float, received_at: float) -> None: ...
    def jitter(self, failures: int) -> float: ...
    def lost(self, connection: Connection, error: KalshiError) -> None: ...
