"""The floor of a stream: websockets as documented, msgspec structs, two dicts; nothing checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec
from websockets.asyncio.client import ClientConnection

from .stream_takers import TICKER, Book

SUBSCRIBE = {
    "id": 1,
    "cmd": "subscribe",
    "params": {"channels": ["orderbook_delta"], "market_tickers": [TICKER]},
}


class Delta(msgspec.Struct, gc=False):
    """A change, its fields in the order of the wire."""

    market_ticker: str
    market_id: str
    clock: int
    price_dollars: Decimal
    delta_fp: Decimal
    side: str
    ts: datetime
    ts_ms: int


class Snapshot(msgspec.Struct, gc=False):
    """A whole book."""

    market_ticker: str
    market_id: str
    clock: int
    yes_dollars_fp: list[tuple[Decimal, Decimal]]
    no_dollars_fp: list[tuple[Decimal, Decimal]]


class DeltaFrame(msgspec.Struct, gc=False, tag="orderbook_delta"):
    """A frame with a change."""

    sid: int
    seq: int
    msg: Delta


class SnapshotFrame(msgspec.Struct, gc=False, tag="orderbook_snapshot"):
    """A frame with a whole book."""

    sid: int
    seq: int
    msg: Snapshot


class Subscribed(msgspec.Struct, gc=False, tag="subscribed"):
    """The answer to the command."""


decode = msgspec.json.Decoder(DeltaFrame | SnapshotFrame | Subscribed).decode


class FloorTaker:
    """Keeps the book of one market."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._sides: dict[str, dict[Decimal, Decimal]] = {"yes": {}, "no": {}}

    async def take(self, last: int) -> int:
        """See `Taker`."""
        await self._connection.send(msgspec.json.encode(SUBSCRIBE).decode())
        count, zero = 0, Decimal(0)
        async for message in self._connection:
            frame = decode(message)
            if type(frame) is DeltaFrame:
                change = frame.msg
                side = self._sides[change.side]
                size = side.get(change.price_dollars, zero) + change.delta_fp
                if size:
                    side[change.price_dollars] = size
                else:
                    del side[change.price_dollars]
            elif type(frame) is SnapshotFrame:
                self._sides = {
                    "yes": dict(frame.msg.yes_dollars_fp),
                    "no": dict(frame.msg.no_dollars_fp),
                }
            else:
                continue
            count += 1
            if frame.seq == last:
                break
        return count

    def book(self) -> Book:
        """See `Taker`."""
        kept: Mapping[str, Mapping[Decimal, Decimal]] = self._sides
        return kept
