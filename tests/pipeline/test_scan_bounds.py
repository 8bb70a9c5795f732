"""Scans whose exchange or caller does not keep to the bounds."""

from __future__ import annotations

import json

import pytest

from kalshi_async import InvalidRequestError
from tests.pipeline.listing import Item, Listing, scan_of


class Deaf(Listing):
    """An exchange that knows nothing of creation-time filters."""

    def _passes(self, time: int, query: object) -> bool:
        return True


SPREAD = [second * 86_400_000_000 + second for second in range(120)]


async def test_an_exchange_without_the_filters_still_delivers_each_market_once() -> None:
    listing = Deaf(SPREAD, page=5)
    async with scan_of(listing, concurrency=4) as scan:
        found: list[Item] = [item async for item in scan]
    assert len({query.get("min_created_ts") for query in listing.requests}) > 1, "it was not cut"
    assert sorted(item.ticker for item in found) == listing.tickers


async def test_the_callers_bounds_hold_for_every_window() -> None:
    listing = Listing(SPREAD, page=5)
    bounds = {"min_created_ts": _at(SPREAD[20]), "max_created_ts": _at(SPREAD[99])}
    async with scan_of(listing, concurrency=4, query=bounds) as scan:
        found = [item async for item in scan]
    # market n was created n microseconds after its second: number 99 is past the upper bound
    assert sorted(int(item.ticker[1:]) for item in found) == list(range(20, 99))


async def test_resuming_with_other_bounds_is_refused() -> None:
    listing = Listing(SPREAD, page=5)
    async with scan_of(listing, query={"min_created_ts": _at(SPREAD[20])}) as scan:
        await anext(scan)
        saved = json.loads(json.dumps(scan.checkpoint()))
    with pytest.raises(InvalidRequestError, match="resume with the same"):
        scan_of(listing, query={"min_created_ts": _at(SPREAD[30])}, resume=saved)
    with pytest.raises(InvalidRequestError, match="resume with the same"):
        scan_of(listing, resume=saved)


def _at(micros: int) -> int:
    from kalshi_async._windows import EPOCH

    return EPOCH + micros // 1_000_000
