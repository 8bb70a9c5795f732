"""A contract that is tampered with: every change is noticed, and nothing else is."""

from __future__ import annotations

import copy

import pytest

from .differences import differences
from .facts import DIGEST


def _rename_field(digest):
    fields = digest["schemas"]["Market"]["fields"]
    fields["yes_bid_money"] = fields.pop("yes_bid_dollars")


def _flip_requiredness(digest):
    digest["schemas"]["Trade"]["fields"]["created_time"].pop("required")


def _allow_null(digest):
    digest["schemas"]["Series"]["fields"]["title"]["null"] = True


def _change_type(digest):
    digest["schemas"]["EventData"]["fields"]["mutually_exclusive"]["type"] = "string"


def _add_parameter(digest):
    parameters = digest["operations"]["GetTrades"]["parameters"]
    parameters["taker"] = {"in": "query", "type": "string"}


def _remove_parameter(digest):
    del digest["operations"]["GetMarkets"]["parameters"]["series_ticker"]


def _require_parameter(digest):
    digest["operations"]["GetEvents"]["parameters"]["status"]["required"] = True


def _add_word(digest):
    digest["operations"]["GetMarkets"]["parameters"]["status"]["enum"].append("halted")


def _move(digest):
    digest["operations"]["GetMarket"]["path"] = "/market/{ticker}"


def _require_key(digest):
    digest["operations"]["GetTrades"]["auth"] = True


def _change_verb(digest):
    digest["operations"]["GetSeries"]["method"] = "POST"


def _nest_new_schema(digest):
    digest["schemas"]["Fresh"] = {"fields": {"name": {"type": "string"}}}
    digest["schemas"]["Milestone"]["fields"]["details"]["type"] = "$Fresh"


def _rename_body_field(digest):
    fields = digest["schemas"]["ApplySubaccountTransferRequest"]["fields"]
    fields["amount_centicents"] = fields.pop("amount_cents")


def _drop_body_requiredness(digest):
    digest["schemas"]["CreateApiKeyRequest"]["fields"]["name"].pop("required")


def _require_body_field(digest):
    digest["schemas"]["GenerateApiKeyRequest"]["fields"]["scopes"]["required"] = True


def _change_body_type(digest):
    fields = digest["schemas"]["UpdateFCMEventContractDailyCapRequest"]["fields"]
    fields["limit"]["type"] = "integer"


def _make_body_number_exact(digest):
    fields = digest["schemas"]["CreateFCMPositionTransferRequest"]["fields"]
    fields["position_centicount"]["type"] = "$FixedPointCount"


def _add_body_field(digest):
    fields = digest["schemas"]["UpdateSubaccountNettingRequest"]["fields"]
    fields["exchange_index"] = {"type": "integer"}


def _add_body_word(digest):
    digest["schemas"]["ApiKeyScope"]["enum"].append("write::everything")


def _add_inline_body_word(digest):
    digest["schemas"]["AcceptQuoteRequest"]["fields"]["accepted_side"]["enum"].append("both")


def _rename_field_inside_a_body(digest):
    fields = digest["schemas"]["TickerPair"]["fields"]
    fields["outcome"] = fields.pop("side")


def _rename_field_of_an_order(digest):
    fields = digest["schemas"]["CreateOrderV2Request"]["fields"]
    fields["post_only_until"] = fields.pop("post_only")


def _other_orders_in_a_batch(digest):
    digest["schemas"]["Fresh"] = {"fields": {"ticker": {"type": "string", "required": True}}}
    digest["schemas"]["BatchCreateOrdersV2Request"]["fields"]["orders"]["type"] = "[$Fresh]"


def _other_body_than_a_batch_has(digest):
    digest["operations"]["CreateOrderV2"]["body"] = "$CreateOrderV3Request"
    fields = digest["schemas"]["CreateOrderV2Request"]["fields"]
    digest["schemas"]["CreateOrderV3Request"] = {"fields": fields}


def _add_field_to_an_order_to_cancel(digest):
    fields = digest["schemas"]["BatchCancelOrdersV2Request.orders"]["fields"]
    fields["reason"] = {"type": "string"}


def _require_field_of_an_order_to_cancel(digest):
    fields = digest["schemas"]["BatchCancelOrdersV2Request.orders"]["fields"]
    fields["market_ticker"]["required"] = True


def _add_field_to_a_nested_error(digest):
    digest["schemas"]["ErrorResponse"]["fields"]["retry_after_ms"] = {"type": "integer"}


def _rename_field_of_a_placed_item(digest):
    fields = digest["schemas"]["BatchCreateOrdersV2Response.orders"]["fields"]
    fields["filled"] = fields.pop("fill_count")


def _body_instead_of_none(digest):
    digest["schemas"]["Fresh"] = {"fields": {"force": {"type": "boolean", "required": True}}}
    digest["operations"]["DeleteApiKey"]["body"] = "$Fresh"


TAMPERINGS = {
    _rename_field: ["yes_bid_money has no field", "yes_bid_dollars is no field of the contract"],
    _flip_requiredness: ["Trade.created_time: may be None is False"],
    _allow_null: ["Series.title: may be None is False"],
    _change_type: ["EventData.mutually_exclusive is boolean"],
    _add_parameter: ["GetTrades: parameter taker is not offered"],
    _remove_parameter: ["GetMarkets: argument series_ticker is nothing of the contract"],
    _require_parameter: ["GetEvents.status: required is False"],
    _add_word: ["GetMarkets.status: words"],
    _move: ["GetMarket: path is"],
    _require_key: ["GetTrades: auth is False"],
    _change_verb: ["GetSeries: method is 'GET'"],
    _rename_body_field: [
        "body field amount_centicents is not offered",
        "argument amount_cents is nothing of the contract",
    ],
    _drop_body_requiredness: ["CreateApiKey.name: required is True"],
    _require_body_field: ["GenerateApiKey.scopes: required is False"],
    _change_body_type: ["UpdateFCMEventContractDailyCap.limit: type"],
    _make_body_number_exact: ["CreateFCMPositionTransfer.position_centicount: type"],
    _add_body_field: ["UpdateSubaccountNetting: body field exchange_index is not offered"],
    _add_body_word: ["CreateApiKey.scopes[]: words", "GenerateApiKey.scopes[]: words"],
    _add_inline_body_word: ["AcceptQuote.accepted_side: words", "AcceptRFQQuote.accepted_side"],
    _rename_field_inside_a_body: [
        "TickerPair.outcome has no field",
        "TickerPair.side is no field of the contract",
    ],
    _rename_field_of_an_order: [
        "CreateOrderV2: body field post_only_until is not offered",
        "CreateOrderV2: argument post_only is nothing of the contract",
        "OrderRequest: CreateOrderV2: body field post_only_until is not offered",
        "OrderRequest: CreateOrderV2: argument post_only is nothing of the contract",
    ],
    _other_orders_in_a_batch: ["BatchCreateOrdersV2.orders[]: type"],
    _other_body_than_a_batch_has: ["OrderRequest: CreateOrderV2: the body is $CreateOrderV3"],
    _add_field_to_an_order_to_cancel: ["orders.reason has no field in Order"],
    _require_field_of_an_order_to_cancel: ["orders.market_ticker: required is False"],
    _add_field_to_a_nested_error: ["ErrorResponse.retry_after_ms has no field in OrderError"],
    _rename_field_of_a_placed_item: [
        "orders.filled has no field in PlacedOrderItem",
        "orders.fill_count is no field of the contract",
    ],
    _body_instead_of_none: ["DeleteApiKey: body field force is not offered"],
    _nest_new_schema: ["Milestone.details is object", "Fresh has no struct"],
}


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_drift_is_noticed(tamper):
    digest = copy.deepcopy(DIGEST)
    tamper(digest)
    found = differences(digest)
    expected = TAMPERINGS[tamper]
    assert len(found) == len(expected), found
    for text in expected:
        assert any(text in line for line in found), found
