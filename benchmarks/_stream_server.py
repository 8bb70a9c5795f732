"""The exchange of the stream benchmarks: WebSockets over a raw asyncio protocol, in one process.

`python -m benchmarks._stream_server --deltas 100000` prints `ready PORT` and serves until its
standard input closes. Whoever subscribes gets `subscribed`, a snapshot of each book, then
`--deltas` changes rendered beforehand, as many a write as fit 64 kB; with `--rate` so many of them
a second in small bursts, each with the machine's monotonic clock in nanoseconds as its `clock`.
`GET /books` tells the books as they must be in the end. Handshakes are taken from anybody.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from itertools import islice
from time import monotonic, monotonic_ns

from ._loops import FASTEST, keep_to_core, run_on
from ._process import BenchmarkError, child
from ._servers import serve
from ._stream_feed import (
    SID,
    SIDES,
    Feed,
    Levels,
    blocks,
    count_text,
    frame,
    price_text,
    ticker,
)

WS_PATH = "/trade-api/ws/v2"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING = 0x1, 0x8, 0x9
# Seconds between two bursts of what is paced.
_BURST = 0.001


@dataclass
class Programme:
    """What everybody gets to see who subscribes, rendered beforehand."""

    feed: Feed
    deltas: int = 0
    rate: int = 0
    snapshots: dict[str, bytes] = field(init=False)
    blocks: list[bytes] = field(init=False, default_factory=list)
    unstamped: list[tuple[bytes, bytes]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        markets = self.feed.markets
        self.snapshots = {
            ticker(market): frame(self.feed.snapshot(market, market + 1))
            for market in range(markets)
        }
        coming = enumerate(islice(self.feed.changes(), self.deltas), start=1)
        if self.rate:
            self.unstamped = [each.around_clock(markets + at) for at, each in coming]
        else:
            frames = (frame(each.payload(markets + at, at)) for at, each in coming)
            self.blocks = list(blocks(frames))

    def books(self) -> bytes:
        """The books as JSON: by market and side, levels as texts."""
        shown = {
            ticker(market): {side: _shown(levels[side]) for side in SIDES}
            for market, levels in enumerate(self.feed.books)
        }
        return json.dumps(shown).encode()

    def burst(self, begin: int, end: int) -> bytes:
        """Some of the changes as frames, stamped as they are made."""
        return b"".join(
            frame(b"%b%d%b" % (before, monotonic_ns(), after))
            for before, after in self.unstamped[begin:end]
        )


def _shown(levels: Levels) -> list[tuple[str, str]]:
    return [(price_text(price), count_text(count)) for price, count in sorted(levels.items())]


class Speaker(asyncio.Protocol):
    """One connection."""

    def __init__(self, programme: Programme) -> None:
        self._programme = programme
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._open = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._sending: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._writable.set()
        if self._sending is not None:
            self._sending.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._open:
            head, found, rest = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            self._received = rest
            self._answer(bytes(head))
        while self._open and (taken := unmasked(self._received)) is not None:
            opcode, payload, size = taken
            del self._received[:size]
            self._frame(opcode, payload)

    def _answer(self, head: bytes) -> None:
        """The answer to the first request."""
        key = _header(head, b"sec-websocket-key")
        if key:
            self._open = True
            accept = b64encode(sha1(key + _GUID).digest())
            self._write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            return
        body = self._programme.books()
        self._write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        if self._transport is not None:
            self._transport.close()

    def _frame(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self._write(bytes((0x8A, len(payload))) + payload)
        elif opcode == _CLOSE:
            self._write(bytes((0x88, len(payload))) + payload)
            if self._transport is not None:
                self._transport.close()
        elif opcode == _TEXT:
            self._command(json.loads(payload))

    def _command(self, command: dict[str, object]) -> None:
        number, params = command.get("id"), command.get("params")
        if command.get("cmd") == "subscribe" and isinstance(params, dict):
            shown = {"channel": params["channels"][0], "sid": SID}
            self._tell({"type": "subscribed", "id": number, "msg": shown})
            self._sending = asyncio.create_task(self._send(params["market_tickers"]))
        elif command.get("cmd") == "unsubscribe":
            self._tell({"type": "unsubscribed", "id": number, "sid": SID, "seq": 0})

    def _tell(self, shown: dict[str, object]) -> None:
        self._write(frame(json.dumps(shown).encode()))

    async def _send(self, tickers: list[str]) -> None:
        programme = self._programme
        for block in blocks(programme.snapshots[name] for name in tickers):
            await self._writable.wait()
            self._write(block)
        if programme.rate:
            await self._pace()
        for block in programme.blocks:
            await self._writable.wait()
            self._write(block)

    async def _pace(self) -> None:
        """So many a second, in bursts a millisecond apart; what is late is caught up with."""
        programme = self._programme
        begin, sent = monotonic(), 0
        while sent < len(programme.unstamped):
            due = int((monotonic() - begin) * programme.rate)
            if due > sent:
                self._write(programme.burst(sent, due))
                sent = due
            await asyncio.sleep(_BURST)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def unmasked(received: bytearray) -> tuple[int, bytes, int] | None:
    """The first frame of a client: opcode, payload, how many bytes it took; None if it is not there
    as a whole.
    """
    if len(received) < 6:
        return None
    size, head = received[1] & 0x7F, 2
    if size == 126:
        size, head = int.from_bytes(received[2:4], "big"), 4
    elif size == 127:
        size, head = int.from_bytes(received[2:10], "big"), 10
    end = head + 4 + size
    if len(received) < end:
        return None
    mask = int.from_bytes(bytes(received[head : head + 4]) * (size // 4 + 1), "big")
    spare = 8 * (4 - size % 4)
    masked = int.from_bytes(received[head + 4 : end], "big")
    return received[0] & 0xF, (masked ^ mask >> spare).to_bytes(size, "big"), end


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.strip().lower() == name:
            return value.strip()
    return b""


def undisturbed() -> bool:
    """Have this process go before all others, so that a latency is its own; whether the system
    lets it.
    """
    if not hasattr(os, "sched_setscheduler"):
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        return False
    return True


@contextmanager
def streaming(python: str, **options: object) -> Iterator[str]:
    """The server in a process of its own; yields `127.0.0.1:PORT`.

    `options` are those of the command line. Raises BenchmarkError if it does not start.
    """
    words = [f"--{name}={value}" for name, value in options.items() if value is not None]
    with child([python, "-m", "benchmarks._stream_server", *words], patience=5) as (_, stdout):
        told = stdout.readline().split()
        if told[:1] != ["ready"]:
            raise BenchmarkError(f"the stream server did not start (options: {options})")
        yield f"127.0.0.1:{told[1]}"


def main() -> None:
    """The server process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks._stream_server")
    parser.add_argument("--markets", type=int, default=1)
    parser.add_argument("--deltas", type=int, default=0, help="changes that follow the snapshots")
    parser.add_argument("--rate", type=int, default=0, help="so many of them a second, stamped")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--core", type=int, help="keep to this core")
    given = parser.parse_args()
    keep_to_core(given.core)
    programme = Programme(Feed(given.markets, given.seed), given.deltas, given.rate)
    if given.rate:
        undisturbed()
    run_on(FASTEST, serve(lambda: Speaker(programme)))


if __name__ == "__main__":
    main()
