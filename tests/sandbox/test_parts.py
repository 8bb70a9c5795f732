"""The pure parts: cursors, token buckets, faults, signature verification."""

from __future__ import annotations

import base64
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox import Credentials, Fault, Faults
from kalshi_async.sandbox._auth import Key, KeyType, authenticate, make_key
from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._handlers import cursor
from kalshi_async.sandbox._limits import TIERS, UNLIMITED, Limits, TokenBucket, tier_named

from .conftest import signed

PATH = "/trade-api/v2/account/limits"
Member = tuple[Credentials, Key]


# Cursors


@given(st.integers(-(10**15), 4 * 10**15), st.text(max_size=80))
def test_a_cursor_survives(micros: int, name: str) -> None:
    assert cursor.decode(cursor.encode(micros, name)) == (micros, name)


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_a_garbage_cursor_is_no_cursor_or_a_place(token: str) -> None:
    found = cursor.decode(token)
    assert found is None or isinstance(found[0], int)


def test_a_recorded_cursor_is_read_and_written_alike() -> None:
    token = "CgYI8JHtswkSDktYRVJVUFRTVVBFUi0w"
    assert cursor.decode(token) == (2_524_662_000_000_000, "KXERUPTSUPER-0")
    assert cursor.encode(2_524_662_000_000_000, "KXERUPTSUPER-0") == token


# Token buckets


@given(
    st.floats(1, 1000),
    st.floats(10, 3000),
    st.lists(st.tuples(st.floats(0, 2), st.floats(1, 100)), max_size=60),
)
def test_a_bucket_never_gives_more_than_its_capacity_and_refill(
    rate: float, capacity: float, steps: list[tuple[float, float]]
) -> None:
    bucket = TokenBucket(rate, capacity, 0.0)
    now = taken = 0.0
    for wait, cost in steps:
        now += wait
        before = bucket.available(now)
        passed = bucket.take(cost, now)
        assert passed is (before + 1e-9 >= cost)
        taken += cost * passed
        assert taken <= capacity + rate * now + 1e-6
        assert 0 <= bucket.available(now) <= capacity


def test_a_bucket_is_full_again_after_its_refill_and_no_fuller() -> None:
    bucket = TokenBucket(200, 200, 0.0)
    assert sum(bucket.take(10, 0.0) for _ in range(30)) == 20
    assert not bucket.take(10, 0.04)
    assert bucket.take(10, 0.05)
    assert bucket.available(100.0) == 200
    assert bucket.available(50.0) == 200


def test_reads_and_writes_are_metered_apart() -> None:
    now = [0.0]
    limits = Limits(TIERS["basic"], lambda: now[0])
    assert sum(limits.admit("GetOrders", "GET", 10) for _ in range(100)) == 20
    assert sum(limits.admit("CreateOrderV2", "POST", 10) for _ in range(100)) == 10
    now[0] = 1.0
    assert sum(limits.admit("GetOrders", "GET", 10) for _ in range(100)) == 20
    assert repr(limits) == "<Limits basic: read 0, write 100>"
    free = Limits(UNLIMITED, lambda: 0.0)
    assert all(free.admit("GetOrders", "GET", 10) for _ in range(1000))


def test_tiers_by_name() -> None:
    assert tier_named(None) is tier_named("unlimited") is UNLIMITED
    assert tier_named("prestige").write_rate == 9_600
    with pytest.raises(ValueError, match=r"unknown tier 'gold': choose one of basic, .*unlimited"):
        tier_named("gold")


# Faults


def outcome(faults: Faults, calls: int = 200) -> list[Fault]:
    return [faults.decide("GetMarkets") for _ in range(calls)]


def test_the_same_seed_gives_the_same_faults() -> None:
    def make(seed: int) -> Faults:
        return Faults(jitter=0.1, error_rate=0.2, drop_rate=0.1, rate_limit_rate=0.1, seed=seed)

    assert outcome(make(4)) == outcome(make(4))
    assert outcome(make(4)) != outcome(make(5))
    found = outcome(make(4), 4000)
    errors = sum(fault.status in (500, 502, 503, 504) for fault in found)
    drops = [fault for fault in found if fault.drop]
    assert 700 < errors < 900
    assert 300 < len(drops) < 500
    assert {fault.processed for fault in drops} == {True, False}
    assert 300 < sum(fault.status == 429 for fault in found) < 500
    assert all(0 <= fault.delay <= 0.1 for fault in found)


def test_no_faults_by_default() -> None:
    assert outcome(Faults()) == [Fault()] * 200


def test_scripted_faults_hit_the_named_calls() -> None:
    faults = Faults().on("GetMarkets", nth=2, status=503).on("GetEvents", drop=True)
    faults.on("*", nth=5, times=2, delay=0.5)
    assert faults.decide("GetMarkets").status is None
    assert faults.decide("GetMarkets").status == 503
    assert faults.decide("GetEvents").drop
    assert not faults.decide("GetEvents").drop
    assert [faults.decide("GetSeries").delay for _ in range(3)] == [0.5, 0.5, 0.0]
    assert faults.injected == 4
    assert "3 scripted, 4 injected" in repr(faults)


def test_a_script_does_not_shift_the_random_faults() -> None:
    plain = outcome(Faults(error_rate=0.5, seed=1), 50)
    scripted = outcome(Faults(error_rate=0.5, seed=1).on("GetMarkets", nth=3, status=418), 50)
    assert scripted[2].status == 418
    assert scripted[:2] + scripted[3:] == plain[:2] + plain[3:]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"latency": -1}, "latency=-1"),
        ({"jitter": float("nan")}, "jitter=nan"),
        ({"latency": float("inf")}, "latency=inf"),
        ({"error_rate": 1.5}, "error_rate=1.5"),
        ({"drop_rate": -0.1}, "drop_rate=-0.1"),
        ({"error_rate": 0.6, "drop_rate": 0.6}, "at most 1"),
        ({"errors": ()}, r"errors=\(\)"),
        ({"errors": (404,)}, "500 to 599"),
    ],
)
def test_faults_out_of_range_are_refused(options: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Faults(**options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"operation": "GetMarket5", "status": 500}, "did you mean 'GetMarket"),
        ({"operation": "GetMarkets"}, "give the fault"),
        ({"operation": "GetMarkets", "status": 200}, "400 to 599"),
        ({"operation": "GetMarkets", "status": 500, "drop": True}, "without drop"),
        ({"operation": "GetMarkets", "nth": 0, "drop": True}, "1 or more"),
        ({"operation": "GetMarkets", "processed": True, "status": 500}, "needs drop"),
        ({"operation": "GetMarkets", "delay": -1}, "delay=-1"),
    ],
)
def test_scripts_that_make_no_sense_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Faults().on(**options)


# Signatures


@pytest.fixture(scope="module", params=["ed25519", "rsa"])
def member(request: pytest.FixtureRequest) -> Member:
    return make_member(request.param)


def make_member(key_type: KeyType) -> Member:
    credentials, public = make_key("11111111-2222-4333-8444-555555555555", key_type)
    return credentials, Key(credentials.api_key_id, "someone", "a key", public)


def check(member: Member, headers: dict[str, str], *, method: str = "GET", path: str = PATH) -> Key:
    now_ms = int(time.time() * 1000)
    return authenticate({member[0].api_key_id: member[1]}, method, path, headers, now_ms)


def refusal(member: Member, headers: dict[str, str], **request: str) -> object:
    with pytest.raises(ApiError) as caught:
        check(member, headers, **request)
    assert caught.value.status == 401
    return caught.value.body


def test_a_signed_request_is_its_accounts(member: Member) -> None:
    for offset in (0.0, -19.0, 29.0):
        assert check(member, signed(member[0], "GET", PATH, offset=offset)) is member[1]


@pytest.mark.parametrize("salt", [0, 32, padding.PSS.MAX_LENGTH])
def test_any_salt_length_is_accepted(salt: object) -> None:
    member = make_member("rsa")
    assert check(member, signed(member[0], "GET", PATH, salt=salt)) is member[1]


def test_the_bodies_of_refusals(member: Member) -> None:
    good = signed(member[0], "GET", PATH)
    wrong = {
        "error": {
            "code": "authentication_error",
            "message": "authentication_error",
            "details": "INCORRECT_API_KEY_SIGNATURE",
        }
    }
    expired = {
        "error": {
            "code": "header_timestamp_expired",
            "message": "header timestamp expired",
        }
    }
    assert refusal(member, good, method="POST") == wrong
    assert refusal(member, good, path=PATH + "?limit=1") == wrong
    for signature in ("AAAA", "not base64!", "é"):
        assert refusal(member, good | {"KALSHI-ACCESS-SIGNATURE": signature}) == wrong
    for offset in (-22.0, 32.0, -3600.0):
        assert refusal(member, signed(member[0], "GET", PATH, offset=offset)) == expired
    for stamp in ("", "soon", "-5", "9" * 40, "²"):
        assert refusal(member, good | {"KALSHI-ACCESS-TIMESTAMP": stamp}) == expired
    unknown = Credentials("unknown", member[0].private_key_pem)
    assert refusal(member, signed(unknown, "GET", PATH)) == {
        "error": {
            "code": "authentication_error",
            "message": "authentication_error",
            "details": "NOT_FOUND",
        }
    }
    without = {name: value for name, value in good.items() if name != "KALSHI-ACCESS-SIGNATURE"}
    assert refusal(member, without) == {
        "error": {
            "code": "signature_is_missing_from_headers",
            "message": "signature is missing from headers",
        }
    }
    assert refusal(member, {}) == {
        "error": {
            "code": "token_authentication_failure",
            "message": "token authentication failure",
        }
    }


def test_the_recorded_body_of_a_stale_request(shared: object) -> None:
    import json
    from pathlib import Path

    recorded = Path(str(shared)) / "recorded" / "2026-06-demo" / "auth__skew_minus5min.json"
    member = make_member("ed25519")
    body = refusal(member, signed(member[0], "GET", PATH, offset=-300))
    assert body == json.loads(recorded.read_text())


def test_a_private_key_never_shows(member: Member) -> None:
    shown = repr(member)
    assert "PRIVATE" not in shown
    assert member[0].private_key_pem.decode().splitlines()[1][:20] not in shown


def test_an_unknown_kind_of_key_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown key_type 'dsa'"):
        make_key("any", "dsa")  # type: ignore[arg-type]
