"""Streams against servers that refuse the handshake, garble it, or never answer it."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from functools import partial

import pytest

from kalshi_async import APIError, AuthenticationError, NotFoundError, PermissionDeniedError
from kalshi_async.stream import (
    StreamConnected,
    StreamLostError,
    StreamResumed,
)
from tests.core.keys import ed_key, verify

from .hostile import (
    WS_PATH,
    Peer,
    client_of,
    hostile,
    snapshot,
    stream_of,
    streaming,
    until,
)

EXPIRED = json.dumps({"error": {"code": "header_timestamp_expired", "message": "late"}}).encode()


async def books(peer: Peer) -> None:
    """An exchange with one book."""
    await peer.accept()
    await peer.agree(snapshot("A", 1))
    await peer.listen()


async def idle(peer: Peer) -> None:
    await peer.accept()
    await peer.listen()


async def refuse(peer: Peer, status: str = "502 Bad Gateway", body: bytes = b"") -> None:
    await peer.refuse(status, body)


async def say(peer: Peer, data: bytes = b"") -> None:
    await peer.raw(data)


async def nothing(peer: Peer) -> None:
    await peer.listen()


async def test_the_handshake_is_signed():
    async with streaming(idle) as (server, stream):
        (peer,) = server.peers
        assert (peer.target, stream.state) == (WS_PATH, "connected")
        signed = {name.upper(): value for name, value in peer.headers.items()}
        verify(ed_key(), signed, "GET", WS_PATH)
    assert stream.state == "closed"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        ("401 Unauthorized", b'{"error":{"code":"x","message":"who"}}', AuthenticationError),
        ("401 Unauthorized", b"", AuthenticationError),
        ("403 Forbidden", b"<html>no</html>", PermissionDeniedError),
        ("404 Not Found", b"\xff", NotFoundError),
        ("200 OK", b"{}", APIError),
        ("418 Teapot", b"[" * 9_999, APIError),
    ],
)
async def test_a_refusal_is_told_and_not_asked_for_again(status, body, expected):
    async with hostile(partial(refuse, status=status, body=body)) as server:
        async with client_of(server) as client:
            with pytest.raises(expected) as raised:
                async with stream_of(client):
                    raise AssertionError("entered")
        assert len(server.peers) == 1
    assert raised.value.status == int(status[:3])


@pytest.mark.parametrize("status", ["500 No", "502 No", "503 No", "504 No", "429 No"])
async def test_an_exchange_in_trouble_is_asked_again(status):
    failing = partial(refuse, status=status)
    async with streaming(failing, failing, idle) as (server, stream):
        assert len(server.peers) == 3
        assert (stream.stats.failures, stream.stats.connects) == (2, 1)


async def test_signed_headers_do_not_follow_to_another_host():
    async with hostile(idle) as elsewhere:
        for status in ("301 Moved", "302 Found", "307 Temporary", "308 Permanent"):

            async def send_away(peer: Peer, status: str = status) -> None:
                await peer.refuse(status, Location=elsewhere.url)

            async with hostile(send_away) as server, client_of(server) as client:
                with pytest.raises(APIError):
                    await stream_of(client).__aenter__()
                assert len(server.peers) == 1
        assert elsewhere.peers == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 101 Switching",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x02\x00\x01" * 9,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: bm8=\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 99999 What\r\n\r\n",
        b"HTTP/1.1 502 Bad\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 502 Bad\r\nContent-Length: 99\r\n\r\nshort",
        b"HTTP/1.1 502 Bad\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 502 Bad\r\n" + b"X-Many: x\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 502 Bad\r\nLong: " + b"x" * 99_999 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_handshake_is_tried_again(data):
    async with streaming(partial(say, data=data), idle) as (server, stream):
        assert len(server.peers) == 2
        assert (stream.stats.failures, stream.state) == (1, "connected")


async def test_a_handshake_that_is_never_answered_is_given_up():
    async with hostile(nothing, idle) as server:
        async with client_of(server, timeout=0.3) as client:
            async with stream_of(client) as stream:
                assert (stream.stats.failures, len(server.peers)) == (1, 2)


async def test_nobody_waits_longer_than_asked_for_the_first_connection():
    async with hostile(nothing) as server, client_of(server) as client:
        stream = stream_of(client, connect_deadline=0.05)
        with pytest.raises(StreamLostError, match=r"no connection within 0\.05 s") as raised:
            await stream.__aenter__()
        assert (raised.value.tries, stream.state) == (1, "closed")


async def test_a_clock_that_is_wrong_is_set():
    ahead = time.time() + 3_600

    async def set_clock(peer: Peer) -> None:
        await peer.refuse("401 Unauthorized", EXPIRED, Date=formatdate(ahead, usegmt=True))

    async with streaming(set_clock, books) as (server, stream):
        said = int(server.peers[1].headers["kalshi-access-timestamp"]) / 1000
        assert abs(said - ahead) < 60
        async with stream.orderbook("A") as found:
            assert abs((await anext(found)).received_at - ahead) < 60


DATE = "Date: Mon, 23 Nov 2026 00:00:00 GMT\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        "Date: yesterday\r\n",
        "Date: \r\n",
        "Date: Mon, 99 Foo 2026 99:99:99 GMT\r\n",
        "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
        "Date: Mon, 01 Jan 0001 00:00:00 +2359\r\n",
        "X-Euro: \u20ac\r\n",
        DATE * 2,
    ],
)
async def test_odd_headers_of_a_handshake_do_no_harm(lines):
    async def agree(peer: Peer) -> None:
        await peer.accept(more=lines)
        await peer.agree(snapshot("A", 1))
        await peer.listen()

    async with streaming(agree) as (server, stream):
        async with stream.orderbook("A") as found:
            assert (await anext(found)).ticker == "A"
        assert (len(server.peers), stream.stats.failures) == (1, 0)


async def test_two_dates_beside_an_expired_signature():
    async def late(peer: Peer) -> None:
        now = formatdate(usegmt=True)
        await peer.refuse(f"401 Unauthorized\r\nDate: {now}", EXPIRED, Date=now)

    async with streaming(late, idle) as (server, _):
        assert len(server.peers) == 2


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}])
async def test_without_a_date_an_expired_signature_is_final(headers):
    async def late(peer: Peer) -> None:
        await peer.refuse("401 Unauthorized", EXPIRED, **headers)

    async with hostile(late) as server, client_of(server) as client:
        with pytest.raises(AuthenticationError):
            await stream_of(client).__aenter__()
        assert len(server.peers) == 1


async def test_a_signature_that_stays_expired_is_given_up():
    async def late(peer: Peer) -> None:
        await peer.refuse("401 Unauthorized", EXPIRED, Date=formatdate(usegmt=True))

    async with hostile(late) as server, client_of(server) as client:
        with pytest.raises(AuthenticationError):
            await stream_of(client).__aenter__()
        assert len(server.peers) == 4


async def test_a_key_that_worked_is_not_given_up_at_the_first_refusal():
    async def once(peer: Peer) -> None:
        await peer.accept()
        await peer.agree()

    refusing = partial(refuse, status="401 Unauthorized")
    async with streaming(once, refusing, refusing, idle) as (server, stream):
        events = stream.events()
        async with stream.trades():
            assert (await until(events, StreamResumed)).tries == 3
        assert len(server.peers) == 4


async def test_a_connection_that_stands_is_told_first():
    async with hostile(books) as server, client_of(server) as client:
        stream = stream_of(client)
        events = stream.events()
        async with stream:
            assert await anext(events) == StreamConnected(1, 1)
