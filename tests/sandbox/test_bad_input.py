"""What nobody should send to an exchange where others trade: refused, and the book is as before."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from kalshi_async.sandbox._operations import API_ROOT, OPERATIONS

from .desk import FIRST, UNKNOWN, Desk, desk_on, named, order, place
from .digest_check import is_error
from .members import OPERATION, Member

ORDERS = f"{API_ROOT}/portfolio/events/orders"
MEBIBYTE = 1 << 20
IDLE = 1_500
# Everything that moves orders or money and takes a body.
WRITES = (
    "CreateOrderV2", "BatchCreateOrdersV2", "BatchCancelOrdersV2", "AmendOrderV2",
    "DecreaseOrderV2", "CreateOrderGroup", "UpdateOrderGroupLimit", "ApplySubaccountTransfer",
    "IntraExchangeInstanceTransfer", "CreateRFQ", "CreateRFQBatch", "CreateQuote", "AcceptQuote",
    "ProposeBlockTrade",
)  # fmt: skip


@pytest.fixture
async def desk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Desk]:
    """A desk with one order in its book, which is all there is in the end as well."""
    with caplog.at_level(logging.WARNING):
        async with desk_on(tmp_path) as found:
            await place(found.maker, price="0.40", client_order_id="kept")
            before = state_of(found)
            yield found
            assert state_of(found) == before
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def state_of(desk: Desk) -> Any:
    """The books, the money, and what the two members have."""
    exchange = desk.exchange
    traders = [
        exchange.engine.traders[member.credentials.user_id] for member in (desk.maker, desk.taker)
    ]
    return repr(
        (
            [exchange.book(ticker) for ticker in sorted(exchange.engine.markets)],
            exchange.money(),
            [(one.resting, one.fills, one.positions, one.wallets, one.groups) for one in traders],
        )
    )


async def path_names(member: Member) -> dict[str, str]:
    """Something for every placeholder: the order that rests, and what is not there."""
    (kept,) = (await member.ok("GetOrders", status="resting"))["orders"]
    names = dict.fromkeys(("order_group_id", "quote_id"), UNKNOWN)
    return {**names, "order_id": kept["order_id"]}


# Bodies


def with_field(name: str, text: str) -> bytes:
    """A new order, with the JSON text given for one of its fields."""
    fields = {key: json.dumps(value) for key, value in order().items()} | {name: text}
    return ("{" + ",".join(f'"{key}":{value}' for key, value in fields.items()) + "}").encode()


UNREADABLE = (
    b"",
    b"{",
    b"\x00",
    b"\xef\xbb\xbf{}",
    json.dumps(order()).encode("utf-16"),
    json.dumps(order()).encode() + b"{}",
    json.dumps(order()).replace('"', "'").encode(),
    with_field("ticker", '"\xff"').decode().encode("latin-1"),
    with_field("ticker", '"\\ud800\\ud800"'),
    with_field("count", "NaN"),
    with_field("count", "Infinity"),
    with_field("price", "-Infinity"),
    with_field("price", "1e999999"),
    with_field("count", "9" * 100_000),
    with_field("count", "[" * 200_000 + "]" * 200_000),
    with_field("ticker", '{"a":' * 100_000 + "1" + "}" * 100_000),
    b"ticker=KXDESK-26-A&side=bid&count=10.00",
)


@pytest.mark.parametrize("number", range(len(UNREADABLE)))
async def test_a_body_that_cannot_be_read(desk: Desk, number: int) -> None:
    names = await path_names(desk.maker)
    for name in WRITES:
        response = await desk.maker.send(name, content=UNREADABLE[number], names=names)
        assert response.status_code == 400, (name, response.text)
        assert is_error(response.json())
        assert len(response.content) < 1000


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("count", text) for text in ("10", "10.00", "1e1", "-1", "true", "{}", '["10"]')),
        *(("price", text) for text in ("0.5", "50", "0.505", "false", '{"dollars":"0.50"}')),
        *(
            ("count", f'"{text}"')
            for text in ("0", "0.00", "-10", "+10", "10.001", "\u0661\u0660", "1_0")
        ),
        *(("count", f'"{text}"') for text in ("Infinity", "NaN", "1e400", "10 ", "10\\u0000")),
        *(("price", f'"{text}"') for text in ("0.505", "0.00", "1.00", "-0.50", "NaN", "0,50")),
        *(("price", f'"{text}"') for text in ("0.5000000001", "1e-1", "9" * 5000, "\\u0000")),
        *(("expiration_time", text) for text in ("1e20", "-1", "1.5", '"soon"', "99999999999999")),
        *(
            ("subaccount", text)
            for text in ("-1", "64", "1e9", '"0"', "0.5", "9223372036854775808")
        ),
        *(("ticker", text) for text in ("5", "[]", '"KXNOWHERE"', '"../markets"', '"\\u0000"')),
        *(("ticker", text) for text in (f'"{FIRST.lower()}"', f'"{FIRST}\\r\\n"', f'"{FIRST}%00"')),
        *(("client_order_id", text) for text in ("7", '"a\\r\\nX-Evil: 1"', '"' + "a" * 65 + '"')),
        *(("side", text) for text in ('"yes"', '"BID"', "1", "null")),
        ("client_order_id", '"kept"'),
        ("order_group_id", '"../../etc/passwd"'),
        ("exchange_index", "-1"),
    ],
)
async def test_an_order_with_one_wrong_field(desk: Desk, name: str, text: str) -> None:
    response = await desk.maker.send("CreateOrderV2", content=with_field(name, text))
    assert response.status_code in (400, 404, 409), response.text
    assert is_error(response.json())
    assert len(response.content) < 1000


async def test_of_a_field_that_is_there_twice_the_last_one_counts(desk: Desk) -> None:
    twice = b'{"count":"10.00",' + with_field("count", '"x"')[1:]
    answer = await desk.maker.refused("CreateOrderV2", 400, content=twice)
    assert "count: 'x' is not a count" in answer["error"]["details"]
    twice = b'{"ticker":"KXNOWHERE",' + with_field("price", '"0.30"')[1:]
    placed = await desk.maker.ok("CreateOrderV2", content=twice)
    await desk.maker.ok("CancelOrderV2", **named(placed["order_id"]))


async def test_a_batch_that_is_too_large_fails_as_a_whole(desk: Desk) -> None:
    penniless = desk.exchange.add_account(tier="basic", deposit="0")
    slow = Member(desk.exchange, desk.maker.http, penniless)
    for member, name, item, count, status in (
        (slow, "BatchCreateOrdersV2", order(), 21, 429),
        (slow, "BatchCancelOrdersV2", {"order_id": UNKNOWN}, 21, 400),
        (desk.maker, "BatchCreateOrdersV2", order(), 8_000, 413),
        (desk.maker, "BatchCreateOrdersV2", {}, 200_000, 400),
        (desk.maker, "BatchCreateOrdersV2", order(), 0, 400),
    ):
        response = await member.send(name, {"orders": [item] * count})
        assert response.status_code == status, (name, count, response.text[:300])
        assert is_error(response.json())


async def test_a_body_may_have_one_mebibyte(desk: Desk) -> None:
    wanted = json.dumps(order(price="0.30", time_in_force="fill_or_kill")).encode()
    padded = wanted + b" " * (MEBIBYTE - len(wanted))
    await desk.maker.refused("CreateOrderV2", 409, content=padded)
    answer = await desk.maker.refused("CreateOrderV2", 413, content=padded + b" ")
    assert answer["error"]["code"] == "request_entity_too_large"

    async def chunks() -> AsyncIterator[bytes]:
        yield wanted
        for _ in range(17):
            yield b" " * 65_536

    response = await desk.maker.send("CreateOrderV2", content=chunks())  # type: ignore[arg-type]
    assert response.status_code == 413


# Paths and headers, byte by byte


async def answered(desk: Desk, sent: bytes, *, ends: bool = False) -> bytes:
    """What is answered to raw bytes on a connection of their own; `ends` says nothing follows."""
    host, _, port = desk.exchange.base_url.split("/")[2].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    if ends:
        writer.write_eof()
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def request(
    desk: Desk, method: str, path: str, body: bytes = b"", *, signed_path: str = "", **more: str
) -> bytes:
    """A signed HTTP request; `more` replaces headers, in which nothing is escaped."""
    headers = {
        "Host": "x",
        "Connection": "close",
        "Content-Length": str(len(body)),
        **desk.maker.signature(method, signed_path or path.partition("?")[0]),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def status_of(answer: bytes) -> int:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")), answer[:200]
    assert b"Traceback" not in answer
    assert b"x-evil" not in head.lower()
    assert len(body) < 2000
    return int(head.split()[1])


PATHS = (
    "%2e%2e", "%2e%2e%2f%2e%2e%2fmarkets", "..", "a%2Fb", "%5c..%5c", "%00", "a%00b", "%ff%fe",
    "%0d%0aX-Evil:1", "%0D%0A%0D%0A", "%", "%zz", "%F0%9F%92%A9", "'OR'1'='1", "*", "x" * 5000,
)  # fmt: skip


@pytest.mark.parametrize("text", PATHS)
async def test_identifiers_that_would_be_something_else(desk: Desk, text: str) -> None:
    (kept,) = (await desk.maker.ok("GetOrders", status="resting"))["orders"]
    order_id = kept["order_id"]
    for method, path, body in (
        ("DELETE", f"{ORDERS}/{text}", b""),
        ("DELETE", f"{ORDERS}/{order_id}%00", b""),
        ("DELETE", f"{ORDERS}/{text}%2f{order_id}", b""),
        ("DELETE", f"{ORDERS}/{order_id}?market_ticker={text}", b""),
        ("POST", f"{ORDERS}/{text}/amend", json.dumps(order(price="0.41")).encode()),
        ("POST", f"{ORDERS}/{text}/decrease", b'{"reduce_to":"0"}'),
        ("GET", f"{API_ROOT}/portfolio/orders/{text}", b""),
        ("GET", f"{API_ROOT}/markets/{text}", b""),
        ("DELETE", f"{API_ROOT}/portfolio/order_groups/{text}", b""),
        ("GET", f"{API_ROOT}/portfolio/intra_exchange_instance_transfers/{text}", b""),
    ):
        answer = await answered(desk, request(desk, method, path, body))
        assert status_of(answer) in (400, 401, 404, 405), (path, answer[:200])


@pytest.mark.parametrize("operation", [one.name for one in OPERATIONS if "{" in one.path])
async def test_a_path_that_climbs_is_no_other_operation(desk: Desk, operation: str) -> None:
    facts = OPERATION[operation]
    path = API_ROOT + facts.path
    while "{" in path:
        head, _, rest = path.partition("{")
        path = f"{head}%2e%2e%2f%2e%2e{rest.partition('}')[2]}"
    answer = await answered(desk, request(desk, facts.method, path, b"{}"))
    # The book of a market that is not there is empty.
    expected = (200,) if operation == "GetMarketOrderbook" else (400, 403, 404)
    assert status_of(answer) in expected, answer[:300]


HEADERS: tuple[dict[str, str], ...] = (
    {"KALSHI_ACCESS_KEY": "a\x00b"},
    {"KALSHI_ACCESS_KEY": "caf\xe9"},
    {"KALSHI_ACCESS_KEY": "a" * 7000},
    {"KALSHI_ACCESS_KEY": "a\rX-Evil: 1"},
    {"KALSHI_ACCESS_KEY": "a\r\n folded"},
    {"KALSHI_ACCESS_SIGNATURE": "\xe9\xff"},
    {"KALSHI_ACCESS_SIGNATURE": "=" * 5000},
    {"KALSHI_ACCESS_TIMESTAMP": "\xb2"},
    {"KALSHI_ACCESS_TIMESTAMP": "9" * 5000},
    {"KALSHI_ACCESS_TIMESTAMP": "-1"},
    {"KALSHI_ACCESS_TIMESTAMP": "1e12"},
    {"X_Long": "a" * 70_000},
    {"Content_Length": "-1"},
    {"Content_Length": "1e3"},
    {"Content_Length": "5, 6"},
    {"Transfer_Encoding": "chunked"},
    {"Transfer_Encoding": "gzip, chunked", "Content_Length": "0"},
    {"Content_Encoding": "gzip"},
    {"Content_Encoding": "deflate"},
    {"Content_Encoding": "br"},
    {"Expect": "the worst", "KALSHI_ACCESS_KEY": "nobody"},
    {"Content_Type": "text/plain; charset=\xff", "KALSHI_ACCESS_KEY": "nobody"},
)


@pytest.mark.parametrize("number", range(len(HEADERS)))
async def test_headers_that_are_not_what_they_should_be(desk: Desk, number: int) -> None:
    body = json.dumps(order()).encode() if "Content_Encoding" in HEADERS[number] else b"{}"
    answer = await answered(desk, request(desk, "POST", ORDERS, body, **HEADERS[number]))
    assert status_of(answer) in (400, 401, 415, 417), answer[:300]


async def test_two_requests_cannot_be_made_of_one(desk: Desk) -> None:
    """What follows a body is another request, and as such it is not signed."""
    smuggled = b"DELETE " + ORDERS.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    both = request(desk, "POST", ORDERS, b"{}", Connection="keep-alive") + smuggled
    answer = await answered(desk, both)
    assert [answer[at : at + 3] for at in _statuses(answer)] == [b"400", b"401"]
    unclear = request(desk, "POST", ORDERS, b"0\r\n\r\n" + smuggled, Transfer_Encoding="chunked")
    assert status_of(await answered(desk, unclear)) == 400


def _statuses(answer: bytes) -> list[int]:
    mark = b"HTTP/1.1 "
    found, at = [], answer.find(mark)
    while at >= 0:
        found.append(at + len(mark))
        at = answer.find(mark, at + 1)
    return found


async def test_a_body_that_grows_when_it_is_unpacked(desk: Desk) -> None:
    packed = gzip.compress(b" " * (64 * MEBIBYTE), 1)
    assert len(packed) < MEBIBYTE
    sent = request(desk, "POST", ORDERS, packed, Content_Encoding="gzip")
    assert status_of(await answered(desk, sent)) == 413


@pytest.mark.parametrize(
    "chunk", [b"zz\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n", b"5\r\nabc", b""]
)
async def test_a_chunked_body_that_ends_early_or_is_none(desk: Desk, chunk: bytes) -> None:
    head, _, _ = request(desk, "POST", ORDERS).partition(b"\r\n\r\n")
    head = head.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    answer = await answered(desk, head + b"\r\n\r\n" + chunk, ends=True)
    assert answer == b"" or status_of(answer) == 400


async def test_a_sender_that_leaves_in_the_middle_of_a_body(desk: Desk) -> None:
    body = json.dumps(order()).encode()
    cut = request(desk, "POST", ORDERS, body)[:-5]
    answer = await answered(desk, cut, ends=True)
    assert answer == b"" or status_of(answer) == 400
    await desk.maker.ok("GetOrders")


# Many


async def test_idle_connections_do_not_hold_up_those_who_trade(tmp_path: Path) -> None:
    with _open_files(2 * IDLE + 500):
        async with desk_on(tmp_path) as desk, _idle(desk):
            for _ in range(20):
                await place(desk.maker, price="0.40", count="1.00")
                taken = await place(desk.taker, "ask", "0.40", "1.00", time_in_force="fill_or_kill")
                assert taken["fill_count"] == "1.00"
            assert desk.exchange.position(desk.maker.credentials.user_id, FIRST) == 20
            assert desk.exchange.book(FIRST) == {"yes": [], "no": []}
            paid_in, there = desk.exchange.money()
            assert paid_in == there


@contextmanager
def _open_files(needed: int) -> Iterator[None]:
    """As many open files as this test needs, else it is skipped."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            pytest.skip(f"this machine allows {hard} open files, {needed} are needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@asynccontextmanager
async def _idle(desk: Desk) -> AsyncIterator[None]:
    """Connections of which a third says nothing, a third stops in its head, a third in its body."""
    host, _, port = desk.exchange.base_url.split("/")[2].rpartition(":")
    sent = request(desk, "POST", ORDERS, json.dumps(order()).encode())
    writers = []
    try:
        for number in range(IDLE):
            _, writer = await asyncio.open_connection(host, int(port))
            writers.append(writer)
            writer.write((b"", sent[:60], sent[:-1])[number % 3])
        yield
    finally:
        for writer in writers:
            writer.close()
        for writer in writers:
            with suppress(ConnectionError):
                await writer.wait_closed()
