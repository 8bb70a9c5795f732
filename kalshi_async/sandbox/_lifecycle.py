"""The life of a market: open, paused, closed, determined, settled."""

from __future__ import annotations

from heapq import heappush
from typing import TYPE_CHECKING

from ._errors import bad_request
from ._events import MarketChanged, PositionChanged, Settled
from ._records import (
    ACTIVE,
    CLOSED,
    DETERMINED,
    FINALIZED,
    INACTIVE,
    INITIALIZED,
    MarketState,
    Order,
    Settlement,
)
from ._units import ONE

if TYPE_CHECKING:
    from ._floor import Floor


def _refuse(market: MarketState, what: str) -> Exception:
    return bad_request(f"{market.ticker} is {market.status}: it cannot be {what}")


def pause(floor: Floor, ticker: str, now: int) -> MarketState:
    """Stop trading in a market that trades."""
    market = floor.known_market(ticker, now)
    if market.status != ACTIVE:
        raise _refuse(market, "paused")
    market.status, market.updated = INACTIVE, now
    halted = [order for order in _resting(floor, ticker) if order.cancel_on_pause]
    floor.cancel_orders(halted, now, "HaltCancel")
    floor.emit(MarketChanged(market, "deactivated", now))
    return market


def resume(floor: Floor, ticker: str, now: int) -> MarketState:
    """Open a market that is paused or was never open."""
    market = floor.known_market(ticker, now)
    if market.status not in (INACTIVE, INITIALIZED):
        raise _refuse(market, "opened")
    if market.status == INITIALIZED:
        market.opens = min(market.opens, now)
        if market.closes:
            heappush(floor.closing, (market.closes, ticker))
    market.status, market.updated = ACTIVE, now
    floor.emit(MarketChanged(market, "activated", now))
    return market


def halt_orders(floor: Floor, now: int) -> None:
    """Cancel the orders that asked for it when trading pauses everywhere."""
    for trader in floor.traders.values():
        halted = [order for order in trader.resting.values() if order.cancel_on_pause]
        floor.cancel_orders(halted, now, "HaltCancel")


def close(floor: Floor, ticker: str, now: int) -> MarketState:
    """End trading; a market that is closed already stays as it is."""
    market = floor.known_market(ticker, now)
    if market.status not in (INITIALIZED, ACTIVE, INACTIVE):
        return market
    market.status, market.updated = CLOSED, now
    early = not market.closes or market.closes > now
    if early:
        market.closes = now
    floor.cancel_orders(_resting(floor, ticker), now, "CloseCancel")
    if early:
        floor.emit(MarketChanged(market, "close_date_updated", now))
    floor.emit(MarketChanged(market, "closed", now))
    return market


def _resting(floor: Floor, ticker: str) -> list[Order]:
    book = floor.books[ticker]
    return [
        order
        for side in (book.bids, book.asks)
        for level in side.levels.values()
        for order in level.orders.values()
    ]


def determine(floor: Floor, ticker: str, value: int, now: int) -> MarketState:
    """Fix what YES pays; a market that still trades is closed first."""
    if not 0 <= value <= ONE:
        raise bad_request(f"a YES contract pays $0 to $1, not ${value / ONE}")
    market = close(floor, ticker, now)
    if market.status not in (CLOSED, DETERMINED):
        raise _refuse(market, "determined")
    market.status, market.value = DETERMINED, value
    market.determined = market.updated = now
    floor.emit(MarketChanged(market, "determined", now))
    return market


def settle(floor: Floor, ticker: str, now: int) -> MarketState:
    """Pay every holder of a determined market."""
    market = floor.known_market(ticker, now)
    if market.status != DETERMINED:
        raise _refuse(market, "settled")
    for trader in floor.traders.values():
        for subaccount in sorted(trader.subaccounts):
            interest = trader.interests.pop((subaccount, ticker), None)
            if interest is None or not interest.position.count:
                continue
            position = interest.position
            held = position.count
            pays = market.value if held > 0 else ONE - market.value
            revenue = abs(held) * pays
            settlement = Settlement(
                user_id=trader.user_id,
                subaccount=subaccount,
                ticker=ticker,
                event_ticker=market.event_ticker,
                shard=market.shard,
                value=market.value,
                count=held,
                cost=position.cost,
                fees=position.fees,
                revenue=revenue,
                time=now,
            )
            position.realized += revenue - position.cost
            position.count = position.cost = 0
            position.settled, position.updated = True, now
            floor.move_cash(interest.wallet, revenue, "settlement", now)
            if not trader.house:
                trader.settlements.append(settlement)
            floor.emit(PositionChanged(position, now))
            floor.emit(Settled(settlement))
    market.status, market.settled, market.updated = FINALIZED, now, now
    market.open_interest = 0
    floor.emit(MarketChanged(market, "settled", now))
    return market
