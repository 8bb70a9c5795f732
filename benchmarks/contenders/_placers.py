"""The ways to place one order and have its answer as an object: the floor, ours, the peers.

Each opener takes where to place and yields a `Placer`. Imports are inside the openers: a process
loads its own contender and nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from benchmarks._loops import ASYNCIO, FASTEST

BASE_PATH = "/trade-api/v2"
TICKER = "KXFED-26MAR19-T4.25"
COUNT = "10.00"
PRICE = "0.6200"
TIME_IN_FORCE = "good_till_canceled"
SELF_TRADE = "taker_at_cross"
KEY_ID = "0b5a6a3e-6f0f-4d3b-9f8a-2d9c5c1f7e11"
# Everybody waits as long: kalshi-sdk needs most of a minute for a thousand at once.
PATIENCE = 300.0


@dataclass(frozen=True)
class Place:
    """Where to place and with what.

    Attributes:
        url: `http://host:port` of the server.
        key: PEM file of the private key.
    """

    url: str
    key: Path


class Placer(Protocol):
    """Places orders one by one."""

    async def create(self) -> str:
        """Place one order; returns the id that the exchange gave it."""
        ...


Opener = Callable[[Place], AbstractAsyncContextManager[Placer]]


@dataclass(frozen=True)
class Contender:
    """A way to place, and the event loop that it runs on."""

    opened: Opener
    loop: str = ASYNCIO


@asynccontextmanager
async def floor(place: Place) -> AsyncIterator[Placer]:
    """Raw streams, a signature, msgspec; 64 connections; nothing checked."""
    from ._floor_orders import FloorPlacer

    placer = await FloorPlacer.open(place.url + BASE_PATH, place.key)
    try:
        yield placer
    finally:
        await placer.aclose()


def ours(way: str) -> Opener:
    """A way of `_our_orders`, loaded when it is opened."""

    @asynccontextmanager
    async def opened(place: Place) -> AsyncIterator[Placer]:
        from . import _our_orders

        opener: Opener = getattr(_our_orders, way)
        async with opener(place) as placer:
            yield placer

    return opened


class _SdkPlacer:
    def __init__(self, client: object) -> None:
        from kalshi.models.orders import CreateOrderV2Request  # type: ignore[import-not-found,unused-ignore]

        self._create = client.orders.create_v2  # type: ignore[attr-defined]
        self._request = CreateOrderV2Request

    async def create(self) -> str:
        placed = await self._create(
            request=self._request(
                ticker=TICKER,
                client_order_id=str(uuid4()),
                side="bid",
                count=COUNT,
                price=PRICE,
                time_in_force=TIME_IN_FORCE,
                self_trade_prevention_type=SELF_TRADE,
            )
        )
        return str(placed.order_id)


@asynccontextmanager
async def kalshi_sdk(place: Place) -> AsyncIterator[Placer]:
    """kalshi-sdk: `client.orders.create_v2(request=...)`."""
    from kalshi import AsyncKalshiClient, KalshiConfig  # type: ignore[import-not-found,unused-ignore]

    # Its clients refuse plain http unless both hosts are local.
    config = KalshiConfig(
        base_url=place.url + BASE_PATH,
        ws_base_url=place.url.replace("http", "ws", 1) + "/trade-api/ws/v2",
        timeout=PATIENCE,
    )
    async with AsyncKalshiClient(
        key_id=KEY_ID, private_key_path=place.key, config=config
    ) as client:
        yield _SdkPlacer(client)


class _OfficialPlacer:
    def __init__(self, client: object) -> None:
        self._create = client.create_order_v2  # type: ignore[attr-defined]

    async def create(self) -> str:
        placed = await self._create(
            ticker=TICKER,
            client_order_id=str(uuid4()),
            side="bid",
            count=COUNT,
            price=PRICE,
            time_in_force=TIME_IN_FORCE,
            self_trade_prevention_type=SELF_TRADE,
        )
        return str(placed.order_id)


@asynccontextmanager
async def kalshi_python_async(place: Place) -> AsyncIterator[Placer]:
    """kalshi-python-async: `client.create_order_v2(...)`; it waits five minutes by itself."""
    from kalshi_python_async import Configuration, KalshiClient  # type: ignore[import-not-found,unused-ignore]

    configuration = Configuration(host=place.url + BASE_PATH)
    configuration.api_key_id = KEY_ID
    configuration.private_key_pem = place.key.read_text()
    async with KalshiClient(configuration) as client:
        yield _OfficialPlacer(client)


PLACERS = {
    "floor": Contender(floor, FASTEST),
    "ours [fast]": Contender(ours("fast"), FASTEST),
    "ours, aiohttp on asyncio": Contender(ours("fast")),
    "ours, httpx": Contender(ours("httpx")),
    "ours [fast], Prestige limits": Contender(ours("prestige"), FASTEST),
    "ours [fast], journal": Contender(ours("journaled"), FASTEST),
    "ours, no network": Contender(ours("alone")),
    "ours, no network, journal": Contender(ours("alone_journaled")),
    "kalshi-sdk": Contender(kalshi_sdk),
    "kalshi-python-async": Contender(kalshi_python_async),
    "kalshi-python-async, uvloop": Contender(kalshi_python_async, FASTEST),
}
