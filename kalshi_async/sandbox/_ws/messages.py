"""The `msg` of every data frame, as bytes: encoded once and shared by all who subscribe to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from .._events import BookChanged
from .._handlers.shapes import direction, outcome_cost, ts_ms
from .._records import Fill, Group, MarketState, Order, Position, Trade
from .._text import SECOND, named_uuid, parse_time, time_text
from .._units import DOLLAR, ONE, count_text, money_text, price_text

Level = tuple[int, int]
Msg = dict[str, object]
_encode = msgspec.json.Encoder().encode
_METADATA = (
    "title",
    "yes_sub_title",
    "no_sub_title",
    "rules_primary",
    "rules_secondary",
    "event_ticker",
)
_STRIKES = ("strike_type", "floor_strike", "cap_strike", "custom_strike")

market_id = lru_cache(maxsize=1 << 16)(named_uuid)
"""The id of a market, which its ticker decides."""


def plain(msg: Mapping[str, object]) -> bytes:
    """A message that is already in the words of the exchange."""
    return _encode(msg)


# Books


def _shown(price: int, *, bid: bool, yes_price: bool) -> str:
    """A YES price as a side shows it: asks are bids for NO, in NO prices unless asked otherwise."""
    return price_text(price if bid or yes_price else ONE - price)


def orderbook_snapshot(
    ticker: str, clock: int, bids: Sequence[Level], asks: Sequence[Level], *, yes_price: bool
) -> bytes:
    """A whole book; levels are (YES price, count), best first. An empty side is left out."""
    msg: Msg = {"market_ticker": ticker, "market_id": market_id(ticker), "clock": clock}
    for name, bid, levels in (("yes_dollars_fp", True, bids), ("no_dollars_fp", False, asks)):
        if levels:
            msg[name] = [
                (_shown(price, bid=bid, yes_price=yes_price), count_text(count))
                for price, count in reversed(levels)
            ]
    return _encode(msg)


def orderbook_delta(event: BookChanged, *, yes_price: bool, own: bool) -> bytes:
    """A change of one level; only the owner of the order that caused it is told which it was."""
    msg: Msg = {
        "market_ticker": event.ticker,
        "market_id": market_id(event.ticker),
        "clock": event.clock,
        "price_dollars": _shown(event.price, bid=event.bid, yes_price=yes_price),
        "delta_fp": count_text(event.delta),
        "side": "yes" if event.bid else "no",
        "ts": time_text(event.time),
        "ts_ms": ts_ms(event.time),
    }
    if own and event.client_order_id:
        msg["client_order_id"] = event.client_order_id
    if own and event.subaccount:
        msg["subaccount"] = event.subaccount
    return _encode(msg)


# Prices and trades


class Quote(msgspec.Struct, frozen=True, gc=False):
    """What the ticker channel says of a market; a side of the book that is empty has count 0."""

    last: int
    last_count: int
    bid: int
    bid_count: int
    ask: int
    ask_count: int
    volume: int
    open_interest: int
    dollar_volume: int

    @classmethod
    def of(cls, market: MarketState, bid: Level | None, ask: Level | None) -> Quote:
        """What there is to say of a market with these best levels."""
        # What was paid before this exchange opened is not recorded: half a dollar a contract.
        paid = market.dollar_volume + market.base_volume * ONE // 2
        return cls(
            market.last,
            market.last_count,
            *(bid or (0, 0)),
            *(ask or (ONE, 0)),
            market.base_volume + market.volume,
            market.base_open_interest + market.open_interest,
            paid // DOLLAR,
        )


def ticker(name: str, quote: Quote, now: int) -> bytes:
    """The prices and volumes of a market."""
    return _encode(
        {
            "market_ticker": name,
            "market_id": market_id(name),
            "price_dollars": price_text(quote.last),
            "yes_bid_dollars": price_text(quote.bid),
            "yes_ask_dollars": price_text(quote.ask),
            "volume_fp": count_text(quote.volume),
            "open_interest_fp": count_text(quote.open_interest),
            "dollar_volume": quote.dollar_volume,
            "dollar_open_interest": quote.open_interest * quote.last // DOLLAR,
            "yes_bid_size_fp": count_text(quote.bid_count),
            "yes_ask_size_fp": count_text(quote.ask_count),
            "last_trade_size_fp": count_text(quote.last_count),
            "ts": now // SECOND,
            "ts_ms": ts_ms(now),
            "time": time_text(now),
        }
    )


def trade(done: Trade) -> bytes:
    """A trade as everyone sees it."""
    outcome = "yes" if done.taker_bid else "no"
    return _encode(
        {
            "trade_id": done.trade_id,
            "market_ticker": done.ticker,
            "yes_price_dollars": price_text(done.price),
            "no_price_dollars": price_text(ONE - done.price),
            "count_fp": count_text(done.count),
            "taker_side": outcome,
            "taker_outcome_side": outcome,
            "taker_book_side": "bid" if done.taker_bid else "ask",
            "is_block_trade": done.block,
            "ts": done.time // SECOND,
            "ts_ms": ts_ms(done.time),
        }
    )


# An account


def fill(done: Fill) -> bytes:
    """One side of a trade, for its owner."""
    way = direction(done.bid)
    msg: Msg = {
        "trade_id": done.trade_id,
        "order_id": done.order_id,
        "market_ticker": done.ticker,
        "exchange_index": done.shard,
        "is_taker": done.is_taker,
        "yes_price_dollars": price_text(done.price),
        "count_fp": count_text(done.count),
        "fee_cost": money_text(done.fee),
        **way,
        "purchased_side": way["outcome_side"],
        "post_position_fp": count_text(done.position),
        "ts": done.time // SECOND,
        "ts_ms": ts_ms(done.time),
        "subaccount": done.subaccount,
    }
    if done.client_order_id:
        msg["client_order_id"] = done.client_order_id
    return _encode(msg)


def user_order(order: Order) -> bytes:
    """An order as it is now, for its owner."""
    outcome = "yes" if order.bid else "no"
    maker_filled = order.filled - order.taker_filled
    msg: Msg = {
        "order_id": order.order_id,
        "user_id": order.user_id,
        "ticker": order.ticker,
        "exchange_index": order.shard,
        "status": order.status,
        "side": outcome,
        "is_yes": order.bid,
        "outcome_side": outcome,
        "book_side": "bid" if order.bid else "ask",
        "yes_price_dollars": price_text(order.price),
        "fill_count_fp": count_text(order.filled),
        "remaining_count_fp": count_text(order.remaining),
        "initial_count_fp": count_text(order.initial),
        "taker_fill_cost_dollars": money_text(
            outcome_cost(order.bid, order.taker_filled, order.taker_value)
        ),
        "maker_fill_cost_dollars": money_text(
            outcome_cost(order.bid, maker_filled, order.maker_value)
        ),
        "taker_fees_dollars": money_text(order.taker_fees),
        "maker_fees_dollars": money_text(order.maker_fees),
        "client_order_id": order.client_order_id,
        "self_trade_prevention_type": order.self_trade,
        "created_time": time_text(order.created),
        "created_ts_ms": ts_ms(order.created),
        "last_update_time": time_text(order.updated),
        "last_updated_ts_ms": ts_ms(order.updated),
        "subaccount_number": order.subaccount,
    }
    if order.group_id:
        msg["order_group_id"] = order.group_id
    if order.expiration:
        msg["expiration_time"] = time_text(order.expiration)
        msg["expiration_ts_ms"] = ts_ms(order.expiration)
    if order.reason:
        msg["last_update_reason"] = order.reason
    return _encode(msg)


def market_position(position: Position) -> bytes:
    """A holding as it is now, for its owner."""
    return _encode(
        {
            "user_id": position.user_id,
            "market_ticker": position.ticker,
            "position_fp": count_text(position.count),
            "position_cost_dollars": money_text(position.cost),
            "realized_pnl_dollars": money_text(position.realized),
            "fees_paid_dollars": money_text(position.fees),
            "position_fee_cost_dollars": money_text(position.fees if position.count else 0),
            "volume_fp": count_text(position.volume),
            "subaccount": position.subaccount,
        }
    )


def order_group(group: Group, kind: str, time: int) -> bytes:
    """What became of an order group; its limit is told when it is set."""
    msg: Msg = {"event_type": kind, "order_group_id": group.group_id, "ts_ms": ts_ms(time)}
    if kind in ("created", "limit_updated"):
        msg["contracts_limit_fp"] = count_text(group.limit)
    return _encode(msg)


# Markets and events


def lifecycle(market: MarketState, kind: str, described: Mapping[str, object]) -> bytes:
    """What became of a market; `described` is the market object of the REST API."""
    msg: Msg = {
        "event_type": kind,
        "market_ticker": market.ticker,
        "exchange_index": market.shard,
    }
    if kind == "created":
        msg |= {"open_ts": market.opens // SECOND, "close_ts": market.closes // SECOND}
        msg |= {
            "price_level_structure": described.get("price_level_structure", ""),
            "additional_metadata": _metadata(market, described),
        }
    elif kind == "close_date_updated":
        msg["close_ts"] = market.closes // SECOND
    elif kind in ("activated", "deactivated"):
        msg["is_deactivated"] = kind == "deactivated"
    elif kind == "determined":
        msg["result"] = {ONE: "yes", 0: "no"}.get(market.value, "scalar")
        msg["settlement_value"] = price_text(market.value)
        msg["determination_ts"] = market.determined // SECOND
    elif kind == "settled":
        msg["settled_ts"] = market.settled // SECOND
    return _encode(msg)


def _metadata(market: MarketState, described: Mapping[str, object]) -> Msg:
    shown: Msg = {name: described.get(name) or "" for name in _METADATA}
    shown["event_ticker"] = market.event_ticker
    shown["name"] = shown["yes_sub_title"]
    shown["can_close_early"] = bool(described.get("can_close_early"))
    expected = parse_time(described.get("expected_expiration_time")) or market.closes
    shown["expected_expiration_ts"] = expected // SECOND
    return shown | {name: described[name] for name in _STRIKES if described.get(name)}


def event_lifecycle(described: Mapping[str, object]) -> bytes:
    """A new event; `described` is the event object of the REST API."""
    msg: Msg = {
        "event_ticker": described.get("event_ticker", ""),
        "exchange_index": described.get("exchange_index", 0),
        "title": described.get("title", ""),
        "subtitle": described.get("sub_title", ""),
        "collateral_return_type": described.get("collateral_return_type", ""),
        "series_ticker": described.get("series_ticker", ""),
    }
    if struck := parse_time(described.get("strike_date")):
        msg["strike_date"] = struck // SECOND
    if described.get("strike_period"):
        msg["strike_period"] = described["strike_period"]
    return _encode(msg)


def event_fee_update(event_ticker: str, fee_type: str | None, multiplier: float | None) -> bytes:
    """The fees of an event were set apart from those of its series; None: they are no longer."""
    return _encode(
        {
            "event_ticker": event_ticker,
            "fee_type_override": fee_type,
            "fee_multiplier_override": multiplier,
        }
    )
