"""A web service that answers from Kalshi: one client for all of its requests.

    KALSHI_ENV=demo KALSHI_API_KEY_ID=… KALSHI_PRIVATE_KEY_PATH=kalshi.pem \
        uvicorn --app-dir examples web_service:app

The client opens with the service and closes with it, so that all requests share its connections and
its rate limit. Run as a script it serves itself from an embedded exchange. Whoever reaches this
service trades with your key: put it behind something that knows its users.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Literal

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kalshi_async import (
    APIError,
    InvalidRequestError,
    KalshiClient,
    KalshiError,
    OrderStatusUnknown,
    RateLimitError,
)
from kalshi_async.sandbox import Faults, Sandbox

TICKER = "KXFED-26MAR19"
# Theirs to put right; all else is between this service and the exchange.
CALLERS_FAULT = {400, 404, 409}


class NewOrder(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The body of ``POST /orders``."""

    ticker: str
    action: Literal["buy", "sell"]
    side: Literal["yes", "no"]
    count: Decimal
    price: Decimal
    post_only: bool = False
    client_order_id: str | None = None


async def get_market(request: Request) -> Response:
    kalshi: KalshiClient = request.app.state.kalshi
    ticker = request.path_params["ticker"]
    market, book = await asyncio.gather(
        kalshi.markets.get(ticker), kalshi.markets.orderbook(ticker)
    )
    return answer(
        {
            "ticker": ticker,
            "title": market.title,
            "status": market.status,
            "bid": book.best_yes_bid,
            "ask": book.best_yes_ask,
            "book": {"yes": book.yes[::-1], "no": book.no[::-1]},
        }
    )


async def create_order(request: Request) -> Response:
    kalshi: KalshiClient = request.app.state.kalshi
    order = msgspec.json.decode(await request.body(), type=NewOrder)
    placed = await kalshi.orders.create(**msgspec.structs.asdict(order))
    return answer(placed, 201)


async def get_order(request: Request) -> Response:
    kalshi: KalshiClient = request.app.state.kalshi
    return answer(await kalshi.orders.get(request.path_params["order_id"]))


async def cancel_order(request: Request) -> Response:
    kalshi: KalshiClient = request.app.state.kalshi
    return answer(await kalshi.orders.cancel(request.path_params["order_id"]))


def answer(content: object, status: int = 200, **headers: str) -> Response:
    return Response(msgspec.json.encode(content), status, headers, "application/json")


async def bad_body(_: Request, error: Exception) -> Response:
    return answer({"error": str(error)}, 422)


async def kalshi_error(_: Request, error: Exception) -> Response:
    """What went wrong, in the words of HTTP."""
    assert isinstance(error, KalshiError)
    said: dict[str, object] = {"error": str(error)}
    if isinstance(error, OrderStatusUnknown):
        # Posting the same order with this id again places nothing twice, and says how it stands.
        return answer(said | {"client_order_id": error.client_order_id, "status": "unknown"}, 202)
    if isinstance(error, InvalidRequestError):
        return answer(said, 422)
    if isinstance(error, RateLimitError):
        return answer(said, 503, **{"Retry-After": "1"})
    if isinstance(error, APIError) and error.status in CALLERS_FAULT:
        return answer(said | {"code": error.code}, error.status)
    status = 504 if isinstance(error, TimeoutError) else 502
    return answer(said | {"outcome_unknown": error.outcome_unknown}, status)


def create_app(connect: Callable[[], KalshiClient]) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with connect() as kalshi:
            app.state.kalshi = kalshi
            yield

    return Starlette(
        routes=[
            Route("/markets/{ticker}", get_market),
            Route("/orders", create_order, methods=["POST"]),
            Route("/orders/{order_id}", get_order),
            Route("/orders/{order_id}", cancel_order, methods=["DELETE"]),
        ],
        exception_handlers={KalshiError: kalshi_error, msgspec.DecodeError: bad_body},
        lifespan=lifespan,
    )


# No request of the web waits for ever on the exchange.
app = create_app(lambda: KalshiClient.from_env(limits="account", deadline=5.0))


async def main() -> None:
    faults = Faults(seed=7)
    async with Sandbox.serve(seed=7, tier="premier", faults=faults) as exchange:
        service = create_app(lambda: exchange.client(limits="account", timeout=0.5, deadline=5.0))
        visitor = httpx.AsyncClient(
            transport=httpx.ASGITransport(service), base_url="http://service", trust_env=False
        )
        async with service.router.lifespan_context(service), visitor as web:
            await visit(web, faults)
            print(f"one client sent it all: {service.state.kalshi.stats.attempts} requests")


async def visit(web: httpx.AsyncClient, faults: Faults) -> None:
    pages = await asyncio.gather(*(web.get(f"/markets/{TICKER}") for _ in range(50)))
    print(f"{len(pages)} visitors see {pages[0].json()['bid']} / {pages[0].json()['ask']}")

    order = {"ticker": TICKER, "action": "buy", "side": "yes", "count": 10, "price": "0.10"}
    placed = await web.post("/orders", json=order)
    path = f"/orders/{placed.json()['order_id']}"
    print("placed", placed.status_code, "and", (await web.get(path)).json()["status"])
    print("canceled", (await web.delete(path)).json()["reduced_by"])
    print("canceled again", (await web.delete(path)).status_code)

    faults.on("CreateOrderV2", times=1, drop=True, processed=True)
    placed = await web.post("/orders", json=order)
    print("the answer was lost:", placed.status_code, "recovered", placed.json()["recovered"])
    for wrong in ({"price": "1.20"}, {"count": 0}, {"colour": "red"}):
        refused = await web.post("/orders", json=order | wrong)
        print(refused.status_code, refused.json()["error"])


if __name__ == "__main__":
    asyncio.run(main())
