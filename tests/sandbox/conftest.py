"""An exchange on loopback and plain HTTP access to it, without the client of this package."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kalshi_async.sandbox import Credentials, Sandbox


def signed(
    credentials: Credentials,
    method: str,
    path: str,
    *,
    offset: float = 0.0,
    salt: Any = padding.PSS.DIGEST_LENGTH,
) -> dict[str, str]:
    """The three headers for a request, signed `offset` seconds from now."""
    stamp = str(int((time.time() + offset) * 1000))
    key = _loaded(credentials.private_key_pem)
    message = f"{stamp}{method}{path}".encode()
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=salt)
        signature = key.sign(message, pss, hashes.SHA256())
    else:
        signature = key.sign(message)
    return {
        "KALSHI-ACCESS-KEY": credentials.api_key_id,
        "KALSHI-ACCESS-TIMESTAMP": stamp,
        "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
    }


@cache
def _loaded(pem: bytes) -> Any:
    return load_pem_private_key(pem, None)


class Api:
    """GET with query parameters, as status and decoded body."""

    def __init__(self, exchange: Sandbox, http: httpx.AsyncClient) -> None:
        self.exchange, self.http = exchange, http

    async def raw(self, path: str, **params: Any) -> httpx.Response:
        return await self.http.get(self.exchange.base_url + path, params=params)

    async def get(self, path: str, **params: Any) -> Any:
        response = await self.raw(path, **params)
        assert response.status_code == 200, response.text
        return response.json()

    async def refused(self, path: str, expected: int, /, **params: Any) -> Any:
        response = await self.raw(path, **params)
        assert response.status_code == expected, response.text
        return response.json()

    async def pages(
        self, path: str, name: str, cursor_name: str = "cursor", **params: Any
    ) -> list[Any]:
        """Every item of a paginated list, in order."""
        items: list[Any] = []
        cursor = None
        seen = set()
        while True:
            body = await self.get(path, **params, **({"cursor": cursor} if cursor else {}))
            items += body[name]
            cursor = body[cursor_name]
            if not cursor:
                return items
            assert cursor not in seen
            assert body[name]
            seen.add(cursor)


@pytest.fixture
async def exchange() -> AsyncIterator[Sandbox]:
    async with Sandbox.serve(seed=7, markets=600, tier=None) as running:
        yield running


@pytest.fixture
async def api(exchange: Sandbox) -> AsyncIterator[Api]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        yield Api(exchange, http)
