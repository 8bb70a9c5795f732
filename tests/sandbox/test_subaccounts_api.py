"""Subaccounts, transfers, netting settings and target allocations, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._handlers.subaccounts import CENTICENT, Allocations, rebalance

from .members import Member, place, quiet_events

START_CENTS = 1_000_000


@pytest.fixture
async def alice(exchange: Sandbox) -> AsyncIterator[Member]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        yield Member(exchange, http, exchange.add_account(deposit="10000"))


def transfer(number: int, source: int, target: int, cents: int, **more: Any) -> dict[str, Any]:
    return {
        "client_transfer_id": str(UUID(int=number)),
        "from_subaccount": source,
        "to_subaccount": target,
        "amount_cents": cents,
    } | more


def between(amount: int, source: int, target: int, **more: Any) -> dict[str, Any]:
    return {
        "amount": amount,
        "source": "event_contract",
        "destination": "event_contract",
        "source_exchange_shard": source,
        "destination_exchange_shard": target,
    } | more


async def balances(member: Member) -> dict[tuple[int, int], Decimal]:
    """(subaccount, shard) to dollars."""
    shown = (await member.ok("GetSubaccountBalances"))["subaccount_balances"]
    return {
        (each["subaccount_number"], each["exchange_index"]): Decimal(each["balance"])
        for each in shown
    }


# Subaccounts and transfers between them


async def test_subaccounts_are_numbered_from_one_and_end_at_sixty_three(alice: Member) -> None:
    for number in range(1, 64):
        created = await alice.ok("CreateSubaccount", {} if number % 2 else None)
        assert created["subaccount_number"] == number
    await alice.refused("CreateSubaccount", 400)
    assert set(await balances(alice)) == {(number, 0) for number in range(64)}


async def test_a_transfer_moves_money_once(alice: Member) -> None:
    await alice.ok("CreateSubaccount")
    assert await alice.ok("ApplySubaccountTransfer", transfer(1, 0, 1, 12_34)) == {}
    repeated = await alice.refused("ApplySubaccountTransfer", 409, transfer(1, 0, 1, 12_34))
    assert repeated["error"]["code"] == "transfer_already_exists"
    expected = {(0, 0): Decimal("9987.66"), (1, 0): Decimal("12.34")}
    assert await balances(alice) == expected
    assert (await alice.ok("GetBalance"))["balance"] == START_CENTS - 12_34
    assert (await alice.ok("GetBalance", subaccount=1))["balance"] == 12_34


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount_cents": START_CENTS + 1}, 400, "insufficient_balance"),
        ({"to_subaccount": 7}, 404, "not_found"),
        ({"to_subaccount": 0}, 400, "bad_request"),
        ({"amount_cents": 0}, 400, "bad_request"),
        ({"amount_cents": -5}, 400, "bad_request"),
        ({"amount_cents": "5"}, 400, "bad_request"),
        ({"amount_cents": 1.5}, 400, "bad_request"),
        ({"client_transfer_id": "seven"}, 400, "bad_request"),
        ({"client_transfer_id": None}, 400, "bad_request"),
        ({"from_subaccount": 64}, 400, "bad_request"),
    ],
)
async def test_a_transfer_that_cannot_be_moves_nothing(
    alice: Member, change: dict[str, Any], status: int, code: str
) -> None:
    await alice.ok("CreateSubaccount")
    before = await balances(alice)
    body = await alice.refused("ApplySubaccountTransfer", status, transfer(1, 0, 1, 100) | change)
    assert body.get("error", body)["code"] == code
    assert await balances(alice) == before
    assert (await alice.ok("GetSubaccountTransfers"))["transfers"] == []


async def test_transfers_are_listed_newest_first(alice: Member) -> None:
    await alice.ok("CreateSubaccount")
    for number in range(1, 6):
        await alice.ok("ApplySubaccountTransfer", transfer(number, 0, 1, number))
    found = await alice.pages("GetSubaccountTransfers", "transfers", limit=2)
    assert [each["amount_cents"] for each in found] == [5, 4, 3, 2, 1]
    assert {(each["from_subaccount"], each["to_subaccount"]) for each in found} == {(0, 1)}


async def test_what_backs_an_order_cannot_be_moved_away(alice: Member) -> None:
    await alice.ok("CreateSubaccount")
    await alice.ok("ApplySubaccountTransfer", transfer(1, 0, 1, 100_00))
    ticker, price = next(iter(quiet_events(alice.exchange).values()))[0]
    count = int(Decimal(100) / Decimal(price) * Decimal("0.9"))
    order = await place(alice, ticker, "bid", f"{count}.00", price, subaccount=1)
    refused = await alice.refused("ApplySubaccountTransfer", 400, transfer(2, 1, 0, 100_00))
    assert refused["error"]["code"] == "insufficient_balance"
    await alice.ok(
        "CancelOrderV2",
        names={"order_id": order["order_id"]},
        market_ticker=ticker,
        subaccount=1,
    )
    await alice.ok("ApplySubaccountTransfer", transfer(2, 1, 0, 100_00))


async def test_netting_is_on_until_it_is_switched_off(alice: Member) -> None:
    await alice.ok("CreateSubaccount")
    await alice.ok("UpdateSubaccountNetting", {"subaccount_number": 1, "enabled": False})
    configs = (await alice.ok("GetSubaccountNetting"))["netting_configs"]
    assert [(each["subaccount_number"], each["enabled"]) for each in configs] == [
        (0, True),
        (1, False),
    ]
    await alice.refused("UpdateSubaccountNetting", 400, {"subaccount_number": 2, "enabled": False})
    await alice.refused("UpdateSubaccountNetting", 400, {"subaccount_number": 1})


# Transfers between shards


async def test_a_transfer_between_shards_counts_in_hundredths_of_a_cent(alice: Member) -> None:
    made = await alice.ok("IntraExchangeInstanceTransfer", between(20_001, 0, 2))
    shown = (await alice.ok("GetBalance"))["balance_breakdown"]
    by_shard = {each["exchange_index"]: Decimal(each["balance"]) for each in shown}
    assert by_shard == {0: Decimal("9997.9999"), 1: 0, 2: Decimal("2.0001"), 3: 0}
    only = await alice.ok("GetBalance", exchange_index=2)
    assert (only["balance"], only["balance_dollars"]) == (200, "2.000100")
    transfer_id = made["transfer_id"]
    found = await alice.ok("GetIntraExchangeInstanceTransfer", names={"transfer_id": transfer_id})
    assert found["transfer"]["amount"] == "2.000100"
    assert (await alice.ok("GetIntraExchangeInstanceTransfers"))["transfers"] == [found["transfer"]]
    # Within one shard it is a transfer between subaccounts.
    assert (await alice.ok("GetSubaccountTransfers"))["transfers"] == []
    await alice.ok("CreateSubaccount")
    await alice.ok("IntraExchangeInstanceTransfer", between(30_000, 0, 0, destination_subaccount=1))
    (inside,) = (await alice.ok("GetSubaccountTransfers"))["transfers"]
    assert (inside["to_subaccount"], inside["amount_cents"]) == (1, 300)
    assert len((await alice.ok("GetIntraExchangeInstanceTransfers"))["transfers"]) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"destination": "margined"}, 403),
        ({"destination": "elsewhere"}, 400),
        ({"amount": 10**12}, 400),
        ({"amount": 0}, 400),
        ({"destination_exchange_shard": 0}, 400),
        ({"destination_exchange_shard": 101}, 400),
        ({"source_subaccount": 5}, 404),
        ({"client_transfer_id": "seven"}, 400),
    ],
)
async def test_a_transfer_between_shards_that_cannot_be(
    alice: Member, change: dict[str, Any], status: int
) -> None:
    await alice.refused("IntraExchangeInstanceTransfer", status, between(100, 0, 2) | change)
    assert (await alice.ok("GetBalance"))["balance"] == START_CENTS
    assert (await alice.ok("GetIntraExchangeInstanceTransfers"))["transfers"] == []


async def test_an_unknown_transfer_is_not_found(alice: Member) -> None:
    names = {"transfer_id": "unknown"}
    body = await alice.refused("GetIntraExchangeInstanceTransfer", 404, names=names)
    assert body == {"error": {"code": "not_found", "message": "not found"}}


# Target balance allocation


def percents(*shares: int) -> dict[str, Any]:
    return {
        "allocations": [
            {"exchange_index": shard, "percent": percent} for shard, percent in enumerate(shares)
        ]
    }


async def test_an_allocation_spreads_the_money_and_keeps_it_spread(alice: Member) -> None:
    assert await alice.ok("SetTargetBalanceAllocation", percents(50, 30, 20)) == {}
    assert await balances(alice) == {(0, 0): 5000, (0, 1): 3000, (0, 2): 2000}
    shown = await alice.ok("GetTargetBalanceAllocation")
    assert shown == percents(50, 30, 20) | {"resting_margin_reservation": "sum"}
    alice.exchange.deposit(alice.credentials.user_id, "1000")
    alice.exchange.advance(11)
    core = alice.exchange._exchange
    core.room(Allocations).sweep(core.now())
    assert await balances(alice) == {(0, 0): 5500, (0, 1): 3300, (0, 2): 2200}
    await alice.ok(
        "SetTargetBalanceAllocation", {"allocations": [], "resting_margin_reservation": "none"}
    )
    shown = await alice.ok("GetTargetBalanceAllocation")
    assert shown == {"allocations": [], "resting_margin_reservation": "none"}
    assert (await balances(alice))[0, 2] == 2200


@pytest.mark.parametrize(
    "body",
    [
        percents(50, 49),
        percents(50, 51),
        percents(101),
        percents(-1, 101),
        percents(0, 0, 0, 0, 100),
        {"allocations": [{"exchange_index": 0, "percent": 50}] * 2},
        {"allocations": [{"exchange_index": 0}]},
        {"allocations": None},
        {"allocations": [], "resting_margin_reservation": "all"},
    ],
)
async def test_an_allocation_that_cannot_be_changes_nothing(
    alice: Member, body: dict[str, Any]
) -> None:
    await alice.refused("SetTargetBalanceAllocation", 400, body)
    assert (await alice.ok("GetTargetBalanceAllocation"))["allocations"] == []
    assert await balances(alice) == {(0, 0): 10_000}


@st.composite
def shares(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=3, max_size=3)))
    ends = [0, *cuts, 100]
    return tuple((shard, ends[shard + 1] - ends[shard]) for shard in range(4))


@given(st.dictionaries(st.integers(0, 3), st.integers(-(10**9), 10**12)), shares())
def test_rebalancing_creates_no_money_and_overdraws_nothing(
    free: dict[int, int], wanted: tuple[tuple[int, int], ...]
) -> None:
    after = dict(free)
    for source, target, amount in rebalance(free, wanted):
        assert amount > 0
        assert amount % CENTICENT == 0
        assert after[source] >= amount
        after[source] -= amount
        after[target] = after.get(target, 0) + amount
    assert sum(after.values()) == sum(free.values())
    assert rebalance(after, wanted) == [] or min(free.values()) < 0
    if free and min(free.values()) >= 0:
        total = sum(free.values())
        for shard, percent in wanted:
            assert abs(after.get(shard, 0) - total * percent // 100) <= 4 * CENTICENT


async def test_every_body_is_as_the_contract_says(alice: Member) -> None:
    await alice.ok("CreateSubaccount")
    await alice.ok("ApplySubaccountTransfer", transfer(1, 0, 1, 100))
    await alice.ok("UpdateSubaccountNetting", {"subaccount_number": 1, "enabled": False})
    made = await alice.ok(
        "IntraExchangeInstanceTransfer",
        between(100, 0, 2, client_transfer_id=str(UUID(int=2))),
    )
    await alice.ok("SetTargetBalanceAllocation", percents(90, 10))
    await alice.ok("GetIntraExchangeInstanceTransfer", names=made)
    for name in (
        "GetIntraExchangeInstanceTransfers",
        "GetSubaccountBalances",
        "GetSubaccountNetting",
        "GetSubaccountTransfers",
        "GetTargetBalanceAllocation",
    ):
        await alice.ok(name)
    assert len(alice.check()) == 11
