"""Batches of RFQs as the exchange shows them: their objects and their messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._text import time_text
from .._units import count_text, price_text
from .records import NO, YES, Batch, BatchQuote, Leg, Notice, Quote, Rfq
from .views import (
    Json,
    batch_creator_id,
    communications_id,
    put_times,
    quote_json,
    quote_part,
    rfq_json,
    size,
)

Best = tuple[Rfq, Quote | None, Quote | None]


def batch_json(batch: Batch, rfqs: Iterable[Rfq], viewer: str) -> Json:
    """The object of a batch with its RFQs."""
    shown: Json = {
        "id": batch.id,
        "creator_id": batch_creator_id(batch),
        "status": batch.status,
        "rfqs": [rfq_json(rfq, viewer) for rfq in rfqs],
    }
    put_times(
        shown,
        created_ts=batch.created,
        updated_ts=batch.updated,
        accepted_ts=batch.accepted,
        closed_ts=batch.closed,
    )
    if batch.reason:
        shown["close_reason"] = batch.reason
    if viewer == batch.user_id:
        shown["creator_user_id"] = viewer
        shown["creator_subaccount"] = batch.subaccount
        if batch.client_batch_id:
            shown["client_batch_id"] = batch.client_batch_id
    return shown


def batch_quote_json(
    quoted: BatchQuote, batch: Batch, quotes: Iterable[tuple[Quote, Rfq]], viewer: str
) -> Json:
    """The object of a batch quote with its quotes."""
    shown: Json = {
        "id": quoted.id,
        "rfq_batch_id": batch.id,
        "creator_id": communications_id(quoted.user_id),
        "rfq_creator_id": batch_creator_id(batch),
        "status": quoted.status,
        "quotes": [quote_json(quote, rfq, viewer) for quote, rfq in quotes],
        "rest_remainder": quoted.rest_remainder,
    }
    put_times(
        shown,
        created_ts=quoted.created,
        updated_ts=quoted.updated,
        accepted_ts=quoted.accepted,
        confirmed_ts=quoted.confirmed,
    )
    if quoted.side:
        shown["accepted_side"] = quoted.side
    if viewer == quoted.user_id:
        shown["creator_user_id"] = viewer
        shown["creator_subaccount"] = quoted.subaccount
        shown["post_only"] = quoted.post_only
    if viewer == batch.user_id:
        shown["rfq_creator_user_id"] = viewer
        shown["rfq_creator_subaccount"] = batch.subaccount
    return shown


def _best_json(rfq: Rfq, yes: Quote | None, no: Quote | None) -> Json:
    shown: Json = {"rfq_id": rfq.id, "market_ticker": rfq.ask.ticker}
    for side, quote in ((YES, yes), (NO, no)):
        if quote is not None:
            shown[f"{side}_bid_dollars"] = price_text(quote.bid(side))
            shown[f"{side}_contracts_offered_fp"] = count_text(quote.count(side))
    return shown


def _complete(best: Sequence[Best]) -> Json:
    return {
        "yes_complete": all(yes is not None for _, yes, _ in best),
        "no_complete": all(no is not None for _, _, no in best),
    }


def best_quotes_json(batch: Batch, best: Sequence[Best]) -> Json:
    """The best bids for each RFQ of a batch."""
    return {
        "rfq_batch_id": batch.id,
        "status": batch.status,
        "version": batch.version,
        "updated_ts": time_text(batch.updated),
        "rfqs": [_best_json(*one) for one in best],
        **_complete(best),
    }


# Messages of the communications channel


def _own(batch: Batch) -> Json:
    """What the requester is told of its batch beside the rest."""
    named: Json = {"client_batch_id": batch.client_batch_id} if batch.client_batch_id else {}
    return {"subaccount": batch.subaccount, **named}


def batch_created(batch: Batch, rfqs: Sequence[Rfq]) -> Notice:
    """Everybody hears of a new batch; legs its RFQs have in common are named once."""
    legs: dict[Leg, int] = {}
    for rfq in rfqs:
        for leg in rfq.legs:
            legs.setdefault(leg, len(legs))
    msg: Json = {
        "id": batch.id,
        "creator_id": batch_creator_id(batch),
        "created_ts": time_text(batch.created),
        "legs": [leg.json() for leg in legs],
        "rfqs": [_member(rfq, legs) for rfq in rfqs],
    }
    return Notice("rfq_batch_created", msg, None)


def _member(rfq: Rfq, legs: dict[Leg, int]) -> Json:
    shown: Json = {
        "id": rfq.id,
        "market_ticker": rfq.ask.ticker,
        "event_ticker": rfq.event_ticker,
        "leg_indices": [legs[leg] for leg in rfq.legs],
        **size(rfq),
    }
    if rfq.collection:
        shown["mve_collection_ticker"] = rfq.collection
    return shown


def batch_deleted(batch: Batch) -> Notice:
    """Everybody hears that a batch takes no more quotes."""
    msg: Json = {
        "id": batch.id,
        "creator_id": batch_creator_id(batch),
        "rfq_ids": list(batch.rfq_ids),
        "deleted_ts": time_text(batch.closed),
    }
    return Notice("rfq_batch_deleted", msg, None)


def _to_both(kind: str, msg: Json, quoted: BatchQuote, batch: Batch) -> list[Notice]:
    parties = {
        "batch_quote_id": quoted.id,
        "rfq_batch_id": batch.id,
        "quote_creator_id": communications_id(quoted.user_id),
    }
    return [
        Notice(kind, msg | parties | {"subaccount": subaccount}, frozenset((user,)))
        for user, subaccount in (
            (quoted.user_id, quoted.subaccount),
            (batch.user_id, batch.subaccount),
        )
    ]


def batch_quote_created(
    quoted: BatchQuote, batch: Batch, quotes: Sequence[tuple[Quote, Rfq]]
) -> list[Notice]:
    """Both parties hear of a batch quote."""
    msg: Json = {
        "created_ts": time_text(quoted.created),
        "quotes": [quote_part(quote, rfq) for quote, rfq in quotes],
    }
    return _to_both("batch_quote_created", msg, quoted, batch)


def batch_quote_accepted(
    quoted: BatchQuote, batch: Batch, won: Sequence[tuple[Quote, Rfq]]
) -> list[Notice]:
    """Both parties hear which quotes of a batch quote were accepted."""
    msg: Json = {
        "rfq_creator_id": batch_creator_id(batch),
        "accepted_side": quoted.side,
        "accepted_ts": time_text(quoted.accepted),
        "quotes": [quote_part(quote, rfq, accepted=True) for quote, rfq in won],
    }
    return _to_both("batch_quote_accepted", msg, quoted, batch)


def best_quotes_told(batch: Batch, best: Sequence[Best]) -> Notice:
    """The requester hears the best bids whenever they may have changed."""
    rfqs = []
    for rfq, yes, no in best:
        shown = _best_json(rfq, yes, no) | {"event_ticker": rfq.event_ticker}
        rfqs.append(shown | size(rfq, prefix="rfq_" if rfq.ask.target else ""))
    msg: Json = {
        "rfq_batch_id": batch.id,
        "version": batch.version,
        "updated_ts": time_text(batch.updated),
        "rfqs": rfqs,
        **_complete(best),
        **_own(batch),
    }
    return Notice("rfq_batch_best_quotes", msg, frozenset((batch.user_id,)))


def _results(done: Sequence[Quote], failed: Sequence[Quote]) -> Json:
    return {
        "executed_rfq_ids": [quote.offer.rfq_id for quote in done],
        "failed_rfq_ids": [quote.offer.rfq_id for quote in failed],
    }


def batch_executed(batch: Batch, done: Sequence[Quote], failed: Sequence[Quote]) -> Notice:
    """The requester hears what became of an accepted batch."""
    msg: Json = {
        "rfq_batch_id": batch.id,
        "rfq_creator_id": batch_creator_id(batch),
        "executed_ts": time_text(batch.closed),
        "close_reason": batch.reason,
        **_results(done, failed),
        **_own(batch),
    }
    return Notice("rfq_batch_executed", msg, frozenset((batch.user_id,)))


def batch_quote_executed(
    quoted: BatchQuote,
    batch: Batch,
    done: Sequence[Quote],
    failed: Sequence[Quote],
    reason: str,
) -> Notice:
    """A quoter hears what became of its part of an accepted batch."""
    msg: Json = {
        "batch_quote_id": quoted.id,
        "rfq_batch_id": batch.id,
        "rfq_creator_id": batch_creator_id(batch),
        "executed_ts": time_text(quoted.updated),
        "close_reason": reason,
        "subaccount": quoted.subaccount,
        **_results(done, failed),
    }
    return Notice("batch_quote_executed", msg, frozenset((quoted.user_id,)))
