"""A full trading day: every answer to everybody fits the contract, whatever was asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kalshi_async.sandbox._operations import API_ROOT, OPERATIONS

from . import day as doing
from .day import Day
from .day_mistakes import mistakes, shown
from .desk import UNKNOWN, order
from .digest_check import BEYOND, CONTRACT
from .witness import UNROUTED

# What is answered although a part of the request is wrong, and why.
ANSWERED = {
    "BatchCreateOrdersV2": "each item has an error of its own",
    "GetMarketOrderbook": "a market that is not there has an empty book",
    "GetLiveDatas": "a flag that changes nothing is not read",
}


def state_of(day: Day) -> dict[str, Any]:
    """The books and the money of an exchange, and what everybody ever ordered and traded."""
    engine = day.exchange.engine
    return {
        "books": {ticker: day.exchange.book(ticker) for ticker in engine.markets},
        "money": day.exchange.money(),
        "traders": {
            user_id: (list(trader.orders), len(trader.fills), len(trader.payments))
            for user_id, trader in engine.traders.items()
        },
    }


async def ask_wrongly(day: Day) -> None:
    """Every operation, wrong in every way: refused, and nothing has changed."""
    before, answered = state_of(day), set()
    for operation in OPERATIONS:
        member = day.fcm if "FCM" in operation.name else day.alice
        for mistake in mistakes(operation.name):
            response = await member.send(operation.name, **mistake.options())
            assert response.status_code < 500, shown(mistake)
            if response.is_success:
                assert operation.name in ANSWERED, (operation.name, shown(mistake))
                answered.add(operation.name)
                items = response.json().get("orders", []) if operation.writes else []
                assert all("error" in item for item in items)
    assert answered == set(ANSWERED), "an entry that excuses nothing has to go"
    assert state_of(day) == before


async def ask_as_somebody_else(day: Day) -> None:
    """Every operation with no key, with a signature of another request, and beyond its scope."""
    before = state_of(day)
    for operation in OPERATIONS:
        name, needed = operation.name, CONTRACT.operations[operation.name]["parameters"]
        names = {key: UNKNOWN for key, known in needed.items() if known["in"] == "path"}
        path = API_ROOT + operation.path.format(**names)
        url = day.exchange.base_url.removesuffix(API_ROOT) + path
        for headers in ({}, day.alice.signature(operation.method, path + "x")):
            if headers or not operation.public:
                response = await day.witness.client.request(operation.method, url, headers=headers)
                assert response.status_code == 401, name
        if not operation.public:
            member = day.writer if operation.scope.startswith("read") else day.reader
            await member.refused(name, 403, names=names)
    assert state_of(day) == before


async def ask_for_what_is_not_there(day: Day) -> None:
    base, http = day.exchange.base_url, day.witness.client
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("POST", "/markets", 405),
        ("DELETE", "/portfolio/balance", 405),
        ("POST", "/portfolio/orders", 410),
        ("DELETE", f"/portfolio/orders/{UNKNOWN}", 410),
    ):
        assert status in UNROUTED
        headers = day.alice.signature(method, API_ROOT + path)
        response = await http.request(method, base + path, headers=headers)
        assert response.status_code == status, response.text
    await day.alice.refused("CreateOrderV2", 413, content=b" " * ((1 << 20) + 1))
    await day.alice.refused("CreateOrderV2", 404, order(order_group_id=UNKNOWN))
    money = doing.transfer(1, 0, 1, 100)
    await day.alice.refused("ApplySubaccountTransfer", 409, money)
    money = doing.transfer(9, 0, 60, 100)
    await day.alice.refused("ApplySubaccountTransfer", 404, money)


async def ask_too_often(day: Day) -> None:
    """The buckets of this account never fill again: at some time all that is left is 429."""
    for name, body in (("CreateOrderV2", order(price="0.01")), ("GetOrders", None)):
        statuses = [(await day.slow.send(name, body)).status_code for _ in range(25)]
        assert statuses[0] < 300
        assert statuses[-1] == 429


async def trade_in_a_pause(day: Day) -> None:
    placed = await day.alice.ok("CreateOrderV2", order(price="0.20"))
    day.exchange.pause()
    await day.bob.refused("CreateOrderV2", 409, order())
    await day.alice.ok("CancelOrderV2", names={"order_id": placed["order_id"]})
    day.exchange.resume()


PLAN = {
    0: (doing.look_around,),
    1: (doing.set_up_accounts,),
    3: (doing.move_money,),
    5: (doing.trade, ask_too_often),
    8: (doing.talk,),
    11: (doing.clear_for_customers,),
    13: (ask_wrongly,),
    14: (doing.ask_forecasters, doing.trade),
    16: (ask_as_somebody_else, ask_for_what_is_not_there),
    18: (trade_in_a_pause,),
    20: (doing.settle,),
    23: (doing.look_around,),
}
"""What happens at which hour."""


async def test_every_answer_of_a_trading_day_fits_the_contract(tmp_path: Path) -> None:
    async with doing.opening(tmp_path) as day:
        for hour in range(24):
            for part in PLAN.get(hour, ()):
                await part(day)
            await doing.watch(day)
            day.exchange.advance(3600)
        seen, served = day.witness.seen, day.exchange.requests
        assert day.witness.problems == []
        operations = set(CONTRACT.operations)
        assert len(operations) == 128
        assert day.witness.answered() == operations
        assert day.witness.refused(400, 401, 403, 404, 409) == operations
        assert set(BEYOND) <= set(seen), "an exception that excuses nothing has to go"
        # The server counted as many answers: none passed the witness by.
        assert seen.total() == served.total()
        for name in operations:
            status = CONTRACT.operations[name]["status"]
            assert seen[name, status] == served[name, status]
        assert not any(status >= 500 for _, status in seen)
        paid_in, there = day.exchange.money()
        assert paid_in == there
