"""The objects of the REST API, made from what the exchange keeps.

Prices have four decimals, amounts six and counts two; every field the contract requires is there.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._records import Fill, Group, Order, Position, Settlement, Trade
from .._text import SECOND, time_text
from .._units import CONTRACT, ONE, cents, count_text, money_text, price_text

Shape = dict[str, object]
_MILLISECOND = 1000
# (outcome_side, book_side, and their deprecated forms side, action): an ask sells YES, which is the
# same as being for NO.
_BID: Shape = {"action": "buy", "book_side": "bid", "outcome_side": "yes", "side": "yes"}
_ASK: Shape = {"action": "sell", "book_side": "ask", "outcome_side": "no", "side": "yes"}


def ts_ms(micros: int) -> int:
    """A time in Unix milliseconds."""
    return micros // _MILLISECOND


def direction(bid: bool) -> Shape:
    """The four fields that tell which way an order or fill goes; a dict of the caller's own."""
    return dict(_BID if bid else _ASK)


def outcome_cost(bid: bool, count: int, value: int) -> int:
    """What `count` cost in its own outcome, when `value` is its YES price x count."""
    return value if bid else count * ONE - value


def averages(count: int, value: int, fees: int) -> Shape:
    """The mean YES price and fee of a contract, rounded half up; nothing when nothing filled."""
    if not count:
        return {}
    return {
        "average_fee_paid": price_text(_mean(fees, count)),
        "average_fill_price": price_text(_mean(value, count)),
    }


def _mean(amount: int, count: int) -> int:
    return (2 * amount + count) // (2 * count)


def order_shape(order: Order) -> Shape:
    """An `Order`."""
    maker_filled = order.filled - order.taker_filled
    taker_cost = outcome_cost(order.bid, order.taker_filled, order.taker_value)
    maker_cost = outcome_cost(order.bid, maker_filled, order.maker_value)
    return {
        **(_BID if order.bid else _ASK),
        "cancel_order_on_pause": order.cancel_on_pause,
        "client_order_id": order.client_order_id,
        "created_time": time_text(order.created),
        "exchange_index": order.shard,
        "expiration_time": time_text(order.expiration) if order.expiration else None,
        "fill_count_fp": count_text(order.filled),
        "initial_count_fp": count_text(order.initial),
        "last_update_time": time_text(order.updated),
        "maker_fees_dollars": money_text(order.maker_fees),
        "maker_fill_cost_dollars": money_text(maker_cost),
        "no_price_dollars": price_text(ONE - order.price),
        "order_group_id": order.group_id or None,
        "order_id": order.order_id,
        "remaining_count_fp": count_text(order.remaining),
        "self_trade_prevention_type": order.self_trade,
        "status": order.status,
        "subaccount_number": order.subaccount,
        "taker_fees_dollars": money_text(order.taker_fees),
        "taker_fill_cost_dollars": money_text(taker_cost),
        "ticker": order.ticker,
        "type": "limit",
        "user_id": order.user_id,
        "yes_price_dollars": price_text(order.price),
    }


def identity(order: Order) -> Shape:
    """The fields that name an order in the answer to a write."""
    shape: Shape = {"order_id": order.order_id}
    if order.client_order_id:
        shape["client_order_id"] = order.client_order_id
    return shape


def placed_shape(order: Order) -> Shape:
    """A `CreateOrderV2Response`, also the good item of a batch."""
    return {
        **identity(order),
        **averages(order.filled, _value(order), _fees(order)),
        "fill_count": count_text(order.filled),
        "remaining_count": count_text(order.remaining),
        "ts_ms": ts_ms(order.updated),
    }


def amended_shape(before: Order, after: Order) -> Shape:
    """An `AmendOrderV2Response`: what the change itself filled, if it filled or resized at all."""
    filled = after.filled - before.filled
    shape: Shape = {**identity(after), "ts_ms": ts_ms(after.updated)}
    if filled or after.remaining != before.remaining:
        shape["fill_count"] = count_text(filled)
        shape["remaining_count"] = count_text(after.remaining)
    value, fees = _value(after) - _value(before), _fees(after) - _fees(before)
    return {**shape, **averages(filled, value, fees)}


def _value(order: Order) -> int:
    return order.taker_value + order.maker_value


def _fees(order: Order) -> int:
    return order.taker_fees + order.maker_fees


def canceled_shape(order: Order, count: int) -> Shape:
    """A `CancelOrderV2Response`; `count` is what was taken off the book."""
    return {**identity(order), "reduced_by": count_text(count), "ts_ms": ts_ms(order.updated)}


def decreased_shape(order: Order) -> Shape:
    """A `DecreaseOrderV2Response`."""
    return {
        **identity(order),
        "remaining_count": count_text(order.remaining),
        "ts_ms": ts_ms(order.updated),
    }


def queue_shape(order: Order, ahead: int) -> Shape:
    """An `OrderQueuePosition`."""
    return {
        "market_ticker": order.ticker,
        "order_id": order.order_id,
        "queue_position_fp": count_text(ahead),
    }


def fill_shape(fill: Fill) -> Shape:
    """A `Fill`."""
    return {
        **(_BID if fill.bid else _ASK),
        "count_fp": count_text(fill.count),
        "created_time": time_text(fill.time),
        "exchange_index": fill.shard,
        "fee_cost": money_text(fill.fee),
        "fill_id": fill.trade_id,
        "is_taker": fill.is_taker,
        "market_ticker": fill.ticker,
        "no_price_dollars": price_text(ONE - fill.price),
        "order_id": fill.order_id,
        "subaccount_number": fill.subaccount,
        "ticker": fill.ticker,
        "trade_id": fill.trade_id,
        "ts": fill.time // SECOND,
        "yes_price_dollars": price_text(fill.price),
    }


def trade_shape(trade: Trade) -> Shape:
    """A `Trade`, as everyone sees it."""
    outcome = "yes" if trade.taker_bid else "no"
    return {
        "count_fp": count_text(trade.count),
        "created_time": time_text(trade.time),
        "is_block_trade": trade.block,
        "no_price_dollars": price_text(ONE - trade.price),
        "taker_book_side": "bid" if trade.taker_bid else "ask",
        "taker_outcome_side": outcome,
        "taker_side": outcome,
        "ticker": trade.ticker,
        "trade_id": trade.trade_id,
        "yes_price_dollars": price_text(trade.price),
    }


def settlement_shape(settlement: Settlement) -> Shape:
    """A `Settlement`; revenue and value are whole cents."""
    yes, no = max(settlement.count, 0), max(-settlement.count, 0)
    result = {0: "no", ONE: "yes"}.get(settlement.value, "scalar")
    return {
        "event_ticker": settlement.event_ticker,
        "exchange_index": settlement.shard,
        "fee_cost": money_text(settlement.fees),
        "market_result": result,
        "no_count_fp": count_text(no),
        "no_total_cost_dollars": money_text(settlement.cost if no else 0),
        "revenue": cents(settlement.revenue),
        "settled_time": time_text(settlement.time),
        "ticker": settlement.ticker,
        "value": settlement.value // CONTRACT,
        "yes_count_fp": count_text(yes),
        "yes_total_cost_dollars": money_text(settlement.cost if yes else 0),
    }


def market_position_shape(position: Position) -> Shape:
    """A `MarketPosition`; positive for YES, negative for NO."""
    return {
        "exchange_index": position.shard,
        "fees_paid_dollars": money_text(position.fees),
        "last_updated_ts": time_text(position.updated),
        "market_exposure_dollars": money_text(position.cost),
        "position_fp": count_text(position.count),
        "realized_pnl_dollars": money_text(position.realized),
        "ticker": position.ticker,
        "total_traded_dollars": money_text(position.traded),
    }


def event_position_shape(event_ticker: str, positions: Iterable[Position]) -> Shape:
    """An `EventPosition` over the positions in the markets of one event."""
    cost = shares = exposure = realized = fees = 0
    for position in positions:
        cost += position.traded
        shares += position.volume
        exposure += position.cost
        realized += position.realized
        fees += position.fees
    return {
        "event_exposure_dollars": money_text(exposure),
        "event_ticker": event_ticker,
        "fees_paid_dollars": money_text(fees),
        "realized_pnl_dollars": money_text(realized),
        "total_cost_dollars": money_text(cost),
        "total_cost_shares_fp": count_text(shares),
    }


def group_shape(group: Group) -> Shape:
    """An `OrderGroup`; its automatic cancelling is off while it is triggered."""
    return {"id": group.group_id, **_group_facts(group)}


def group_detail_shape(group: Group, orders: Iterable[str]) -> Shape:
    """A `GetOrderGroupResponse`; `orders` are the ids of its resting orders."""
    return {**_group_facts(group), "orders": list(orders)}


def _group_facts(group: Group) -> Shape:
    return {
        "contracts_limit_fp": count_text(group.limit),
        "exchange_index": group.shard,
        "is_auto_cancel_enabled": not group.triggered,
    }
