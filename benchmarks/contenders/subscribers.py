"""WebSocket subscribers of one busy market, each with a book of its own from what it is sent."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from time import monotonic, process_time

import msgspec

from benchmarks._exchange_server import TICKERS, Flowed, Remote, remote
from benchmarks._lines import HOST, signer, wall_ms
from benchmarks._process import BenchmarkError

from ._probe import emit

PATH = "/trade-api/ws/v2"
# Seconds without a single frame after which nothing more is waited for.
_PATIENCE = 20.0
_SNAPSHOT, _DELTA = "orderbook_snapshot", "orderbook_delta"
_PING, _CLOSE = 0x89, 0x88


class Msg(msgspec.Struct):
    """What a snapshot or a delta says; other messages have none of it."""

    clock: int = 0
    price_dollars: str = ""
    delta_fp: str = ""
    side: str = ""
    yes_dollars_fp: list[tuple[str, str]] = []
    no_dollars_fp: list[tuple[str, str]] = []


class Message(msgspec.Struct):
    """A text frame."""

    type: str
    seq: int = 0
    msg: Msg | None = None


Condition = Callable[[], bool]
_decode = msgspec.json.Decoder(Message).decode


def text_frame(payload: bytes) -> bytes:
    """A masked text frame; the mask is zero, so the payload goes as it is."""
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload


class Subscriber(asyncio.Protocol):
    """One connection and the book it keeps: {"yes": {price: count}, "no": ...}, with the number
    of its last change.
    """

    def __init__(self, audience: Audience, handshake: bytes) -> None:
        self._audience, self._handshake = audience, handshake
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._open = False
        self._seq = 0
        self.clock = 0
        self.frames = self.gaps = 0
        self.book: dict[str, dict[int, int]] = {"yes": {}, "no": {}}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._handshake)

    def connection_lost(self, exc: Exception | None) -> None:
        self._audience.lost += 1

    def subscribe(self) -> None:
        """Ask for the book of the market."""
        assert self._transport is not None
        params = {"channels": ["orderbook_delta"], "market_ticker": TICKERS[0]}
        command = {"id": 1, "cmd": "subscribe", "params": params}
        self._transport.write(text_frame(msgspec.json.encode(command)))

    def close(self) -> None:
        """Leave."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        if not self._open:
            end = received.find(b"\r\n\r\n")
            if end < 0:
                return
            if not received.startswith(b"HTTP/1.1 101"):
                raise BenchmarkError(f"the handshake was answered {bytes(received[:200])!r}")
            del received[: end + 4]
            self._open = True
            self._audience.opened()
        at, have = 0, len(received)
        while have - at >= 2:
            size, head = received[at + 1], 2
            if size == 126:
                size, head = int.from_bytes(received[at + 2 : at + 4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(received[at + 2 : at + 10], "big"), 10
            if have < at + head + size:
                break
            self._frame(received[at], received[at + head : at + head + size])
            at += head + size
        if at:
            del received[:at]
        self._audience.moved(self)

    def _frame(self, first: int, payload: bytearray) -> None:
        if first == _PING and self._transport is not None:
            self._transport.write(b"\x8a" + bytes((0x80 | len(payload), 0, 0, 0, 0)) + payload)
        if first in (_PING, _CLOSE):
            return
        message = _decode(payload)
        self.frames += 1
        if message.seq:
            self.gaps += message.seq != self._seq + 1
            self._seq = message.seq
        msg = message.msg
        if message.type == _DELTA and msg is not None:
            self.gaps += msg.clock != self.clock + 1
            self.clock = msg.clock
            side, price = self.book[msg.side], _whole(msg.price_dollars)
            left = side.get(price, 0) + _whole(msg.delta_fp)
            if left:
                side[price] = left
            else:
                del side[price]
        elif message.type == _SNAPSHOT and msg is not None:
            self.clock = msg.clock
            for name, levels in (("yes", msg.yes_dollars_fp), ("no", msg.no_dollars_fp)):
                self.book[name] = {_whole(price): _whole(count) for price, count in levels}


def _whole(text: str) -> int:
    """A fixed-point text without its point: exact, and the same for prices and counts."""
    return int(text.replace(".", ""))


class Audience:
    """All subscribers, and what they have come to."""

    def __init__(self) -> None:
        self.members: list[Subscriber] = []
        self.lost = 0
        self.last = monotonic()
        self._open = 0
        self._final = -1
        self._behind: set[Subscriber] = set()
        self._changed = asyncio.Event()

    def opened(self) -> None:
        """A connection is open."""
        self._open += 1
        self._changed.set()

    def moved(self, member: Subscriber) -> None:
        """Frames came in."""
        self.last = monotonic()
        if member.clock == self._final:
            self._behind.discard(member)
            if not self._behind:
                self._changed.set()

    async def connect(self, exchange: Remote, number: int) -> None:
        """Open so many connections, some dozens at a time."""
        lines = signer(exchange.opened.members[0])
        loop, port = asyncio.get_running_loop(), exchange.opened.port
        for count in range(number):
            handshake = (
                f"GET {PATH} HTTP/1.1\r\nHost: {HOST}:{port}\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            ).encode()
            handshake += lines("GET", PATH, wall_ms()) + b"\r\n"
            member = Subscriber(self, handshake)
            await loop.create_connection(lambda member=member: member, HOST, port)  # type: ignore[misc]
            self.members.append(member)
            if count % 50 == 49:
                await self._until(lambda: self._open == len(self.members))
        await self._until(lambda: self._open == number)

    async def reach(self, clock: int) -> None:
        """Wait until every book is as far as this, or nothing comes any more."""
        self._final = clock
        self._behind = {member for member in self.members if member.clock != clock}
        await self._until(lambda: not self._behind)

    async def _until(self, done: Condition) -> None:
        self.last = monotonic()
        while not done() and monotonic() - self.last < _PATIENCE:
            self._changed.clear()
            try:
                async with asyncio.timeout(1.0):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def equal(self, final: Flowed) -> int:
        """How many have the exchange's own book, and missed nothing on the way to it."""
        own = {"yes": final.yes, "no": final.no}
        return sum(
            member.clock == final.clock and member.book == own and not member.gaps
            for member in self.members
        )


async def measure(exchange: Remote, given: argparse.Namespace) -> dict[str, float]:
    """Half subscribe before the orders begin, the others while they are placed."""
    audience = Audience()
    begin = monotonic()
    await audience.connect(exchange, given.subscribers)
    connected = monotonic() - begin
    half = len(audience.members) // 2
    for member in audience.members[:half]:
        member.subscribe()
    own = process_time()
    flowing = asyncio.create_task(asyncio.to_thread(exchange.trade, given.commands, given.burst))
    for member in audience.members[half:]:
        await asyncio.sleep(0)
        member.subscribe()
    final = await flowing
    await audience.reach(final.clock)
    equal, frames = audience.equal(final), sum(member.frames for member in audience.members)
    own = process_time() - own
    for member in audience.members:
        member.close()
    whole = audience.last - final.began
    return {
        "subscribers": given.subscribers,
        "equal": equal,
        "gaps": sum(member.gaps for member in audience.members),
        "changes": final.clock,
        "messages": frames,
        "rate": frames / whole,
        "flow": final.ended - final.began,
        "drain": max(0.0, audience.last - final.ended),
        "connect": connected,
        "load_share": own / whole,
    }


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--commands", type=int, default=2_000)
    parser.add_argument("--burst", type=int, default=4)
    given = parser.parse_args()
    with remote() as exchange:
        emit(asyncio.run(measure(exchange, given)))


if __name__ == "__main__":
    main()
