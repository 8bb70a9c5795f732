"""Waiting for an analysis: when it is asked for, what ends it, and what does not."""

from __future__ import annotations

import copy
import itertools
import pickle
from decimal import Decimal
from typing import Any

import anyio
import pytest

from kalshi_async import (
    AnalysisFailedError,
    AnalysisPendingError,
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    InvalidRequestError,
    KalshiError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    Request,
    RequestTimeoutError,
    Response,
    ServerError,
)
from kalshi_async.rekko import Analysis, AnalysisStatus, RekkoClient
from tests.rekko.scripts import (
    COMPLETE,
    MARKET,
    RESULT,
    RUN,
    RUNNING,
    STARTED,
    analyze,
    asking,
    looks,
    patient,
    refused,
    scripted,
)
from tests.support import Answer, answer, in_virtual_time


def test_it_starts_asks_and_reads() -> None:
    analysis, http = asking(analyze, STARTED, RUNNING, RUNNING, COMPLETE, RESULT)
    assert (analysis.probability, analysis.edge) == (Decimal("0.71"), Decimal("0.09"))
    assert (analysis.analysis_id, analysis.platform, analysis.market_id) == ("a1", *MARKET)
    assert [(request.method, request.path) for request in http.requests] == [
        ("POST", RUN),
        *[("GET", f"{RUN}/a1/status")] * 3,
        ("GET", RUN.removesuffix("analyze") + "analysis"),
    ]


def test_waits_grow_from_two_seconds_to_ten() -> None:
    script = [STARTED, *[RUNNING] * 9, COMPLETE, RESULT]
    _, http = asking(analyze, *script)
    times = [0.0, *looks(http)]
    expected = [2, 3, 4.5, 6.75, 10, 10, 10, 10, 10, 10]
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert waits == pytest.approx(expected, rel=0.11)
    assert waits != pytest.approx(expected, rel=0.001), "there is no jitter"


@pytest.mark.parametrize("seconds", [0.5, 1, 3, 5.5, 7.3, 60, 180])
def test_the_last_look_is_when_the_time_is_up(seconds: float) -> None:
    error, http, waited = refused(patient(seconds), STARTED, RUNNING)
    assert isinstance(error, AnalysisPendingError)
    assert isinstance(error, TimeoutError)
    assert waited == pytest.approx(seconds)
    assert looks(http)[-1] == pytest.approx(seconds)
    gaps = [later - earlier for earlier, later in itertools.pairwise(looks(http))]
    assert all(gap >= 1 for gap in gaps), "no look just before the last"
    assert (error.analysis_id, error.platform, error.market_id) == ("a1", *MARKET)
    assert error.status == "running"
    assert error.waited == pytest.approx(seconds)
    assert error.__cause__ is None
    for fact in ("a1", "kalshi/KXFED-26MAR19", "running", "resume"):
        assert fact in str(error)


def test_who_has_no_time_limit_waits_until_the_end() -> None:
    script = [STARTED, *[RUNNING] * 200, COMPLETE, RESULT]
    analysis, http = asking(patient(None), *script)
    assert analysis.recommendation == "buy_yes"
    assert len(looks(http)) == 201


def test_a_pending_run_is_gone_on_with() -> None:
    async def twice(rekko: RekkoClient) -> Analysis:
        try:
            await rekko.analyze(*MARKET, timeout=5)
        except AnalysisPendingError as exc:
            with pytest.raises(AnalysisPendingError) as second:
                await exc.resume(timeout=1)
            return await second.value.resume()
        raise AssertionError

    script = [STARTED, *[RUNNING] * 4, COMPLETE, RESULT]
    analysis, http = asking(twice, *script)
    assert analysis.analysis_id == "a1"
    assert [request.method for request in http.requests].count("POST") == 1
    assert looks(http)[2:4] == pytest.approx([5, 6]), "it looks at once, and at the end"


def test_a_run_is_resumed_by_its_id() -> None:
    analysis, http = asking(lambda rekko: rekko.resume(*MARKET, "b/2"), COMPLETE, RESULT)
    assert analysis.analysis_id == "b/2"
    assert http.requests[0].path == f"{RUN}/b%2F2/status"
    assert len(http.requests) == 2


TRANSIENT: list[Answer] = [
    answer(b"", 500),
    answer(b"", 503),
    answer(b"", 429),
    answer(b"", 408),
    answer(b"", 204),
    answer(b"<html>try later"),
    answer([1, 2]),
    ConnectionFailedError("no route"),
    ConnectionLostError("broke"),
    RequestTimeoutError("slow"),
]


@pytest.mark.parametrize("trouble", TRANSIENT, ids=str)
def test_trouble_on_the_way_does_not_end_it(trouble: Answer) -> None:
    script = [STARTED, trouble, RUNNING, trouble, COMPLETE, trouble, RESULT]
    analysis, _ = asking(analyze, *script, retry=None)
    assert analysis.recommendation == "buy_yes"


def test_lasting_trouble_is_the_cause_of_a_pending_run() -> None:
    error, http, waited = refused(patient(30), STARTED, RUNNING, answer(b"", 503), retry=None)
    assert isinstance(error, AnalysisPendingError)
    assert isinstance(error.__cause__, ServerError)
    assert error.status == "running"
    assert waited == pytest.approx(30)
    assert len(looks(http)) > 4


def test_an_analysis_that_comes_a_little_after_its_status() -> None:
    missing = answer({"code": "no_analysis", "detail": "none yet"}, 404)
    analysis, http = asking(analyze, STARTED, COMPLETE, missing, missing, RESULT)
    assert analysis.recommendation == "buy_yes"
    assert len(looks(http)) == 1, "what is known to be complete is not asked for again"
    error, _, _ = refused(patient(20), STARTED, COMPLETE, missing)
    assert isinstance(error, AnalysisPendingError)
    assert (error.status, type(error.__cause__)) == ("complete", NotFoundError)


@pytest.mark.parametrize("status", ["failed", "FAILED", "error", "cancelled", "expired"])
def test_a_run_that_fails_says_why(status: str) -> None:
    told = answer({"status": status, "error": "no sources\nfound"})
    error, http, _ = refused(analyze, STARTED, RUNNING, told)
    assert isinstance(error, AnalysisFailedError)
    assert (error.analysis_id, error.status, error.reason) == ("a1", status, "no sources\nfound")
    assert "no sources found" in str(error)
    assert len(http.requests) == 3
    assert not hasattr(error, "__notes__")


@pytest.mark.parametrize(
    ("body", "reason"),
    [({}, None), ({"error": {"m": 1}}, "{'m': 1}"), ({"reason": "gone"}, "gone")],
)
def test_a_run_that_fails_in_other_words(body: dict[str, object], reason: str | None) -> None:
    error, _, _ = refused(analyze, STARTED, answer({"status": "failed"} | body))
    assert isinstance(error, AnalysisFailedError)
    assert error.reason == reason


@pytest.mark.parametrize("word", ["complete", "Complete", "completed", "succeeded"])
def test_a_run_that_is_complete_at_once(word: str) -> None:
    _, http = asking(analyze, answer({"analysis_id": "a1", "status": word}), RESULT)
    assert [request.method for request in http.requests] == ["POST", "GET"]
    assert http.times == [0, 0]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {}, AuthenticationError),
        (403, {}, PermissionDeniedError),
        (429, {"code": "quota_exceeded"}, QuotaExceededError),
    ],
)
def test_what_will_not_pass_ends_it_and_tells_the_run(
    status: int, body: object, kind: type[KalshiError]
) -> None:
    error, http, _ = refused(analyze, STARTED, answer(body, status))
    assert type(error) is kind
    assert "a1" in error.__notes__[0]
    assert len(http.requests) == 2


def test_a_start_that_fails_starts_nothing_more() -> None:
    error, http, _ = refused(analyze, answer({"code": "plan_required"}, 402))
    assert isinstance(error, KalshiError)
    assert (error.operation, len(http.requests)) == ("RekkoAnalyze", 1)
    error, http, _ = refused(analyze, answer({"status": "pending"}, 202))
    assert isinstance(error, DecodeError)
    assert "analysis_id" in str(error)
    assert error.may_have_reached_server


async def never(request: Request) -> Response:
    await anyio.sleep_forever()
    raise AssertionError


def test_a_start_that_is_not_answered_ends_with_the_time() -> None:
    error, _, waited = refused(patient(25), never, timeout=None)
    assert isinstance(error, DeadlineExceededError)
    assert error.outcome_unknown
    assert waited == pytest.approx(25)


def test_a_status_that_is_not_answered_takes_little_longer() -> None:
    error, _, waited = refused(patient(25), STARTED, never, timeout=None)
    assert isinstance(error, AnalysisPendingError)
    assert isinstance(error.__cause__, DeadlineExceededError)
    assert 25 <= waited <= 30.001
    assert error.status == "pending"


def test_a_result_that_is_not_answered_takes_no_longer() -> None:
    async def late(request: Request) -> Response:
        await anyio.sleep(4.9)
        return COMPLETE if request.path.endswith("status") else await never(request)

    error, http, waited = refused(patient(3), STARTED, late, timeout=None)
    assert isinstance(error, AnalysisPendingError)
    assert error.status == "complete"
    assert len(http.requests) == 3
    assert 3 < waited <= 3 + 5.001


def test_the_deadline_of_the_client_holds_for_each_call() -> None:
    error, http, waited = refused(patient(25), STARTED, never, timeout=None, deadline=3)
    assert isinstance(error, AnalysisPendingError)
    assert len(http.requests) == 1 + 4, "at 2, 8, 15.5 and 25 s"
    assert waited <= 28.001
    start, _, waited = refused(patient(25), never, timeout=None, deadline=3)
    assert isinstance(start, DeadlineExceededError)
    assert waited == pytest.approx(3)


def test_progress_is_told_at_each_look() -> None:
    told: list[AnalysisStatus] = []
    script = [STARTED, RUNNING, answer(b"", 500), COMPLETE, RESULT]
    asking(lambda rekko: rekko.analyze(*MARKET, on_progress=told.append), *script, retry=None)
    assert {one.analysis_id for one in told} == {"a1"}
    assert [(one.status, one.progress, one.complete) for one in told] == [
        ("pending", None, False),
        ("running", Decimal("0.25"), False),
        ("complete", None, True),
    ]


@pytest.mark.parametrize("kind", [LookupError, DecodeError, ConnectionLostError])
@pytest.mark.parametrize(("at", "asked"), [("pending", 1), ("running", 2)])
def test_what_progress_raises_ends_the_waiting(kind: type[Exception], at: str, asked: int) -> None:
    """Also where it looks like trouble on the way."""

    def enough(status: AnalysisStatus) -> None:
        if status.status == at:
            raise kind("enough")

    error, http, _ = refused(
        lambda rekko: rekko.analyze(*MARKET, on_progress=enough), STARTED, RUNNING
    )
    assert type(error) is kind
    assert len(http.requests) == asked


def test_who_is_cancelled_before_the_first_look_knows_the_run() -> None:
    told: list[str | None] = []

    async def main() -> None:
        rekko, _ = scripted(STARTED, RUNNING)
        async with rekko:
            with anyio.move_on_after(1):
                await rekko.analyze(*MARKET, on_progress=lambda one: told.append(one.analysis_id))

    in_virtual_time(main)
    assert told == ["a1"]


@pytest.mark.parametrize("when", [0.5, 1.0, 2.5, 4.0, 9.0])
def test_cancelled_at_any_time_it_ends_at_once_and_leaves_nothing(when: float) -> None:
    async def main() -> None:
        rekko, http = scripted(STARTED, RUNNING)
        http.latency = 1.0
        async with rekko:
            with anyio.move_on_after(when) as scope:
                await rekko.analyze(*MARKET)
            assert scope.cancelled_caught
            assert anyio.current_time() == pytest.approx(when)
            assert http.in_flight == 0
            asked = len(http.requests)
            await anyio.sleep(60)
            assert len(http.requests) == asked, "nothing goes on behind the caller's back"

    in_virtual_time(main)


@pytest.mark.parametrize("timeout", [0, -1, True, "5", float("nan")])
def test_impossible_times_are_refused(timeout: Any) -> None:
    for use in (patient(timeout), lambda rekko: rekko.resume(*MARKET, "a1", timeout=timeout)):
        error, http, _ = refused(use, STARTED)
        assert isinstance(error, ConfigurationError)
        assert "timeout is" in str(error)
        assert http.requests == []


def test_a_time_that_is_too_short_to_tell_is_over_and_no_mistake() -> None:
    async def at_last(rekko: RekkoClient) -> Analysis:
        await anyio.sleep(80_000)
        return await rekko.analyze(*MARKET, timeout=1e-12)

    error, _, _ = refused(at_last, STARTED, RUNNING)
    assert isinstance(error, AnalysisPendingError)


@pytest.mark.parametrize("use", [
    lambda rekko: rekko.analyze("", "A"),
    lambda rekko: rekko.analyze("kalshi", " "),
    lambda rekko: rekko.resume("kalshi", "A", ""),
    lambda rekko: rekko.resume("kalshi", "A", ".."),
    lambda rekko: rekko.analyses.status("kalshi", "A", None),
])  # fmt: skip
def test_markets_and_runs_have_names(use: Any) -> None:
    error, http, _ = refused(use, RUNNING)
    assert isinstance(error, InvalidRequestError)
    assert http.requests == []


def test_errors_survive_being_copied_and_pickled() -> None:
    pending, _, _ = refused(patient(1), STARTED, RUNNING)
    failed, _, _ = refused(analyze, STARTED, answer({"status": "failed", "error": "x"}))
    for error in (pending, failed):
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert (type(twin), str(twin)) == (type(error), str(error))
            assert vars(twin)["analysis_id"] == "a1"
    twin = pickle.loads(pickle.dumps(pending))
    with pytest.raises(ConfigurationError, match=r"rekko\.resume\('kalshi', 'KXFED-26MAR19', 'a1'"):
        in_virtual_time(twin.resume)
