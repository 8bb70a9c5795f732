"""When a lost connection is made again, and when it is of no use."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import (
    ConfigurationError,
    ConnectionFailedError,
    KalshiError,
    RequestTimeoutError,
)
from kalshi_async._errors import ErrorBody, api_error
from kalshi_async.stream import Reconnect, StreamError
from kalshi_async.stream._reconnect import is_final

SECONDS = st.floats(0, 1e9, allow_nan=False)


class Bounds(random.Random):
    """Gives back the highest that may be drawn."""

    def uniform(self, a: float, b: float) -> float:
        assert a == 0
        return b


# ---------------------------------------------------------------------------- back-off


def test_the_waits_double_up_to_the_cap():
    back_off, most = Reconnect(base=0.25, cap=3.0), Bounds()
    waits = [back_off.wait(failures, most) for failures in range(7)]
    assert waits == [0.25, 0.5, 1.0, 2.0, 3.0, 3.0, 3.0]


@given(SECONDS, SECONDS, st.integers(0, 10**9), st.integers())
def test_a_wait_is_within_its_bounds(base, cap, failures, seed):
    back_off = Reconnect(base=base, cap=cap)
    wait = back_off.wait(failures, random.Random(seed))
    assert 0 <= wait <= cap
    assert failures > 60 or wait <= base * 2.0**failures


@given(st.integers(0, 10**9))
def test_the_longest_wait_never_shrinks(failures):
    back_off, most = Reconnect(), Bounds()
    assert back_off.wait(failures, most) <= back_off.wait(failures + 1, most) <= 30.0


def test_the_waits_spread_over_all_that_is_allowed():
    rng = random.Random(5)
    waits = [Reconnect(base=1.0).wait(3, rng) for _ in range(2_000)]
    for low in range(8):
        share = sum(low <= wait < low + 1 for wait in waits) / len(waits)
        assert 0.09 < share < 0.16


def test_the_same_seed_draws_the_same():
    draws = [[Reconnect().wait(n, random.Random(n)) for n in range(9)] for _ in range(2)]
    assert draws[0] == draws[1]


# ---------------------------------------------------------------------------- giving up


@pytest.mark.parametrize(
    ("tries", "failures", "over"),
    [(None, 10**9, False), (0, 0, False), (0, 1, True), (3, 3, False), (3, 4, True)],
)
def test_how_many_failures_are_enough(tries, failures, over):
    assert Reconnect(tries=tries).over(failures) is over


@pytest.mark.parametrize("name", ["base", "cap", "stable"])
@pytest.mark.parametrize("value", [-1, float("nan"), "1", None, True, 1j])
def test_seconds_are_checked(name: str, value: Any):
    with pytest.raises(ConfigurationError, match=f"Reconnect: {name} is"):
        Reconnect(**{name: value})


@pytest.mark.parametrize("value", [True, 1.5, "3"])
def test_the_count_is_checked(value: Any):
    with pytest.raises(ConfigurationError, match="Reconnect: tries is"):
        Reconnect(tries=value)


def answered(status: int, code: str | None = None) -> KalshiError:
    return api_error(status, ErrorBody(code=code, message="no"))


def final(error: KalshiError, failures: int = 1, *, stood: bool, expired: bool = False) -> bool:
    return is_final(error, failures, stood=stood, expired=expired)


TRANSIENT = [answered(status) for status in (429, 500, 502, 503, 504)] + [
    ConnectionFailedError("x"),
    RequestTimeoutError("x"),
    StreamError("x"),
]


@pytest.mark.parametrize("error", TRANSIENT, ids=repr)
@pytest.mark.parametrize("stood", [True, False])
@pytest.mark.parametrize("failures", [1, 4, 10**6])
def test_trouble_that_passes_is_never_final(error, stood, failures):
    assert not final(error, failures, stood=stood)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 418])
def test_a_refusal_of_the_first_connection_is_final(status):
    assert final(answered(status), stood=False)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_worked_is_refused_four_times(status):
    error = answered(status)
    assert [final(error, failures, stood=True) for failures in range(1, 6)] == [False] * 3 + [
        True
    ] * 2


@pytest.mark.parametrize("status", [200, 301, 400, 404])
def test_an_address_that_worked_is_not_given_up(status):
    assert not final(answered(status), 10**6, stood=True)


@pytest.mark.parametrize("stood", [True, False])
def test_an_expired_signature_is_made_anew(stood):
    error = answered(401, "header_timestamp_expired")
    told = [final(error, failures, stood=stood, expired=True) for failures in range(1, 5)]
    assert told == [False, False, False, True]


@pytest.mark.parametrize("stood", [True, False])
def test_a_wrong_setting_is_final(stood):
    assert final(ConfigurationError("no such proxy"), stood=stood)
