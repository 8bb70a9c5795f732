"""An order as the caller puts it, checked and turned into what the exchange takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypedDict, get_args

import msgspec

from .. import _grid
from .._amounts import ONE, Count, Price, count, count_text, price, price_text
from .._errors import InvalidRequestError
from ..models.markets import Market, PriceRange
from ..models.orderbook import Side
from ..models.orders import Action, BookSide, OrderType, SelfTradePrevention, TimeInForce
from ._terms import (
    GTC,
    IOC,
    checked_client_order_id,
    expiration_seconds,
    new_client_order_id,
    one_of,
    stated_price,
)

_ACTIONS, _SIDES, _BOOK_SIDES = get_args(Action), get_args(Side), get_args(BookSide)
_TYPES, _TIMES = get_args(OrderType), get_args(TimeInForce)
_SELF_TRADES = get_args(SelfTradePrevention)
# Buying YES and selling NO both stand on the bid.
_ON_THE_BID = {("buy", "yes"), ("sell", "no")}


class OrderTerms(TypedDict, total=False):
    """What an order may say besides market, direction, count and price; see ``OrderRequest``."""

    type: OrderType
    slippage: Price | None
    time_in_force: TimeInForce | None
    post_only: bool
    reduce_only: bool
    expiration: int | datetime | None
    client_order_id: str | None
    order_group_id: str | None
    subaccount: int | None
    exchange_index: int | None
    cancel_order_on_pause: bool
    self_trade_prevention_type: SelfTradePrevention


class WireOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The body of a placement, as the exchange reads it; ``price`` is the YES price."""

    ticker: str
    client_order_id: str
    side: str
    count: str
    price: str
    time_in_force: str
    self_trade_prevention_type: str
    expiration_time: int | None = None
    post_only: bool = False
    cancel_order_on_pause: bool = False
    reduce_only: bool = False
    subaccount: int | None = None
    order_group_id: str | None = None
    exchange_index: int | None = None


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order to place. It is checked when it is made.

    Say the direction as ``action`` and ``side`` (buy or sell, YES or NO), or as ``book_side``. Say
    the price once: ``price`` in dollars of that ``side`` (in YES dollars with ``book_side``), or
    ``yes_price``/``no_price`` in whole cents.

    Attributes:
        ticker: The market: its ticker, or a ``Market``, whose price grid is then checked too.
        action: ``"buy"`` or ``"sell"``.
        side: ``"yes"`` or ``"no"``.
        count: Contracts, in steps of 0.01: an int, text or Decimal.
        price: Dollars a contract as text or Decimal; for ``type="market"`` the worst accepted.
        yes_price: The YES price in cents, 1 to 99.
        no_price: The NO price in cents, 1 to 99.
        book_side: ``"bid"`` or ``"ask"``, instead of ``action`` and ``side``.
        type: ``"limit"``, or ``"market"``: what can be had at once, no worse than ``price`` or
            than ``slippage`` away from the best price in the book; the rest is cancelled.
        slippage: For market orders: how many dollars a contract worse than the best price.
        time_in_force: ``"good_till_canceled"`` (limit orders, unless said otherwise),
            ``"immediate_or_cancel"`` (market orders) or ``"fill_or_kill"``.
        post_only: Refused rather than trade at once.
        reduce_only: Only closes what is held; with ``"immediate_or_cancel"`` only.
        expiration: When a resting order ends: Unix seconds or an aware datetime.
        client_order_id: Your id, unique for ever in the account: at most 64 letters, digits or
            any of ``-_:+=/``. Left out, one is made up.
        order_group_id: The order group that it counts for.
        subaccount: The subaccount that trades; left out, the primary.
        exchange_index: The shard; left out, the exchange finds it.
        cancel_order_on_pause: Cancelled when the market pauses.
        self_trade_prevention_type: Who gives way where the account meets itself:
            ``"taker_at_cross"`` or ``"maker"``.
        contracts: ``count``, exactly.
        limit: The YES price in dollars; None where it follows from the book.

    Raises:
        InvalidRequestError: Something is missing, contradictory or impossible; nothing is sent.
    """

    ticker: str | Market
    _: KW_ONLY
    action: Action | None = None
    side: Side | None = None
    count: Count
    price: Price | None = None
    yes_price: int | None = None
    no_price: int | None = None
    book_side: BookSide | None = None
    type: OrderType = "limit"
    slippage: Price | None = None
    time_in_force: TimeInForce | None = None
    post_only: bool = False
    reduce_only: bool = False
    expiration: int | datetime | None = None
    client_order_id: str | None = None
    order_group_id: str | None = None
    subaccount: int | None = None
    exchange_index: int | None = None
    cancel_order_on_pause: bool = False
    self_trade_prevention_type: SelfTradePrevention = "taker_at_cross"
    contracts: Decimal = field(init=False, repr=False, compare=False)
    limit: Decimal | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.client_order_id is None:
            object.__setattr__(self, "client_order_id", new_client_order_id())
        else:
            checked_client_order_id("client_order_id", self.client_order_id)
        _check_market(self.ticker)
        _check_direction(self)
        _check_price(self)
        _check_terms(self)
        limit = stated_price(self.price, self.yes_price, self.no_price, self.side)
        object.__setattr__(self, "contracts", count("count", self.count))
        object.__setattr__(self, "limit", limit)
        if isinstance(self.ticker, Market) and limit is not None and self.ticker.price_ranges:
            _grid.check("price", limit, self.ticker.price_ranges, self.market_ticker)

    @property
    def market_ticker(self) -> str:
        """The ticker of its market."""
        return self.ticker.ticker if isinstance(self.ticker, Market) else self.ticker

    @property
    def on_the_bid(self) -> bool:
        """Whether it stands on the bid side of the book: buys YES, or sells NO."""
        if self.book_side is not None:
            return self.book_side == "bid"
        return (self.action, self.side) in _ON_THE_BID


def bounded_price(
    request: OrderRequest, best: Decimal | None, ranges: Sequence[PriceRange]
) -> Decimal:
    """The YES price at which a market order stops: ``slippage`` away from the best price.

    Rounded to the grid so that it is never worse than what the caller accepts.

    Args:
        request: A market order with ``slippage``.
        best: The best YES price on the other side: the ask for a bid, the bid for an ask.
        ranges: The market's price grid; empty where it is not known.

    Raises:
        InvalidRequestError: Nobody is on the other side, or no price of the grid is acceptable.
    """
    ticker = request.market_ticker
    if best is None:
        other = "asks" if request.on_the_bid else "bids"
        raise InvalidRequestError(
            f"nobody {other} in {ticker}, so that slippage has no price to start from; place a "
            "limit order"
        )
    away = Decimal(0)
    if request.slippage is not None:
        away = price("slippage", request.slippage, zero=True)
    if request.on_the_bid:
        bound = _grid.at_most(min(best + away, ONE), ranges or _grid.CENTS)
        reachable = bound is not None and bound >= best
    else:
        bound = _grid.at_least(max(best - away, Decimal(0)), ranges or _grid.CENTS)
        reachable = bound is not None and bound <= best
    if bound is None or not reachable:
        raise InvalidRequestError(
            f"no price on the grid of {ticker} is within {away:f} of {best:f}, the best YES price"
        )
    return bound


def effective_time_in_force(request: OrderRequest) -> str:
    """How long an order stays, where it does not say: market orders not at all."""
    return request.time_in_force or (IOC if request.type == "market" else GTC)


def wire_order(request: OrderRequest, limit: Decimal) -> WireOrder:
    """The body of a placement at a YES price."""
    return WireOrder(
        ticker=request.market_ticker,
        client_order_id=request.client_order_id or "",
        side="bid" if request.on_the_bid else "ask",
        count=count_text(request.contracts),
        price=price_text(limit),
        time_in_force=effective_time_in_force(request),
        self_trade_prevention_type=request.self_trade_prevention_type,
        expiration_time=expiration_seconds(request.expiration),
        post_only=request.post_only,
        cancel_order_on_pause=request.cancel_order_on_pause,
        reduce_only=request.reduce_only,
        subaccount=request.subaccount,
        order_group_id=request.order_group_id,
        exchange_index=request.exchange_index,
    )


def _check_market(ticker: object) -> None:
    if not isinstance(ticker, Market) and (not isinstance(ticker, str) or not ticker.strip()):
        raise InvalidRequestError(f"ticker is {ticker!r}; expected a market's ticker, or a Market")


def _check_direction(request: OrderRequest) -> None:
    if request.book_side is not None:
        if request.action is not None or request.side is not None:
            raise InvalidRequestError(
                "book_side and action/side say the same thing; give the one or the other"
            )
        one_of("book_side", request.book_side, _BOOK_SIDES)
        return
    if request.action is None or request.side is None:
        raise InvalidRequestError(
            'an order needs a direction: action="buy"|"sell" and side="yes"|"no", or '
            'book_side="bid"|"ask"'
        )
    one_of("action", request.action, _ACTIONS)
    one_of("side", request.side, _SIDES)


def _check_price(request: OrderRequest) -> None:
    one_of("type", request.type, _TYPES)
    stated = (request.price, request.yes_price, request.no_price, request.slippage)
    given = [value for value in stated if value is not None]
    if request.slippage is not None and len(given) > 1:
        raise InvalidRequestError("slippage starts from the book; give it or a price, not both")
    if request.type == "market" and not given:
        raise InvalidRequestError(
            "a market order is never without a bound: give price= (the worst that is accepted) or "
            "slippage= (how much worse than the best price in the book)"
        )
    if request.type == "limit" and (not given or request.slippage is not None):
        raise InvalidRequestError(
            'a limit order needs price= in dollars ("0.62"), or yes_price=/no_price= in cents'
        )
    if request.slippage is not None:
        price("slippage", request.slippage, zero=True)


def _check_terms(request: OrderRequest) -> None:
    _flags(request)
    one_of("self_trade_prevention_type", request.self_trade_prevention_type, _SELF_TRADES)
    if request.time_in_force is not None:
        one_of("time_in_force", request.time_in_force, _TIMES)
    if request.type == "market" and request.time_in_force == GTC:
        raise InvalidRequestError("a market order does not rest; use a limit order for that")
    time_in_force = effective_time_in_force(request)
    resting = time_in_force == GTC
    if request.expiration is not None:
        expiration_seconds(request.expiration)
        if not resting:
            raise InvalidRequestError(f"expiration is for resting orders, not for {time_in_force}")
    if request.post_only and not resting:
        raise InvalidRequestError(f"post_only is for resting orders, not for {time_in_force}")
    if request.reduce_only and time_in_force != IOC:
        raise InvalidRequestError(f'reduce_only needs time_in_force="{IOC}"')
    if request.order_group_id is not None and not request.order_group_id:
        raise InvalidRequestError("order_group_id is empty; leave it out for no group")
    for name, number in (
        ("subaccount", request.subaccount),
        ("exchange_index", request.exchange_index),
    ):
        if number is not None and (type(number) is not int or number < 0):
            raise InvalidRequestError(f"{name} is {number!r}; expected an integer, 0 or more")


def _flags(request: OrderRequest) -> None:
    for name, value in (
        ("post_only", request.post_only),
        ("reduce_only", request.reduce_only),
        ("cancel_order_on_pause", request.cancel_order_on_pause),
    ):
        if value is not True and value is not False:
            raise InvalidRequestError(f"{name} is {value!r}; expected True or False")
