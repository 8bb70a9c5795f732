"""Handlers of what an account has and had: balance, positions, fills, settlements, payments."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from .._call import Call, Handler
from .._catalog.query import Window
from .._errors import invalid_field
from .._lag import TraderView
from .._records import FINALIZED, SHARDS, Fill, Order, Payment, Position, Settlement
from .._text import SECOND
from .._units import ONE, cents, money_text
from . import cursor as _cursor
from .bodies import acting_subaccount
from .shapes import (
    event_position_shape,
    fill_shape,
    market_position_shape,
    outcome_cost,
    settlement_shape,
)

# Entries passed over, and entries shown, between two turns of the event loop: some 2 ms.
_SLICE, _SHOWN = 5_000, 100
# Exchange indexes 0 to 3 are shown also where an account has no money yet.
_COUNT_FILTERS = ("position", "total_traded")


class Timed(Protocol):
    """An entry of a history."""

    @property
    def time(self) -> int: ...


Entry = TypeVar("Entry", bound=Timed)


def locked_subaccount(call: Call) -> int | None:
    """The only subaccount the signing key may use, None when it may use all."""
    return None if call.key is None else call.key.subaccount


def asked_subaccount(call: Call, default: int | None) -> int | None:
    """The subaccount a query is about; None for all of them. `default` is what leaving it out
    means.
    """
    return acting_subaccount(locked_subaccount(call), call.params.subaccount(), default)


def asked_shard(call: Call) -> int | None:
    """The exchange index a query is about; None for all of them."""
    shard = call.params.number("exchange_index")
    if shard is not None and shard < 0:
        raise invalid_field(call.params.operation, "exchange_index", "gte")
    return shard


async def history_page(
    call: Call,
    entries: Sequence[Entry],
    keep: Callable[[Entry], bool],
    show: Callable[[Entry], object],
    limit: int,
) -> tuple[list[object], str]:
    """A page of a history that only grows at its end, newest first, and the cursor of the next."""
    shown: list[object] = []
    cursor = ""
    for at in range(_start(call, entries) - 1, -1, -1):
        entry = entries[at]
        if keep(entry):
            if len(shown) == limit:
                return shown, cursor
            shown.append(show(entry))
            cursor = _cursor.encode(entry.time, str(at))
            if len(shown) % _SHOWN == 0:
                await sleep(0)
        elif at % _SLICE == 0:
            await sleep(0)
    return shown, ""


def _start(call: Call, entries: Sequence[Timed]) -> int:
    """The number of entries that stand before the cursor of a request: an entry never changes its
    place, so the place is the key. A cursor of another list means nothing and restarts.
    """
    after = call.params.after()
    if after is None:
        return len(entries)
    time, place = after
    if not (place.isascii() and place.isdecimal()) or len(place) > 18:
        return len(entries)
    at = int(place)
    return at if at < len(entries) and entries[at].time == time else len(entries)


# Balance


async def get_balance(call: Call) -> object:
    trader, subaccount, shard = call.trader, asked_subaccount(call, 0), asked_shard(call)
    free = free_by_shard(trader, subaccount)
    shown = {index: amount for index, amount in free.items() if shard in (None, index)}
    total = sum(shown.values())
    held = [
        position
        for position in trader.positions.values()
        if subaccount in (None, position.subaccount) and shard in (None, position.shard)
    ]
    return {
        "balance": cents(total),
        "balance_breakdown": indexed(shown),
        "balance_dollars": money_text(total),
        "portfolio_value": cents(sum(market_value(call, position) for position in held)),
        "updated_ts": call.now // SECOND,
    }


def free_by_shard(trader: TraderView, subaccount: int | None) -> dict[int, int]:
    """The money an account can use, by exchange index."""
    free = dict.fromkeys(range(SHARDS), 0)
    for wallet in trader.wallets.values():
        if subaccount in (None, wallet.subaccount):
            free[wallet.shard] = free.get(wallet.shard, 0) + wallet.free
    return free


def indexed(amounts: dict[int, int]) -> list[object]:
    """`IndexedBalance` objects."""
    return [
        {"balance": money_text(amount), "exchange_index": shard}
        for shard, amount in sorted(amounts.items())
    ]


def market_value(call: Call, position: Position) -> int:
    """What a holding would fetch: at the result of its market, else at the best bid for it, else at
    the last price.
    """
    if not position.count:
        return 0
    yes = position.count > 0
    engine = call.exchange.engine
    market, book = engine.markets[position.ticker], engine.book(position.ticker)
    # A NO holding is closed by buying YES: its bid is the YES ask.
    best = None if book is None else book.best(yes)
    if market.value >= 0:
        price = market.value
    elif best is not None:
        price = best[0]
    else:
        price = market.last
    return abs(position.count) * (price if yes else ONE - price)


async def get_resting_order_value(call: Call) -> object:
    trader = call.trader
    subaccount = acting_subaccount(locked_subaccount(call), None, None)
    value = dict.fromkeys(range(SHARDS), 0)
    for order in trader.resting.values():
        if subaccount in (None, order.subaccount):
            value[order.shard] = value.get(order.shard, 0) + _resting_value(order)
    return {
        "resting_order_value_breakdown": indexed(value),
        "total_resting_order_value": cents(sum(value.values())),
    }


def _resting_value(order: Order) -> int:
    """What the open part of an order costs when it fills, fees apart."""
    return outcome_cost(order.bid, order.remaining, order.remaining * order.price)


# Positions


async def get_positions(call: Call) -> object:
    status = call.params.choice("settlement_status", ("unsettled", "settled", "all"))
    return _positions(call, status or "unsettled", archived=False)


async def get_historical_positions(call: Call) -> object:
    return _positions(call, "settled", archived=True)


def _positions(call: Call, status: str, *, archived: bool) -> object:
    params, cutoff = call.params, call.exchange.cutoff
    limit, after = params.limit(100, 1000, least=1), params.after()
    ticker, event_ticker = params.text("ticker"), params.text("event_ticker")
    subaccount, shard = asked_subaccount(call, 0), asked_shard(call)
    counted = params.comma("count_filter") or ()
    if not set(counted) <= set(_COUNT_FILTERS):
        raise invalid_field(params.operation, "count_filter", "oneof")

    def wanted(position: Position) -> bool:
        settled = is_settled(call, position)
        return (
            subaccount in (None, position.subaccount)
            and shard in (None, position.shard)
            and ticker in (None, position.ticker)
            and event_ticker in (None, position.event_ticker)
            and status in ("all", "settled" if settled else "unsettled")
            and (settled and position.updated < cutoff) is archived
            and (not counted or _nonzero(position, counted))
        )

    found = [position for position in call.trader.positions.values() if wanted(position)]
    found.sort(key=lambda position: position.ticker)
    behind = "" if after is None else after[1]
    rest = [position for position in found if position.ticker > behind]
    page = rest[:limit]
    more = len(rest) > limit
    return {
        "cursor": _cursor.encode(page[-1].updated, page[-1].ticker) if more else "",
        "event_positions": _event_positions(found, page),
        "market_positions": [market_position_shape(position) for position in page],
    }


def is_settled(call: Call, position: Position) -> bool:
    """Whether its market has paid out, also to those who held nothing any more."""
    market = call.exchange.engine.markets[position.ticker]
    return position.settled or (not position.count and market.status == FINALIZED)


def _nonzero(position: Position, counted: Sequence[str]) -> bool:
    values = {"position": position.count, "total_traded": position.traded}
    return any(values[name] for name in counted)


def _event_positions(found: Iterable[Position], page: Iterable[Position]) -> list[object]:
    """The events of a page as wholes. An event is on the page of its first market, and on no
    other.
    """
    events: dict[str, list[Position]] = {}
    for position in found:
        events.setdefault(position.event_ticker, []).append(position)
    first = {id(positions[0]): ticker for ticker, positions in events.items()}
    return [
        event_position_shape(position.event_ticker, events[position.event_ticker])
        for position in page
        if id(position) in first
    ]


# Histories


async def get_fills(call: Call) -> object:
    window = call.params.window("min_ts", "max_ts")
    return await _fills(call, Window(max(window.low, call.exchange.cutoff), window.high))


async def get_historical_fills(call: Call) -> object:
    window = call.params.window("min_ts", "max_ts")
    return await _fills(call, Window(window.low, min(window.high, call.exchange.cutoff - 1)))


async def _fills(call: Call, window: Window) -> object:
    params = call.params
    limit = params.limit(100, 1000, least=1)
    ticker, order_id = params.text("ticker"), params.text("order_id")
    subaccount, shard = asked_subaccount(call, None), asked_shard(call)

    def wanted(fill: Fill) -> bool:
        return (
            fill.time in window
            and ticker in (None, fill.ticker)
            and order_id in (None, fill.order_id)
            and subaccount in (None, fill.subaccount)
            and shard in (None, fill.shard)
        )

    shown, cursor = await history_page(call, call.trader.fills, wanted, fill_shape, limit)
    return {"cursor": cursor, "fills": shown}


async def get_settlements(call: Call) -> object:
    params = call.params
    limit, window = params.limit(100, 1000, least=1), params.window("min_ts", "max_ts")
    ticker, event_ticker = params.text("ticker"), params.text("event_ticker")
    subaccount = asked_subaccount(call, None)

    def wanted(settlement: Settlement) -> bool:
        return (
            settlement.time in window
            and ticker in (None, settlement.ticker)
            and event_ticker in (None, settlement.event_ticker)
            and subaccount in (None, settlement.subaccount)
        )

    entries = call.trader.settlements
    shown, cursor = await history_page(call, entries, wanted, settlement_shape, limit)
    return {"cursor": cursor, "settlements": shown}


async def get_deposits(call: Call) -> object:
    return await _payments(call, "deposits", lambda payment: payment.amount > 0)


async def get_withdrawals(call: Call) -> object:
    return await _payments(call, "withdrawals", lambda payment: payment.amount < 0)


async def _payments(call: Call, name: str, wanted: Callable[[Payment], bool]) -> object:
    limit = call.params.limit(100, 500, least=1)
    entries = call.trader.payments
    shown, cursor = await history_page(call, entries, wanted, _payment_shape, limit)
    return {"cursor": cursor, name: shown}


def _payment_shape(payment: Payment) -> object:
    """A `Deposit` or a `Withdrawal`; here they are applied at once and cost nothing."""
    return {
        "amount_cents": abs(cents(payment.amount)),
        "created_ts": payment.time // SECOND,
        "fee_cents": 0,
        "finalized_ts": payment.time // SECOND,
        "id": payment.payment_id,
        "status": "applied",
        "type": "wire",
    }


HANDLERS: dict[str, Handler] = {
    "GetBalance": get_balance,
    "GetDeposits": get_deposits,
    "GetFills": get_fills,
    "GetFillsHistorical": get_historical_fills,
    "GetHistoricalPositions": get_historical_positions,
    "GetPortfolioRestingOrderTotalValue": get_resting_order_value,
    "GetPositions": get_positions,
    "GetSettlements": get_settlements,
    "GetWithdrawals": get_withdrawals,
}
