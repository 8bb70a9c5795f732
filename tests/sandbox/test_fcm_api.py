"""What an FCM does for its subtraders over HTTP, and the forecasts behind an event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox import Credentials
from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._fcm import FcmMembers
from kalshi_async.sandbox._fcm_risk import NewYorkDay
from kalshi_async.sandbox._text import from_micros, to_micros

from .desk import FIRST, NOT_FOUND, SECOND, Desk, desk_on, order
from .members import Member

FORBIDDEN = "forbidden"
CATEGORY = "UpdateFCMSubtraderBlockedCategories"
CAP = "FCMEventContractDailyCap"


@dataclass
class Office:
    """An FCM with two subtraders, each with $100, and a member to trade with."""

    desk: Desk
    fcm: Member
    other: Member
    ids: list[str]
    error_account: str

    @property
    def members(self) -> FcmMembers:
        return self.desk.exchange._exchange.room(FcmMembers)

    def subaccount(self, number: int) -> int:
        return self.members.subaccount_of(self.fcm.credentials.user_id, self.ids[number])

    async def trade(self, number: int, side: str = "bid", **fields: Any) -> None:
        """Let a subtrader take 10 contracts at 40 cents."""
        facts = {"price": "0.40"} | fields
        against = "ask" if side == "bid" else "bid"
        await self.other.ok("CreateOrderV2", order(against, **facts))
        own = order(side, **facts, subaccount=self.subaccount(number))
        await self.fcm.ok("CreateOrderV2", own)

    async def position(self, subtrader_id: str) -> str:
        answer = await self.fcm.ok("GetFCMPositions", subtrader_id=subtrader_id)
        found = answer["market_positions"]
        return found[0]["position_fp"] if found else "0.00"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with desk_on(tmp_path) as desk:
        fcm, ids = desk.maker, []
        member = desk.exchange._exchange.room(FcmMembers).add(fcm.credentials.user_id)
        for suffix in ("ALPHA", "beta-2"):
            made = await fcm.ok("CreateFCMSubtrader", {"subtrader_suffix": suffix})
            ids.append(made["subtrader_id"])
        found = Office(desk, fcm, desk.taker, ids, member.error_account)
        for number in range(2):
            await fcm.ok(
                "ApplySubaccountTransfer",
                {
                    "client_transfer_id": f"00000000-0000-4000-8000-00000000000{number}",
                    "from_subaccount": 0,
                    "to_subaccount": found.subaccount(number),
                    "amount_cents": 10_000,
                },
            )
        yield found


async def test_an_ordinary_account_is_no_fcm(office: Office) -> None:
    stranger, subtrader = office.other, office.ids[0]
    cap = {"subtrader_id": subtrader, "limit": "5.00"}
    blocked = {"subtrader_id": subtrader, "category": "Sports", "blocked": True}
    for name, body, params in (
        ("ListFCMSubtraders", None, {}),
        ("CreateFCMSubtrader", {"subtrader_suffix": "X"}, {}),
        ("GetFCMOrders", None, {}),
        ("GetFCMFills", None, {}),
        ("GetFCMPositions", None, {}),
        (f"Get{CAP}", None, {"subtrader_id": subtrader}),
        (f"Delete{CAP}", None, {"subtrader_id": subtrader}),
        (f"Update{CAP}", cap, {}),
        ("GetFCMSubtraderBlockedCategories", None, {"subtrader_id": subtrader}),
        (CATEGORY, blocked, {}),
        ("CreateFCMPositionTransfer", {}, {}),
    ):
        answer = await stranger.refused(name, 403, body, **params)
        assert answer["error"]["code"] == FORBIDDEN, name


async def test_subtraders_are_made_and_listed(office: Office) -> None:
    user_id = office.fcm.credentials.user_id
    assert office.ids == [f"{user_id}_ALPHA", f"{user_id}_beta-2"]
    listed = (await office.fcm.ok("ListFCMSubtraders"))["subtraders"]
    assert [one["subtrader_id"] for one in listed] == office.ids
    await office.fcm.refused("CreateFCMSubtrader", 409, {"subtrader_suffix": "ALPHA"})
    for suffix in ("", "a b", "../x", None, 5):
        await office.fcm.refused("CreateFCMSubtrader", 400, {"subtrader_suffix": suffix})


async def test_orders_fills_and_positions_of_a_subtrader(office: Office) -> None:
    first, second = office.ids
    await office.trade(0)
    await office.trade(0, ticker=SECOND, side="ask")
    await office.trade(1, client_order_id="beta")
    for filters, count in (
        ({}, 3),
        ({"subtrader_id": first}, 2),
        ({"subtrader_id": second}, 1),
        ({"client_order_ids": "beta,gamma"}, 1),
        ({"ticker": SECOND}, 1),
        ({"event_ticker": FIRST[:-2]}, 3),
        ({"status": "resting"}, 0),
        ({"max_ts": 1}, 0),
    ):
        found = await office.fcm.pages("GetFCMOrders", "orders", limit=2, **filters)
        assert len(found) == count, filters
    fills = (await office.fcm.ok("GetFCMFills"))["fills"]
    assert [fill["taker_subtrader_id"] for fill in fills] == [second, first, first]
    assert [fill["taker_outcome_side"] for fill in fills] == ["yes", "no", "yes"]
    held = (await office.fcm.ok("GetFCMPositions", ticker=FIRST))["market_positions"]
    assert [position["position_fp"] for position in held] == ["20.00"]
    assert await office.position(second) == "10.00"
    settled = await office.fcm.ok("GetFCMPositions", settlement_status="settled")
    assert settled["market_positions"] == []
    one = await office.fcm.pages("GetFCMPositions", "market_positions", limit=1)
    assert [position["ticker"] for position in one] == [FIRST, SECOND]
    answer = await office.fcm.refused("GetFCMOrders", 404, subtrader_id="unknown")
    assert answer == NOT_FOUND
    await office.fcm.refused("GetFCMPositions", 400, count_filter="nonsense")


async def test_a_fill_of_a_resting_order_names_the_maker(office: Office) -> None:
    own = order("bid", price="0.40", subaccount=office.subaccount(0))
    placed = await office.fcm.ok("CreateOrderV2", own)
    await office.other.ok("CreateOrderV2", order("ask", price="0.40"))
    (fill,) = (await office.fcm.ok("GetFCMFills"))["fills"]
    assert (fill["maker_subtrader_id"], fill["maker_order_id"], fill["taker_outcome_side"]) == (
        office.ids[0],
        placed["order_id"],
        "no",
    )
    assert "taker_order_id" not in fill


async def test_the_daily_cap(office: Office) -> None:
    first, path = office.ids[0], {"subtrader_id": office.ids[0]}
    assert await office.fcm.refused(f"Get{CAP}", 404, **path) == NOT_FOUND
    await office.fcm.ok(f"Update{CAP}", {"subtrader_id": first, "limit": "50.00"})
    await office.trade(0)
    await office.trade(0, side="ask", count="4", price="0.30")
    resting = order(price="0.20", count="10", subaccount=office.subaccount(0))
    await office.fcm.ok("CreateOrderV2", resting)
    shown = await office.fcm.ok(f"Get{CAP}", **path)
    # Bought 10 at 0.40, sold 4 of them at 0.30; 10 at 0.20 rest, with a fee of 11.2 cents at most.
    assert shown == {
        "subtrader_id": first,
        "limit": "50.000000",
        "executed_utilization": "2.800000",
        "resting_order_utilization": "2.112000",
        "pending_order_utilization": "0.000000",
        "cap_date": NewYorkDay.of(office.desk.exchange._exchange.now()).text,
    }
    await office.fcm.ok(f"Delete{CAP}", **path)
    await office.fcm.refused(f"Delete{CAP}", 404, **path)
    await office.fcm.refused(f"Get{CAP}", 400)
    for limit in ("-1", 5, "x", None):
        await office.fcm.refused(f"Update{CAP}", 400, {"subtrader_id": first, "limit": limit})
    await office.fcm.refused(f"Update{CAP}", 404, {"subtrader_id": "x", "limit": "5.00"})


async def test_blocked_categories(office: Office) -> None:
    first = office.ids[0]
    body = {"subtrader_id": first, "category": "Sports", "blocked": True}
    assert (await office.fcm.ok(CATEGORY, body))["categories"] == ["Sports"]
    more = await office.fcm.ok(CATEGORY, body | {"category": "Crypto"})
    assert more["categories"] == ["Crypto", "Sports"]
    await office.fcm.ok(CATEGORY, body | {"blocked": False})
    shown = await office.fcm.ok("GetFCMSubtraderBlockedCategories", subtrader_id=first)
    assert shown["categories"] == ["Crypto"]
    await office.fcm.refused(CATEGORY, 400, {"subtrader_id": first, "category": "Sports"})
    await office.fcm.refused("GetFCMSubtraderBlockedCategories", 400)


async def test_what_stands_against_an_order_of_a_subtrader(office: Office) -> None:
    user_id, members = office.fcm.credentials.user_id, office.members
    exchange = office.desk.exchange._exchange
    first, subaccount = office.ids[0], office.subaccount(0)

    def check(count: int, subaccount: int = subaccount) -> None:
        members.check_order(
            user_id,
            subaccount,
            ticker=FIRST,
            bid=True,
            price=4000,
            count=count,
            now=exchange.now(),
        )

    exchange.do(lambda engine, now: engine.market(FIRST, now))
    with pytest.raises(ApiError, match="no event contract daily cap"):
        check(100)
    members.set_cap(user_id, first, 5_000_000)
    check(1100)
    with pytest.raises(ApiError, match="left under the event contract daily cap"):
        check(1250)
    await office.trade(0)
    with pytest.raises(ApiError, match="left under the event contract daily cap"):
        check(1100)
    check(100)
    members.block(user_id, first, "", True)
    with pytest.raises(ApiError, match="is blocked"):
        check(100)
    check(10_000, subaccount=0)


async def test_a_position_moves_to_the_error_account(office: Office) -> None:
    first, target = office.ids[0], f"{office.error_account}_ERR1"
    await office.trade(0)
    body = {
        "source_subtrader_id": first,
        "target_subtrader_id": target,
        "market_ticker": FIRST,
        "position_centicount": 400,
        "price_centicents": 0,
    }
    name = "CreateFCMPositionTransfer"
    before = await office.fcm.ok("GetBalance", subaccount=office.subaccount(0))
    await office.fcm.ok(name, body)
    after = await office.fcm.ok("GetBalance", subaccount=office.subaccount(0))
    assert after["balance_dollars"] == before["balance_dollars"]
    assert await office.position(first) == "6.00"
    assert await office.position(target) == "4.00"
    assert len((await office.fcm.ok("GetFCMFills"))["fills"]) == 1
    answer = await office.fcm.refused(name, 400, body | {"price_centicents": 4000})
    assert answer["error"]["code"] == "insufficient_balance"
    assert await office.position(first) == "6.00"
    await office.fcm.ok(name, body | {"position_centicount": 600})
    assert await office.position(first) == "0.00"
    for fields, status in (
        ({"target_subtrader_id": office.ids[1]}, 400),
        ({"position_centicount": 0}, 400),
        ({"position_centicount": "4"}, 400),
        ({"price_centicents": 10_001}, 400),
        ({"market_ticker": "UNKNOWN"}, 404),
        ({"source_subtrader_id": "unknown"}, 404),
    ):
        await office.fcm.refused(name, status, body | fields)


async def test_a_subtrader_asks_for_quotes(office: Office) -> None:
    first = office.ids[0]
    body = {"market_ticker": FIRST, "contracts_fp": "10.00", "rest_remainder": False}
    rfq_id = (await office.fcm.ok("CreateRFQ", body | {"subtrader_id": first}))["id"]
    prices = {"rfq_id": rfq_id, "yes_bid": "0.40", "no_bid": "0.55", "rest_remainder": False}
    quote = {"names": {"quote_id": (await office.other.ok("CreateQuote", prices))["id"]}}
    await office.fcm.ok("AcceptQuote", {"accepted_side": "no"}, **quote)
    await office.other.ok("ConfirmQuote", **quote)
    assert await office.position(first) == "10.00"
    listed = await office.fcm.ok("GetQuotes", rfq_creator_subtrader_id=first)
    assert len(listed["quotes"]) == 1
    none = await office.fcm.ok("GetQuotes", rfq_creator_subtrader_id=office.ids[1])
    assert none["quotes"] == []


async def test_every_answer_fits_the_contract(office: Office) -> None:
    await test_orders_fills_and_positions_of_a_subtrader(office)
    await office.fcm.ok("ListFCMSubtraders")
    await test_blocked_categories(office)
    await office.fcm.ok(f"Update{CAP}", {"subtrader_id": office.ids[1], "limit": "1.00"})
    await office.fcm.ok(f"Get{CAP}", subtrader_id=office.ids[1])
    await office.fcm.ok(f"Delete{CAP}", subtrader_id=office.ids[1])
    body = {
        "source_subtrader_id": office.ids[0],
        "target_subtrader_id": f"{office.error_account}_ERR1",
        "market_ticker": FIRST,
        "position_centicount": 100,
        "price_centicents": 0,
    }
    await office.fcm.ok("CreateFCMPositionTransfer", body)
    checked = office.fcm.check()
    assert len({name for name in checked if "FCM" in name}) == 11


@given(
    st.datetimes(min_value=datetime(2007, 3, 11), max_value=datetime(2037, 1, 1)),  # noqa: DTZ001
)
def test_days_in_new_york(moment: datetime) -> None:
    zoneinfo = pytest.importorskip("zoneinfo")
    try:
        zone = zoneinfo.ZoneInfo("America/New_York")
    except zoneinfo.ZoneInfoNotFoundError:
        pytest.skip("this machine has no time zones")
    now = to_micros(moment.replace(tzinfo=UTC))
    day = NewYorkDay.of(now)
    local = from_micros(now).astimezone(zone)
    assert day.text == local.date().isoformat()
    midnight = from_micros(day.start).astimezone(zone)
    assert (midnight.date(), midnight.hour, midnight.minute) == (local.date(), 0, 0)
    assert timedelta() <= from_micros(now) - from_micros(day.start) <= timedelta(hours=25)


async def test_a_key_of_a_subtrader_trades_within_its_cap_only(office: Office) -> None:
    made = await office.fcm.ok(
        "GenerateApiKey", {"name": "desk", "fcm_subtrader_id": office.ids[0]}
    )
    listed = await office.fcm.ok("GetApiKeys", fcm_subtrader_id=office.ids[0])
    assert [key["api_key_id"] for key in listed["api_keys"]] == [made["api_key_id"]]
    assert listed["api_keys"][0]["subaccount"] == office.subaccount(0)
    key = Credentials(made["api_key_id"], made["private_key"].encode())
    subtrader = Member(office.desk.exchange, office.fcm.http, key)
    refusal = await subtrader.refused("CreateOrderV2", 403, order("bid", price="0.40"))
    assert refusal["error"]["code"] == FORBIDDEN
    cap = {"subtrader_id": office.ids[0], "limit": "5.00"}
    await office.fcm.ok(f"Update{CAP}", cap)
    await subtrader.ok("CreateOrderV2", order("bid", price="0.40", count="10.00"))
    await subtrader.refused("CreateOrderV2", 403, order("bid", price="0.40", count="10.00"))
