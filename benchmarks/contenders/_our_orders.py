"""Our client as a contender: it places and cancels, over a network or over none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kalshi_async import BucketLimits, KalshiClient, RateLimits, Request, Response
from kalshi_async.orders import Canceled, OrderRequest, Placed

from ._placers import BASE_PATH, COUNT, KEY_ID, PATIENCE, PRICE, TICKER, Opener, Place, Placer

PRESTIGE = RateLimits(write=BucketLimits(9_600, 28_800), tier="prestige")
_ORDER_ID = "2f6e1c3a-8f0b-4d0e-9a51-5b1c2d3e4f50"
_PLACED = (
    b'{"order_id":"2f6e1c3a-8f0b-4d0e-9a51-5b1c2d3e4f50","fill_count":"0.00",'
    b'"remaining_count":"10.00","ts_ms":1795359600000}'
)
_HEADERS = {"content-type": "application/json", "content-length": str(len(_PLACED))}


class OurPlacer:
    """The orders of one client."""

    def __init__(self, client: KalshiClient) -> None:
        self._orders = client.orders

    async def create(self) -> str:
        """Place one order."""
        placed = await self._orders.create(
            TICKER, action="buy", side="yes", count=COUNT, price=PRICE
        )
        return placed.order_id

    async def cancel(self) -> str:
        """Cancel one order."""
        return (await self._orders.cancel(_ORDER_ID)).order_id

    async def create_many(self, number: int) -> list[str]:
        """Place `number` orders in batches."""
        requests = (
            OrderRequest(TICKER, action="buy", side="yes", count=COUNT, price=PRICE)
            for _ in range(number)
        )
        outcomes = await self._orders.place_many(requests)
        return [outcome.order.order_id for outcome in outcomes if isinstance(outcome, Placed)]

    async def cancel_many(self, number: int) -> list[str]:
        """Cancel `number` orders in batches."""
        ids = [f"{_ORDER_ID[:-12]}{at:012}" for at in range(number)]
        outcomes = await self._orders.cancel_many(ids)
        return [outcome.order_id for outcome in outcomes if isinstance(outcome, Canceled)]


@asynccontextmanager
async def networked(
    place: Place,
    *,
    http: Literal["aiohttp", "httpx"] = "aiohttp",
    limits: RateLimits | None = None,
    journal: bool = False,
) -> AsyncIterator[Placer]:
    """Over an HTTP library to the server; with or without a limiter and a journal."""
    with TemporaryDirectory() as folder:
        async with KalshiClient(
            base_url=place.url + BASE_PATH,
            api_key_id=KEY_ID,
            private_key_path=place.key,
            limits=limits,
            timeout=PATIENCE,
            http=http,
            journal=Path(folder) / "journal.db" if journal else None,
        ) as kalshi:
            yield OurPlacer(kalshi)


@asynccontextmanager
async def alone(place: Place, *, journal: bool = False) -> AsyncIterator[Placer]:
    """Our own part: no HTTP library, no cryptography."""
    with TemporaryDirectory() as folder:
        async with KalshiClient(
            base_url=place.url + BASE_PATH,
            api_key_id=KEY_ID,
            private_key=_ConstantKey(),
            limits=None,
            http=_ReadyAnswers(),
            journal=Path(folder) / "journal.db" if journal else None,
        ) as kalshi:
            yield OurPlacer(kalshi)


class _ReadyAnswers:
    """An HTTP adapter that takes every placement at once."""

    async def send(
        self, request: Request, headers: Mapping[str, str], timeout: float | None
    ) -> Response:
        return Response(201, _HEADERS, _PLACED)

    async def aclose(self) -> None:
        pass


class _ConstantKey(Ed25519PrivateKey):
    """Signs everything with the same 64 bytes, at no cost."""

    def sign(self, data: object) -> bytes:
        return bytes(64)

    def public_key(self) -> object:  # type: ignore[override]
        raise NotImplementedError

    def private_bytes(self, *form: object) -> bytes:
        raise NotImplementedError

    def private_bytes_raw(self) -> bytes:
        raise NotImplementedError

    def __copy__(self) -> _ConstantKey:
        return self

    def __deepcopy__(self, memo: object) -> _ConstantKey:
        return self


fast: Opener = networked
httpx: Opener = partial(networked, http="httpx")
prestige: Opener = partial(networked, limits=PRESTIGE)
journaled: Opener = partial(networked, journal=True)
alone_journaled: Opener = partial(alone, journal=True)
