"""The older API beside today's: the class of the seed document, and every call it names."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import httpx
import pytest
from anyio import to_thread
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from kalshi_async.sandbox import Credentials, Sandbox

from .conftest import signed

FED = "KXFED-26MAR19"
ROOT = "/trade-api/v2"
DOCUMENT = "seed/000_7ca086cc22848d32.txt"


@pytest.fixture
async def older(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """Speaks both; with an RSA key, which the document asks for, where it is read."""
    documented = "shared" in request.fixturenames
    async with Sandbox.serve(
        seed=7,
        markets=600,
        tier=None,
        key_type="rsa" if documented else "ed25519",
        dialect="seed",
        deposit="1000.00",
    ) as running:
        yield running


class Caller:
    """Signs as the seed document does: salt MAX_LENGTH, the path without its query."""

    def __init__(self, exchange: Sandbox, http: httpx.AsyncClient) -> None:
        self._exchange, self._http = exchange, http

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        credentials = Credentials(self._exchange.api_key_id, self._exchange.private_key_pem)
        salt = padding.PSS.MAX_LENGTH
        headers = signed(credentials, method, ROOT + path, salt=salt)
        return await self._http.request(
            method, self._exchange.base_url + path, headers=headers, **options
        )

    async def get(self, path: str, **params: Any) -> Any:
        response = await self.send("GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def place(self, **changes: Any) -> Any:
        response = await self.try_placing(**changes)
        assert response.is_success, response.text
        return response.json()["order"]

    async def try_placing(self, **changes: Any) -> httpx.Response:
        order = {
            "ticker": FED,
            "action": "buy",
            "side": "yes",
            "type": "limit",
            "count": 10,
            "yes_price": 60,
        }
        wanted = {name: value for name, value in (order | changes).items() if value is not None}
        return await self.send("POST", "/portfolio/orders", json=wanted)


@pytest.fixture
async def caller(older: Sandbox) -> AsyncIterator[Caller]:
    async with httpx.AsyncClient(trust_env=False) as http:
        yield Caller(older, http)


# The document itself


def document_class(shared: Path, base_url: str) -> Any:
    """The class at the end of the document, its text unchanged, pointed at another host."""
    text = (shared / DOCUMENT).read_text(encoding="utf-8")
    start = text.index("class KalshiClient:")
    names: dict[str, Any] = {
        "base64": base64,
        "hashes": hashes,
        "httpx": httpx,
        "padding": padding,
        "serialization": serialization,
        "time": time,
    }
    exec(text[start : text.index("# Usage", start)], names)
    names["KalshiClient"].BASE_URL = base_url.removesuffix(ROOT)
    return names["KalshiClient"]


def document_block(shared: Path, first: str, last: str) -> str:
    """The lines of a code block, from the one that starts with `first` to the one with `last`."""
    text = (shared / DOCUMENT).read_text(encoding="utf-8")
    start = text.index(first)
    end = text.index("\n", text.index(last, start))
    return dedent(text[start:end])


async def test_the_class_of_the_document_trades_unchanged(shared: Path, older: Sandbox) -> None:
    def use() -> tuple[Any, ...]:
        client = document_class(shared, older.base_url)(
            older.api_key_id, str(older.private_key_path)
        )
        opened: AbstractContextManager[httpx.Client] = client.http
        with opened:
            return (
                client.list_markets(limit=5),
                client.list_markets(status="determined"),
                client.get_market(FED),
                client.place_order(FED, "yes", 10, 60),
                client.place_order(FED, "yes", 4, 63),
                client.place_order(FED, "no", 2, 61),
            )

    listed, decided, market, resting, taken, sold = await to_thread.run_sync(use)
    assert len(listed) == 5
    assert all(f"{shown['ticker']}  {shown['title']}  YES: {shown['yes_bid']}" for shown in listed)
    assert {shown["status"] for shown in listed} == {"open"}
    assert {shown["status"] for shown in decided} == {"determined"}
    assert {shown["result"] for shown in decided} <= {"yes", "no", "scalar"}
    assert (market["yes_bid"], market["yes_ask"], market["no_bid"]) == (61, 63, 37)
    assert (resting["status"], taken["status"], sold["status"]) == ("resting", *["executed"] * 2)
    # The second order bought 4 YES, the third sold 2 of them as NO at 39 cents.
    assert older.position(older.user_id, FED) == 2
    assert resting["order_id"] in older.engine.traders[older.user_id].orders


@pytest.mark.parametrize(
    ("first", "last", "printed"),
    [
        (
            'ticker = "KXFED-26MAR19"\npath = f"/trade-api/v2/markets/{ticker}"\n',
            "print(f\"Volume: {market['volume']}\")",
            ["Title: ", "YES bid/ask: 61/63", "Volume: 48250"],
        ),
        (
            'ticker = "KXFED-26MAR19"\npath = f"/trade-api/v2/markets/{ticker}/orderbook"',
            'print(f"Best NO bid',
            ["Best YES bid: 61 (1250 contracts)", "Best NO bid: 37 (980 contracts)"],
        ),
        (
            'path = "/trade-api/v2/portfolio/orders"\norder = {',
            "print(f\"Status: {result['status']}\")",
            ["Order ID: ", "Status: resting"],
        ),
        ("resp = httpx.get(", "Vol: {m['volume']}\")", ["YES: "] * 10),
    ],
    ids=["market", "order book", "place", "list"],
)
async def test_the_examples_of_the_document_run(
    shared: Path, older: Sandbox, first: str, last: str, printed: list[str]
) -> None:
    host = older.base_url.removesuffix(ROOT)
    code = document_block(shared, first, last).replace("https://trading-api.kalshi.com", host)
    if "yes_price" in code:
        # The document's order at 62 would meet nobody at 63; at 60 it rests as well.
        code = code.replace('"yes_price": 62', '"yes_price": 60')
    credentials = Credentials(older.api_key_id, older.private_key_pem)
    lines: list[str] = []
    names: dict[str, Any] = {
        "BASE_URL": host,
        "httpx": httpx,
        "kalshi_auth_headers": lambda method, path: signed(
            credentials, method, path, salt=padding.PSS.MAX_LENGTH
        ),
        "print": lines.append,
    }
    await to_thread.run_sync(exec, code, names)
    assert len(lines) == len(printed)
    assert all(text in line for text, line in zip(printed, lines, strict=True))


# The same calls, without the document


async def test_markets_carry_cents_beside_dollars(caller: Caller) -> None:
    market = (await caller.get(f"/markets/{FED}"))["market"]
    assert market["status"] == "open"
    names = ("yes_bid", "yes_ask", "no_bid", "no_ask", "last_price")
    assert [market[name] for name in names] == [61, 63, 37, 39, 62]
    assert [market[name] for name in ("volume", "volume_24h", "open_interest")] == [
        48250,
        12840,
        34000,
    ]
    assert market["yes_bid_dollars"] == "0.6100"
    event = await caller.get(f"/events/{market['event_ticker']}", with_nested_markets="true")
    nested = [*event.get("markets", ()), *event["event"].get("markets", ())]
    assert nested
    assert all(isinstance(inner["yes_bid"], int) for inner in nested)


async def test_a_filter_lists_the_markets_of_its_word(caller: Caller) -> None:
    for status in ("open", "determined", "unopened", "paused"):
        body = await caller.get("/markets", status=status, limit=100)
        assert body["markets"]
        assert {market["status"] for market in body["markets"]} == {status}


async def test_books_carry_cents(caller: Caller) -> None:
    body = await caller.get(f"/markets/{FED}/orderbook")
    book = body["orderbook"]
    assert book["yes"][-1] == [61, 1250]
    assert book["no"][-1] == [37, 980]
    assert book["yes"] == sorted(book["yes"])
    assert body["orderbook_fp"]["yes_dollars"][-1] == ["0.6100", "1250.00"]


KINDS: list[tuple[str, str, dict[str, int | None], bool, int]] = [
    ("buy", "yes", {"yes_price": 60}, True, 60),
    ("sell", "yes", {"yes_price": 70}, False, 70),
    ("buy", "no", {"yes_price": 70}, False, 70),
    ("buy", "no", {"yes_price": None, "no_price": 30}, False, 70),
    ("sell", "no", {"yes_price": None, "no_price": 40}, True, 60),
]


async def test_orders_of_every_kind(older: Sandbox, caller: Caller) -> None:
    for action, side, price, bid, yes_price in KINDS:
        order = await caller.place(action=action, side=side, count=3, **price)
        assert (order["action"], order["side"], order["type"]) == (action, side, "limit")
        assert (order["yes_price"], order["no_price"]) == (yes_price, 100 - yes_price)
        assert (order["status"], order["remaining_count"]) == ("resting", 3)
        known = older.engine.traders[older.user_id].orders[order["order_id"]]
        assert (known.bid, known.price, known.remaining) == (bid, yes_price * 100, 300)
        cancelled = await caller.send("DELETE", f"/portfolio/orders/{order['order_id']}")
        assert cancelled.json()["order"]["status"] == known.status == "canceled"
        assert cancelled.json()["reduced_by"] == 3
        again = await caller.send("DELETE", f"/portfolio/orders/{order['order_id']}")
        assert again.status_code == 404


async def test_a_market_order_takes_what_its_count_reaches(older: Sandbox, caller: Caller) -> None:
    asks = [(1 - price, count) for price, count in older.book(FED)["no"]]
    best = int(asks[0][1])
    order = await caller.place(type="market", count=best + 5, yes_price=None)
    assert (order["type"], order["status"], order["fill_count"]) == ("market", "executed", best + 5)
    assert older.position(older.user_id, FED) == best + 5
    left = [(1 - price, count) for price, count in older.book(FED)["no"]]
    assert left[0] == (asks[1][0], asks[1][1] - 5)


async def test_a_market_order_stops_at_its_bound(older: Sandbox, caller: Caller) -> None:
    best = int(older.book(FED)["no"][0][1])
    order = await caller.place(type="market", count=best + 5, yes_price=63)
    assert (order["status"], order["fill_count"]) == ("canceled", best)


async def test_a_market_order_nobody_answers_ends(older: Sandbox, caller: Caller) -> None:
    quiet = next(
        ticker
        for ticker in (market["ticker"] for market in (await caller.get("/markets"))["markets"])
        if not older.book(ticker)["no"] and older.catalog.market(ticker).word == "open"
    )
    order = await caller.place(ticker=quiet, type="market", yes_price=None)
    assert (order["status"], order["fill_count"]) == ("canceled", 0)


async def test_the_portfolio_in_older_words(older: Sandbox, caller: Caller) -> None:
    await caller.place(count=4, yes_price=63)
    await caller.place(action="sell", side="yes", count=1, yes_price=61)
    (position,) = (await caller.get("/portfolio/positions"))["market_positions"]
    assert (position["ticker"], position["position"]) == (FED, 3)
    assert (position["yes_count"], position["no_count"]) == (3, 0)
    assert position["average_price"] == 63
    balance = await caller.get("/portfolio/balance")
    assert balance["available_balance"] == balance["balance"] < 100_000
    assert balance["total_deposited"] == 100_000
    orders = (await caller.get("/portfolio/orders"))["orders"]
    assert [(order["status"], order["fill_count"]) for order in orders] == [
        ("executed", 1),
        ("executed", 4),
    ]
    # A fee of 4 x 0.07 x 0.63 x 0.37 is $0.0653: the older API knows whole cents.
    assert orders[1]["taker_fees"] == 7
    assert orders[1]["taker_fill_cost"] == 252
    fills = (await caller.get("/portfolio/fills"))["fills"]
    assert [(fill["count"], fill["yes_price"], fill["no_price"]) for fill in fills] == [
        (1, 61, 39),
        (4, 63, 37),
    ]
    older.settle(FED, "yes")
    (settlement,) = (await caller.get("/portfolio/settlements"))["settlements"]
    assert (settlement["yes_count"], settlement["no_count"]) == (3, 0)
    assert settlement["yes_total_cost"] == 189
    assert (await caller.get(f"/markets/{FED}"))["market"]["status"] == "determined"


BAD_ORDERS: list[tuple[dict[str, Any], int, str]] = [
    ({"yes_price": None}, 400, "yes_price or no_price"),
    ({"no_price": 40}, 400, "not both"),
    ({"yes_price": 100}, 400, "YesPrice"),
    ({"yes_price": 0}, 400, "YesPrice"),
    ({"yes_price": "60"}, 400, "cannot unmarshal string"),
    ({"yes_price": 60.5}, 400, "cannot unmarshal number"),
    ({"count": 0}, 400, "Count"),
    ({"count": -5}, 400, "Count"),
    ({"count": "10"}, 400, "cannot unmarshal string"),
    ({"count": None}, 400, "required"),
    ({"side": "bid"}, 400, "oneof"),
    ({"action": None}, 400, "required"),
    ({"type": "stop"}, 400, "oneof"),
    ({"type": "market", "time_in_force": "good_till_canceled"}, 400, "cannot rest"),
    ({"client_order_id": "not allowed!"}, 400, "client_order_id"),
    ({"ticker": "KXNOSUCH-1"}, 404, "not_found"),
    ({"ticker": "KXNOSUCH-1", "type": "market"}, 404, "not_found"),
    ({"count": 100_000}, 400, "insufficient_balance"),
]


async def test_bad_orders_change_nothing(older: Sandbox, caller: Caller) -> None:
    before = older.book(FED)
    for changes, status, text in BAD_ORDERS:
        response = await caller.try_placing(**changes)
        assert (response.status_code, text in response.text) == (status, True), response.text
        assert older.book(FED) == before
    assert not older.engine.traders[older.user_id].orders


async def test_a_client_order_id_counts_once(caller: Caller) -> None:
    await caller.place(client_order_id="mine-1")
    repeated = await caller.try_placing(client_order_id="mine-1")
    assert repeated.status_code == 409
    assert repeated.json()["error"]["code"] == "order_already_exists"


async def test_without_the_dialect_nothing_of_it_is_there() -> None:
    async with (
        Sandbox.serve(seed=7, markets=600, tier=None) as exchange,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        caller = Caller(exchange, http)
        market = (await caller.get(f"/markets/{FED}"))["market"]
        assert market["status"] == "active"
        assert "yes_bid" not in market
        assert "orderbook" not in await caller.get(f"/markets/{FED}/orderbook")
        refused = await caller.try_placing()
        assert refused.status_code == 410
        assert "deprecated_v1_order_endpoint" in refused.text


async def test_todays_client_reads_both(older: Sandbox) -> None:
    async with older.client() as kalshi:
        market = await kalshi.markets.get(FED)
        book = await kalshi.markets.orderbook(FED)
    assert (market.yes_bid, market.yes_ask) == (Decimal("0.61"), Decimal("0.63"))
    assert market.status == "open"
    assert book.best_yes_bid == Decimal("0.61")
