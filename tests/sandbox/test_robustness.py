"""What becomes of an exchange when something is cancelled, fails or breaks in the middle."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import httpx
import pytest
from aiohttp import web

from kalshi_async.sandbox import Faults, Sandbox, SandboxError, StateError
from kalshi_async.sandbox._handlers.keys import Grants
from kalshi_async.sandbox._lag import LaggedView
from kalshi_async.sandbox._state import Store
from kalshi_async.sandbox._ws import outbox as outboxes
from kalshi_async.sandbox._ws.outbox import Outbox
from kalshi_async.sandbox._ws.server import Sockets
from kalshi_async.sandbox._ws.subscription import CONTROL, Frame

from .members import Member
from .ws_client import open_tickers, owner, stream

SMALL: dict[str, Any] = {"markets": 20, "tier": None}
PUBLIC = "/exchange/status"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "exchange.db"


def others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}


async def status(exchange_url: str) -> int:
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        return (await http.get(exchange_url + PUBLIC)).status_code


async def nothing_is_left(url: str, state: Path) -> None:
    """Nobody listens any more, nothing runs, and the state file can be opened."""
    assert not others()
    with pytest.raises(httpx.ConnectError):
        await status(url)
    async with Sandbox.serve(**SMALL, state=state) as again:
        assert await status(again.base_url) == 200


# Starting and stopping


async def test_cancelling_while_the_catalog_is_drawn_leaves_the_state_file_free(
    state: Path,
) -> None:
    serving = Sandbox.serve(**SMALL, state=state)
    drawing, go_on, drawn = threading.Event(), threading.Event(), threading.Event()
    build = serving._build

    def slowly() -> Sandbox:
        drawing.set()
        go_on.wait()
        try:
            return build()
        finally:
            drawn.set()

    serving._build = slowly
    starting = asyncio.create_task(serving.__aenter__())
    await asyncio.to_thread(drawing.wait)
    starting.cancel()
    asyncio.get_running_loop().call_soon(go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await starting
    await asyncio.to_thread(drawn.wait)
    assert not others()
    async with Sandbox.serve(**SMALL, state=state) as exchange:
        assert await status(exchange.base_url) == 200


async def test_a_cancel_scope_does_not_cut_the_end_short(state: Path) -> None:
    with anyio.CancelScope() as scope:
        async with Sandbox.serve(**SMALL, state=state) as exchange:
            scope.cancel()
            await anyio.sleep_forever()
    await nothing_is_left(exchange.base_url, state)


async def test_cancelling_the_end_waits_for_it(state: Path) -> None:
    serving = Sandbox.serve(**SMALL, state=state)
    exchange = await serving.__aenter__()
    ending = asyncio.create_task(serving.__aexit__(None, None, None))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    await nothing_is_left(exchange.base_url, state)


async def test_setup_and_teardown_may_be_different_tasks(state: Path) -> None:
    serving = Sandbox.serve(**SMALL, state=state)
    exchange = await asyncio.create_task(serving.__aenter__())
    async with Sandbox.serve(**SMALL) as beside, stream(exchange) as line:
        assert await status(exchange.base_url) == await status(beside.base_url) == 200
        await line.ask("list_subscriptions")
        await asyncio.create_task(serving.__aexit__(None, None, None))
        assert await status(beside.base_url) == 200
    await nothing_is_left(exchange.base_url, state)


async def test_a_part_that_fails_at_the_end_does_not_keep_the_others(state: Path) -> None:
    async def broken() -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        async with Sandbox.serve(**SMALL, state=state) as exchange:
            exchange._server.edge.stop = broken  # type: ignore[method-assign]
    await nothing_is_left(exchange.base_url, state)


async def test_a_clock_that_fails_is_told_once_and_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failed = asyncio.Event()
    calls: Iterator[int] = iter(range(1_000))

    def tick() -> None:
        if next(calls) == 3:
            failed.set()
        raise ArithmeticError("no such time")

    with pytest.raises(SandboxError, match="no such time") as raised:
        async with Sandbox.serve(**SMALL) as exchange:
            exchange._exchange.tick = tick  # type: ignore[method-assign]
            await failed.wait()
    assert isinstance(raised.value.__cause__, ArithmeticError)
    assert [record.getMessage() for record in caplog.records] == [
        "the clock of the exchange failed"
    ]


async def test_a_failing_clock_does_not_hide_what_went_wrong_inside() -> None:
    failed = asyncio.Event()

    def tick() -> None:
        failed.set()
        raise ArithmeticError("no such time")

    with pytest.raises(KeyError):
        async with Sandbox.serve(**SMALL) as exchange:
            exchange._exchange.tick = tick  # type: ignore[method-assign]
            await failed.wait()
            raise KeyError("a test")


# Faults


async def test_faults_that_were_replaced_are_let_go() -> None:
    first, second = Faults(), Faults()
    async with Sandbox.serve(**SMALL, faults=first) as exchange:
        exchange.faults = second
        first.read_lag = 5
        assert "last 0 s" in repr(exchange._exchange.room(LaggedView))
        second.read_lag = 3
        assert "last 3 s" in repr(exchange._exchange.room(LaggedView))
    assert first._lag_listeners == second._lag_listeners == []


@pytest.mark.parametrize("latency", [0.0, 0.001])
async def test_a_body_that_is_not_what_its_headers_say_is_refused_late_too(
    latency: float,
) -> None:
    async with (
        Sandbox.serve(**SMALL, faults=Faults(latency=latency)) as exchange,
        httpx.AsyncClient(trust_env=False, verify=False) as http,
    ):
        response = await http.post(
            exchange.base_url + "/portfolio/events/orders",
            content=b"not compressed",
            headers={"Content-Encoding": "gzip"},
        )
        assert response.status_code == 400
        assert response.json()["details"].startswith("the body cannot be read")


async def test_the_door_opens_again_when_its_closing_is_cancelled() -> None:
    async with Sandbox.serve(**SMALL) as exchange:
        with anyio.CancelScope() as scope:
            async with exchange.refuse_connections():
                with pytest.raises(httpx.ConnectError):
                    await status(exchange.base_url)
                scope.cancel()
                await anyio.sleep_forever()
        assert await status(exchange.base_url) == 200


async def test_many_may_close_the_door_at_a_time() -> None:
    async with Sandbox.serve(**SMALL) as exchange:
        listener = exchange._server.listener

        async def close(times: int) -> None:
            for turn in range(times):
                async with listener.refused():
                    with pytest.raises(httpx.ConnectError):
                        await status(exchange.base_url)
                for _ in range(turn):
                    await asyncio.sleep(0)

        await asyncio.gather(*(close(number) for number in range(1, 7)))
        assert not listener.refusing
        assert await status(exchange.base_url) == 200


async def test_who_is_inside_is_heard_while_the_door_is_closed() -> None:
    async with Sandbox.serve(**SMALL) as exchange, stream(exchange) as line:
        host, port = exchange.base_url.split("/")[2].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /trade-api/v2/portfolio/events/orders HTTP/1.1\r\n"
            b"Host: here\r\nContent-Length: 4\r\n\r\n{"
        )
        # What is answered after it says that its head was read.
        assert await status(exchange.base_url) == 200
        async with exchange.refuse_connections():
            assert (await line.ask("list_subscriptions"))["type"] == "ok"
            writer.write(b"}  ")
            assert (await reader.readline()).split()[1] == b"401"
            # Its connection ends with the answer.
            assert b"token" in await reader.read()
        assert (await line.ask("list_subscriptions"))["type"] == "ok"
        writer.close()
        await writer.wait_closed()


# The WebSocket


async def test_the_end_of_the_exchange_is_answered_and_not_waited_for() -> None:
    serving = Sandbox.serve(**SMALL)
    exchange = await serving.__aenter__()
    sockets = exchange._exchange.room(Sockets)
    sockets.close_wait = 3_600
    async with stream(exchange) as line:
        await line.ask("list_subscriptions")
        # Without an answer to the close frame this takes an hour.
        await serving.__aexit__(None, None, None)
        await line.connection.wait_closed()
        assert line.connection.close_code == 1001


class Impatient(asyncio.Event):
    """Waiting for it when it is set would let nobody else have a turn."""

    async def wait(self) -> Any:
        assert not self.is_set(), "this returns at once, and for ever"
        return await super().wait()


async def test_a_long_answer_after_a_short_one_lets_the_loop_go_on() -> None:
    sent: list[bytes] = []
    written = asyncio.Event()
    transport = SimpleNamespace(is_closing=lambda: False, write=sent.append)

    async def drain() -> None:
        written.set()

    async def durable() -> None:
        await asyncio.sleep(0)

    outbox = Outbox(Faults, lambda: ())
    outbox._emptied = Impatient()
    long = b"x" * (outboxes._FULL + 1)
    sending = asyncio.create_task(outbox.send(cast("asyncio.Transport", transport), drain, durable))
    for _ in range(3):
        written.clear()
        outbox.answer([Frame(CONTROL, b"short")])
        await written.wait()
        outbox.answer([Frame(CONTROL, long)])
        await outbox.ready()
    outbox.end(1000, "")
    await sending
    assert [len(each) for each in sent if each] == [7, len(long) + 10] * 3


async def test_a_connection_lost_while_a_ping_is_answered_just_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def lost(*_: object) -> None:
        raise ConnectionResetError("Connection lost")

    async with Sandbox.serve(**SMALL) as exchange, stream(exchange) as line:
        monkeypatch.setattr(web.WebSocketResponse, "pong", lost)
        await line.connection.ping()
        await line.connection.wait_closed()
        assert len(exchange._exchange.room(Sockets)) == 0
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


# State


async def test_a_disk_that_is_full_is_one_line_and_nothing_is_told(
    state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    body = {
        "side": "bid",
        "count": "1.00",
        "price": "0.0100",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "maker",
    }
    with pytest.raises(StateError, match="no room"):
        async with (
            Sandbox.serve(**SMALL, state=state) as exchange,
            httpx.AsyncClient(trust_env=False, verify=False) as http,
            stream(exchange) as line,
        ):
            (ticker,) = open_tickers(exchange, 1)
            member = Member(exchange, http, owner(exchange))
            await line.subscribe("user_orders")
            monkeypatch.setattr(Store, "_commit", lambda *_: "no room")
            await member.refused("CreateOrderV2", 500, body | {"ticker": ticker})
            await line.connection.wait_closed()
            assert [json.loads(frame)["type"] async for frame in line.connection] == []
    refusals = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert [each.getMessage() for each in refusals] == [
        "CreateOrderV2 is not acknowledged: no room"
    ]
    assert refusals[0].exc_info is None


async def test_a_restart_has_its_own_tier_and_the_money_and_keys_of_before(state: Path) -> None:
    async def started(**options: Any) -> tuple[str, str, bytes]:
        async with Sandbox.serve(**{**SMALL, **options}, state=state) as exchange:
            key = exchange.private_key_pem
            account = exchange._exchange.directory.accounts[exchange.user_id]
            if options.get("tier") == "basic":
                exchange._exchange.room(Grants).give(exchange.user_id, "advanced")
            assert exchange.money()[0] == 500
            return account.limits.tier.name, exchange.user_id, key

    first = await started(tier="basic", deposit="500", key_type="rsa")
    assert first[0] == "advanced"
    assert await started(tier=None, deposit="7") == ("unlimited", *first[1:])
    assert await started(tier="premier") == ("premier", *first[1:])
    # What was granted holds where the tier of the start is lower.
    assert await started(tier="basic") == first
