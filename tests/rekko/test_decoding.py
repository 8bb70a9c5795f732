"""What is kept of an answer: everything, exactly."""

from __future__ import annotations

import decimal
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import DecodeError, SchemaDrift
from kalshi_async.rekko import (
    Analysis,
    AnalysisRun,
    Listing,
    Market,
    RekkoClient,
    Secret,
    Webhook,
)
from kalshi_async.rekko._decoding import decode_listing, decode_object
from kalshi_async.rekko.models import RekkoModel, Scenario
from tests.rekko.scripts import asking, refused
from tests.support import answer

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner,
                                                               max_size=3),
    max_leaves=8,
)  # fmt: skip
MODELS = [Market, Analysis, AnalysisRun, Webhook]


def market(raw: bytes | str) -> Market:
    return decode_object(Market, raw if isinstance(raw, bytes) else raw.encode())[0]


@given(NUMBERS, st.integers(1, 5))
def test_numbers_are_exact_whatever_the_callers_context(value: Decimal, prec: int) -> None:
    raw = f'{{"yes_price": {value}, "other": {{"deep": [{value}]}}, "text": "x"}}'
    with decimal.localcontext() as context:
        context.prec = prec
        for signal in (decimal.Inexact, decimal.Rounded):
            context.traps[signal] = True
        found = market(raw)
    assert found.yes_price is not None
    assert found.yes_price.as_tuple() == Decimal(str(value)).as_tuple()
    other = found.extra["other"]
    assert isinstance(other, dict)
    assert other["deep"] == [value]
    assert not isinstance(other["deep"][0], float)


@pytest.mark.parametrize(
    ("raw", "price"),
    [
        ("0.62", "0.62"), ("0.620", "0.620"), ("62e-2", "0.62"), ("1", "1"), ('"0.62"', "0.62"),
        (f"0.{'1234567890' * 4}", f"0.{'1234567890' * 4}"),
    ],
)  # fmt: skip
def test_forms_of_a_number(raw: str, price: str) -> None:
    found = market(f'{{"yes_price":{raw}}}').yes_price
    assert str(found) == price


@pytest.mark.parametrize(
    "raw",
    [
        '"x"',
        '"NaN"',
        '"Infinity"',
        "true",
        "[]",
        "{}",
        "1e900",
        '"1e-900"',
        "1e99999999999999999999",
    ],
)
def test_what_is_no_price_is_kept_and_told_of(raw: str) -> None:
    found, drift = decode_object(Market, f'{{"yes_price":{raw},"title":"T"}}'.encode())
    assert (found.yes_price, found.title) == (None, "T")
    assert "yes_price" in found.extra
    assert [one.field for one in drift] == ["yes_price"]
    assert drift[0].problem


@pytest.mark.parametrize(
    ("raw", "time"),
    [
        ('"2026-03-19T18:00:00Z"', datetime(2026, 3, 19, 18, tzinfo=UTC)),
        ('"2026-03-19T19:00:00+01:00"', datetime(2026, 3, 19, 18, tzinfo=UTC)),
        ('"2026-03-19T18:00:00"', datetime(2026, 3, 19, 18, tzinfo=UTC)),
        ("1773943200", datetime(2026, 3, 19, 18, tzinfo=UTC)),
        ('"soon"', None),
        ("1773943200000", None),
        ('"0001-01-01T00:00:00+23:00"', None),
    ],
)
def test_forms_of_a_time(raw: str, time: datetime | None) -> None:
    found = market(f'{{"close_time":{raw}}}')
    assert found.close_time == time
    assert ("close_time" in found.extra) is (time is None)
    if found.close_time is not None:
        assert found.close_time.utcoffset() == datetime.now(UTC).utcoffset()


def test_an_id_that_is_a_number_is_an_id() -> None:
    assert market('{"market_id":512034}').market_id == "512034"


def test_unknown_fields_are_kept_also_inside() -> None:
    raw = {
        "probability": 0.5,
        "extra": "a field of that name",
        "sources": [{"url": "u", "trust": 0.9}],
        "scenarios": [{"name": "a", "probability": 0.5, "tail": 0.01}],
    }
    found, drift = decode_object(Analysis, json.dumps(raw).encode())
    assert drift == []
    assert found.extra["extra"] == "a field of that name"
    assert found.extra["sources"] == [{"url": "u", "trust": Decimal("0.9")}]
    (scenario,) = found.scenarios
    assert scenario.extra == {"tail": Decimal("0.01")}
    assert scenario == Scenario(name="a", probability=Decimal("0.5"), extra=scenario.extra)


def test_a_secret_under_another_name_is_a_secret() -> None:
    raw = b'{"signing_secret":"s-TELLTALE","Secrets":["t-TELLTALE"],"secret":7,"note":"n"}'
    found, _ = decode_object(Webhook, raw)
    assert "TELLTALE" not in repr(found)
    assert found.extra["signing_secret"] == Secret("s-TELLTALE")
    assert found.extra["Secrets"] == Secret('["t-TELLTALE"]')
    assert found.extra["secret"] == Secret("7")
    assert found.extra["note"] == "n"
    other, _ = decode_object(Analysis, b'{"secret_sauce":"none"}')
    assert other.extra == {"secret_sauce": "none"}, "where there are no secrets it is plain"


def test_null_is_as_if_it_were_not_there() -> None:
    found, drift = decode_object(Analysis, b'{"edge":null,"scenarios":null,"odd":null}')
    assert (found.edge, found.scenarios, drift) == (None, (), [])
    assert found.extra == {"odd": None}


def test_misfits_inside_are_kept_and_told_of() -> None:
    raw = {"scenarios": [{"name": 1.5, "probability": "x"}, 7, {"name": "b"}], "risks": ["a", {}]}
    found, drift = decode_object(Analysis, json.dumps(raw).encode())
    assert [one.name for one in found.scenarios] == [None, "b"]
    assert found.scenarios[0].extra == {"name": Decimal("1.5"), "probability": "x"}
    assert found.risks == ("a",)
    assert found.extra["risks"] == ["a", {}]
    assert found.extra["scenarios"][1] == 7  # type: ignore[index]
    assert [one.field for one in drift] == [
        "scenarios[0].name", "scenarios[0].probability", "scenarios[1]", "risks[1]",
    ]  # fmt: skip


@given(st.sampled_from(MODELS), st.dictionaries(st.text(max_size=10), JSON, max_size=6), st.data())
def test_any_object_is_read_and_nothing_is_lost(
    model: type[RekkoModel], raw: dict[str, object], data: st.DataObject
) -> None:
    names = [name for name in model.__struct_encode_fields__ if name not in ("secret", "extra")]
    raw |= data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=6))
    raw["analysis_id"] = "a"
    found, drift = decode_object(model, json.dumps(raw).encode())
    kept = set(found.extra) | set(model.__struct_fields__)
    assert set(raw) <= kept
    for one in drift:
        assert one.field.partition("[")[0].partition(".")[0] in raw
    for name, value in raw.items():
        if name not in model.__struct_fields__ and not _odd(value):
            assert found.extra[name] == json.loads(json.dumps(value), parse_float=Decimal)


def _odd(value: object) -> bool:
    """Whether it holds an integer that a float would not hold either, or a lone surrogate."""
    text = json.dumps(value)
    return any(len(part) > 18 for part in text.replace("-", " ").split()) or "\\ud" in text


@given(st.binary(max_size=80))
def test_bytes_of_any_kind(raw: bytes) -> None:
    for body in (raw, b'{"yes_price":' + raw + b"}", b'{"markets":[' + raw + b"]}"):
        one = outcome(lambda body: decode_object(Market, body)[0], body)
        many = outcome(lambda body: decode_listing(Market, "markets", body), body)
        assert isinstance(one, Market) or one == body[:500]
        assert isinstance(many, Listing) or many == body[:500]


def outcome(read: Callable[[bytes], object], body: bytes) -> object:
    """What it is read as, or what the error keeps of it."""
    try:
        return read(body)
    except DecodeError as exc:
        return exc.body


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"null", b"[]", b"7", b'"x"', b"{", b"[" * 5000, b'{"a":' * 5000,
        b'{"a":"\xff"', b"\xff\xfe",
    ],
)  # fmt: skip
def test_what_is_no_object_is_an_error(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_object(Market, raw)


def test_fields_that_cannot_even_be_read_are_kept_as_text() -> None:
    found = market(b'{"title":"\xff\xfe","huge":' + b"1" * 5000 + b"}")
    assert found.title is None
    assert isinstance(found.extra["title"], str)
    assert found.extra["huge"] == "1" * 5000


def test_a_run_without_its_id_is_an_error() -> None:
    for raw in (b'{"status":"pending"}', b'{"analysis_id":null}', b'{"analysis_id":[]}'):
        with pytest.raises(DecodeError, match="analysis_id"):
            decode_object(AnalysisRun, raw)


# ---------------------------------------------------------------------------- lists


@pytest.mark.parametrize(
    "body",
    [
        b'{"markets":[{"title":"a"},{"title":"b"}],"total":9,"next":1}',
        b'[{"title":"a"},{"title":"b"}]',
        b'{"data":[{"title":"a"},{"title":"b"}]}',
        b'{"results":[{"title":"a"},{"title":"b"}]}',
        b' \n[{"title":"a"},{"title":"b"}]',
    ],
)
def test_a_list_in_any_envelope(body: bytes) -> None:
    found = decode_listing(Market, "markets", body)
    assert [one.title for one in found] == ["a", "b"]
    assert found[0] is found.items[0]
    assert found[1:] == found.items[1:]
    assert len(found) == 2
    assert (found.undecoded, found.drift) == ((), ())
    if b"total" in body:
        assert (found.total, found.extra) == (9, {"next": 1})


def test_facts_beside_a_list() -> None:
    body = b'{"markets":[],"as_of":"2026-03-19T18:00:00Z","period":"7d","total":"x","screened":4}'
    found = decode_listing(Market, "markets", body)
    assert (found.as_of, found.period) == (datetime(2026, 3, 19, 18, tzinfo=UTC), "7d")
    assert found.total is None
    assert [one.field for one in found.drift] == ["total"]
    assert found.extra == {"total": "x", "screened": 4}
    assert decode_listing(Market, "markets", b'{"markets":null}').items == ()


def test_a_bad_item_never_loses_its_list() -> None:
    body = b'{"markets":[{"title":"a"},7,null,{"title":5.5},{"title":"b"}]}'

    async def use(rekko: RekkoClient) -> tuple[Listing[Market], tuple[int, int]]:
        found = await rekko.markets.list()
        return found, (rekko.stats.undecoded_items, rekko.stats.drifted_fields)

    events: list[object] = []
    (found, counted), _ = asking(use, answer(body), hooks=[events.append])
    assert [one.title for one in found] == ["a", None, "b"]
    assert [one.index for one in found.undecoded] == [1, 2]
    assert [(one.field, one.index) for one in found.drift] == [("title", 3)]
    assert counted == (2, 1)
    (event,) = [one for one in events if isinstance(one, SchemaDrift)]
    assert (event.operation, event.undecoded) == ("RekkoListMarkets", found.undecoded)


@pytest.mark.parametrize("body", [b"{}", b'{"other":[]}', b'{"markets":{}}', b"7", b"", b"<html>"])
def test_where_there_is_no_list(body: bytes) -> None:
    error, _, _ = refused(lambda rekko: rekko.markets.list(), answer(body))
    assert isinstance(error, DecodeError)
    assert "'markets'" in str(error)
    assert (error.operation, error.attempts) == ("RekkoListMarkets", 1)


# ---------------------------------------------------------------------------- secrets


@pytest.mark.parametrize("raw", ['"hush-hush"', "123456", '{"a":"hush-hush"}', '["hush-hush"]'])
def test_a_secret_stays_one_in_whatever_form_it_comes(raw: str) -> None:
    found, drift = decode_object(Webhook, f'{{"id":"w","secret":{raw}}}'.encode())
    assert "hush" not in f"{found!r} {drift!r}"
    assert "123456" not in f"{found!r} {drift!r}"
    with pytest.raises(TypeError):
        pickle.dumps(found)
    with pytest.raises(TypeError):
        msgspec.json.encode(found)


def test_a_secret_can_be_had() -> None:
    found, _ = decode_object(Webhook, b'{"secret":"hush-hush"}')
    assert found.secret is not None
    assert found.secret.reveal() == "hush-hush"
