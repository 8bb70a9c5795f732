"""RFQs, quotes and their batches as the exchange shows them: over REST depending on who asks, on
the communications channel depending on who listens.

A user is shown to others by a public identifier only. Account, subaccount and order of a party are
visible to that party alone.
"""

from __future__ import annotations

from .._records import Order
from .._text import named_uuid, time_text
from .._units import count_text, money_text, price_text
from .records import NO, YES, Batch, Notice, Quote, Rfq

Json = dict[str, object]


def communications_id(user_id: str) -> str:
    """The public identifier of an account."""
    return named_uuid(f"communications/{user_id}")


def creator_id(rfq: Rfq) -> str:
    """Who asks; a pseudonym of this one RFQ (or batch) when the requester wants none to know."""
    if rfq.ask.obscured:
        return named_uuid(f"communications/{rfq.batch_id or rfq.id}/{rfq.ask.user_id}")
    return communications_id(rfq.ask.user_id)


def batch_creator_id(batch: Batch) -> str:
    """As `creator_id`, of a batch."""
    if batch.obscured:
        return named_uuid(f"communications/{batch.id}/{batch.user_id}")
    return communications_id(batch.user_id)


def put_times(shown: Json, **times: int) -> None:
    """Add the times that are set."""
    for name, value in times.items():
        if value:
            shown[name] = time_text(value)


def size(rfq: Rfq, *, prefix: str = "") -> Json:
    """The size asked for, in contracts or in dollars."""
    if rfq.ask.target:
        return {f"{prefix}target_cost_dollars": money_text(rfq.ask.target)}
    return {} if prefix else {"contracts_fp": count_text(rfq.ask.contracts)}


def rfq_json(rfq: Rfq, viewer: str) -> Json:
    """The object of an RFQ."""
    ask = rfq.ask
    shown: Json = {
        "id": rfq.id,
        "creator_id": creator_id(rfq),
        "market_ticker": ask.ticker,
        "contracts_fp": count_text(ask.contracts),
        "status": rfq.status,
        "rest_remainder": ask.rest_remainder,
        **size(rfq),
    }
    put_times(shown, created_ts=rfq.created, updated_ts=rfq.updated, cancelled_ts=rfq.closed)
    if ask.target:
        shown["target_cost_excludes_fees"] = ask.excludes_fees
    if rfq.reason:
        shown["cancellation_reason"] = rfq.reason
    if rfq.collection:
        shown["mve_collection_ticker"] = rfq.collection
        shown["mve_selected_legs"] = [leg.json() for leg in rfq.legs]
    if viewer == ask.user_id:
        shown["creator_user_id"] = ask.user_id
        shown["creator_subaccount"] = ask.subaccount
    return shown


def _sizes(quote: Quote, *, offered: bool = False) -> Json:
    """What each side's bid would trade, for the sides that were not declined."""
    infix = "contracts_offered" if offered else "contracts"
    return {
        f"{side}_{infix}_fp": count_text(quote.count(side))
        for side in (YES, NO)
        if quote.bid(side) and quote.count(side)
    }


def quote_json(quote: Quote, rfq: Rfq, viewer: str) -> Json:
    """The object of a quote."""
    offer = quote.offer
    shown: Json = {
        "id": quote.id,
        "rfq_id": rfq.id,
        "creator_id": communications_id(offer.user_id),
        "rfq_creator_id": creator_id(rfq),
        "market_ticker": rfq.ask.ticker,
        "contracts_fp": count_text(quote.count(quote.side) if quote.side else rfq.ask.contracts),
        "yes_bid_dollars": price_text(offer.yes_bid),
        "no_bid_dollars": price_text(offer.no_bid),
        "status": quote.status,
        "rest_remainder": offer.rest_remainder,
        **_sizes(quote),
        **size(rfq, prefix="rfq_"),
    }
    if rfq.ask.target:
        shown["target_cost_excludes_fees"] = rfq.ask.excludes_fees
    put_times(
        shown,
        created_ts=quote.created,
        updated_ts=quote.updated,
        accepted_ts=quote.accepted,
        confirmed_ts=quote.confirmed,
        executed_ts=quote.executed,
        cancelled_ts=quote.cancelled,
    )
    if quote.side:
        shown["accepted_side"] = quote.side
    if quote.reason:
        shown["cancellation_reason"] = quote.reason
    if viewer == offer.user_id:
        shown["creator_user_id"] = viewer
        shown["creator_subaccount"] = offer.subaccount
        shown["post_only"] = offer.post_only
        if quote.maker_order_id:
            shown["creator_order_id"] = quote.maker_order_id
    if viewer == rfq.ask.user_id:
        shown["rfq_creator_user_id"] = viewer
        shown["rfq_creator_subaccount"] = rfq.ask.subaccount
        if quote.taker_order_id:
            shown["rfq_creator_order_id"] = quote.taker_order_id
    return shown


# Messages of the communications channel


def rfq_created(rfq: Rfq) -> Notice:
    """Everybody hears of a new RFQ."""
    msg: Json = {
        "id": rfq.id,
        "creator_id": creator_id(rfq),
        "market_ticker": rfq.ask.ticker,
        "event_ticker": rfq.event_ticker,
        "created_ts": time_text(rfq.created),
        **size(rfq),
    }
    if rfq.collection:
        msg["mve_collection_ticker"] = rfq.collection
        msg["mve_selected_legs"] = [leg.json() for leg in rfq.legs]
    return Notice("rfq_created", msg, None)


def rfq_deleted(rfq: Rfq) -> Notice:
    """Everybody hears that an RFQ takes no more quotes."""
    msg: Json = {
        "id": rfq.id,
        "creator_id": creator_id(rfq),
        "market_ticker": rfq.ask.ticker,
        "event_ticker": rfq.event_ticker,
        "deleted_ts": time_text(rfq.closed),
        **size(rfq),
    }
    return Notice("rfq_deleted", msg, None)


def quote_part(quote: Quote, rfq: Rfq, *, accepted: bool = False) -> Json:
    """What every message about a quote says of it."""
    msg: Json = {
        "quote_id": quote.id,
        "rfq_id": rfq.id,
        "market_ticker": rfq.ask.ticker,
        "event_ticker": rfq.event_ticker,
        "yes_bid_dollars": price_text(quote.offer.yes_bid),
        "no_bid_dollars": price_text(quote.offer.no_bid),
        **_sizes(quote, offered=True),
        **size(rfq, prefix="rfq_"),
    }
    if accepted:
        msg["contracts_accepted_fp"] = count_text(quote.count(quote.side))
    return msg


def to_both(kind: str, msg: Json, quote: Quote, rfq: Rfq) -> list[Notice]:
    """The same message to both parties of a quote, each with its own subaccount."""
    parties = {
        "quote_creator_id": communications_id(quote.offer.user_id),
        "rfq_creator_id": creator_id(rfq),
    }
    return [
        Notice(kind, msg | parties | {"subaccount": subaccount}, frozenset((user,)))
        for user, subaccount in (
            (quote.offer.user_id, quote.offer.subaccount),
            (rfq.ask.user_id, rfq.ask.subaccount),
        )
    ]


def quote_created(quote: Quote, rfq: Rfq) -> list[Notice]:
    """Both parties hear of a new quote."""
    msg = quote_part(quote, rfq) | {"created_ts": time_text(quote.created)}
    return to_both("quote_created", msg, quote, rfq)


def quote_accepted(quote: Quote, rfq: Rfq) -> list[Notice]:
    """Both parties hear which side was accepted."""
    msg = quote_part(quote, rfq, accepted=True) | {"accepted_side": quote.side}
    return to_both("quote_accepted", msg, quote, rfq)


def quote_executed(quote: Quote, rfq: Rfq, taker: Order, maker: Order) -> list[Notice]:
    """Each party hears of its own order."""
    msg: Json = {
        "quote_id": quote.id,
        "rfq_id": rfq.id,
        "market_ticker": rfq.ask.ticker,
        "executed_ts": time_text(quote.executed),
    }
    if rfq.batch_id:
        msg["rfq_batch_id"] = rfq.batch_id
    both = to_both("quote_executed", msg, quote, rfq)
    for notice, order in zip(both, (maker, taker), strict=True):
        notice.msg["order_id"] = order.order_id
        notice.msg["client_order_id"] = order.client_order_id
    return both
