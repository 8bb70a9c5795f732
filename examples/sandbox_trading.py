"""Two traders on the embedded exchange: one with this client, one with nothing but HTTP.

Any Kalshi client in any language can trade there.
"""

from __future__ import annotations

import asyncio
import base64
import time

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kalshi_async.sandbox import Credentials, Sandbox

TICKER = "KXFED-26MAR19"


class PlainTrader:
    """Signs each request with the key of one account."""

    def __init__(self, exchange: Sandbox, account: Credentials, http: httpx.AsyncClient) -> None:
        key = load_pem_private_key(account.private_key_pem, None)
        assert isinstance(key, Ed25519PrivateKey)
        self._key, self._key_id = key, account.api_key_id
        self._root = httpx.URL(exchange.base_url)
        self._http = http

    async def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        stamp = str(int(time.time() * 1000))
        signed = f"{stamp}{method}{self._root.path}{path}".encode()
        headers = {
            "KALSHI-ACCESS-KEY": self._key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(self._key.sign(signed)).decode(),
        }
        return await self._http.request(method, f"{self._root}{path}", headers=headers, json=body)

    async def place(self, side: str, count: str, price: str) -> httpx.Response:
        order = {
            "ticker": TICKER,
            "side": side,
            "count": count,
            "price": price,
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
            "client_order_id": f"{TICKER}/{side}/1",
        }
        return await self.call("POST", "/portfolio/events/orders", order)


async def main() -> None:
    async with (
        Sandbox.serve(seed=7) as exchange,
        exchange.client() as bob,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        alice = PlainTrader(exchange, exchange.add_account(deposit="100.00"), http)
        print("best bids", exchange.book(TICKER)["yes"][0], exchange.book(TICKER)["no"][0])

        offer = await bob.orders.sell(TICKER, "yes", count=10, price="0.62", post_only=True)
        print("bob offers", offer.remaining_count)
        bought = (await alice.place("bid", "10.00", "0.6300")).json()
        print("alice bought", bought["fill_count"], "at", bought["average_fill_price"])
        again = await alice.place("bid", "10.00", "0.6300")
        print("the same order again:", again.status_code, again.json()["error"]["code"])
        print("bob's order is", (await bob.orders.get(offer.order_id)).status)

        exchange.settle(TICKER, "yes")
        balance = (await alice.call("GET", "/portfolio/balance")).json()
        print("settled yes, alice has", balance["balance_dollars"])
        print("bob has", (await bob.portfolio.balance()).balance_dollars)
        paid_in, there = exchange.money()
        print("paid in", paid_in, "there", there)


if __name__ == "__main__":
    asyncio.run(main())
