"""What Rekko's errors become, and which are tried again."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import (
    INHERIT,
    APIError,
    AuthenticationError,
    BadRequestError,
    ConnectionLostError,
    DecodeError,
    InvalidParametersError,
    KalshiError,
    NotFoundError,
    PermissionDeniedError,
    PlanRequiredError,
    QuotaExceededError,
    RateLimitError,
    RetryPolicy,
    ServerError,
)
from kalshi_async.rekko import RekkoClient, Secret
from kalshi_async.rekko._judge import Judge, rekko_error, retry_after
from kalshi_async.rekko._operations import GET_MARKET
from tests.rekko.scripts import KEY, TELLTALE, asking, refused
from tests.support import answer


async def get(rekko: RekkoClient) -> object:
    return await rekko.markets.get("kalshi", "KXFED-26MAR19")


async def start(rekko: RekkoClient) -> object:
    return await rekko.analyses.start("kalshi", "KXFED-26MAR19")


STATUSES: list[tuple[int, type[APIError]]] = [
    (400, BadRequestError),
    (401, AuthenticationError),
    (402, PlanRequiredError),
    (403, PermissionDeniedError),
    (404, NotFoundError),
    (418, APIError),
    (422, InvalidParametersError),
    (429, RateLimitError),
    (500, ServerError),
    (503, ServerError),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_every_status_has_its_class(status: int, kind: type[APIError]) -> None:
    body = {"detail": "it is so", "code": "insufficient_balance"}  # a code of the exchange's
    error, _, _ = refused(get, answer(body, status), retry=None)
    assert type(error) is kind
    assert isinstance(error, APIError)
    assert (error.status, error.code, error.message) == (status, body["code"], body["detail"])
    assert (error.operation, error.attempts) == ("RekkoGetMarket", 1)


BODIES: list[tuple[bytes, str | None, str | None]] = [
    (b'{"detail":"no","code":"c"}', "c", "no"),
    (b'{"detail":"no"}', None, "no"),
    (b'{"error":"no"}', None, "no"),
    (b'{"error":"rate_limited","message":"slow down"}', "rate_limited", "slow down"),
    (b'{"error":{"code":"c","message":"no"}}', "c", "no"),
    (b'{"error":{"detail":"no","code":"c"}}', "c", "no"),
    (b'{"detail":{"code":"c","message":"no"}}', "c", "no"),
    (b'{"message":"no"}', None, "no"),
    (b'{"code":"c"}', "c", None),
    (b'{"detail":[{"loc":["query","limit"],"msg":"too many"}]}', None, "limit: too many"),
    (b'{"detail":[]}', None, '{"detail":[]}'),
    (b'{"detail":null}', None, '{"detail":null}'),
    (b"{}", None, "empty object"),
    (b'"just text"', None, "just text"),
    (b'["a","b"]', None, "a; b"),
    (b"", None, "empty body"),
    (b"<html><title>Bad Gateway</title></html>", None, "HTML page: Bad Gateway"),
    (b"upstream error", None, "upstream error"),
]


@pytest.mark.parametrize(("body", "code", "message"), BODIES, ids=lambda one: str(one)[:40])
def test_every_form_of_body_is_read(body: bytes, code: str | None, message: str | None) -> None:
    error = rekko_error(400, answer(body, 400))
    assert (error.code, error.message) == (code, message)


def test_a_plan_that_does_not_cover_names_both_plans() -> None:
    body = {"detail": "no", "code": "plan_required", "plan": "free", "required_plan": "pro"}
    error, http, _ = refused(start, answer(body, 402))
    assert isinstance(error, PlanRequiredError)
    assert (error.plan, error.required_plan, len(http.requests)) == ("free", "pro", 1)
    bare = rekko_error(402, answer({"detail": "no", "plan": 7}, 402))
    assert isinstance(bare, PlanRequiredError)
    assert (bare.plan, bare.required_plan) == ("7", None)


def test_refused_parameters_are_named_one_by_one() -> None:
    detail = [
        {"loc": ["body", "limit"], "msg": "must be at most 100", "input": 500},
        {"loc": ["query", "period", 0], "msg": "unknown"},
        {"msg": "no place"},
        "only text",
        {},
    ]
    error, http, _ = refused(get, answer({"detail": detail}, 422))
    assert isinstance(error, InvalidParametersError)
    assert error.problems == (
        ("limit", "must be at most 100"),
        ("period.0", "unknown"),
        ("", "no place"),
        ("", "only text"),
        ("", "refused"),
    )
    assert "limit: must be at most 100; period.0: unknown" in str(error)
    assert len(http.requests) == 1


@pytest.mark.parametrize("body", [{"code": "quota_exceeded"}, {"quota": 20}, {"error": "quota"}])
def test_a_quota_is_not_tried_again_and_slows_nothing(body: dict[str, object]) -> None:
    body = {"message": "used up", "resets_at": "2026-04-01T00:00:00Z"} | body
    error, http, waited = refused(get, answer(body, 429, retry_after="1"))
    assert type(error) is QuotaExceededError
    assert error.resets_at == datetime(2026, 4, 1, tzinfo=UTC)
    assert error.quota == body.get("quota")
    assert (len(http.requests), waited) == (1, 0)


def test_a_spent_quota_does_not_slow_what_it_is_not_about() -> None:
    async def both(rekko: RekkoClient) -> None:
        with pytest.raises(QuotaExceededError):
            await start(rekko)
        await get(rekko)

    _, http = asking(both, answer({"code": "quota_exceeded"}, 429), answer({}), limits=INHERIT)
    assert http.times == [0, 0]


@pytest.mark.parametrize("quota", [{"limit": 5, "remaining": 0}, 5, None])
def test_a_rate_limit_that_names_the_quota_is_a_rate_limit(quota: object) -> None:
    body = {"code": "rate_limited", "detail": "slow down", "quota": quota}
    assert type(rekko_error(429, answer(body, 429))) is RateLimitError
    _, http = asking(get, answer(body, 429), answer({}))
    assert len(http.requests) == 2


@pytest.mark.parametrize("told", ["soon", "", None, [1], 1e300, {"a": 1}, True])
def test_a_quota_without_a_usable_time(told: object) -> None:
    error = rekko_error(429, answer({"code": "quota_exceeded", "resets_at": told}, 429))
    assert isinstance(error, QuotaExceededError)
    assert (error.resets_at, error.quota) == (None, None)


def test_a_quota_that_resets_at_unix_seconds() -> None:
    error = rekko_error(429, answer({"quota": "20 a day", "resets_at": 1_775_001_600}, 429))
    assert isinstance(error, QuotaExceededError)
    assert (error.resets_at, error.quota) == (datetime(2026, 4, 1, tzinfo=UTC), "20 a day")


# ---------------------------------------------------------------------------- trying again


def test_a_retry_comes_no_sooner_than_asked() -> None:
    async def timed(rekko: RekkoClient) -> float:
        import anyio

        began = anyio.current_time()
        await get(rekko)
        return anyio.current_time() - began

    too_fast = answer({"code": "rate_limited"}, 429, retry_after="7")
    busy = answer(b"", 503, retry_after="20")
    waited, http = asking(timed, too_fast, busy, answer({}))
    assert len(http.requests) == 3
    assert waited == pytest.approx(27)
    later, _ = asking(timed, too_fast, answer({}), retry=RetryPolicy(first=4))
    assert 7.01 < later < 11, "and not all at the same time"


def test_who_is_sent_away_for_long_is_told_so_at_once() -> None:
    error, http, waited = refused(get, answer({"code": "rate_limited"}, 429, retry_after="3600"))
    assert type(error) is RateLimitError
    assert (error.retry_after, len(http.requests), waited) == (3600, 1, 0)


def test_a_deadline_ends_a_wait_that_was_asked_for() -> None:
    error, _, waited = refused(get, answer({}, 429, retry_after="30"), deadline=4)
    assert isinstance(error, TimeoutError)
    assert isinstance(error.__cause__, RateLimitError)
    assert waited == pytest.approx(4)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "-3"}, 0),
        (
            {
                "retry-after": "Sun, 22 Nov 2026 15:00:30 GMT",
                "date": "Sun, 22 Nov 2026 15:00:00 GMT",
            },
            30,
        ),
        ({"retry-after": "Sun, 22 Nov 2026 15:00:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_what_retry_after_asks_for(header: dict[str, str], seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_what_may_have_been_carried_out_is_not_sent_twice() -> None:
    for failure in (answer(b"", 503), ConnectionLostError("broke")):
        error, http, _ = refused(start, failure, answer({"analysis_id": "a"}))
        assert isinstance(error, KalshiError)
        assert len(http.requests) == 1
        assert error.outcome_unknown
    _, http = asking(start, answer(b"", 429), answer({"analysis_id": "a"}))
    assert len(http.requests) == 2  # a 429 says that it was not carried out


@pytest.mark.parametrize(
    "use",
    [
        get,
        lambda rekko: rekko.screen(),
        lambda rekko: rekko.correlation(["A", "B"]),
        lambda rekko: rekko.webhooks.delete("w"),
        lambda rekko: rekko.request("POST", "/v1/screen", json={}),
    ],
)
def test_what_changes_nothing_more_is_sent_again(use: Any) -> None:
    _, http = asking(use, answer(b"", 502), ConnectionLostError("broke"), answer({"results": []}))
    assert len(http.requests) == 3


@pytest.mark.parametrize(
    "use",
    [
        start,
        lambda rekko: rekko.signals.get(market_query="fed"),
        lambda rekko: rekko.signals.portfolio(
            market_query="fed", bankroll_usd=1, max_position_pct="1"
        ),
        lambda rekko: rekko.trades.report(
            market_id="A", platform="k", side="no", size_usd=1, price="0.5"
        ),
        lambda rekko: rekko.webhooks.create("https://example.com/", events=["whale_alert"]),
        lambda rekko: rekko.request("POST", "/signals", json={}),
        lambda rekko: rekko.request("PATCH", "/anything", json={}),
    ],
)
def test_what_would_count_twice_is_not(use: Any) -> None:
    error, http, _ = refused(use, answer(b"", 502), answer({}))
    assert isinstance(error, KalshiError)
    assert error.outcome_unknown
    assert len(http.requests) == 1


@pytest.mark.parametrize("use", [get, lambda rekko: rekko.screen()])
def test_of_what_only_reads_the_outcome_is_never_in_doubt(use: Any) -> None:
    error, _, _ = refused(use, ConnectionLostError("broke"), retry=None)
    assert isinstance(error, KalshiError)
    assert not error.outcome_unknown


# ---------------------------------------------------------------------------- successes


def test_an_error_under_a_success_is_an_error() -> None:
    error, _, _ = refused(get, answer({"error": "no such market", "code": "not_found"}))
    assert isinstance(error, APIError)
    assert (error.status, error.code, error.message) == (200, "not_found", "no such market")


@pytest.mark.parametrize(
    "body",
    [
        {"status": "failed", "error": "no sources"},
        {"error": None, "title": "x"},
        {"title": 'an "error" in words'},
        [{"error": "x"}],
    ],
)
def test_an_answer_that_speaks_of_errors_is_none(body: object) -> None:
    Judge(Secret(KEY))(GET_MARKET, answer(body))


def test_redirects_are_not_followed() -> None:
    moved = answer(b"", 302, location="https://elsewhere.example/steal")
    error, http, _ = refused(get, moved)
    assert isinstance(error, DecodeError)
    assert "redirect to elsewhere.example is not followed" in str(error)
    assert len(http.requests) == 1


# ---------------------------------------------------------------------------- nonsense


@given(st.integers(400, 599), st.binary(max_size=60))
def test_no_body_is_too_odd(status: int, body: bytes) -> None:
    error = rekko_error(status, answer(body, status))
    assert error.status == status
    assert "\n" not in str(error)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(
            st.sampled_from(["error", "detail", "code", "message", "msg", "loc", "quota", "plan",
                             "resets_at", "required_plan"]), inner),
        max_leaves=12,
    )
)  # fmt: skip
def test_no_json_is_too_odd(body: object) -> None:
    try:
        raw = msgspec.json.encode(body)
    except (OverflowError, UnicodeEncodeError):
        return
    for status in (402, 422, 429, 500):
        assert rekko_error(status, answer(raw, status)).status == status


@pytest.mark.parametrize("body", [b"[" * 9000, b'{"detail":' * 900 + b"1" + b"}" * 900])
def test_depth_is_not_followed(body: bytes) -> None:
    assert rekko_error(422, answer(body, 422)).status == 422


def test_a_key_that_is_repeated_by_the_server_is_taken_out() -> None:
    for status in (401, 500, 302, 200):
        body = {"error": f"the key {KEY} is wrong"}
        error, _, _ = refused(get, answer(body, status), retry=None)
        assert TELLTALE not in f"{error} {error!r} {vars(error)}"


def test_a_key_that_is_repeated_in_a_success_is_taken_out() -> None:
    events: list[object] = []
    error, _, _ = refused(get, answer(b'["%s"]' % KEY.encode()), hooks=[events.append])
    assert isinstance(error, DecodeError)
    assert TELLTALE not in f"{vars(error)}"
    echoed = answer({"markets": [KEY, {"market_id": f"of {KEY}"}]})
    listed, _ = asking(lambda rekko: rekko.markets.list(), echoed, hooks=[events.append])
    assert (len(listed), len(listed.undecoded)) == (1, 1)
    assert TELLTALE not in f"{listed} {events}"


def test_errors_survive_being_copied_and_pickled() -> None:
    made = [
        rekko_error(429, answer({"quota": 3, "resets_at": "2026-04-01T00:00:00Z"}, 429)),
        rekko_error(402, answer({"plan": "free"}, 402)),
        rekko_error(422, answer({"detail": [{"loc": ["a"], "msg": "b"}]}, 422)),
    ]
    for error in made:
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert vars(twin) == vars(error)
            assert str(twin) == str(error)
