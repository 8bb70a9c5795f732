"""A client at an exchange that answers by script, on a clock that a test may let jump."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anyio
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kalshi_async import KalshiClient, KalshiError, Request, Response
from kalshi_async.models.orders import PlacedOrder
from tests.support import Answer, ScriptedHTTP, answer

BASE_URL = "http://127.0.0.1:1/trade-api/v2"
TICKER, NAME = "KXFED-26MAR19", "once"
KEY = Ed25519PrivateKey.generate()
NOON = 1_800_000_000.0
"""The wall clock when the clock of the event loop shows 0."""

EXISTS = {"error": {"code": "order_already_exists", "message": "order already exists"}}
POOR = {"error": {"code": "insufficient_balance", "message": "insufficient balance"}}

Fields = dict[str, Any]


def wall_clock() -> float:
    return NOON + anyio.current_time()


def failing(error: Callable[[], KalshiError]) -> Answer:
    """An attempt that ends in a new error each time."""

    def step(_: Request) -> Response:
        raise error()

    return step


def sent_order(request: Request) -> Fields:
    """The order that a placement asks for."""
    assert request.body is not None
    decoded: Fields = msgspec.json.decode(request.body)
    return decoded


def receipt(body: Fields, **changes: Any) -> Fields:
    """What a placement is answered with."""
    name = body["client_order_id"]
    facts = {
        "order_id": f"id-of-{name}",
        "client_order_id": name,
        "fill_count": "0.00",
        "remaining_count": body["count"],
        "ts_ms": round(wall_clock() * 1000),
    }
    return facts | changes


def accepted(request: Request) -> Response:
    """Takes whatever is placed."""
    return answer(receipt(sent_order(request)), 201)


def row(body: Fields, **changes: Any) -> Fields:
    """An order as lists show it, placed now."""
    now = datetime.fromtimestamp(wall_clock(), UTC).isoformat()
    price = Decimal(body["price"])
    facts = {
        "order_id": f"id-of-{body['client_order_id']}",
        "client_order_id": body["client_order_id"],
        "ticker": body["ticker"],
        "book_side": body["side"],
        "yes_price_dollars": str(price),
        "no_price_dollars": str(1 - price),
        "initial_count_fp": body["count"],
        "fill_count_fp": "0.00",
        "remaining_count_fp": body["count"],
        "status": "resting",
        "created_time": now,
        "last_update_time": now,
    }
    return facts | changes


def listing(*rows: Fields, cursor: str = "") -> Response:
    """A page of orders."""
    return answer({"orders": list(rows), "cursor": cursor})


EMPTY: Answer = lambda _: listing()  # noqa: E731 - reads as one of the steps of a script


class Venue:
    """An HTTP adapter: placements are answered by one script, everything else by another.

    Args:
        placing: One answer a placement, in order; the last is repeated for ever.
        looks: The same for reads of the account's orders.
        latency: Seconds until each answer.

    ``arrived`` is set when the first placement comes.
    """

    def __init__(
        self, *placing: Answer, looks: tuple[Answer, ...] = (), latency: float = 0.0
    ) -> None:
        self.placing = ScriptedHTTP(*placing, latency=latency)
        self.looks = ScriptedHTTP(*(looks or (EMPTY,)), latency=latency)
        self.arrived = anyio.Event()

    async def send(
        self, request: Request, headers: Mapping[str, str], timeout: float | None
    ) -> Response:
        side = self.placing if request.method == "POST" else self.looks
        if side is self.placing:
            self.arrived.set()
        return await side.send(request, headers, timeout)

    async def aclose(self) -> None:
        await self.placing.aclose()
        await self.looks.aclose()

    def shown(self, **changes: Any) -> Answer:
        """A page with the order that was placed last."""
        return lambda _: listing(row(sent_order(self.placing.requests[-1]), **changes))

    def client(self, **options: Any) -> KalshiClient:
        """A client without limits whose wall clock goes with the event loop's."""
        chosen: dict[str, Any] = {
            "base_url": BASE_URL,
            "api_key_id": "key",
            "private_key": KEY,
            "limits": None,
            "http": self,
            "wall_clock": wall_clock,
            "rng": random.Random(5),
        }
        return KalshiClient(**chosen | options)


async def place(client: KalshiClient, **terms: Any) -> PlacedOrder:
    """Ten YES at 62 cents, unless said otherwise."""
    facts: dict[str, Any] = {"count": 10, "client_order_id": NAME}
    if "book_side" not in terms:
        facts |= {"action": "buy", "side": "yes"}
    return await client.orders.create(TICKER, **{"price": "0.62"} | facts | terms)
