"""What is read over REST is what the live messages said, as far as REST knows it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from msgspec.structs import asdict

from kalshi_async import PermissionDeniedError, ServerError
from kalshi_async._decode import Page, Undecoded
from kalshi_async._errors import ErrorBody
from kalshi_async._operations import CREATE_SUBACCOUNT, TRANSFER_BETWEEN_SUBACCOUNTS
from kalshi_async._pagination import Paginator
from kalshi_async.models.portfolio import Fill
from kalshi_async.stream._backfill import MANY, Backfill, fill_update
from kalshi_async.stream._continuity import OrderContinuity, PositionContinuity
from kalshi_async.stream.messages import (
    FillUpdate,
    MarketPositionUpdate,
    StreamMessage,
    UserOrderUpdate,
)
from tests.resources.accounts import Account, Room, room_on, trade
from tests.sandbox.desk import FAR, FIRST, SECOND
from tests.sandbox.ws_client import Stream, stream

M = TypeVar("M", bound=StreamMessage)

# What the client adds, and what each read does not know.
OWN = {"received_at", "seq", "backfilled", "extra"}
UNREAD: dict[type[StreamMessage], set[str]] = {
    FillUpdate: {"client_order_id", "post_position", "purchased_side"},
    UserOrderUpdate: {"is_yes", "last_update_reason"},
    MarketPositionUpdate: {"user_id", "position_fee_cost", "volume"},
}
CHANNELS = {
    "fill": FillUpdate,
    "user_order": UserOrderUpdate,
    "market_position": MarketPositionUpdate,
}


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with room_on(tmp_path) as running:
        yield running


def facts(message: StreamMessage, *, read: bool) -> dict[str, object]:
    """The fields that live and read messages share; the others must be absent where it was read."""
    unread = UNREAD[type(message)]
    shown = asdict(message)
    assert message.backfilled is read
    if read:
        assert {name for name in shown if name not in OWN and shown[name] is None} >= unread
    return {name: value for name, value in shown.items() if name not in OWN | unread}


async def live(line: Stream, kind: str, message: type[M]) -> list[M]:
    """What this connection was sent of one kind."""
    await line.settle()
    return [msgspec.json.decode(msgspec.json.encode(each), type=message) for each in line.of(kind)]


async def listen(line: Stream) -> None:
    await line.subscribe("fill", "user_orders", "market_positions")


async def subaccount_of(account: Account) -> int:
    """A further subaccount with $100."""
    number: int = (await account.raw(CREATE_SUBACCOUNT, body={}))["subaccount_number"]
    transfer = {
        "client_transfer_id": "7f0c4c84-5a0e-4a3c-9d55-4d0f3a2b1c00",
        "from_subaccount": 0,
        "to_subaccount": number,
        "amount_cents": 10_000,
    }
    await account.transport.call(TRANSFER_BETWEEN_SUBACCOUNTS, body=transfer)
    return number


async def busy_day(room: Room) -> int:
    """Fills of both kinds in three markets and two subaccounts, and orders that rest, expire, were
    filled in part and wholly, and were cancelled, one of them by another of the account; the number
    of the second subaccount.
    """
    one, other = room.one, room.other
    number = await subaccount_of(one)
    await trade(one, other, FIRST, "10.00", "0.40")
    await trade(other, one, FIRST, "4.00", "0.55")
    await trade(one, other, FAR, "2.50", "0.10")
    await other.place(SECOND, "ask", "3.00", "0.70")
    await one.place(SECOND, "bid", "5.00", "0.70", subaccount=number, client_order_id="mine")
    await one.place(FIRST, "bid", "1.00", "0.20", expiration_time=int(time.time()) + 3600)
    canceled = await one.place(FIRST, "ask", "1.00", "0.90")
    await one.client.orders.cancel(canceled, market_ticker=FIRST)
    await one.place(FAR, "ask", "1.00", "0.80")
    await one.place(FAR, "bid", "1.00", "0.80", self_trade_prevention_type="maker")
    return number


async def test_read_messages_say_what_live_ones_said(room: Room) -> None:
    async with stream(room.exchange, room.one.credentials) as line:
        await listen(line)
        number = await busy_day(room)
        fills = await live(line, "fill", FillUpdate)
        orders = {each.order_id: each for each in await live(line, "user_order", UserOrderUpdate)}
        held = {
            (each.ticker, each.subaccount): each
            for each in await live(line, "market_position", MarketPositionUpdate)
        }
    backfill = Backfill(room.one.client, clock=lambda: 12.5)
    read_fills = await backfill.fills(0)
    assert len(read_fills) == 4
    assert [facts(each, read=True) for each in read_fills] == [
        facts(each, read=False) for each in fills
    ]
    assert {each.received_at for each in read_fills} == {12.5}
    read_orders = await backfill.orders(0)
    assert len(read_orders) == len(orders)
    for order in read_orders:
        assert facts(order, read=True) == facts(orders[order.order_id], read=False)
    assert {each.status for each in read_orders} == {"resting", "canceled", "executed"}
    read_positions = await backfill.positions()
    assert {(each.ticker, each.subaccount) for each in read_positions} == {
        (FIRST, 0),
        (FAR, 0),
        (SECOND, number),
    }
    for position in read_positions:
        place = (position.ticker, position.subaccount)
        assert facts(position, read=True) == facts(held[place], read=False)
    assert (backfill.undecoded, backfill.not_found) == (0, 0)
    assert repr(backfill) == "<Backfill: 0 items undecoded, 0 not found>"


async def test_only_the_markets_that_were_named(room: Room) -> None:
    number = await busy_day(room)
    backfill = Backfill(room.one.client)
    resting = [order.order_id for order in await backfill.resting()]
    assert len(resting) == 3
    for tickers in ({FIRST}, {FIRST, SECOND}):
        assert {each.ticker for each in await backfill.fills(0, tickers)} == tickers
        assert {each.ticker for each in await backfill.orders(0, resting, tickers)} == tickers
        assert {each.ticker for each in await backfill.positions(tickers)} == tickers
    assert {each.ticker for each in await backfill.resting({FIRST})} == {FIRST}
    assert await backfill.positions({"KXNONE"}, [(FIRST, 0), (SECOND, number)]) == []
    assert await backfill.fills(0, ()) == []


async def test_only_fills_since_then_oldest_first(room: Room) -> None:
    await busy_day(room)
    backfill = Backfill(room.one.client)
    times = [each.ts_ms for each in await backfill.fills(0)]
    assert times == sorted(times)
    since = times[2] / 1000
    assert [each.ts_ms for each in await backfill.fills(since)] == times[2:]
    assert await backfill.fills(time.time() + 60) == []


async def test_lists_are_read_to_their_ends(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kalshi_async.stream._backfill.PAGE_LIMIT", 2)
    await busy_day(room)
    backfill = Backfill(room.one.client)
    assert len(await backfill.fills(0)) == 4
    assert len(await backfill.orders(0)) == 8
    assert len(await backfill.resting()) == 3
    assert len(await backfill.positions()) == 3


async def ended_unseen(room: Room, count: int) -> tuple[OrderContinuity, list[str]]:
    """Orders that were told to rest, of which all but one have ended since."""
    orders = OrderContinuity()
    placed = [await room.one.place(FIRST, "bid", "1.00", "0.10") for _ in range(count)]
    for told in await Backfill(room.one.client).resting():
        orders.live(told)
    orders.hold()
    for order_id in placed[1:-1]:
        await room.one.client.orders.cancel(order_id, market_ticker=FIRST)
    await room.one.client.orders.decrease(placed[0], market_ticker=FIRST, reduce_by="0.50")
    await room.other.place(FIRST, "ask", "0.50", "0.10")
    await room.one.client.orders.cancel(placed[-1], market_ticker=FIRST)
    return orders, placed


@pytest.mark.parametrize("count", [5, MANY + 5])
async def test_orders_that_ended_unseen_are_asked_for(room: Room, count: int) -> None:
    orders, placed = await ended_unseen(room, count)
    later = time.time() + 60
    believed = orders.believed_resting
    assert believed == set(placed)
    room.exchange.requests.clear()
    read = await Backfill(room.one.client).orders(later, believed)
    told = {each.order_id: each.status for each in orders.release(read)}
    assert told == dict.fromkeys(placed[1:], "canceled") | {placed[0]: "executed"}
    asked = room.exchange.requests["GetOrder", 200]
    assert asked == (count if count < MANY else 1)
    assert orders.believed_resting == frozenset()


async def test_an_order_that_is_not_to_be_found_is_counted(room: Room) -> None:
    backfill = Backfill(room.one.client)
    placed = await room.one.place(FIRST, "bid", "1.00", "0.10")
    read = await backfill.orders(time.time() + 60, ["00000000-0000-4000-8000-000000000000"])
    assert [each.order_id for each in read] == [placed]
    assert backfill.not_found == 1


async def test_positions_that_settled_unseen_are_asked_for(room: Room) -> None:
    number = await busy_day(room)
    backfill, positions = Backfill(room.one.client), PositionContinuity()
    positions.baseline(await backfill.positions())
    assert positions.believed_held == {(FIRST, 0), (FAR, 0), (SECOND, number)}
    positions.hold()
    async with stream(room.exchange, room.one.credentials) as line:
        await listen(line)
        for ticker in (FIRST, SECOND):
            room.exchange.settle(ticker, "yes")
        settled = await live(line, "market_position", MarketPositionUpdate)
    assert len(await backfill.positions()) == 1
    read = await backfill.positions(None, positions.believed_held)
    told = positions.release(read)
    assert {each.ticker for each in told} == {FIRST, SECOND}
    assert all(each.position == 0 and each.realized_pnl for each in told)
    expected = sorted(settled, key=lambda each: each.ticker)
    for message, other in zip(sorted(told, key=lambda each: each.ticker), expected, strict=True):
        assert facts(message, read=True) == facts(other, read=False)
    assert positions.believed_held == {(FAR, 0)}
    assert await backfill.positions(None, [("KXNONE", 0)])
    assert backfill.not_found == 1


class Refusing:
    """The subaccounts of a key that may not list them."""

    async def balances(self) -> Any:
        raise PermissionDeniedError(403, ErrorBody())


async def test_without_the_right_to_list_subaccounts_the_known_ones_are_read(room: Room) -> None:
    number = await busy_day(room)
    backfill = Backfill(room.one.client)
    backfill._client.subaccounts = Refusing()  # type: ignore[assignment]
    assert {each.subaccount for each in await backfill.positions()} == {0}
    read = await backfill.positions(None, [(SECOND, number)])
    assert {each.subaccount for each in read} == {0, number}


async def test_a_key_of_one_subaccount_reads_what_that_has(room: Room) -> None:
    number = await busy_day(room)
    made = await room.one.client.api_keys.generate(
        name="locked", scopes=["read"], subaccount=number
    )
    async with room.one.with_key(made.api_key_id, made.private_key.reveal()) as client:
        backfill = Backfill(client)
        (position,) = await backfill.positions()
        assert (position.ticker, position.subaccount) == (SECOND, number)
        assert {each.subaccount for each in await backfill.fills(0)} == {number}


async def test_a_failure_is_raised_and_reading_again_succeeds(room: Room) -> None:
    orders, placed = await ended_unseen(room, 8)
    backfill = Backfill(room.one.client.with_options(retry=None), at_once=3)
    room.exchange.faults.on("GetOrder", nth=2, status=503)
    with pytest.raises(ServerError):
        await backfill.orders(time.time() + 60, orders.believed_resting)
    read = await backfill.orders(time.time() + 60, orders.believed_resting)
    assert {each.order_id for each in read} == set(placed)


async def test_what_cannot_be_read_is_counted(room: Room) -> None:
    async def fetch(cursor: str | None) -> Page[int]:
        broken = Undecoded(0, b"{}", "no order_id")
        return Page([1, 2], "more", (broken,)) if cursor is None else Page([3], None, (broken,))

    backfill = Backfill(room.one.client)
    assert await backfill._all(Paginator(fetch)) == [1, 2, 3]
    assert backfill.undecoded == 2


def test_a_fill_with_fewer_times() -> None:
    fill = Fill(fill_id="t", order_id="o", ticker="T", ts=7, count=Decimal(1))
    message = fill_update(fill, 3.0)
    assert (message.trade_id, message.market_ticker) == ("t", "T")
    assert (message.ts, message.ts_ms, message.received_at) == (7, 7000, 3.0)
