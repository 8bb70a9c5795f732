"""Runs that Rekko does not find for a while, and Rekko that wants to be left alone."""

from __future__ import annotations

import pytest

from kalshi_async import AnalysisPendingError, DecodeError, NotFoundError
from tests.rekko.scripts import (
    COMPLETE,
    MARKET,
    RESULT,
    RUNNING,
    STARTED,
    analyze,
    asking,
    looks,
    patient,
    refused,
)
from tests.support import Answer, answer

MISSING = answer({"code": "not_found", "detail": "no such run"}, 404)


def test_a_run_that_is_not_found_at_first_is_asked_for_again() -> None:
    analysis, _ = asking(analyze, STARTED, MISSING, MISSING, RUNNING, MISSING, COMPLETE, RESULT)
    assert analysis.recommendation == "buy_yes"


@pytest.mark.parametrize("seconds", [180, None])
@pytest.mark.parametrize("before", [(), (RUNNING,), (COMPLETE,)])
def test_a_run_that_is_found_no_more_is_given_up_soon(
    seconds: float | None, before: tuple[Answer, ...]
) -> None:
    error, _, waited = refused(patient(seconds), STARTED, *before, MISSING)
    assert type(error) is NotFoundError
    assert "a1" in error.__notes__[0]
    assert 30 <= waited <= 50


@pytest.mark.parametrize("before", [(), (RUNNING,), (COMPLETE,)])
def test_answers_that_nobody_can_read_are_not_asked_for_without_end(
    before: tuple[Answer, ...],
) -> None:
    error, _, waited = refused(patient(600), STARTED, *before, answer(["garbage"]))
    assert type(error) is DecodeError
    assert 30 <= waited <= 50


def test_half_a_minute_begins_anew_with_every_answer() -> None:
    script = [STARTED, *[MISSING, MISSING, RUNNING] * 5, COMPLETE, RESULT]
    assert asking(patient(None), *script)[0].edge


def test_who_resumes_a_run_that_nobody_knows_is_told_at_once() -> None:
    error, http, waited = refused(lambda rekko: rekko.resume(*MARKET, "b1"), MISSING)
    assert type(error) is NotFoundError
    assert (len(http.requests), waited) == (1, 0)
    script = [RUNNING, MISSING, COMPLETE, RESULT]
    assert asking(lambda rekko: rekko.resume(*MARKET, "b1"), *script)[0].edge


@pytest.mark.parametrize("status", [429, 503])
def test_rekko_is_left_alone_for_as_long_as_it_asks(status: int) -> None:
    busy = answer({"code": "rate_limited"}, status, retry_after="90")
    _, http = asking(analyze, STARTED, busy, COMPLETE, RESULT)
    first, second = looks(http)
    assert second - first == pytest.approx(90)
    error, http, waited = refused(patient(60), STARTED, busy)
    assert isinstance(error, AnalysisPendingError)
    assert looks(http)[1:] == pytest.approx([60]), "the last look is at the end all the same"
    assert waited == pytest.approx(60)
