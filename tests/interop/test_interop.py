"""Two clients we did not write trade on the embedded exchange, unchanged but for its address.

They run in an environment of their own, made by `make_venv.py`; what they report is held against
the exchange itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_async.sandbox import Credentials, Sandbox
from kalshi_async.sandbox._records import CANCELED, EXECUTED, Fill, Order

from ..sandbox.members import Member, place
from . import make_venv

HERE = Path(__file__).resolve().parent
MARKET = "KXFED-26MAR19"
SETTLED = "KXBTC-26MAR14-100000"
NAMED = "KALSHI_INTEROP_PYTHON"
CLIENTS = {
    "drive_kalshi_python_async.py": "official",
    "drive_kalshi_sdk.py": "sdk",
}
Side = list[tuple[Decimal, Decimal]]


@dataclass
class Driven:
    """A client's report, and what the exchange itself has to say."""

    name: str
    facts: dict[str, Any]
    refusals: dict[str, Any]
    failures: dict[str, str]
    passed: list[str]
    open: list[str]
    before: dict[str, Side]
    after: dict[str, Side]
    position: Decimal
    other_position: Decimal
    orders: dict[str, Order]
    client_ids: dict[str, str]
    fills: list[Fill]
    free: Decimal
    money: tuple[Decimal, Decimal]


@pytest.fixture(scope="session")
def foreign_python() -> Path:
    """The interpreter that has the clients; skips where there is none."""
    if named := os.environ.get(NAMED):
        check = subprocess.run(
            [named, "-c", "import kalshi, kalshi_python_async"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check.returncode, f"{NAMED}={named} lacks the clients: {check.stderr}"
        return Path(named)
    if python := make_venv.ready():
        return python
    pytest.skip(
        f"no environment with the foreign clients: run tests/interop/make_venv.py (it needs Python "
        f"3.13), or name an interpreter that has them in {NAMED}"
    )


@pytest.fixture(scope="module", params=CLIENTS, ids=CLIENTS.values())
def driven(
    request: pytest.FixtureRequest, foreign_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Driven:
    other_key = tmp_path_factory.mktemp("keys") / "other.pem"
    return asyncio.run(_drive(foreign_python, request.param, other_key))


async def _drive(python: Path, script: str, other_key: Path) -> Driven:
    async with Sandbox.serve(seed=7, markets=600, tier=None, key_type="rsa") as exchange:
        await _settle_a_holding(exchange)
        other = exchange.add_account(key_type="rsa")
        other_key.write_bytes(other.private_key_pem)
        before = exchange.book(MARKET)
        report = await _report(python, script, exchange, other, other_key)
        trader = exchange.engine.traders[exchange.user_id]
        markets = map(exchange.catalog.market, report["facts"].get("tickers", ()))
        wallets = [wallet for wallet in trader.wallets.values() if not wallet.subaccount]
        return Driven(
            name=CLIENTS[script],
            **report,
            open=[market.ticker for market in markets if market and market.word == "open"],
            before=before,
            after=exchange.book(MARKET),
            position=exchange.position(exchange.user_id, MARKET),
            other_position=exchange.position(other.user_id, MARKET),
            orders={
                order_id: order
                for order_id, order in trader.orders.items()
                if order.ticker == MARKET
            },
            client_ids=dict(trader.client_ids),
            fills=[fill for fill in trader.fills if fill.ticker == MARKET],
            free=Decimal(sum(wallet.free for wallet in wallets)).scaleb(-6),
            money=exchange.money(),
        )


async def _settle_a_holding(exchange: Sandbox) -> None:
    """Two contracts of a market that ends with yes."""
    credentials = Credentials(exchange.api_key_id, exchange.private_key_pem)
    async with httpx.AsyncClient(trust_env=False) as http:
        await place(Member(exchange, http, credentials), SETTLED, "bid", "2.00", "0.9900")
    exchange.settle(SETTLED, "yes")


async def _report(
    python: Path, script: str, exchange: Sandbox, other: Credentials, other_key: Path
) -> dict[str, Any]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        str(python),
        "-Es",
        str(HERE / script),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=keep
        | {
            "KALSHI_BASE_URL": exchange.base_url,
            "KALSHI_WS_URL": exchange.ws_url,
            "KALSHI_API_KEY_ID": exchange.api_key_id,
            "KALSHI_PRIVATE_KEY_PATH": str(exchange.private_key_path),
            "KALSHI_INTEROP_MARKET": MARKET,
            "KALSHI_OTHER_API_KEY_ID": other.api_key_id,
            "KALSHI_OTHER_PRIVATE_KEY_PATH": str(other_key),
        },
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    report: dict[str, Any] = json.loads(output)
    return report


def _shown(side: Side) -> list[list[str]]:
    """One side as clients show it: ascending, best last."""
    return [[f"{price:.4f}", f"{count:.2f}"] for price, count in reversed(side)]


def _size(book: dict[str, list[list[str]]], price: str) -> Decimal:
    """The YES bids at a price."""
    return sum((Decimal(count) for level, count in book["yes"] if level == price), Decimal(0))


def _refusal(driven: Driven, name: str) -> tuple[int, str]:
    """The status a client's error carries, and what it knows of the body."""
    noted = driven.refusals[name]
    if driven.name == "official":
        return noted["status"], noted["body"]
    return noted["status_code"], noted["text"]


def test_every_step_works(driven: Driven) -> None:
    assert driven.failures == {}
    assert len(driven.passed) > 70


def test_reads_markets_and_the_book(driven: Driven) -> None:
    tickers = driven.facts["tickers"]
    assert len(set(tickers)) == len(tickers) == 100
    assert driven.open == tickers
    assert driven.facts["market"] == {
        "ticker": MARKET,
        "status": "active",
        "yes_bid": "0.6100",
        "yes_ask": "0.6300",
    }
    assert driven.facts["book before"] == {
        side: _shown(levels) for side, levels in driven.before.items()
    }


def test_places_and_finds_an_order(driven: Driven) -> None:
    placed = driven.facts["placed"]
    assert Decimal(placed["fill_count"]) == 0
    assert Decimal(placed["remaining_count"]) == 10
    assert placed["client_order_id"] == f"{driven.name}-maker-1"
    assert driven.client_ids[placed["client_order_id"]] == placed["order_id"]
    shown = driven.facts["order"]
    assert shown["order_id"] == placed["order_id"]
    assert shown["status"] == "resting"
    assert shown["book_side"] == "bid"
    assert driven.facts["resting"] == [placed["order_id"]]
    grown = _size(driven.facts["book with order"], "0.6000")
    assert grown - _size(driven.facts["book before"], "0.6000") == 10
    ahead = [count for price, count in driven.before["yes"] if price >= Decimal("0.60")]
    assert Decimal(driven.facts["queue position"]) == sum(ahead)


def test_a_duplicate_and_a_price_off_the_grid_change_nothing(driven: Driven) -> None:
    status, text = _refusal(driven, "duplicate")
    assert status == 409
    assert "order_already_exists" in text
    status, text = _refusal(driven, "off the grid")
    assert status == 400
    assert "invalid_price" in text
    assert f"{driven.name}-grid" not in driven.client_ids
    # What was refused, also within the batch, made no order.
    assert len(driven.orders) == {"official": 5, "sdk": 7}[driven.name]


def test_takes_from_the_book(driven: Driven) -> None:
    taken, fills = driven.facts["taken"], driven.facts["fills"]
    assert Decimal(taken["fill_count"]) == 3
    assert Decimal(taken["average_fill_price"]) == Decimal("0.63")
    own = [fill for fill in driven.fills if fill.order_id == taken["order_id"]]
    assert [fill["trade_id"] for fill in fills] == [fill.trade_id for fill in reversed(own)]
    assert driven.orders[taken["order_id"]].status == EXECUTED
    fees = sum(Decimal(fill["fee_cost"]) for fill in fills)
    assert fees == sum(Decimal(fill.fee).scaleb(-6) for fill in own) > 0
    (position,) = driven.facts["positions"]
    assert position["ticker"] == MARKET
    assert Decimal(position["position_fp"]) == 3
    assert Decimal(position["market_exposure_dollars"]) == Decimal("1.89")
    assert Decimal(position["fees_paid_dollars"]) == fees
    spent = Decimal(driven.facts["balance before"]) - Decimal(driven.facts["balance after"])
    # Ten contracts at $0.60 are backed while they rest, and so is the fee of their maker.
    assert spent == Decimal("1.89") + fees + 6 + Decimal("0.042")


def test_changes_and_cancels_an_order(driven: Driven) -> None:
    order_id = driven.facts["placed"]["order_id"]
    assert Decimal(driven.facts["decreased"]["remaining_count"]) == 6
    assert Decimal(driven.facts["amended"]["remaining_count"]) == 5
    assert Decimal(driven.facts["cancelled"]["reduced_by"]) == 5
    known = driven.orders[order_id]
    assert (known.status, known.price) == (CANCELED, 5900)
    assert known.client_order_id == f"{driven.name}-maker-2"
    assert _refusal(driven, "cancel again")[0] == 404
    good, bad = driven.facts["batch"]
    assert Decimal(good["remaining_count"]) == 2
    assert bad["error"]["code"] == "order_already_exists"
    (ended,) = driven.facts["batch cancelled"]
    assert Decimal(ended["reduced_by"]) == 2
    assert driven.facts["group"]["orders"] == [driven.facts["grouped"]]


def test_leaves_what_the_exchange_says(driven: Driven) -> None:
    assert {order.status for order in driven.orders.values()} <= {CANCELED, EXECUTED}
    bought = sum(fill.count if fill.bid else -fill.count for fill in driven.fills)
    assert driven.position == Decimal(bought).scaleb(-2)
    assert Decimal(driven.facts["balance at the end"]) == driven.free
    paid_in, there = driven.money
    assert paid_in == there
    assert driven.after["yes"] == driven.before["yes"]


def test_follows_the_streams(driven: Driven) -> None:
    if driven.name == "official":
        pytest.skip("kalshi-python-async has no WebSocket")
    first, grown = driven.facts["stream snapshot"], driven.facts["stream with order"]
    assert _size(grown, "0.5800") - _size(first, "0.5800") == 7
    assert driven.facts["stream end"] == {
        side: _shown(levels) for side, levels in driven.after.items()
    }
    assert driven.facts["stream user_orders"]["client_order_id"] == "sdk-s1"
    fill = driven.facts["stream fill"]
    assert (Decimal(fill["count"]), Decimal(fill["post_position"])) == (Decimal("1.5"), 4.5)
    assert fill["trade_id"] == driven.facts["stream trade"]["trade_id"]
    assert Decimal(driven.facts["stream market_positions"]["position"]) == Decimal("4.5")
    assert driven.facts["stream ticker"]["market_ticker"] == MARKET


def test_is_paid_keeps_subaccounts_and_makes_keys(driven: Driven) -> None:
    (settlement,) = driven.facts["settlements"]
    assert settlement["ticker"] == SETTLED
    assert (settlement["market_result"], settlement["revenue"]) == ("yes", 200)
    held = {
        balance["subaccount_number"]: Decimal(balance["balance"])
        for balance in driven.facts["subaccounts"]
        if Decimal(balance["balance"]) and balance["subaccount_number"]
    }
    assert held == {1: Decimal(25)}
    assert Decimal(driven.facts["reader balance"]) > 9_000
    assert _refusal(driven, "write without the scope")[0] == 403
    assert _refusal(driven, "deleted key")[0] == 401


def test_trades_by_request_and_quote(driven: Driven) -> None:
    assert driven.facts["quote"] == "executed"
    assert driven.other_position == 5
    last = driven.fills[-1]
    assert (last.bid, last.price, last.count) == (False, 6100, 500)


def test_strangers_are_turned_away(driven: Driven) -> None:
    assert _refusal(driven, "unknown market")[0] == 404
    status, text = _refusal(driven, "unknown key")
    assert status == 401
    assert "NOT_FOUND" in text
