"""A clearing member and its subtraders, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from kalshi_async import (
    BadRequestError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
)
from kalshi_async.resources.api_keys import ApiKeys
from kalshi_async.resources.fcm import Fcm
from kalshi_async.resources.subaccounts import Subaccounts
from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._fcm import FcmMembers
from tests.sandbox.members import quiet_events

from .accounts import Account, account_on


@dataclass
class Office:
    """A clearing member with two subtraders of $100 each, and a stranger to trade with."""

    exchange: Sandbox
    member: Account
    stranger: Account
    subtraders: list[str]
    ticker: str
    price: str

    @property
    def fcm(self) -> Fcm:
        return Fcm(self.member.transport)

    def subaccount(self, number: int) -> int:
        members = self.exchange._exchange.room(FcmMembers)
        return members.subaccount_of(self.member.credentials.user_id, self.subtraders[number])

    async def buy(self, number: int, count: str, **more: str) -> str:
        """Let a subtrader buy YES of the stranger; the order's id."""
        await self.stranger.place(self.ticker, "ask", count, self.price)
        place, subaccount = self.member.place, self.subaccount(number)
        return await place(self.ticker, "bid", count, self.price, subaccount=subaccount, **more)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(Sandbox.serve(seed=7, markets=600, tier=None))
        member, stranger = [await stack.enter_async_context(account_on(exchange)) for _ in "ms"]
        exchange.add_fcm_member(member.credentials.user_id)
        fcm = Fcm(member.transport)
        made = [await fcm.create_subtrader(subtrader_suffix=each) for each in ("ALPHA", "beta-2")]
        ticker, price = next(iter(quiet_events(exchange).values()))[0]
        found = Office(exchange, member, stranger, made, ticker, price)
        for number in range(2):
            await Subaccounts(member.transport).transfer(
                client_transfer_id=uuid4(),
                from_subaccount=0,
                to_subaccount=found.subaccount(number),
                amount_cents=10_000,
            )
        yield found


async def test_subtraders(office: Office) -> None:
    listed = await office.fcm.subtraders()
    assert [each.subtrader_id for each in listed] == office.subtraders
    assert not any(each.trading_blocked for each in listed)
    with pytest.raises(ConflictError):
        await office.fcm.create_subtrader(subtrader_suffix="ALPHA")
    with pytest.raises(PermissionDeniedError):
        await Fcm(office.stranger.transport).subtraders()


async def test_orders_fills_and_positions_by_subtrader(office: Office) -> None:
    first, second = office.subtraders
    order_id = await office.buy(0, "10.00", client_order_id="one")
    await office.buy(1, "5.00", client_order_id="two")
    assert [each.order_id for each in await office.fcm.orders(subtrader_id=first)] == [order_id]
    named = await office.fcm.orders(client_order_ids=["one", "none"]).collect()
    assert [each.client_order_id for each in named] == ["one"]
    assert len(await office.fcm.orders(status="executed", limit=1).collect()) == 2
    fills = await office.fcm.fills().collect()
    assert {each.taker_subtrader_id: each.count for each in fills} == {
        first: Decimal(10),
        second: Decimal(5),
    }
    assert {each.maker_subtrader_id for each in fills} == {None}
    (held,) = await office.fcm.positions(subtrader_id=second)
    assert held.position == 5
    page = await office.fcm.positions(count_filter="position")
    assert [each.position for each in page] == [15]
    assert [each.total_cost_shares for each in page.event_positions] == [15]


async def test_a_position_moves_to_the_error_account(office: Office) -> None:
    first, second = office.subtraders
    members = office.exchange._exchange.room(FcmMembers)
    target = f"{members.member(office.member.credentials.user_id).error_account}_ERR1"
    await office.buy(0, "10.00")
    move: dict[str, Any] = {
        "source_subtrader_id": first,
        "target_subtrader_id": target,
        "market_ticker": office.ticker,
        "position_centicount": 250,
        "price_centicents": 0,
    }
    assert await office.fcm.transfer_position(**move)
    for subtrader, expected in ((first, Decimal("7.50")), (target, Decimal("2.50"))):
        held = await office.fcm.positions(subtrader_id=subtrader)
        assert [each.position for each in held] == [expected]
    with pytest.raises(BadRequestError, match="target_subtrader_id"):
        await office.fcm.transfer_position(**move | {"target_subtrader_id": second})
    wrongs: list[dict[str, Any]]
    wrongs = [{"position_centicount": 0}, {"price_centicents": -1}, {"market_ticker": ""}]
    for wrong in wrongs:
        with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
            await office.fcm.transfer_position(**move | wrong)
    with pytest.raises(InvalidRequestError, match="expected two subtraders"):
        await office.fcm.transfer_position(**move | {"target_subtrader_id": first})


async def test_limits_of_a_subtrader(office: Office) -> None:
    first, _ = office.subtraders
    blocked = await office.fcm.set_blocked_categories(
        subtrader_id=first, category="Sports", blocked=True
    )
    assert blocked == ["Sports"]
    assert await office.fcm.blocked_categories(subtrader_id=first) == ["Sports"]
    await office.fcm.set_blocked_categories(subtrader_id=first, category="Sports", blocked=False)
    with pytest.raises(NotFoundError):
        await office.fcm.daily_cap(subtrader_id=first)
    for limit, expected in (("25.00", Decimal(25)), (0, Decimal(0)), (Decimal("7.5"), None)):
        await office.fcm.set_daily_cap(subtrader_id=first, limit=limit)
        cap = await office.fcm.daily_cap(subtrader_id=first)
        assert cap.limit == (Decimal("7.5") if expected is None else expected)
        assert cap.executed_utilization == 0
    await office.fcm.delete_daily_cap(subtrader_id=first)
    with pytest.raises(NotFoundError):
        await office.fcm.daily_cap(subtrader_id=first)
    wrongs: list[Any] = [-1, 0.5, "much"]
    for wrong in wrongs:
        with pytest.raises(InvalidRequestError, match="limit is"):
            await office.fcm.set_daily_cap(subtrader_id=first, limit=wrong)


async def test_keys_of_a_subtrader(office: Office) -> None:
    first, second = office.subtraders
    keys = ApiKeys(office.member.transport)
    made = await keys.generate(name="desk", key_type="ed25519", fcm_subtrader_id=first)
    (listed,) = (await keys.list(fcm_subtrader_id=first)).api_keys
    assert (listed.api_key_id, listed.fcm_subtrader_id) == (made.api_key_id, first)
    assert (await keys.list(fcm_subtrader_id=second)).api_keys == []
    assert len((await keys.list()).api_keys) == 2
