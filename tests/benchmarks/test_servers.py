"""The benchmark server: its bucket, its queries, and its bytes over a real socket."""

from __future__ import annotations

import http.client
import json
import random
import sys
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks._listing import Listing, Query
from benchmarks._process import BenchmarkError
from benchmarks._servers import BASE_PATH, Exchange, StrictBucket, parse_query, running


@given(
    rate=st.integers(1, 1000),
    capacity=st.integers(10, 1000),
    gaps=st.lists(st.floats(0, 2, allow_nan=False), max_size=60),
)
def test_the_bucket_never_gives_more_than_capacity_and_refill(
    rate: int, capacity: int, gaps: list[float]
) -> None:
    bucket, now, spent = StrictBucket(rate, capacity), 5.0, 0
    for gap in gaps:
        now += gap
        before = bucket.spent
        granted = bucket.charge(10, now)
        spent += 10 if granted else 0
        assert bucket.spent - before == (10 if granted else 0)
        assert bucket.spent <= capacity + rate * (now - 5.0) + 1e-6
        assert -1e-6 <= bucket.tokens <= capacity
    assert bucket.spent == spent
    assert bucket.refused == len(gaps) - spent / 10


def test_the_bucket_starts_full_refuses_for_nothing_and_refills() -> None:
    bucket = StrictBucket(rate=100, capacity=20)
    assert [bucket.charge(10, 0.0) for _ in range(3)] == [True, True, False]
    assert bucket.charge(10, 0.05) is False
    assert bucket.charge(10, 0.1) is True
    assert (bucket.spent, bucket.refused) == (30, 2)


def test_queries_are_read_and_strangers_ignored() -> None:
    text = "limit=20&cursor=k000000040&min_created_ts=5&max_created_ts=9&status=open"
    assert parse_query(text) == Query(20, 40, 5, 9)
    assert parse_query("") == Query(100, None, None, None)


def test_latency_is_drawn_from_the_seeded_generator_within_its_bounds() -> None:
    def draws(seed: int) -> list[float]:
        exchange = Exchange(Listing(1), latency=(0.005, 0.1), rng=random.Random(seed))
        return [exchange.round_trip() for _ in range(50)]

    assert draws(1) == draws(1) != draws(2)
    assert all(0.005 <= wait <= 0.1 for wait in draws(1))


def test_over_a_socket_pages_statuses_refusals_and_counters() -> None:
    with running(sys.executable, markets=30, rate=0.001, capacity=40) as url:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)

        def get(target: str) -> tuple[int, dict[str, object]]:
            connection.request("GET", target)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

        status, page = get(f"{BASE_PATH}/markets?limit=25")
        assert status == 200
        assert len(page["markets"]) == 25
        socket = connection.sock
        status, page = get(f"{BASE_PATH}/markets?limit=25&cursor={page['cursor']}")
        assert (len(page["markets"]), page["cursor"]) == (5, "")
        assert get(f"{BASE_PATH}/exchange/status")[0] == 200
        assert get(f"{BASE_PATH}/nowhere") == (
            404,
            {"error": {"code": "not_found", "message": "not found"}},
        )
        assert get(f"{BASE_PATH}/markets") == (
            429,
            {"error": {"code": "too_many_requests", "message": "too many requests"}},
        )
        assert connection.sock is socket, "the connection is kept alive"
        counted = get("/stats")[1]
        assert (counted["requests"], counted["spent"], counted["refused"]) == (5, 40, 1)
        connection.close()


def test_a_server_that_cannot_start_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BenchmarkError, match="did not start"), running(sys.executable, markets=0):
        pass
    assert "at least one market" in capfd.readouterr().err
