"""Bodies of requests for quotes: checked arguments in, what goes on the wire out.

Each function raises ``InvalidRequestError`` with the argument's name, what was given, and what to
do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import get_args

from .. import _amounts
from .._amounts import Count, Money, Price
from .._errors import InvalidRequestError
from ..models.orderbook import Side
from ..models.rfq_batches import RfqBatchChild, RfqBatchQuoteEntry
from ._bodies import check_items, check_number, given, legs, needed_word
from ._checks import bounded, identifier, rfc3339

_LEAST_RFQS, _MOST_RFQS = 2, 57
_MOST_LEGS = 6
_LAST_SUBACCOUNT = 63

Body = dict[str, object]


def side(name: str, value: Side) -> str:
    """``yes`` or ``no``."""
    return needed_word(name, value, get_args(Side))


def limited_text(name: str, value: str | None, longest: int) -> str | None:
    """A text of 1 to ``longest`` characters; None stays None."""
    if value is None:
        return None
    if len(identifier(name, value)) > longest:
        raise InvalidRequestError(f"{name} has {len(value)} characters; expected {longest} at most")
    return value


def instant(name: str, value: str | datetime) -> str:
    """An RFC 3339 time with its zone; there is no default."""
    if value is None:
        raise InvalidRequestError(f"{name} is None; expected an aware datetime or RFC 3339 text")
    text = str(rfc3339(name, value))
    try:
        zone = datetime.fromisoformat(text).tzinfo
    except ValueError:
        zone = None
    if zone is None:
        raise InvalidRequestError(
            f'{name} is {text!r}; expected an RFC 3339 time, such as "2026-11-30T15:00:00Z"'
        )
    return text


def account(
    subtrader_id: str | None, subaccount: int | None, prefix: str = "", *, last: int | None = None
) -> Body:
    """A subaccount, by its number or by the subtrader that has it."""
    subtrader, number = f"{prefix}subtrader_id", f"{prefix}subaccount"
    if subtrader_id is not None and subaccount is not None:
        raise InvalidRequestError(
            f"{subtrader} and {number} both name a subaccount; give one of them"
        )
    named = None if subtrader_id is None else identifier(subtrader, subtrader_id)
    return given({subtrader: named, number: bounded(number, subaccount, 0, last)})


def party(prefix: str, user_id: str, subtrader_id: str | None, subaccount: int | None) -> Body:
    """The buyer or the seller of a block trade."""
    name = f"{prefix}_user_id"
    where = account(subtrader_id, subaccount, f"{prefix}_", last=_LAST_SUBACCOUNT)
    return {name: identifier(name, user_id)} | where


def parties(buyer: Body, seller: Body) -> Body:
    """Both parties of a block trade, which are two accounts."""
    if buyer["buyer_user_id"] == seller["seller_user_id"]:
        raise InvalidRequestError(
            f"buyer_user_id and seller_user_id are both {buyer['buyer_user_id']!r}; a block trade "
            "is between two accounts"
        )
    return buyer | seller


def acceptor(subtrader_id: str | None, subaccount: int | None) -> Body:
    """Who accepts a block trade."""
    return account(subtrader_id, subaccount, last=_LAST_SUBACCOUNT)


def size(
    contracts: Count | None, target_cost: Money | None, where: str = "", *, needed: bool = True
) -> Body:
    """Contracts, or the dollars that they may cost: one of the two.

    Args:
        contracts: Contracts asked for.
        target_cost: Dollars to spend.
        where: Text before the names, such as ``children[0].``.
        needed: Whether one of the two must be given.
    """
    if contracts is not None and target_cost is not None:
        raise InvalidRequestError(
            f"{where}contracts and {where}target_cost are both given; the exchange takes one size"
        )
    if contracts is not None:
        asked = _amounts.count(f"{where}contracts", contracts)
        return {"contracts_fp": _amounts.count_text(asked)}
    if target_cost is not None:
        dollars = _amounts.money(f"{where}target_cost", target_cost)
        return {"target_cost_dollars": _amounts.money_text(dollars)}
    if needed:
        raise InvalidRequestError(
            f"neither {where}contracts nor {where}target_cost is given; give the size in contracts "
            "or in dollars"
        )
    return {}


def bids(yes_bid: Price, no_bid: Price, where: str = "") -> Body:
    """What a quote bids for both sides; one of them may be 0."""
    yes = _amounts.price(f"{where}yes_bid", yes_bid, zero=True)
    no = _amounts.price(f"{where}no_bid", no_bid, zero=True)
    if not yes and not no:
        raise InvalidRequestError(
            f"{where}yes_bid and {where}no_bid are both 0; a quote bids for one side at least"
        )
    return {"yes_bid": _amounts.price_text(yes), "no_bid": _amounts.price_text(no)}


def children_of(
    children: Sequence[RfqBatchChild], mve_collection_ticker: str | None, *, sized: bool
) -> list[Body]:
    """The RFQs of a new batch; ``sized`` when the batch says how many contracts each is for."""
    check_items("children", children, RfqBatchChild, _LEAST_RFQS, _MOST_RFQS)
    bodies = [
        _child(f"children[{place}].", child, mve_collection_ticker, sized)
        for place, child in enumerate(children)
    ]
    _check_distinct("children", [body.get("market_ticker") for body in bodies])
    return bodies


def _child(
    where: str, child: RfqBatchChild, mve_collection_ticker: str | None, sized: bool
) -> Body:
    ticker, selected = child.market_ticker, child.selected_markets
    asked = size(child.contracts, child.target_cost, where, needed=not sized)
    if ticker is not None and selected is None:
        return {"market_ticker": identifier(f"{where}market_ticker", ticker)} | asked
    if selected is None or ticker is not None:
        raise InvalidRequestError(
            f"{where[:-1]} needs one of market_ticker and selected_markets (the legs of a combo)"
        )
    if mve_collection_ticker is None:
        raise InvalidRequestError(
            f"{where}selected_markets needs mve_collection_ticker: the collection that the combo "
            "is made from"
        )
    return {"selected_markets": legs(f"{where}selected_markets", selected, _MOST_LEGS)} | asked


def entries(quotes: Sequence[RfqBatchQuoteEntry]) -> list[Body]:
    """The bids of a batch quote, for each RFQ once."""
    check_items("quotes", quotes, RfqBatchQuoteEntry, _LEAST_RFQS, _MOST_RFQS)
    bodies = [_entry(f"quotes[{place}].", entry) for place, entry in enumerate(quotes)]
    _check_distinct("quotes", [body["rfq_id"] for body in bodies])
    return bodies


def _entry(where: str, entry: RfqBatchQuoteEntry) -> Body:
    rfq_id = identifier(f"{where}rfq_id", entry.rfq_id)
    return {"rfq_id": rfq_id} | bids(entry.yes_bid, entry.no_bid, where)


def accept_limits(min_bids: Mapping[str, Price]) -> list[Body]:
    """The lowest bid to accept, by RFQ."""
    if not isinstance(min_bids, Mapping):
        raise InvalidRequestError(
            f"min_bids is a {type(min_bids).__name__}; expected a mapping of RFQ id to dollars"
        )
    check_number("min_bids", len(min_bids), _LEAST_RFQS, _MOST_RFQS)
    return [
        {"rfq_id": identifier("min_bids", rfq_id), "bid_dollars": _limit(rfq_id, bid)}
        for rfq_id, bid in min_bids.items()
    ]


def _limit(rfq_id: str, bid: Price) -> str:
    return _amounts.price_text(_amounts.price(f"min_bids[{rfq_id!r}]", bid))


def _check_distinct(name: str, values: Iterable[object]) -> None:
    seen = set()
    for value in values:
        if value is not None and value in seen:
            raise InvalidRequestError(f"{name} names {value!r} twice")
        seen.add(value)
