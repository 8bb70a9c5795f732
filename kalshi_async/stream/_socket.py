"""The WebSocket itself: ``websockets`` for the protocol, with frames handed over where they are
parsed instead of through a queue and a task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.datastructures import Headers
from websockets.exceptions import InvalidProxy, InvalidStatus, InvalidURI, WebSocketException
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State

from .._errors import (
    ConfigurationError,
    ConnectionFailedError,
    KalshiError,
    api_error,
    one_line,
)
from .._wire import parse_error

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.protocol import Event

LONGEST_FRAME = 16 << 20
"""Bytes; a whole book is some 20 kB, a list of 10,000 tickers 400 kB."""

_CLOSE_WAIT = 2.0
_OVER = (State.CLOSING, State.CLOSED)
_TEXT, _BINARY, _CONT = Opcode.TEXT, Opcode.BINARY, Opcode.CONT


class Reader(Protocol):
    """Who gets what a socket reads. None of it may raise."""

    def reading(self, size: int) -> None: ...
    def frame(self, data: bytes | bytearray) -> None: ...
    def read(self) -> None: ...


class Socket(ClientConnection):
    """One open WebSocket.

    For each piece of bytes from the network its reader is called with ``reading``, then ``frame``
    for each whole message in it, then ``read``.
    """

    def __init__(self, protocol: ClientProtocol, *, reader: Reader, **options: object) -> None:
        super().__init__(protocol, **options)  # type: ignore[arg-type]
        self._reader, self._frame = reader, reader.frame
        self.ended = asyncio.Event()
        self._parts: bytearray | None = None

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        reader = self._reader
        reader.reading(len(data))
        super().data_received(data)
        reader.read()

    def process_event(self, event: Event) -> None:
        """Called by ``websockets`` for each frame, and for the answer to the handshake."""
        if type(event) is not Frame:
            super().process_event(event)
        elif event.opcode is _TEXT or event.opcode is _BINARY:
            if event.fin:
                self._frame(event.data)  # type: ignore[arg-type]
            else:
                self._parts = bytearray(event.data)
        elif event.opcode is _CONT and self._parts is not None:
            self._parts += event.data
            if event.fin:
                whole, self._parts = self._parts, None
                self._frame(whole)
        else:
            super().process_event(event)

    def send_data(self) -> None:
        """Called by ``websockets`` whenever it may have something to send."""
        super().send_data()
        # A peer that says goodbye sends nothing more, however long it leaves the line open.
        if self.protocol.state in _OVER:
            self.ended.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        super().connection_lost(exc)
        self.ended.set()

    def hang_up(self) -> None:
        """Close the line without waiting for the other end; what is written is still sent."""
        self.transport.close()
        self.loop.call_later(_CLOSE_WAIT, self.transport.abort)

    def pause(self) -> None:
        """Read no more until ``resume``."""
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if not self.transport.is_closing():
            self.transport.resume_reading()

    @property
    def timed_out(self) -> bool:
        """Whether it ended because a ping was not answered."""
        sent = self.protocol.close_sent
        return sent is not None and sent.code == CloseCode.INTERNAL_ERROR and "ping" in sent.reason

    @property
    def date(self) -> str | None:
        """The ``Date`` of the answer to the handshake."""
        return _date(self.response.headers) if self.response is not None else None

    def why_closed(self) -> str:
        """How the connection ended, in one line."""
        protocol = self.protocol
        if protocol.close_rcvd is not None:
            return f"the exchange closed it: {one_line(str(protocol.close_rcvd))}"
        if protocol.close_sent is not None:
            return f"it was closed: {protocol.close_sent}"
        return "it broke off without a close frame"


class _Handshake(connect):
    def process_redirect(self, exc: Exception) -> Exception:
        # Signed headers are for the exchange alone.
        return exc


async def open_socket(
    url: str,
    reader: Reader,
    *,
    headers: Mapping[str, str],
    user_agent: str,
    timeout: float | None,
    heartbeat: float,
    direct: bool,
) -> Socket:
    """Connect and shake hands. Cancelling is safe: nothing stays open.

    Args:
        url: Where to.
        reader: Gets all that is read.
        headers: Of the handshake.
        user_agent: Of the handshake.
        timeout: Seconds for all of it.
        heartbeat: A ping is sent after so many seconds, and must be answered within as many.
        direct: Past any proxy.
    """
    handshake = _Handshake(
        url,
        create_connection=partial(Socket, reader=reader),  # type: ignore[arg-type]
        additional_headers=dict(headers),
        user_agent_header=user_agent,
        compression=None,
        open_timeout=timeout,
        ping_interval=heartbeat,
        ping_timeout=heartbeat,
        close_timeout=_CLOSE_WAIT,
        max_size=LONGEST_FRAME,
        proxy=None if direct else True,
    )
    return await handshake  # type: ignore[return-value]


def failure(exc: Exception) -> KalshiError | None:
    """What stood in the way of a connection, as an error of this package; None for a defect."""
    if isinstance(exc, InvalidStatus):
        response = exc.response
        return api_error(response.status_code, parse_error(bytes(response.body or b"")))
    if isinstance(exc, InvalidProxy | InvalidURI):
        return ConfigurationError(f"no WebSocket can be opened: {exc}")
    if isinstance(exc, TimeoutError):
        return ConnectionFailedError("no WebSocket: the handshake was not answered in time")
    if isinstance(exc, OSError | EOFError | WebSocketException):
        return ConnectionFailedError(f"no WebSocket: {str(exc) or type(exc).__name__}")
    return None


def refused_with(exc: Exception) -> str | None:
    """The ``Date`` of the answer that refused a handshake."""
    return _date(exc.response.headers) if isinstance(exc, InvalidStatus) else None


def _date(headers: Headers) -> str | None:
    return next(iter(headers.get_all("Date")), None)  # proxies add their own
