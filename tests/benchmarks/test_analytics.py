"""The analytics benchmark: what it makes up, and a short run from the outside."""

from __future__ import annotations

from random import Random

from benchmarks.contenders import fees
from benchmarks.contenders.arbitrage import LEVELS, MARKETS, made_up, measure
from kalshi_async.analytics import arbitrage
from kalshi_async.analytics.fees import FREE

from .short_runs import quick


def test_only_events_with_a_wrong_price_hold_packages() -> None:
    assert not any(
        arbitrage.find(event, books, fees=FREE) for event, books in made_up(20, 0.0, Random(1))
    )
    wrong = list(made_up(20, 1.0, Random(1)))
    found = [arbitrage.find(event, books, fees=FREE) for event, books in wrong]
    assert {package.kind for packages in found for package in packages} == {"all_no", "monotone"}
    assert sum(map(bool, found)) >= 15


def test_books_are_full() -> None:
    for event, books in made_up(4, 0.5, Random(2)):
        assert len(event.markets or ()) == len(books) == MARKETS
        for book in books.values():
            assert max(len(book.yes), len(book.no)) == LEVELS
            assert min(len(book.yes), len(book.no)) >= 1


def test_what_is_measured_is_counted() -> None:
    figures = measure(20, 1.0)
    assert 15 <= figures["found"] <= figures["screened"] <= 20
    assert figures["find"] > 0


def test_every_pair_has_a_fee() -> None:
    figures = fees.measure(500)
    assert figures["charged"] == 500
    assert 0 < figures["staked"] < 500
    assert figures["seconds"] > 0


def test_a_short_run_measures_every_share_against_the_figure_to_reach() -> None:
    report = quick("analytics")
    found = {row["work"]: row["found"] for row in report["rows"]}
    assert 0 < found["fee and Kelly share"] < 20_000
    for work in ("find", "promising"):
        assert found[f"arbitrage, 0% of events mispriced: {work}"] == 0
        assert found[f"arbitrage, 50% of events mispriced: {work}"] > 0
    bounds = {target["name"]: target["bound"] for target in report["targets"]}
    assert bounds["fee and Kelly share of 1,000,000 pairs, s"] == 3
    assert {target["bound"] for target in report["targets"] if "arbitrage" in target["name"]} == {
        10
    }
