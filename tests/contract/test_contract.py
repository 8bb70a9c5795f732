"""The package against the facts of Kalshi's contract, and the comparison against tampering."""

from __future__ import annotations

import copy
import inspect
import json
import typing

import pytest

from kalshi_async._operations import BY_NAME, OPERATIONS

from .compare import operation_differences, struct_differences
from .compare_arguments import (
    argument_differences,
    argument_name,
    arguments_of,
    body_fields,
    request_struct_differences,
    type_differences,
    wanted_of,
)
from .faces import BY_HAND, EXCLUSIVE, FACES, SAMPLES
from .facts import DIGEST, DIGEST_FILE, SCHEMAS
from .make_digest import make_digest, render
from .methods import METHODS
from .structs import BOOK_SCHEMAS, EXTRA_FIELDS, OTHER_TYPES, STRUCTS


def differences(digest) -> list[str]:
    """Everything in which the package is not what the digest says."""
    operations, schemas = digest["operations"], digest["schemas"]
    found = []
    for operation in OPERATIONS:
        if operation.name not in operations:
            found.append(f"{operation.name} is no operation of the contract")
            continue
        facts = operations[operation.name]
        found += operation_differences(operation, facts)
        if operation.name in METHODS:
            resource, name = METHODS[operation.name]
            method = getattr(resource, name)
            found += argument_differences(operation.name, method, facts, schemas, FACES)
    for name, struct in STRUCTS.items():
        if name not in schemas:
            found.append(f"{name} is no schema of the contract")
            continue
        found += struct_differences(name, struct, schemas, STRUCTS, EXTRA_FIELDS, OTHER_TYPES)
    for name in FACES.structs:
        found += request_struct_differences(name, schemas, FACES)
    found += [f"{name} has no struct" for name in sorted(reached(digest) - set(STRUCTS))]
    return found


def reached(digest) -> set[str]:
    """Schemas with fields that answers of offered operations reach, their envelopes aside."""
    answers = [digest["operations"][name]["response"] for name in METHODS]
    found, waiting = set(), [kind for kind in answers if kind is not None]
    envelopes = {kind.strip("$") for kind in waiting}
    while waiting:
        name = waiting.pop().strip("[]{}")
        if not name.startswith("$") or name[1:] in found:
            continue
        schema = digest["schemas"][name[1:]]
        fields = schema.get("fields")
        found |= {name[1:]} if fields else set()
        waiting += [facts["type"] for facts in fields.values()] if fields else [schema["type"]]
    return found - BOOK_SCHEMAS - (envelopes - set(STRUCTS))


def test_the_package_is_what_the_contract_says():
    assert differences(DIGEST) == []


def test_every_operation_is_offered():
    assert len(DIGEST["operations"]) == 128
    assert set(BY_NAME) == set(DIGEST["operations"])
    assert set(METHODS) == set(BY_NAME)


def test_what_is_called_by_hand_is_offered():
    assert BY_HAND.keys() <= METHODS.keys()


def test_no_method_offers_two_operations():
    assert len(set(METHODS.values())) == len(METHODS)


def test_exceptions_for_structs_are_still_needed():
    """An entry that no longer excuses anything has to go."""
    for where in EXTRA_FIELDS:
        schema, _, field = where.partition(".")
        assert field in STRUCTS[schema].__struct_encode_fields__
        assert field not in SCHEMAS[schema]["fields"]
    for where in OTHER_TYPES:
        schema, _, field = where.partition(".")
        assert SCHEMAS[schema]["fields"][field]["type"] == "string"


def taken(operation):
    """What an operation takes by the contract, by wire name."""
    facts = DIGEST["operations"][operation]
    return {wanted.name: wanted for wanted in wanted_of(facts, SCHEMAS)}


def offered(operation):
    """What the method of an operation takes."""
    resource, method = METHODS[operation]
    return arguments_of(getattr(resource, method))[0]


@pytest.mark.parametrize(
    "where",
    [
        *FACES.defaulted,
        *FACES.needed,
        *FACES.renamed,
        *FACES.positional,
        *FACES.own_types,
        *FACES.narrower,
    ],
)
def test_exceptions_for_arguments_are_still_needed(where):
    operation, _, name = where.partition(".")
    wanted = taken(operation)[name]
    key = argument_name(operation, wanted, FACES)
    argument = offered(operation)[key]
    if where in FACES.defaulted:
        assert wanted.facts["required"]
        assert argument.default is not inspect.Parameter.empty
    if where in FACES.needed:
        assert not wanted.facts.get("required")
    if where in FACES.renamed:
        assert key != name.removesuffix("_dollars").removesuffix("_fp")
    if where in FACES.positional:
        assert argument.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    if where in FACES.narrower:
        assert wanted.facts.keys() & {"min", "max"}
    if where in FACES.own_types:
        hints = typing.get_type_hints(getattr(*METHODS[operation]))
        assert type_differences(where, hints[key], wanted.facts, SCHEMAS, FACES)


def test_other_exceptions_are_still_needed():
    for where in FACES.not_offered:
        operation, _, name = where.partition(".")
        wanted = taken(operation)[name]
        assert argument_name(operation, wanted, FACES) not in offered(operation)
    for where in FACES.own_arguments:
        operation, _, key = where.partition(".")
        assert key in offered(operation)
        wanted = taken(operation).values()
        assert key not in {argument_name(operation, each, FACES) for each in wanted}
    for operation, groups in EXCLUSIVE.items():
        fields = body_fields(DIGEST["operations"][operation], SCHEMAS)
        assert {name for group in groups for name in group} <= fields.keys()
    for where in SAMPLES:
        operation, _, name = where.partition(".")
        assert name in taken(operation)
    bodies = [facts["type"] for name in METHODS for facts in body_of(name).values()]
    bodies += [
        facts["type"] for name in FACES.structs for facts in SCHEMAS[name]["fields"].values()
    ]
    for name in FACES.structs:
        assert f"[${name}]" in bodies


def body_of(operation):
    return body_fields(DIGEST["operations"][operation], SCHEMAS)


def test_digest_is_that_of_the_contract_file(shared):
    document = json.loads((shared / "contract" / "rest-3.34.0.json").read_text())
    assert render(make_digest(document)) == DIGEST_FILE.read_text()


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
