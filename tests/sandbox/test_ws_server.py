"""The WebSocket over loopback, as a client of another make sees it."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from random import Random
from typing import Any

import aiohttp
import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from kalshi_async.sandbox import Faults, Sandbox
from kalshi_async.sandbox._text import named_uuid
from kalshi_async.sandbox._ws.reference import SOURCES, reference_message
from kalshi_async.sandbox._ws.server import LONGEST_COMMAND, Sockets, close_websockets

from .conftest import signed
from .ws_client import WS_PATH, open_tickers, owner, place, stream, wire_book


def sockets(exchange: Sandbox) -> Sockets:
    return exchange._exchange.room(Sockets)


async def test_the_handshake_is_signed(exchange: Sandbox):
    good = signed(owner(exchange), "GET", WS_PATH)
    url = exchange.ws_url.replace("ws:", "http:")
    error = {"code": "authentication_error", "message": "authentication_error"}
    expected = [
        ({}, {"code": "token_authentication_failure", "message": "token authentication failure"}),
        (
            {**good, "KALSHI-ACCESS-SIGNATURE": "AAAA"},
            {**error, "details": "INCORRECT_API_KEY_SIGNATURE"},
        ),
        ({**good, "KALSHI-ACCESS-KEY": "nobody"}, {**error, "details": "NOT_FOUND"}),
        (
            signed(owner(exchange), "GET", WS_PATH, offset=-90),
            {"code": "header_timestamp_expired", "message": "header timestamp expired"},
        ),
    ]
    async with httpx.AsyncClient(trust_env=False) as http:
        for headers, body in expected:
            response = await http.get(url, headers=headers)
            assert (response.status_code, response.json()) == (401, {"error": body})
        response = await http.get(url, headers=good)
        assert response.status_code == 400
        assert response.json()["error"]["code"] == "bad_request"


async def test_a_snapshot_then_every_change(exchange: Sandbox):
    (ticker,) = open_tickers(exchange, 1)
    async with stream(exchange) as own, stream(exchange, exchange.add_account()) as other:
        for each in (own, other):
            await each.subscribe("orderbook_delta", market_tickers=[ticker])
            snapshot = (await each.until("orderbook_snapshot"))["msg"]
            assert snapshot["market_id"] == named_uuid(ticker)
            assert each.books[ticker] == wire_book(exchange, ticker)
        mine = {"bid": True, "price": 100, "count": 700, "client_order_id": "me"}
        place(exchange, exchange.user_id, ticker, **mine)
        place(exchange, exchange.user_id, ticker, bid=False, price=9_900, count=150)
        deltas = [await own.receive(), await own.receive()]
        shown = [
            (each["msg"]["side"], each["msg"]["price_dollars"], each["msg"]["delta_fp"])
            for each in deltas
        ]
        assert shown == [("yes", "0.0100", "7.00"), ("no", "0.0100", "1.50")]
        assert deltas[0]["msg"]["client_order_id"] == "me"
        assert "client_order_id" not in (await other.receive())["msg"]
        await other.receive()
        assert own.books == other.books == {ticker: wire_book(exchange, ticker)}


async def test_both_sides_can_be_had_in_yes_prices(exchange: Sandbox):
    (ticker,) = open_tickers(exchange, 1)
    place(exchange, exchange.user_id, ticker, bid=False, price=9_800, count=100)
    async with stream(exchange) as line:
        await line.subscribe("orderbook_delta", market_tickers=[ticker], use_yes_price=True)
        snapshot = (await line.until("orderbook_snapshot"))["msg"]
        assert ["0.9800", "1.00"] in snapshot["no_dollars_fp"]
        place(exchange, exchange.user_id, ticker, bid=False, price=9_900, count=200)
        assert (await line.until("orderbook_delta"))["msg"]["price_dollars"] == "0.9900"


async def test_private_channels_reach_only_their_account(exchange: Sandbox):
    (ticker,) = open_tickers(exchange, 1)
    stranger = exchange.add_account()
    channels = ("fill", "user_orders", "market_positions", "order_group_updates")
    async with stream(exchange) as own, stream(exchange, stranger) as other:
        for each in (own, other):
            await each.subscribe(*channels)
        place(exchange, exchange.user_id, ticker, bid=True, price=9_900, count=500)
        exchange._exchange.do(lambda engine, now: engine.create_group(exchange.user_id, 100, now))
        seen = {frame["type"] for frame in await own.settle()}
        assert seen == {"fill", "user_order", "market_position", "order_group_updates"}
        assert await other.settle() == []


async def test_a_filter_on_markets_holds_for_an_account_too(exchange: Sandbox):
    wanted, unwanted = open_tickers(exchange, 2)
    async with stream(exchange) as line:
        await line.subscribe("user_orders", market_tickers=[wanted])
        for ticker in (unwanted, wanted):
            place(exchange, exchange.user_id, ticker, bid=True, price=100, count=100)
        orders = [frame["msg"]["ticker"] for frame in await line.settle()]
        assert orders == [wanted]
        await line.ask("update_subscription", sid=1, action="add_markets", market_ticker=unwanted)
        place(exchange, exchange.user_id, unwanted, bid=True, price=200, count=100)
        assert [frame["msg"]["ticker"] for frame in await line.settle()] == [unwanted]


async def test_a_price_that_moves_is_told_once_a_command(exchange: Sandbox):
    (ticker,) = open_tickers(exchange, 1)
    async with stream(exchange) as line:
        await line.subscribe("ticker", market_tickers=[ticker], send_initial_snapshot=True)
        first = (await line.until("ticker"))["msg"]
        best = exchange.book(ticker)["no"][0][1]
        place(exchange, exchange.user_id, ticker, bid=True, price=9_900, count=int(best * 100))
        (second,) = [frame["msg"] for frame in await line.settle()]
        assert Decimal(second["volume_fp"]) == Decimal(first["volume_fp"]) + best
        assert second["price_dollars"] == first["yes_ask_dollars"]
        assert Decimal(second["yes_ask_dollars"]) == 1 - exchange.book(ticker)["no"][0][0]
        # Deep in the book nothing the ticker shows has changed.
        place(exchange, exchange.user_id, ticker, bid=True, price=100, count=100)
        assert await line.settle() == []


async def test_many_subscribers_of_a_busy_market_end_with_its_book(exchange: Sandbox):
    """Some come while it is busy, and still find every change behind their snapshot."""
    (ticker,) = open_tickers(exchange, 1)
    random = Random(5)
    done = asyncio.Event()
    waiting = 200

    async def follow(number: int) -> None:
        nonlocal waiting
        async with stream(exchange) as line:
            await line.subscribe("orderbook_delta", market_tickers=[ticker])
            waiting -= 1
            while not done.is_set():
                await line.receive()
            await line.settle()
            assert line.books[ticker] == wire_book(exchange, ticker), number

    async def trade() -> None:
        after = 0
        while after < 120:
            await asyncio.sleep(0)
            bid = random.random() < 0.5
            price = 100 * (random.randint(1, 60) if bid else random.randint(40, 99))
            place(
                exchange,
                exchange.user_id,
                ticker,
                bid=bid,
                price=price,
                count=random.randint(1, 500),
                self_trade="maker",
            )
            after += not waiting
        done.set()
        place(exchange, exchange.user_id, ticker, bid=True, price=100, count=100)

    exchange.deposit(exchange.user_id, "1000000.00")
    async with asyncio.TaskGroup() as group:
        for number in range(waiting):
            group.create_task(follow(number))
        group.create_task(trade())
    assert len(exchange.book(ticker)["yes"]) > 1


async def test_who_does_not_read_is_closed_and_holds_no_memory(exchange: Sandbox):
    (ticker,) = open_tickers(exchange, 1)
    sockets(exchange).most_unread, sockets(exchange).close_wait = 1 << 16, 0.05
    async with stream(exchange, max_queue=1) as idle, stream(exchange) as busy:
        for each in (idle, busy):
            await each.subscribe("orderbook_delta", market_tickers=[ticker])
        while len(sockets(exchange)) == 2:
            for _ in range(50):
                place(exchange, exchange.user_id, ticker, bid=True, price=100, count=100)
                exchange._exchange.do(lambda engine, now: engine.cancel_all(exchange.user_id, now))
            await busy.settle()
        assert busy.books[ticker] == wire_book(exchange, ticker)
        with pytest.raises(ConnectionClosed):
            while True:
                await idle.receive()


async def test_overflow_is_told_to_who_reads_late(exchange: Sandbox):
    (ticker,) = open_tickers(exchange, 1)
    sockets(exchange).most_unread = 1 << 12
    async with stream(exchange) as line:
        await line.subscribe("orderbook_delta", market_tickers=[ticker])
        await line.until("orderbook_snapshot")
        for _ in range(200):
            place(exchange, exchange.user_id, ticker, bid=True, price=100, count=100)
        frame = json.loads(await line.connection.recv())
        assert (frame["type"], frame["sid"], frame["msg"]["code"]) == ("error", 1, 25)
        with pytest.raises(ConnectionClosed) as closed:
            await line.connection.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_heartbeats_are_pings_that_say_so(exchange: Sandbox):
    sockets(exchange).heartbeat = 0.01
    headers = signed(owner(exchange), "GET", WS_PATH)
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(exchange.ws_url, headers=headers, autoping=False) as ws,
    ):
        message = await ws.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.PING, b"heartbeat")
        await ws.ping(b"mine")
        while (message := await ws.receive()).type is aiohttp.WSMsgType.PING:
            pass
        assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"mine")


async def test_what_is_no_command_gets_an_error_and_nothing_else(exchange: Sandbox):
    async with stream(exchange) as line:
        for sent in (b"\x00\xff", b'{"id":1,"cmd":"list_subscriptions"}', "", "{", "null"):
            await line.connection.send(sent)
            assert (await line.receive())["msg"]["code"] == 1
        assert (await line.ask("list_subscriptions"))["msg"] == []


async def test_a_command_too_long_ends_the_connection(exchange: Sandbox):
    async with stream(exchange) as line:
        await line.connection.send(" " * (LONGEST_COMMAND + 1))
        with pytest.raises(ConnectionClosed) as closed:
            await line.receive()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_connections_leave_nothing_behind(exchange: Sandbox):
    (ticker,) = open_tickers(exchange, 1)
    async with stream(exchange) as line:
        await line.subscribe("orderbook_delta", "ticker", "fill", market_tickers=[ticker])
        await line.subscribe("communications", "cfbenchmarks_value", index_ids=["all"])
        assert repr(sockets(exchange).feed) == "<Feed: 5 subscriptions>"
        assert len(sockets(exchange)) == 1
    async with asyncio.timeout(10):
        await sockets(exchange).close()
    assert repr(sockets(exchange).feed) == "<Feed: 0 subscriptions>"


async def test_shutting_down_closes_with_a_close_frame(exchange: Sandbox):
    async with stream(exchange) as first, stream(exchange) as second:
        await first.ask("list_subscriptions")
        await second.ask("list_subscriptions")
        await close_websockets(exchange._exchange)
        assert not len(sockets(exchange))
        for line in (first, second):
            with pytest.raises(ConnectionClosed) as closed:
                await line.receive()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001


async def test_reference_prices_come_in_time_and_from_the_seed(exchange: Sandbox):
    async with stream(exchange) as line:
        await line.subscribe("cfbenchmarks_value_5hz", index_ids=["BRTI"])
        await line.subscribe("pyth_value", underlying_tickers=["all"])
        for _ in range(3):
            frame = await line.until("cfbenchmarks_value_5hz")
            instant = frame["msg"]["source_ts_ms"]
            expected = reference_message(7, "cfbenchmarks_value_5hz", "BRTI", instant)
            assert frame["msg"] == json.loads(expected)
        names = [
            (await line.until("pyth_value"))["msg"]["underlying_ticker"]
            for _ in SOURCES["pyth_value"].names
        ]
        assert names == list(SOURCES["pyth_value"].names)


FAULTS: list[tuple[dict[str, Any], list[int]]] = [
    ({"drop": True}, [1, 3, 4]),
    ({"duplicate": True}, [1, 2, 2, 3, 4]),
    ({"delay": 0.02}, [1, 2, 3, 4]),
]


@pytest.mark.parametrize(("fault", "seqs"), FAULTS)
async def test_frames_are_lost_doubled_and_late_on_order(
    exchange: Sandbox, fault: dict[str, Any], seqs: list[int]
):
    (ticker,) = open_tickers(exchange, 1)
    exchange.faults = Faults().on_frame("orderbook_delta", nth=2, **fault)
    async with stream(exchange) as line:
        await line.send("subscribe", channels=["orderbook_delta"], market_tickers=[ticker])
        await line.connection.recv()
        for _ in range(3):
            place(exchange, exchange.user_id, ticker, bid=True, price=100, count=100)
        found = [json.loads(await line.connection.recv())["seq"] for _ in seqs]
        assert found == seqs


async def test_connections_are_reset_and_closed_on_order(exchange: Sandbox):
    exchange.faults = Faults().on_frame("control", nth=2, reset=True)
    async with stream(exchange) as line:
        await line.ask("list_subscriptions")
        with pytest.raises(ConnectionClosed) as closed:
            await line.ask("list_subscriptions")
        assert closed.value.rcvd is None
    exchange.faults = Faults().on_frame("control", close=1012)
    async with stream(exchange) as line:
        with pytest.raises(ConnectionClosed) as closed:
            await line.ask("list_subscriptions")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012


async def test_a_handshake_can_meet_a_gateway_that_is_down(exchange: Sandbox):
    exchange.faults = Faults().on_connect(status=502)
    with pytest.raises(InvalidStatus) as refused:
        async with stream(exchange):
            pass
    assert refused.value.response.status_code == 502
    async with stream(exchange) as line:
        await line.ask("list_subscriptions")
