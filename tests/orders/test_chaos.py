"""Orders amid every fault there is: none twice, none lost; the exchange's own record is the judge.

The same at full scale: ``python -m benchmarks chaos``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from copy import copy
from pathlib import Path

import pytest

from benchmarks._chaos import (
    AMBIGUOUS,
    LIMITED,
    Chaos,
    Claim,
    Judgement,
    calm,
    judge,
    plan,
    serving,
    stock,
)
from benchmarks.contenders.chaos import Run, Way, client_options, killed, steady
from kalshi_async import KalshiError
from kalshi_async.orders import OrderRequest
from kalshi_async.orders._request import wire_order
from kalshi_async.sandbox import Fault, Faults, Sandbox


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="kalshi_async")


def flawless(run: Run) -> None:
    assert run.judgement.flawless, run
    assert run.resolved == run.unknown


async def test_one_by_one() -> None:
    run = await steady(1, 200)
    flawless(run)
    assert run.struck.keys() >= {LIMITED}
    assert sum(count for kind, count in run.struck.items() if kind != LIMITED) >= 40
    assert len(run.struck) >= 13
    assert run.unknown >= 5
    assert run.endings.keys() >= {"placed", "found", "FillOrKillError", "InsufficientBalanceError"}


@pytest.mark.parametrize("way", ["place_many", "singles"])
async def test_many_at_once(way: Way) -> None:
    run = await steady(2, 120, way)
    flawless(run)
    assert run.struck.total() >= 2


async def test_a_client_that_is_killed() -> None:
    async with asyncio.timeout(60):
        run = await killed(1, 90, kills=1)
    flawless(run)
    assert run.kills == 1
    assert run.recovered >= 1
    assert sum(run.endings.values()) == 90


# -- the faults, and the judge


def test_a_fifth_is_in_doubt_and_every_kind_is_drawn() -> None:
    faults = Chaos(7)
    drawn = [faults.decide("CreateOrderV2") for _ in range(20_000)]
    struck = faults.struck
    assert struck.keys() == AMBIGUOUS.keys() | {LIMITED}
    assert struck[LIMITED] / 20_000 == pytest.approx(0.05, abs=0.005)
    assert (struck.total() - struck[LIMITED]) / 20_000 == pytest.approx(0.20, abs=0.01)
    assert min(struck.values()) > 200
    assert drawn.count(Fault()) == 20_000 - struck.total()
    effects = Counter(fault.takes_effect for fault in AMBIGUOUS.values())
    assert effects[True] >= 6
    assert effects[False] >= 6


async def _told(exchange: Sandbox, wanted: list[OrderRequest]) -> dict[str, Claim]:
    """What somebody says who sends each order once and takes every error for a refusal."""
    claims = {}
    async with exchange.client(**client_options(1)) as kalshi:
        for request in wanted:
            assert request.limit is not None
            body = wire_order(request, request.limit)
            name = str(request.client_order_id)
            try:
                told = await kalshi.request("POST", "/portfolio/events/orders", json=body)
            except KalshiError:
                claims[name] = Claim("refused")
            else:
                receipt = told.json()
                assert isinstance(receipt, dict)
                claims[name] = Claim("placed", receipt["order_id"])
    return claims


async def test_the_judge_sees_through_a_client_that_takes_errors_for_refusals(
    tmp_path: Path,
) -> None:
    wanted = list(plan(3, 60))
    async with serving(tmp_path, Chaos(3)) as exchange:
        stock(exchange)
        claims = await _told(exchange, wanted)
        await calm(exchange)
        judgement = judge(exchange, exchange.user_id, wanted, claims)
    assert len(judgement.denied) >= 3
    assert not judgement.flawless


async def test_the_judge_tells_every_kind_of_wrong(tmp_path: Path) -> None:
    # None of these is refused, and none is killed.
    wanted = [each for each in plan(4, 60) if each.time_in_force is None and each.contracts < 100]
    names = [str(each.client_order_id) for each in wanted]
    async with serving(tmp_path, Faults()) as exchange:
        claims = await _told(exchange, wanted)
        user, kept = exchange.user_id, exchange.engine.traders[exchange.user_id].orders

        def judged(changes: dict[str, Claim]) -> Judgement:
            return judge(exchange, user, wanted, claims | changes)

        assert judged({}).flawless
        first, order_id = names[0], str(claims[names[0]].order_id)
        assert judged({first: Claim("absent")}).denied == [first]
        assert judged({first: Claim("refused")}).denied == [first]
        assert judged({first: Claim("unknown")}).unknown == [first]
        assert judged({first: Claim("placed", "another")}).lost == [first]
        assert judged({first: Claim("placed", order_id, wanted[0].contracts)}).lost == [first]
        assert judge(exchange, user, wanted[1:], claims).strangers == [first]
        twice = copy(kept[order_id])
        kept["twice"] = twice
        assert judged({}).duplicates == [first]
        del kept["twice"]
        kept[order_id].price += 100
        assert judged({}).lost == [first]
        del kept[order_id]
        assert judged({}).lost == [first]
