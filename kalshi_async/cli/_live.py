"""What the live commands share: an exchange on which something moves, its markets, the end."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
import msgspec

from .. import KalshiClient, NotFoundError
from ..stream import Stream, Subscription
from ._connect import EMBEDDED, EMBEDDED_TIER, Target, connected

T = TypeVar("T")

_ACTIVITY_SPEED = 4.0
# The busiest of an embedded exchange: so many, of so many trades.
_FEW, _OF_TRADES = 5, 25


@asynccontextmanager
async def live(target: Target) -> AsyncIterator[KalshiClient]:
    """A client of the target; an embedded exchange trades as long as the block lasts."""
    if target.env != EMBEDDED:
        async with connected(target) as (kalshi, _):
            yield kalshi
        return
    from ..sandbox import Sandbox

    serving = Sandbox.serve(
        seed=target.seed,
        markets=target.generated,
        load=target.load,
        tier=EMBEDDED_TIER,
        activity=True,
        speed=_ACTIVITY_SPEED,
    )
    async with serving as exchange, exchange.client(limits="account") as kalshi:
        yield kalshi


async def check_markets(kalshi: KalshiClient, tickers: Sequence[str]) -> None:
    """Have a clear error for a market that does not exist: streams of some channels have none.

    Raises:
        NotFoundError: There is no such market.
    """
    for ticker in tickers:
        try:
            await kalshi.markets.get(ticker)
        except NotFoundError as exc:
            exc.add_note(f"there is no market {ticker}")
            raise


def need_markets(target: Target, tickers: Sequence[str], command: str) -> None:
    """Whether markets have to be named.

    Raises:
        ValueError: They have, and were not.
    """
    if not tickers and target.env != EMBEDDED:
        raise ValueError(
            f"name the markets, such as kalshi-async {command} KXFED-26MAR19 --env {target.env}; "
            "only on the embedded exchange the busiest ones are chosen"
        )


async def busiest(stream: Stream) -> list[str]:
    """The markets that traded most often in a look at the exchange, busiest first."""
    seen: Counter[str] = Counter()
    async with stream.trades() as trades:
        async for trade in trades:
            seen[trade.ticker] += 1
            if seen.total() >= _OF_TRADES and len(seen) >= _FEW:
                break
    return [ticker for ticker, _ in seen.most_common(_FEW)]


async def next_within(updates: Subscription[T], seconds: float) -> T | None:
    """The next update, None where none comes for so long."""
    with anyio.move_on_after(seconds):
        return await anext(updates)
    return None


def print_line(line: str) -> None:
    """A line that is there at once, also for who reads it through a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def print_object(value: object) -> None:
    """A JSON object on one line."""
    print_line(msgspec.json.encode(value).decode())
