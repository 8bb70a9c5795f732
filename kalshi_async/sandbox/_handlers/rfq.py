"""Handlers of RFQs and of the quotes that answer them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from .._call import Call, Handler
from .._catalog.query import Window
from .._errors import unknown_subaccount
from .._fcm import FcmMembers
from .._rfq.book import invalid
from .._rfq.communications import Communications as Communications
from .._rfq.records import Ask, Batch, Offer, Quote, Rfq
from .._rfq.views import communications_id, quote_json, rfq_json
from .._units import CENT
from . import cursor as _cursor
from .bodies import Body, acting_subaccount


def communications(call: Call) -> Communications:
    """The room of the exchange that is called."""
    return call.exchange.room(Communications)


def own_subaccount(call: Call, asked: int | None) -> int:
    """The subaccount a request trades with: one the account has and its key may use."""
    locked = None if call.key is None else call.key.subaccount
    number = acting_subaccount(locked, asked, 0) or 0
    if number not in call.exchange.engine.trader(call.user_id).subaccounts:
        raise unknown_subaccount(number)
    return number


def asked_size(body: Body) -> tuple[int, int]:
    """(contracts, target cost) that a body asks for, 0 for the one that is left out."""
    contracts = body.count("contracts_fp")
    whole = body.integer("contracts")
    if whole is not None:
        if contracts not in (None, whole * 100):
            raise invalid("contracts and contracts_fp differ")
        contracts = whole * 100
    target = body.money("target_cost_dollars")
    units = body.integer("target_cost_centi_cents")
    if target is None and units is not None:
        target = units * (CENT // 100)
    return contracts or 0, target or 0


def offered_price(body: Body, name: str) -> int:
    """The bid for one side; a plain 0 declines it."""
    if body.text(name) == "0":
        return 0
    return body.needed(name, body.price)


def flag_needed(body: Body, name: str) -> bool:
    """A flag that must be given."""
    return bool(body.needed(name, body.flag))


def subtrader_subaccount(call: Call, body: Body, name: str = "subaccount") -> int:
    """The subaccount that a body names, by its number or by a subtrader of an FCM member."""
    subtrader_id = body.text("subtrader_id")
    if not subtrader_id:
        return own_subaccount(call, body.subaccount(name))
    if body.has(name):
        raise invalid(f"give one of subtrader_id and {name}")
    return call.exchange.room(FcmMembers).subaccount_of(call.user_id, subtrader_id)


# RFQs


async def get_communications_id(call: Call) -> object:
    return {"communications_id": communications_id(call.user_id)}


async def create_rfq(call: Call) -> object:
    body = Body.read(call.body, "CreateRFQRequest")
    contracts, target = asked_size(body)
    ask = Ask(
        user_id=call.user_id,
        ticker=body.needed("market_ticker", body.text),
        contracts=contracts,
        target=target,
        excludes_fees=body.flag("target_cost_excludes_fees") or False,
        rest_remainder=flag_needed(body, "rest_remainder"),
        obscured=body.flag("obscure_creator_id") or False,
        subaccount=subtrader_subaccount(call, body),
    )
    replace = body.flag("replace_existing") or False
    made: list[Rfq] = []
    room = communications(call)
    room.do(lambda now: made.append(room.desk.create_rfq(ask, now, replace=replace)))
    return {"id": made[0].id}


async def get_rfqs(call: Call) -> object:
    params, desk = call.params, communications(call).desk
    limit = params.limit(100, 100, least=1)
    event, ticker = params.text("event_ticker"), params.text("market_ticker")
    subaccount, status = params.subaccount(), params.text("status")
    creator = _user(call, "user_filter", "creator_user_id")

    def wanted(rfq: Rfq) -> bool:
        return (
            event in (None, rfq.event_ticker)
            and ticker in (None, rfq.ask.ticker)
            and status in (None, rfq.status)
            and creator in (None, rfq.ask.user_id)
            and (
                subaccount is None
                or (rfq.ask.user_id == call.user_id and rfq.ask.subaccount == subaccount)
            )
        )

    found = newest(call, [rfq for rfq in desk.rfqs.values() if wanted(rfq)])
    return {
        "cursor": next_cursor(found, limit),
        "rfqs": [rfq_json(rfq, call.user_id) for rfq in found[:limit]],
    }


def _user(call: Call, own: str, deprecated: str) -> str | None:
    """The account a list is filtered by: oneself, or whoever the deprecated parameter names."""
    if call.params.choice(own, ("self",)):
        return call.user_id
    return call.params.text(deprecated)


Record = TypeVar("Record", Rfq, Quote, Batch)


def newest(call: Call, found: Sequence[Record]) -> list[Record]:
    """Records newest first, from behind the cursor of a request."""
    after = call.params.after()
    last = int(after[1]) if after is not None and after[1].isdecimal() else None
    kept = [one for one in found if last is None or one.number < last]
    return sorted(kept, key=lambda one: -one.number)


def next_cursor(found: Sequence[Record], limit: int) -> str:
    """The cursor behind the first `limit` records; empty when there are no more."""
    if len(found) <= limit:
        return ""
    return _cursor.encode(found[limit - 1].created, str(found[limit - 1].number))


async def get_rfq(call: Call) -> object:
    rfq = communications(call).desk.rfq(call.path["rfq_id"])
    return {"rfq": rfq_json(rfq, call.user_id)}


async def delete_rfq(call: Call) -> object:
    room = communications(call)
    room.do(lambda now: room.desk.delete_rfq(call.user_id, call.path["rfq_id"], now))
    return None


# Quotes


async def create_quote(call: Call) -> object:
    body = Body.read(call.body, "CreateQuoteRequest")
    offer = Offer(
        user_id=call.user_id,
        rfq_id=body.needed("rfq_id", body.text),
        yes_bid=offered_price(body, "yes_bid"),
        no_bid=offered_price(body, "no_bid"),
        rest_remainder=flag_needed(body, "rest_remainder"),
        post_only=body.flag("post_only") or False,
        subaccount=own_subaccount(call, body.subaccount()),
    )
    made: list[Quote] = []
    room = communications(call)
    room.do(lambda now: made.append(room.desk.create_quote(offer, now)))
    return {"id": made[0].id}


async def get_quotes(call: Call) -> object:
    params, desk = call.params, communications(call).desk
    limit = params.limit(500, 500, least=1)
    window: Window = params.window("min_ts", "max_ts")
    status, rfq_id = params.text("status"), params.text("rfq_id")
    quoter = _user(call, "user_filter", "quote_creator_user_id")
    requester = _user(call, "rfq_user_filter", "rfq_creator_user_id")
    subaccount = None
    if subtrader_id := params.text("rfq_creator_subtrader_id"):
        subaccount = call.exchange.room(FcmMembers).subaccount_of(call.user_id, subtrader_id)

    def wanted(quote: Quote) -> bool:
        rfq = desk.rfq_of(quote)
        return (
            call.user_id in (quote.offer.user_id, rfq.ask.user_id)
            and quoter in (None, quote.offer.user_id)
            and requester in (None, rfq.ask.user_id)
            and status in (None, quote.status)
            and rfq_id in (None, rfq.id)
            and quote.created in window
            and (
                subaccount is None
                or (rfq.ask.user_id == call.user_id and rfq.ask.subaccount == subaccount)
            )
        )

    found = newest(call, [quote for quote in desk.quotes.values() if wanted(quote)])
    return {
        "cursor": next_cursor(found, limit),
        "quotes": [quote_json(quote, desk.rfq_of(quote), call.user_id) for quote in found[:limit]],
    }


async def get_quote(call: Call) -> object:
    desk = communications(call).desk
    quote = desk.quote(call.user_id, call.path["quote_id"], call.path.get("rfq_id"))
    return {"quote": quote_json(quote, desk.rfq_of(quote), call.user_id)}


async def delete_quote(call: Call) -> object:
    room, quote_id = communications(call), call.path["quote_id"]
    rfq_id = call.path.get("rfq_id")
    room.do(lambda now: room.desk.delete_quote(call.user_id, quote_id, now, rfq_id=rfq_id))
    return None


async def accept_quote(call: Call) -> object:
    body = Body.read(call.body, "AcceptQuoteRequest")
    side = body.needed("accepted_side", body.choice("yes", "no"))
    room, quote_id = communications(call), call.path["quote_id"]
    rfq_id = call.path.get("rfq_id")
    room.do(lambda now: room.desk.accept(call.user_id, quote_id, side, now, rfq_id=rfq_id))
    return None


async def confirm_quote(call: Call) -> object:
    Body.read(call.body, "EmptyResponse", optional=True)
    room, quote_id = communications(call), call.path["quote_id"]
    rfq_id = call.path.get("rfq_id")
    room.do(lambda now: room.desk.confirm(call.user_id, quote_id, now, rfq_id=rfq_id))
    return None


HANDLERS: dict[str, Handler] = {
    "AcceptQuote": accept_quote,
    "AcceptRFQQuote": accept_quote,
    "ConfirmQuote": confirm_quote,
    "ConfirmRFQQuote": confirm_quote,
    "CreateQuote": create_quote,
    "CreateRFQ": create_rfq,
    "DeleteQuote": delete_quote,
    "DeleteRFQ": delete_rfq,
    "DeleteRFQQuote": delete_quote,
    "GetCommunicationsID": get_communications_id,
    "GetQuote": get_quote,
    "GetQuotes": get_quotes,
    "GetRFQ": get_rfq,
    "GetRFQQuote": get_quote,
    "GetRFQs": get_rfqs,
}
