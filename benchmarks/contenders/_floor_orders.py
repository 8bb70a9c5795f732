"""The floor of placing: raw asyncio streams, a signature, msgspec; nothing checked."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ._placers import COUNT, KEY_ID, PRICE, SELF_TRADE, TICKER, TIME_IN_FORCE

CONNECTIONS = 64


class Order(msgspec.Struct):
    client_order_id: str
    ticker: str = TICKER
    side: str = "bid"
    count: str = COUNT
    price: str = PRICE
    time_in_force: str = TIME_IN_FORCE
    self_trade_prevention_type: str = SELF_TRADE


class Placed(msgspec.Struct):
    order_id: str
    fill_count: Decimal
    remaining_count: Decimal
    ts_ms: int
    client_order_id: str | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Placed).decode


class FloorPlacer:
    """A free connection for each order; who finds none waits."""

    def __init__(self, base_url: str, key: Path) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname, parts.port
        self._path = f"{parts.path}/portfolio/events/orders"
        self._sign = _sign_function(key)
        self._free: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]

    @classmethod
    async def open(cls, base_url: str, key: Path) -> FloorPlacer:
        """Open all connections to `http://host:port/prefix`; `key` is a PEM file."""
        placer = cls(base_url, key)
        placer._free = asyncio.LifoQueue()
        for _ in range(CONNECTIONS):
            placer._free.put_nowait(await asyncio.open_connection(placer._host, placer._port))
        return placer

    async def create(self) -> str:
        """Place one order."""
        reader, writer = await self._free.get()
        body = _encode(Order(str(uuid4())))
        timestamp = str(int(time.time() * 1000))
        signature = base64.b64encode(self._sign(f"{timestamp}POST{self._path}".encode()))
        writer.write(
            f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\n"
            f"KALSHI-ACCESS-KEY: {KEY_ID}\r\nKALSHI-ACCESS-TIMESTAMP: {timestamp}\r\n"
            f"KALSHI-ACCESS-SIGNATURE: {signature.decode()}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        at = head.index(b"Content-Length: ") + 16
        answer = await reader.readexactly(int(head[at : head.index(b"\r", at)]))
        self._free.put_nowait((reader, writer))
        return _decode(answer).order_id

    async def aclose(self) -> None:
        """Close the connections; none may be in use."""
        while not self._free.empty():
            _, writer = self._free.get_nowait()
            writer.close()
            await writer.wait_closed()


def _sign_function(file: Path) -> Callable[[bytes], bytes]:
    key = load_pem_private_key(file.read_bytes(), None)
    if isinstance(key, RSAPrivateKey):
        scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        return lambda data: key.sign(data, scheme, hashes.SHA256())
    return key.sign  # type: ignore[union-attr,return-value]
