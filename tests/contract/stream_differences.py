"""In what the structs of stream messages are not what the digest of the contract says, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from kalshi_async.stream import messages
from kalshi_async.stream.messages import MESSAGES, StreamMessage

from .compare import struct_differences

Facts = dict[str, Any]

WS_DIGEST_FILE = Path(__file__).with_name("ws_digest.json")
WS_DIGEST: Facts = json.loads(WS_DIGEST_FILE.read_text())

ANSWERS = {
    "cfbenchmarks_value_5hz_indexlist",
    "cfbenchmarks_value_indexlist",
    "error",
    "ok",
    "pyth_value_underlying_list",
    "subscribed",
    "unsubscribed",
}
"""What the exchange sends in answer to commands: no data, and no message to a consumer."""

PARTS: dict[str, type[msgspec.Struct]] = {
    "batchQuoteAcceptedPayload.msg.quotes": messages.BatchAcceptedQuote,
    "batchQuoteCreatedPayload.msg.quotes": messages.BatchQuote,
    "cfbenchmarksAvgData": messages.CfBenchmarksAverage,
    "lifecycleAdditionalMetadata": messages.LifecycleMetadata,
    "marketLifecycleV2Payload.msg.price_ranges": messages.LifecyclePriceRange,
    "rfqBatchBestQuotesPayload.msg.rfqs": messages.BatchBestQuote,
    "rfqBatchCreatedPayload.msg.legs": messages.RfqLeg,
    "rfqBatchCreatedPayload.msg.rfqs": messages.BatchRfq,
    "rfqCreatedPayload.msg.mve_selected_legs": messages.RfqLeg,
}
"""Which struct holds an object inside a message, by its schema."""

OWN_FIELDS = tuple(StreamMessage.__struct_encode_fields__)

_TEXT = "is decimal, in the contract string"
_MISSING_IN_REST = "not known when read over REST after a reconnect"

DIFFERENCES = {
    f"cfbenchmarksAvgData.value {_TEXT}": "text in the contract, a price in fact",
    f"cfbenchmarks_value_5hz.value_usd {_TEXT}": "text in the contract, a price in fact",
    f"fill.fee_cost {_TEXT}": "text in the contract, money in fact",
    f"market_lifecycle_v2.settlement_value {_TEXT}": "text in the contract, a price in fact",
    f"multivariate_market_lifecycle.settlement_value {_TEXT}": "as in market_lifecycle_v2",
    f"pyth_value.value_usd {_TEXT}": "text in the contract, a price in fact",
    **{
        f"marketLifecycleV2Payload.msg.price_ranges.{name} {_TEXT}": "text in the contract, a "
        "price in fact"
        for name in ("start", "end", "step")
    },
    **{
        f"{kind}.received_at is called source_received_ms, should be received_at": "received_at "
        "is when the client received a message"
        for kind in ("cfbenchmarks_value", "cfbenchmarks_value_5hz", "pyth_value")
    },
    **{
        f"orderbook_snapshot.{side}_dollars_fp is called {side}, should be {side}_dollars": "as "
        "in the order book of REST"
        for side in ("yes", "no")
    },
    **{
        f"orderbook_snapshot.{side}_dollars_fp is [Level], in the contract [[string]]": "a level "
        "is price and size"
        for side in ("yes", "no")
    },
    **{
        f"{kind}.clock: may be None is True, by the contract False": "recorded frames lack it"
        for kind in ("orderbook_delta", "orderbook_snapshot")
    },
    "marketLifecycleV2Payload.msg.price_ranges: fields are not in the order of the contract": "is "
    "the price range of REST, where the order is that of the alphabet",
    **{
        f"{where}: may be None is True, by the contract False": _MISSING_IN_REST
        for where in (
            "fill.post_position_fp",
            "market_position.position_cost_dollars",
            "market_position.position_fee_cost_dollars",
            "market_position.user_id",
            "market_position.volume_fp",
            "user_order.exchange_index",
        )
    },
}
"""Every difference there may be, and its reason."""


def differences(digest: Facts) -> list[str]:
    """Everything in which the structs are not what the digest says."""
    schemas = comparable(digest)
    own = {f"{kind}.{name}": "of the client" for kind in MESSAGES for name in OWN_FIELDS}
    known = MESSAGES | PARTS
    found = [f"{name} is not in the contract" for name in known if name not in schemas]
    wanted = digest["messages"].keys() - ANSWERS
    found += [f"{kind} has no struct" for kind in sorted(wanted - MESSAGES.keys())]
    for name, struct in known.items():
        if name in schemas:
            found += struct_differences(name, struct, schemas, PARTS, own, {})
            found += _disorder(name, struct, schemas[name]["fields"])
    return found


def _disorder(name: str, struct: type[msgspec.Struct], fields: Facts) -> list[str]:
    """The decoder is fastest where the fields are declared in the order of the wire."""
    ours = [field for field in struct.__struct_encode_fields__ if field in fields]
    theirs = [field for field in fields if field in ours]
    return [] if ours == theirs else [f"{name}: fields are not in the order of the contract"]


def comparable(digest: Facts) -> dict[str, Facts]:
    """The schemas of a digest in the terms of REST, and those of messages under their types.

    What ends in ``_dollars`` or ``_fp`` is an exact number, and what is deprecated may be None. Of
    payloads that share a type, a field is required if all of them require it.
    """
    schemas: dict[str, Facts] = {"FixedPointDollars": {"type": "string"}}
    for name, schema in digest["schemas"].items():
        if "fields" in schema:
            fields = {field: _field(field, each) for field, each in schema["fields"].items()}
            schema = {"fields": fields}
        schemas[name] = schema
    for kind, payloads in digest["messages"].items():
        if kind not in ANSWERS:
            bodies = [digest["schemas"][name]["fields"]["msg"]["type"][1:] for name in payloads]
            schemas[kind] = {"fields": _united([schemas[name]["fields"] for name in bodies])}
    return schemas


def _field(name: str, facts: Facts) -> Facts:
    if facts["type"] == "string" and name.endswith(("_dollars", "_fp")):
        facts = facts | {"type": "$FixedPointDollars"}
    return facts | {"null": True} if facts.get("deprecated") else facts


def _united(alternatives: list[Facts]) -> Facts:
    united: Facts = {}
    for fields in alternatives:
        for name, facts in fields.items():
            required = all(each.get(name, {}).get("required") for each in alternatives)
            united.setdefault(name, facts | {"required": required})
    return united
