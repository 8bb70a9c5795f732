"""Looks for arbitrage in made-up events with full books, on one core."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from time import process_time

from kalshi_async.analytics import arbitrage
from kalshi_async.analytics.fees import FeeSchedule
from kalshi_async.models import Event, Level, Market, OrderBook

from ._probe import emit

MARKETS = 10
LEVELS = 25
CHUNK = 500
_CENT = Decimal("0.01")

Books = dict[str, OrderBook]


def quoted(
    event: str, number: int, cents: int, rng: Random, ladder: bool
) -> tuple[Market, OrderBook]:
    """A market around a price in cents, and its book: 25 levels a side where there is room."""
    bid = max(1, cents - 1 - rng.randrange(2))
    no_bid = max(1, 99 - cents - rng.randrange(2))
    title = f"Will the close be above {10 * number} on May 6?" if ladder else f"Will {number} win?"
    market = Market(
        ticker=f"{event}-{number}",
        event_ticker=event,
        status="active",
        market_type="binary",
        strike_type="greater" if ladder else "custom",
        floor_strike=Decimal(10 * number) if ladder else None,
        custom_strike=None if ladder else {"Outcome": str(number)},
        title=title,
        rules_primary=f"{title} If so, then the market resolves to Yes.",
        yes_bid=bid * _CENT,
        yes_ask=1 - no_bid * _CENT,
        no_bid=no_bid * _CENT,
        no_ask=1 - bid * _CENT,
    )
    sides = [
        tuple(
            Level(price * _CENT, rng.randrange(1, 50_000) * _CENT)
            for price in range(max(1, best - LEVELS + 1), best + 1)
        )
        for best in (bid, no_bid)
    ]
    return market, OrderBook(ticker=market.ticker, yes=sides[0], no=sides[1])


def made_up(count: int, share: float, rng: Random) -> Iterator[tuple[Event, Books]]:
    """Ladders and exclusive outcomes by turns; in a share of them one market is priced wrongly."""
    for number in range(count):
        ladder, name = number % 2 == 0, f"KXMADEUP-{number}"
        wrong = rng.randrange(MARKETS) if rng.random() < share else None
        weights = [rng.random() + 0.05 for _ in range(MARKETS)]
        markets, books = [], {}
        for place in range(MARKETS):
            fair = 0.95 - 0.09 * place if ladder else weights[place] / sum(weights)
            cents = round(100 * fair) + (35 if place == wrong else 0)
            market, book = quoted(name, place, min(max(cents, 3), 97), rng, ladder)
            markets.append(market)
            books[market.ticker] = book
        yield (
            Event(
                event_ticker=name,
                mutually_exclusive=not ladder,
                collateral_return_type="" if ladder else "MECNET",
                markets=markets,
            ),
            books,
        )


def measure(events: int, share: float) -> dict[str, float]:
    """Processor seconds of ``find`` and ``promising`` over so many events, and what they found."""
    rng, fees = Random(7), FeeSchedule()
    found = screened = seconds = screening = levels = 0.0
    done = 0
    while done < events:
        # In pieces: what is being made up must not crowd the memory, nor the figures.
        size = min(CHUNK, events - done)
        piece = list(made_up(size, share, rng))
        done += size
        levels += sum(len(book.yes) + len(book.no) for _, books in piece for book in books.values())
        begin = process_time()
        found += sum(bool(arbitrage.find(event, books, fees=fees)) for event, books in piece)
        seconds += process_time() - begin
        begin = process_time()
        screened += sum(bool(arbitrage.promising(event)) for event, _ in piece)
        screening += process_time() - begin
    return {
        "find": seconds,
        "promising": screening,
        "found": found,
        "screened": screened,
        "levels": levels,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--share", type=float, required=True)
    given = parser.parse_args()
    emit(measure(given.events, given.share))
