"""What the stream server sends: books of 99 levels a side and changes of them, as WebSocket frames.

Prices lie 0.5 cents apart, so that 99 bids for YES and 99 for NO do not cross. Nothing here does
I/O or looks at a clock: the same seed gives the same bytes.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

LEVELS = 99
SIDES = ("yes", "no")
SID = 1
_STEP = 50
_START = datetime(2026, 11, 23, 6, 29, 47, 354_803, tzinfo=UTC)
_START_MS = 1_795_415_387_354
# Of a hundred changes so many take a whole level away, or bring one back.
_WHOLE = 15

Levels = dict[int, int]
"""Hundredths of a contract by price in hundredths of a cent."""


def ticker(index: int) -> str:
    """The market of a number, as long as recorded ones."""
    return f"KXSTREAMBENCHMARKS-26NOV23FLOORP-{index:05d}"


def frame(payload: bytes) -> bytes:
    """A whole text frame from a server, which masks nothing (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def price_text(price: int) -> str:
    """`0.4950`."""
    return f"{price // 10_000}.{price % 10_000:04d}"


def count_text(count: int) -> str:
    """`-12.00`."""
    sign = "-" if count < 0 else ""
    return f"{sign}{abs(count) // 100}.{abs(count) % 100:02d}"


@dataclass
class Change:
    """A change of one level, without the numbers that only sending gives it."""

    market: int
    side: str
    price: int
    delta: int

    def payload(self, seq: int, clock: int) -> bytes:
        """Its message; `clock` is the number of the change."""
        before, after = self.around_clock(seq)
        return b"%b%d%b" % (before, clock, after)

    def around_clock(self, seq: int) -> tuple[bytes, bytes]:
        """The message before and after its `clock`."""
        at = _START + timedelta(microseconds=977 * seq)
        before = (
            f'{{"type":"orderbook_delta","sid":{SID},"seq":{seq},"msg":{{'
            f'"market_ticker":"{ticker(self.market)}",'
            f'"market_id":"{market_id(self.market)}","clock":'
        )
        after = (
            f',"price_dollars":"{price_text(self.price)}","delta_fp":"{count_text(self.delta)}",'
            f'"side":"{self.side}","ts":"{at:%Y-%m-%dT%H:%M:%S.%f}Z",'
            f'"ts_ms":{_START_MS + 977 * seq // 1000}}}}}'
        )
        return before.encode(), after.encode()


def market_id(index: int) -> str:
    """A UUID for a market."""
    return f"f5ed38e2-0991-4c8f-817e-{index:012x}"


@dataclass
class Feed:
    """Markets, their books, and how they change.

    Args:
        markets: How many.
        seed: Of sizes and changes.
    """

    markets: int = 1
    seed: int = 1
    books: list[dict[str, Levels]] = field(init=False)

    def __post_init__(self) -> None:
        dice = Random(f"{self.seed}/books")
        prices = range(_STEP, _STEP * (LEVELS + 1), _STEP)
        self.books = [
            {side: {price: dice.randint(1, 10**7) for price in prices} for side in SIDES}
            for _ in range(self.markets)
        ]
        self._dice = Random(f"{self.seed}/changes")
        self._prices = {
            (market, side): list(prices) for market in range(self.markets) for side in SIDES
        }
        self._gone: dict[tuple[int, str], list[int]] = {}

    def snapshot(self, market: int, seq: int) -> bytes:
        """The message with a whole book as it is now."""
        sides = (f'"{side}_dollars_fp":{self._levels(market, side)}' for side in SIDES)
        return (
            f'{{"type":"orderbook_snapshot","sid":{SID},"seq":{seq},"msg":{{'
            f'"market_ticker":"{ticker(market)}","market_id":"{market_id(market)}",'
            f'"clock":{seq},{",".join(sides)}}}}}'
        ).encode()

    def _levels(self, market: int, side: str) -> str:
        levels = sorted(self.books[market][side].items())
        listed = (f'["{price_text(price)}","{count_text(count)}"]' for price, count in levels)
        return f"[{','.join(listed)}]"

    def changes(self) -> Iterator[Change]:
        """Changes without end, each of which is in `books` when it is given. No size becomes
        negative; most changes are near the best price.
        """
        dice = self._dice
        while True:
            market = dice.randrange(self.markets)
            side = SIDES[dice.getrandbits(1)]
            place = market, side
            levels, prices = self.books[market][side], self._prices[place]
            gone = self._gone.setdefault(place, [])
            if dice.randrange(100) >= _WHOLE:
                price = prices[_near_the_end(dice, prices)]
                size = max(1, levels[price] + dice.randint(-(10**5), 10**5))
                delta = size - levels[price]
                if not delta:
                    continue
                levels[price] = size
            elif gone:
                price, delta = gone.pop(), dice.randint(1, 10**7)
                levels[price] = delta
                insort(prices, price)
            else:
                price = prices[_near_the_end(dice, prices)]
                delta = -levels.pop(price)
                del prices[bisect_left(prices, price)]
                gone.append(price)
            yield Change(market, side, price, delta)


def _near_the_end(dice: Random, prices: Sequence[int]) -> int:
    """The place of a price: the best one, which is last, most often."""
    return len(prices) - 1 - min(int(dice.expovariate(0.1)), len(prices) - 1)


def blocks(frames: Iterator[bytes], size: int = 1 << 16) -> Iterator[bytes]:
    """As many whole frames at a time as fit into `size` bytes."""
    parts: list[bytes] = []
    held = 0
    for each in frames:
        if parts and held + len(each) > size:
            yield b"".join(parts)
            parts, held = [], 0
        parts.append(each)
        held += len(each)
    if parts:
        yield b"".join(parts)
