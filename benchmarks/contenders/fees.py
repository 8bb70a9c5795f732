"""The fee and the Kelly share of many (price, count) pairs, one call each, on one core."""

from __future__ import annotations

import argparse
from decimal import Decimal
from random import Random
from time import process_time

from kalshi_async.analytics import fees, sizing

from ._probe import emit

# The finest grid of the exchange. As in decoded markets and books, equal prices are one object.
PRICES = [Decimal(tick).scaleb(-3) for tick in range(1, 1_000)]


def pairs(number: int, rng: Random) -> list[tuple[Decimal, int]]:
    """Prices in tenths of a cent, and whole counts."""
    return [(rng.choice(PRICES), rng.randrange(1, 10_000)) for _ in range(number)]


def measure(number: int) -> dict[str, float]:
    """Processor seconds of ``fees.taker_fee`` and ``sizing.kelly`` for so many pairs."""
    rng = Random(7)
    chances = [Decimal(each).scaleb(-3) for each in range(1, 1_000)]
    given = [(price, count, rng.choice(chances)) for price, count in pairs(number, rng)]
    begin = process_time()
    for price, count, chance in given:
        fees.taker_fee(count, price)
        sizing.kelly(probability=chance, price=price)
    seconds = process_time() - begin
    return {
        "seconds": seconds,
        "charged": sum(fees.taker_fee(count, price) > 0 for price, count, _ in given),
        "staked": sum(sizing.kelly(probability=p, price=price) > 0 for price, _, p in given),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, required=True)
    emit(measure(parser.parse_args().pairs))
