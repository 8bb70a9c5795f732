"""Signed requests, and an HTTP/1.1 client that costs little: the server is what is measured."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ._exchange_server import Member

HOST = "127.0.0.1"
_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"


def signer(member: Member) -> Callable[[str, str, int], bytes]:
    """What makes the header lines of a signed request of (method, path, Unix milliseconds)."""
    key = load_pem_private_key(member.private_key_pem.encode(), None)
    scheme = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)

    def lines(method: str, path: str, stamp: int) -> bytes:
        message = f"{stamp}{method}{path}".encode()
        if isinstance(key, rsa.RSAPrivateKey):
            raw = key.sign(message, scheme, SHA256())
        else:
            assert isinstance(key, ed25519.Ed25519PrivateKey)
            raw = key.sign(message)
        return (
            f"KALSHI-ACCESS-KEY: {member.api_key_id}\r\n"
            f"KALSHI-ACCESS-TIMESTAMP: {stamp}\r\n"
            f"KALSHI-ACCESS-SIGNATURE: {base64.b64encode(raw).decode()}\r\n"
        ).encode()

    return lines


def wall_ms() -> int:
    """The clock signatures are made with."""
    return int(time.time() * 1000)


class Line(asyncio.Protocol):
    """A connection kept alive: sends the next request when the one before is answered."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost(self)

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        head = received.find(_END)
        if head < 0:
            return
        at = received.lower().find(_LENGTH, 0, head) + len(_LENGTH)
        end = received.find(b"\r", at)
        whole = head + len(_END) + int(received[at:end])
        if len(received) < whole:
            return
        status = int(received[9:12])
        del received[:whole]
        self._load.answered(status, perf_counter() - self._sent)
        self._next()

    def _next(self) -> None:
        request = self._load.take()
        assert self._transport is not None
        if request is None:
            self._transport.close()
            return
        self._sent = perf_counter()
        self._transport.write(request)


class Load:
    """Requests made beforehand, sent over several connections, each as soon as one is free; no more
    of them once one is answered with another status than the one wanted.
    """

    def __init__(self, requests: list[bytes], *, wanted: int) -> None:
        self._requests, self._wanted = requests, wanted
        self._at = 0
        self._lines: set[Line] = set()
        self._ended = asyncio.Event()
        self.statuses: dict[int, int] = {}
        self.latencies: list[float] = []

    async def run(self, port: int, connections: int) -> float:
        """Send everything; seconds from the first request to the last answer."""
        loop = asyncio.get_running_loop()
        begin = perf_counter()
        for _ in range(connections):
            _, line = await loop.create_connection(lambda: Line(self), HOST, port)
            self._lines.add(line)
        await self._ended.wait()
        return perf_counter() - begin

    def take(self) -> bytes | None:
        """The next request; None when there is none."""
        if self._at == len(self._requests) or self.statuses.keys() - {self._wanted}:
            return None
        self._at += 1
        return self._requests[self._at - 1]

    def answered(self, status: int, seconds: float) -> None:
        """A request was answered."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.latencies.append(seconds)
        if len(self.latencies) == len(self._requests):
            self._ended.set()

    def lost(self, line: Line) -> None:
        """A connection ended; without any, nothing more can come."""
        self._lines.discard(line)
        if not self._lines:
            self._ended.set()

    def percentile(self, share: float) -> float:
        """The latency, in milliseconds, that this share of the requests kept to."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3
