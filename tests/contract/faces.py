"""Where the face of a method is not the contract's, each with its reason.

Keys are ``Operation.name``: a parameter or a body field by its wire name, or an argument. For an
item of a list in a body they are ``Schema.name``, a field of the item's schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from kalshi_async import models
from kalshi_async.models.orders import Order
from kalshi_async.orders import OrderRequest

_PUBLIC_PEM = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n"


@dataclass(frozen=True)
class Faces:
    """The exceptions that the comparison of arguments allows.

    Attributes:
        defaulted: Required by the contract, and yet with a default.
        needed: Not required by the contract, and yet always sent.
        not_offered: Fields of bodies that no argument stands for.
        renamed: The argument that stands for a field, and why it has another name.
        own_arguments: Arguments that are nothing of the contract's.
        positional: Fields of bodies that may be given by position.
        own_types: Arguments of a type that the contract's does not lead to.
        narrower: Numbers of which fewer are taken than the contract allows.
        structs: The structs that arguments hold, by schema.
        wider: Of these, those with fields that are nothing of the request, and why.
        bodies: Classes that take what an operation takes, each for the body of one order of many:
            by schema, with the operation.
    """

    defaulted: Mapping[str, str] = field(default_factory=dict)
    needed: Mapping[str, str] = field(default_factory=dict)
    not_offered: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    own_arguments: Mapping[str, str] = field(default_factory=dict)
    positional: Mapping[str, str] = field(default_factory=dict)
    own_types: Mapping[str, str] = field(default_factory=dict)
    narrower: Mapping[str, str] = field(default_factory=dict)
    structs: Mapping[str, type[msgspec.Struct]] = field(default_factory=dict)
    wider: Mapping[str, str] = field(default_factory=dict)
    bodies: Mapping[str, tuple[type, str]] = field(default_factory=dict)

    def holder(self, schema: str) -> type | None:
        """The class of which an argument holds objects where the wire has a schema's."""
        if schema in self.bodies:
            return self.bodies[schema][0]
        return self.structs.get(schema)


_OF_THE_ORDER = "taken from the order itself, where it is given as one"
_CENTS = "the price in cents"
_IN_FLIGHT = "how many may be under way at once"
_BATCHED = "whether they go together in one request, or each by itself"
_FIRST = "what a call is about comes first"
_SIDE = "side is yes or no, as everybody says it; this is the side of the book"
_ENDS = "takes a datetime too"
_ONE_SIZE = "the exchange needs a size: this, or its twin in another unit"

FACES = Faces(
    defaulted={
        "AmendOrderV2.count": _OF_THE_ORDER,
        "AmendOrderV2.price": _OF_THE_ORDER,
        "AmendOrderV2.side": _OF_THE_ORDER,
        "AmendOrderV2.ticker": _OF_THE_ORDER,
        "CreateOrderV2.price": "may be given in cents, or found in the book",
        "CreateOrderV2.self_trade_prevention_type": "taker_at_cross, unless said otherwise",
        "CreateOrderV2.side": "may be said as action and side",
        "CreateOrderV2.time_in_force": "follows from the type of the order",
        "GetMilestones.limit": "the contract requires it; 100 does for most",
    },
    needed={
        "CreateOrderGroup.contracts_limit_fp": _ONE_SIZE,
        "CreateRFQ.contracts_fp": _ONE_SIZE,
        "DecreaseOrderV2.reduce_by": _ONE_SIZE,
        "UpdateOrderGroupLimit.contracts_limit_fp": _ONE_SIZE,
    },
    not_offered={
        "BatchCancelOrdersV2Request.orders.exchange_index": (
            "market_ticker leads to the shard; an id alone is looked for on shard 0"
        ),
        "CreateRFQ.target_cost_centi_cents": "target_cost_dollars says it exactly",
    },
    renamed={
        "AmendOrderV2.expiration_time": ("expiration", _ENDS),
        "AmendOrderV2.side": ("book_side", _SIDE),
        "BatchCancelOrdersV2Request.orders.market_ticker": ("ticker", _OF_THE_ORDER),
        "BatchCancelOrdersV2Request.orders.subaccount": ("subaccount_number", _OF_THE_ORDER),
        "BatchCreateOrdersV2.orders": ("requests", "they are no orders yet"),
        "CreateOrderV2.expiration_time": ("expiration", _ENDS),
        "CreateOrderV2.side": ("book_side", _SIDE),
    },
    own_arguments={
        "AmendOrderV2.no_price": _CENTS,
        "AmendOrderV2.yes_price": _CENTS,
        "BatchCancelOrdersV2.batch": _BATCHED,
        "BatchCancelOrdersV2.max_in_flight": _IN_FLIGHT,
        "BatchCancelOrdersV2.subaccount": "goes into every item",
        "BatchCreateOrdersV2.batch": _BATCHED,
        "BatchCreateOrdersV2.max_in_flight": _IN_FLIGHT,
        "BatchCreateOrdersV2.on_error": "whether the others go on where one was not placed",
        "CreateOrderV2.action": "buy or sell, with side",
        "CreateOrderV2.no_price": _CENTS,
        "CreateOrderV2.side": "yes or no, with action",
        "CreateOrderV2.slippage": "how far a market order may go from the best price",
        "CreateOrderV2.type": "a market order is an IOC with a limit",
        "CreateOrderV2.yes_price": _CENTS,
    },
    positional={
        "BatchCancelOrdersV2.orders": _FIRST,
        "BatchCreateOrdersV2.orders": _FIRST,
        "CreateOrderV2.ticker": _FIRST,
    },
    own_types={
        "AcceptRFQBatch.min_bids": "a mapping of RFQ to price cannot name one twice",
        "SetTargetBalanceAllocation.allocations": (
            "a mapping of exchange index to percent cannot name one twice"
        ),
    },
    narrower={"AmendOrderV2.expiration_time": "0 would be in 1970"},
    structs={
        "BatchCancelOrdersV2Request.orders": Order,
        "CreateRFQBatchChild": models.RfqBatchChild,
        "RFQBatchQuoteEntry": models.RfqBatchQuoteEntry,
        "TickerPair": models.TickerPair,
    },
    wider={"BatchCancelOrdersV2Request.orders": "an order as the exchange told of it"},
    bodies={"CreateOrderV2Request": (OrderRequest, "CreateOrderV2")},
)

BY_HAND: dict[str, str] = {
    "BatchCancelOrdersV2": "as many together as the rate limit has room for; each has its outcome",
    "BatchCreateOrdersV2": "as many together as the rate limit has room for; each has its outcome",
    "CreateOrderV2": "written down first, sent again, looked for",
}
"""Operations whose method is more than a call, and why; their calls have tests of their own."""

EXCLUSIVE: dict[str, tuple[tuple[str, ...], ...]] = {
    "CreateOrderV2": (("expiration_time", "reduce_only"), ("post_only", "reduce_only")),
    "DecreaseOrderV2": (("reduce_by", "reduce_to"),),
    "AcceptBlockTradeProposal": (("subaccount", "subtrader_id"),),
    "CreateRFQ": (("contracts_fp", "target_cost_dollars"), ("subaccount", "subtrader_id")),
    "CreateRFQBatch": (("contracts_fp", "target_cost_dollars"), ("subaccount", "subtrader_id")),
    "ProposeBlockTrade": (
        ("buyer_subaccount", "buyer_subtrader_id"),
        ("seller_subaccount", "seller_subtrader_id"),
    ),
}
"""Groups of body fields of which one is sent at most."""


def _child(place: int) -> models.RfqBatchChild:
    return models.RfqBatchChild(market_ticker=f"market {place}", contracts="2.50")


def _entry(place: int) -> models.RfqBatchQuoteEntry:
    return models.RfqBatchQuoteEntry(rfq_id=f"rfq {place}", yes_bid="0.40", no_bid="0.50")


ITEMS: dict[str, Callable[[int], Any]] = {
    "CreateRFQBatch.children": _child,
    "CreateRFQBatchQuote.quotes": _entry,
}
"""Items of lists that do not take the same one twice, by their place."""

SAMPLES: dict[str, Any] = {
    "AcceptRFQBatch.min_bids": {"an rfq": "0.40", "another rfq": "0.50"},
    "AmendOrderV2.client_order_id": "mine",
    "AmendOrderV2.updated_client_order_id": "mine-2",
    "ApplySubaccountTransfer.client_transfer_id": UUID(int=7),
    "ApplySubaccountTransfer.from_subaccount": 3,
    "CreateApiKey.public_key": _PUBLIC_PEM,
    "CreateOrderV2.client_order_id": "mine",
    "GetFCMPositions.count_filter": "position",
    "GetOrders.status": "resting",
    "GetPositions.count_filter": "total_traded",
    "IntraExchangeInstanceTransfer.client_transfer_id": str(UUID(int=7)),
    "SetTargetBalanceAllocation.allocations": {0: 60, 1: 40},
    **{where: [item(0), item(1)] for where, item in ITEMS.items()},
}
"""Values for arguments that take only some of what their type allows."""
