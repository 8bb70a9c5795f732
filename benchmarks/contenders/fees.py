"""The fee and the Kelly share of many (price, count) pairs, one call each, on one core."""

from __future__ import annotations

import argparse
from decimal import Decimal
from random import Random
from time import process_time

from kalshi_async.analytics import fees, sizing

from ._probe import emit


# As in decoded markets and books: equal prices are one object.
PRICES = [Decimal(tick).scaleb(-4) for tick in range(1, 10_000)]


def pairs(number: int, rng: Random) -> list[tuple[Decimal, int]]:
    """Prices on every grid there is, and whole counts."""
    return [(rng.choice(PRICES), rng.randrange(1, 10_000)) for _ in range(number)]


def measure(number: int) -> dict[str, float]:
    """Processor seconds of ``fees.taker_fee`` and ``sizing.kelly`` for so many pairs."""
    rng = Random(7)
    chances = [Decimal(each).scaleb(-3) for each in range(1, 1_000)]
    given = [(price, count, rng.choice(chances)) for price, count in pairs(number, rng)]
    charged = staked = 0
    begin = process_time()
    for price, count, chance in given:
        charged += fees.taker_fee(count, price) > 0
        staked += sizing.kelly(probability=chance, price=price) > 0
    seconds = process_time() - begin
    return {"seconds": seconds, "charged": charged, "staked": staked}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, required=True)
    emit(measure(parser.parse_args().pairs))
