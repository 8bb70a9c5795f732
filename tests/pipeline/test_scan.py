"""Scans: each market once, whatever the exchange's order and bounds; resuming; leaving."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async import (
    APIError,
    BadRequestError,
    InvalidRequestError,
    PaginationError,
    ScanProgress,
)
from kalshi_async._scan import Scan
from kalshi_async._windows import EPOCH
from tests.pipeline.helpers import NEVER, Stepped, both_backends, make_transport
from tests.pipeline.listing import Item, Listing, scan_of
from tests.support import ScriptedHTTP, answer

SECOND = 1_000_000

SPREAD = st.integers(0, 4000 * SECOND)
SAME_SECONDS = st.builds(
    lambda second, micro: second * SECOND + micro,
    st.integers(1000, 1030),
    st.sampled_from([0, 0, 1, 500_000, 999_999]),
)
LISTINGS = st.builds(
    Listing,
    times=st.lists(st.one_of(SPREAD, SAME_SECONDS), max_size=120)
    | st.lists(SAME_SECONDS, min_size=20, max_size=120)
    | st.integers(0, 150).map(lambda n: [k * 7 * SECOND for k in range(n)]),
    page=st.integers(2, 10),
    order=st.sampled_from(["newest", "newest", "oldest", "random"]),
    min_inclusive=st.booleans(),
    max_inclusive=st.booleans(),
    whole_seconds=st.booleans(),
    latency=st.integers(0, 4),
    seed=st.integers(0, 9),
)


async def read_all(scan: Scan[Item]) -> list[str]:
    async with scan:
        return [item.ticker async for item in scan]


def spread(count: int, **options: Any) -> Listing:
    return Listing([number * 10 * SECOND for number in range(count)], **options)


@given(LISTINGS, st.integers(1, 8), st.none() | st.integers(0, 3))
@settings(max_examples=120, deadline=None)
def test_each_market_comes_exactly_once(
    listing: Listing, concurrency: int, prefetch: int | None
) -> None:
    async def main() -> list[str]:
        return await read_all(scan_of(listing, concurrency=concurrency, prefetch=prefetch))

    assert sorted(anyio.run(main)) == listing.tickers


@given(LISTINGS, st.integers(1, 8), st.lists(st.integers(0, 60), min_size=1, max_size=4))
@settings(max_examples=120, deadline=None)
def test_resumed_after_any_items_each_comes_exactly_once(
    listing: Listing, concurrency: int, stops: list[int]
) -> None:
    """Stop after so many items, save as text, go on in another scan; again and again."""

    async def main() -> list[str]:
        got: list[str] = []
        saved: dict[str, object] | None = None
        for stop in [*stops, 10**9]:
            scan = scan_of(listing, concurrency=concurrency, resume=saved)
            async with scan:
                for _ in range(stop):
                    try:
                        got.append((await anext(scan)).ticker)
                    except StopAsyncIteration:
                        break
                saved = json.loads(json.dumps(scan.checkpoint()))
            assert json.loads(json.dumps(scan.checkpoint())) == saved
        assert saved is not None
        assert saved["windows"] == []
        return got

    assert sorted(anyio.run(main)) == listing.tickers


@given(
    LISTINGS, st.integers(1, 8), st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True)
)
@settings(max_examples=60, deadline=None)
def test_failures_on_the_way_lose_nothing(
    listing: Listing, concurrency: int, fail_at: list[int]
) -> None:
    listing.fail_at = tuple(fail_at)

    async def main() -> tuple[list[str], int]:
        got: list[str] = []
        failures = 0
        saved: dict[str, object] | None = None
        while True:
            scan = scan_of(listing, concurrency=concurrency, resume=saved)
            try:
                async with scan:
                    async for item in scan:
                        got.append(item.ticker)  # noqa: PERF401 - kept when the scan fails
            except BadRequestError:
                failures += 1
                with pytest.raises(APIError):
                    await anext(scan)
                saved = json.loads(json.dumps(scan.checkpoint()))
            else:
                return got, failures

    got, failures = anyio.run(main)
    assert sorted(got) == listing.tickers
    assert (failures == 0) == (len(listing.requests) < min(fail_at))


@both_backends
def test_sharding_is_concurrent_and_stays_inside_the_callers_bounds(backend: str) -> None:
    listing = spread(2000, page=10, latency=3)
    bounds = {"min_created_ts": EPOCH + 2000, "max_created_ts": EPOCH + 15_000}

    async def main() -> list[str]:
        return await read_all(scan_of(listing, concurrency=6, query=bounds))

    got = anyio.run(main, backend=backend)
    assert sorted(got) == sorted(f"T{number}" for number in range(200, 1501))
    assert listing.most_in_flight == 6
    for query in listing.requests:
        assert int(query["min_created_ts"]) >= EPOCH + 2000
        assert int(query["max_created_ts"]) <= EPOCH + 15_000
        assert query["status"] == "open"
    assert len(listing.requests) < 131 * 1.5


@both_backends
def test_one_cursor_keeps_the_order(backend: str) -> None:
    listing = spread(100, page=7)

    async def main() -> list[str]:
        return await read_all(scan_of(listing, sharded=False))

    assert anyio.run(main, backend=backend) == [f"T{number}" for number in reversed(range(100))]
    assert listing.most_in_flight == 1
    assert not any("min_created_ts" in query for query in listing.requests)


@both_backends
@pytest.mark.parametrize(("concurrency", "prefetch"), [(1, 0), (1, 3), (4, 0), (4, 2), (8, None)])
def test_a_consumer_that_stops_stops_the_reading(
    backend: str, concurrency: int, prefetch: int | None
) -> None:
    listing = spread(3000, page=10)

    async def main() -> None:
        scan = scan_of(listing, concurrency=concurrency, prefetch=prefetch)
        async with scan:
            taken = 0
            for _ in range(4):
                for _ in range(25):
                    await anext(scan)
                    taken += 1
                await anyio.wait_all_tasks_blocked()
                ahead = concurrency if prefetch is None else prefetch
                fetched = scan.progress.requests
                probes = fetched - len([q for q in listing.requests if "cursor" in q])
                assert fetched - probes <= taken / 10 + ahead + concurrency + 1
                assert len(scan._ready) <= ahead + concurrency

    anyio.run(main, backend=backend)


def test_pages_do_not_pile_up_in_memory() -> None:
    listing = spread(1500, page=10)

    async def main() -> int:
        live: list[weakref.ref[object]] = []
        most = 0
        scan = scan_of(listing, concurrency=4, prefetch=2)
        async with scan:
            async for _ in scan:
                live += [weakref.ref(batch.slices) for batch in scan._ready]
                live = [ref for ref in live if ref() is not None]
                most = max(most, len({id(ref()) for ref in live}))
        gc.collect()
        assert not [ref for ref in live if ref() is not None]
        return most

    assert 0 < anyio.run(main) <= 2 + 4 + 1


@both_backends
def test_what_the_block_raises_comes_out_as_itself(backend: str) -> None:
    class OwnError(Exception):
        pass

    async def main() -> None:
        mine = OwnError("mine")
        with pytest.raises(OwnError) as caught:
            async with scan_of(spread(500)) as scan:
                await anext(scan)
                raise mine
        assert caught.value is mine
        with anyio.CancelScope() as scope:
            async with scan_of(spread(500)) as scan:
                await anext(scan)
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught
        with pytest.raises(TimeoutError), anyio.fail_after(0.01):
            async with scan_of(spread(500)):
                await anyio.sleep_forever()

    anyio.run(main, backend=backend)


@both_backends
def test_the_scans_own_errors_come_out_as_themselves(backend: str) -> None:
    bug = ZeroDivisionError("in the adapter")

    async def main() -> None:
        for script, kind in (
            ([answer(status=404)], APIError),
            ([bug], ZeroDivisionError),
            ([answer({"markets": [], "cursor": "c"})], PaginationError),
        ):
            transport = make_transport(ScriptedHTTP(*script), retry=NEVER)
            with pytest.raises(kind) as caught:
                async with scan_of(transport) as scan:
                    async for _ in scan:
                        raise AssertionError("nothing to deliver")
            assert type(caught.value) is not ExceptionGroup

    anyio.run(main, backend=backend)


@both_backends
def test_leaving_early_leaves_nothing_behind(backend: str) -> None:
    listing = spread(3000, latency=5)

    async def main() -> None:
        before = len(anyio.get_running_tasks())
        for taken in (0, 1, 7, 50):
            async with scan_of(listing, concurrency=5) as scan:
                for _ in range(taken):
                    await anext(scan)
            requests = len(listing.requests)
            assert len(anyio.get_running_tasks()) == before
            assert listing.in_flight == 0
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            assert len(listing.requests) == requests

    anyio.run(main, backend=backend)


@both_backends
def test_cancelled_at_each_step_the_loop_goes_on(backend: str) -> None:
    async def main() -> None:
        listing = spread(60, page=5, latency=2)
        scan = scan_of(listing, concurrency=3)
        got: list[str] = []
        step = 0
        async with scan:
            while True:
                step = step % 6 + 1
                with anyio.CancelScope() as scope:
                    try:
                        stepped = Stepped(anext(scan), step, scope.cancel)
                        got.append((await stepped).ticker)
                    except StopAsyncIteration:
                        break
        assert sorted(got) == listing.tickers

    anyio.run(main, backend=backend)


@both_backends
def test_cancelled_while_decoding_a_large_page_nothing_is_lost(backend: str) -> None:
    tickers = [f"T{number}" for number in range(2000)]
    page = {"markets": [{"ticker": ticker, "note": "x" * 500} for ticker in tickers], "cursor": ""}

    async def main() -> list[str]:
        got: list[str] = []
        async with scan_of(make_transport(ScriptedHTTP(answer(page))), sharded=False) as scan:
            await anyio.wait_all_tasks_blocked()
            cancelled = 0
            while not got:
                with anyio.CancelScope() as scope:
                    got.append((await Stepped(anext(scan), 2, scope.cancel)).ticker)
                cancelled += scope.cancelled_caught
            assert cancelled >= 2
            return got + [item.ticker async for item in scan]

    assert anyio.run(main, backend=backend) == tickers


async def test_using_it_wrongly_is_told() -> None:
    scan = scan_of(spread(50))
    with pytest.raises(InvalidRequestError, match="enter a scan first"):
        await anext(scan)
    async with scan:
        await anext(scan)
        with pytest.raises(InvalidRequestError, match="entered once"):
            await scan.__aenter__()
    with pytest.raises(InvalidRequestError, match="left before its end"):
        async for _ in scan:
            pass


async def test_a_finished_scan_stays_finished() -> None:
    scan = scan_of(spread(12))
    assert len(await read_all(scan)) == 12
    assert [item async for item in scan] == []


async def test_progress() -> None:
    seen: list[ScanProgress] = []
    saved: list[dict[str, object]] = []

    def progress(state: ScanProgress) -> None:
        seen.append(state)
        saved.append(scan.checkpoint())

    scan = scan_of(spread(95, page=10), concurrency=2, progress=progress)
    got = await read_all(scan)
    assert [state.items for state in seen] == sorted(state.items for state in seen)
    assert seen[-1].items == scan.progress.items == len(got) == 95
    assert seen[-1].windows_open == 0
    assert [state.pages for state in seen] == list(range(1, len(seen) + 1))
    assert seen[-1].requests >= 10
    assert scan.progress.items_per_second > 0
    assert "95 items" in repr(scan)
    assert saved[-1]["windows"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 99}, "version 99"),
        ({"operation": "GetEvents"}, "GetEvents"),
        ({"filters": {"status": "closed"}}, "filters"),
        ({"windows": 3}, "not a checkpoint"),
        ({"windows": [{"start": "x"}]}, "not a checkpoint"),
    ],
)
async def test_a_foreign_checkpoint_is_refused(change: dict[str, object], message: str) -> None:
    good = scan_of(spread(5)).checkpoint()
    scan_of(spread(5), resume=good)
    with pytest.raises(InvalidRequestError, match=message):
        scan_of(spread(5), resume={**good, **change})
    with pytest.raises(InvalidRequestError, match="not a checkpoint"):
        scan_of(spread(5), resume={})


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"prefetch": -1}])
def test_impossible_settings_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidRequestError, match="expected"):
        scan_of(spread(5), **wrong)
