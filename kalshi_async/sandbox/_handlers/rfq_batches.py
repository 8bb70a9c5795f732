"""Handlers of RFQ batches and the quotes that answer them as a whole."""

from __future__ import annotations

from .._call import Call, Handler
from .._errors import bad_request
from .._rfq.batch_views import batch_json, batch_quote_json, best_quotes_json
from .._rfq.book import invalid
from .._rfq.records import Ask, Batch, BatchQuote, Offer, Quote
from .._rfq.views import quote_json
from .bodies import Body, BodyError
from .combos import find_collection, make_combo
from .rfq import (
    asked_size,
    communications,
    flag_needed,
    newest,
    next_cursor,
    offered_price,
    own_subaccount,
    subtrader_subaccount,
)

_LEAST, _MOST = 2, 57
_MOST_LEGS = 6
# Leaves room for the number of the RFQ that is appended to it.
_LONGEST_CLIENT_ID = 60
_STATUSES = ("open", "accepted", "closed")


def _items(body: Body, name: str) -> list[Body]:
    """A list of 2 to 57 objects."""
    items = body.needed(name, body.objects)
    if not _LEAST <= len(items) <= _MOST:
        raise BodyError(f"{name} has {len(items)} items: it takes {_LEAST} to {_MOST}")
    return items


async def create_batch(call: Call) -> object:
    body = Body.read(call.body, "CreateRFQBatchRequest")
    size = asked_size(body)
    common = Ask(
        user_id=call.user_id,
        ticker="",
        excludes_fees=body.flag("target_cost_excludes_fees") or False,
        rest_remainder=body.flag("rest_remainder") or False,
        obscured=body.flag("obscure_creator_id") or False,
        subaccount=subtrader_subaccount(call, body),
    )
    client_batch_id = body.text("client_batch_id", longest=64) or ""
    replace = body.flag("replace_existing") or False
    asks = [_child(call, body, child, common, size) for child in _items(body, "children")]
    made: list[Batch] = []
    room = communications(call)
    room.do(
        lambda now: made.append(
            room.batches.create(asks, now, client_batch_id=client_batch_id, replace=replace)
        )
    )
    batch = made[0]
    return {"rfq_batch": batch_json(batch, room.batches.rfqs_of(batch), call.user_id)}


def _child(call: Call, body: Body, child: Body, common: Ask, size: tuple[int, int]) -> Ask:
    """What one RFQ of a batch asks for; its own size goes before that of the batch."""
    ticker, selected = child.text("market_ticker"), child.objects("selected_markets")
    if bool(ticker) == bool(selected):
        raise invalid("each child needs one of market_ticker and selected_markets")
    if selected:
        if len(selected) > _MOST_LEGS:
            raise BodyError(f"selected_markets has {len(selected)} items: at most {_MOST_LEGS}")
        collection = body.text("mve_collection_ticker")
        if not collection:
            raise invalid("selected_markets needs the mve_collection_ticker of the batch")
        ticker = make_combo(call, find_collection(call, collection), selected).ticker
    own = asked_size(child)
    contracts, target = own if any(own) else size
    return Ask(
        user_id=common.user_id,
        ticker=ticker or "",
        contracts=contracts,
        target=target,
        excludes_fees=common.excludes_fees,
        rest_remainder=common.rest_remainder,
        obscured=common.obscured,
        subaccount=common.subaccount,
    )


async def get_batches(call: Call) -> object:
    params, batches = call.params, communications(call).batches
    limit = params.limit(20, 20, least=1)
    status, subaccount = params.choice("status", _STATUSES), params.subaccount()
    own = params.choice("user_filter", ("self",)) is not None

    def wanted(batch: Batch) -> bool:
        mine = batch.user_id == call.user_id
        return (
            status in (None, batch.status)
            and (mine or not own)
            and (subaccount is None or (mine and batch.subaccount == subaccount))
        )

    found = newest(call, [batch for batch in batches.batches.values() if wanted(batch)])
    return {
        "cursor": next_cursor(found, limit),
        "rfq_batches": [
            batch_json(batch, batches.rfqs_of(batch), call.user_id) for batch in found[:limit]
        ],
    }


async def get_batch(call: Call) -> object:
    batches = communications(call).batches
    batch = batches.batch(call.path["rfq_batch_id"])
    return {"rfq_batch": batch_json(batch, batches.rfqs_of(batch), call.user_id)}


async def delete_batch(call: Call) -> object:
    room = communications(call)
    room.do(lambda now: room.batches.delete(call.user_id, call.path["rfq_batch_id"], now))
    return None


async def get_best_quotes(call: Call) -> object:
    batches = communications(call).batches
    batch = batches.batch(call.path["rfq_batch_id"], call.user_id)
    return {"best_quotes": best_quotes_json(batch, batches.best_quotes(batch))}


async def accept_batch(call: Call) -> object:
    body = Body.read(call.body, "AcceptRFQBatchRequest")
    side = body.needed("accepted_side", body.choice("yes", "no"))
    least: dict[str, int] = {}
    for item in _items(body, "min_bids"):
        rfq_id = item.needed("rfq_id", item.text)
        if rfq_id in least:
            raise bad_request(f"min_bids names RFQ {rfq_id[:80]} twice")
        least[rfq_id] = offered_price(item, "bid_dollars")
    own_id = body.text("client_order_id", longest=_LONGEST_CLIENT_ID) or ""
    room, batch_id = communications(call), call.path["rfq_batch_id"]
    accepted: list[Quote] = []
    room.do(
        lambda now: accepted.extend(
            room.batches.accept(call.user_id, batch_id, side, least, now, client_order_id=own_id)
        )
    )
    desk = room.desk
    return {
        "accepted_side": side,
        "quotes": [quote_json(quote, desk.rfq_of(quote), call.user_id) for quote in accepted],
    }


async def get_batch_quotes(call: Call) -> object:
    batches = communications(call).batches
    found = batches.quotes(call.user_id, call.path["rfq_batch_id"])
    return {
        "batch_quotes": [
            batch_quote_json(
                quoted, batches.batches[quoted.batch_id], batches.quotes_of(quoted), call.user_id
            )
            for quoted in found
        ]
    }


async def create_batch_quote(call: Call) -> object:
    body = Body.read(call.body, "CreateRFQBatchQuoteRequest")
    rest_remainder = flag_needed(body, "rest_remainder")
    post_only = body.flag("post_only") or False
    subaccount = own_subaccount(call, body.subaccount())
    offers = [
        Offer(
            user_id=call.user_id,
            rfq_id=entry.needed("rfq_id", entry.text),
            yes_bid=offered_price(entry, "yes_bid"),
            no_bid=offered_price(entry, "no_bid"),
            rest_remainder=rest_remainder,
            post_only=post_only,
            subaccount=subaccount,
        )
        for entry in _items(body, "quotes")
    ]
    made: list[BatchQuote] = []
    room, batch_id = communications(call), call.path["rfq_batch_id"]
    room.do(lambda now: made.append(room.batches.create_quote(batch_id, offers, now)))
    return {"id": made[0].id}


async def delete_batch_quote(call: Call) -> object:
    room, path = communications(call), call.path
    room.do(
        lambda now: room.batches.delete_quote(
            call.user_id, path["rfq_batch_id"], path["batch_quote_id"], now
        )
    )
    return None


async def confirm_batch_quote(call: Call) -> object:
    Body.read(call.body, "EmptyResponse", optional=True)
    room, path = communications(call), call.path
    room.do(
        lambda now: room.batches.confirm(
            call.user_id, path["rfq_batch_id"], path["batch_quote_id"], now
        )
    )
    return None


HANDLERS: dict[str, Handler] = {
    "AcceptRFQBatch": accept_batch,
    "ConfirmRFQBatchQuote": confirm_batch_quote,
    "CreateRFQBatch": create_batch,
    "CreateRFQBatchQuote": create_batch_quote,
    "DeleteRFQBatch": delete_batch,
    "DeleteRFQBatchQuote": delete_batch_quote,
    "GetRFQBatch": get_batch,
    "GetRFQBatchBestQuotes": get_best_quotes,
    "GetRFQBatchQuotes": get_batch_quotes,
    "GetRFQBatches": get_batches,
}
