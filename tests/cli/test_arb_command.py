"""``kalshi-async arb``."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from anyio import to_thread

from kalshi_async import KalshiClient, Request, Response
from kalshi_async.cli._arb import MAX_BOOKS, ArbOptions, Findings, _closing_lines, _Hunt
from kalshi_async.sandbox import Sandbox

from ..support import ScriptedHTTP, answer
from .runner import Result, kalshi


async def run(exchange: Sandbox, *arguments: str) -> Result:
    """The command against an exchange that goes on meanwhile."""
    url = exchange.base_url
    return await to_thread.run_sync(
        lambda: kalshi("arb", *arguments, KALSHI_ENV="sandbox", KALSHI_BASE_URL=url)
    )


async def test_packages_are_found_listed_and_nothing_is_placed() -> None:
    async with Sandbox.serve(seed=7, markets=150, tier=None, deposit="1000000") as exchange:
        async with exchange.client(limits=None) as maker:
            events = maker.events.list(with_nested_markets=True, status="open")
            event = next(each for each in await events.collect() if each.mutually_exclusive)
            first, second = (market.ticker for market in (event.markets or [])[:2])
            for ticker in (first, second):
                offered = sum(size for bid, size in exchange.book(ticker)["no"])
                await maker.orders.create(
                    ticker, action="buy", side="yes", count=offered + 30, price="0.80"
                )
        orders = {ticker: exchange.book(ticker) for ticker in (first, second)}
        done = await run(exchange, "--json")
        assert done.code == 0, done.err
        summary = json.loads(done.out)
        (found,) = summary["found"]
        assert summary["packages"] == summary["candidates"] == 1
        assert summary["books"] == len(found["legs"])
        assert summary["skipped"] == {}
        assert (found["kind"], found["event"]) == ("all_no", event.event_ticker)
        assert {first, second} <= {leg["market"] for leg in found["legs"]}
        spent = Decimal(found["cost"]) + Decimal(found["worst_fees"])
        assert Decimal(found["profit"]) == Decimal(found["payout"]) - spent > 0

        shown = await run(exchange, "--series", event.series_ticker)
        assert shown.code == 0, shown.err
        assert "all_no" in shown.out
        assert f"NO {first} at 0.20" in shown.out
        assert shown.out.splitlines()[-1].startswith("1 package: ")
        assert "\x1b" not in shown.out + shown.err

        rich = await run(exchange, "--min-profit", "1000000")
        assert rich.out.startswith("none found: ")
        assert orders == {ticker: exchange.book(ticker) for ticker in (first, second)}


def market(event: str, number: int, **fields: Any) -> dict[str, Any]:
    """A market whose NO costs 0.20."""
    return {
        "ticker": f"{event}-{number}",
        "event_ticker": event,
        "status": "active",
        "market_type": "binary",
        "title": "?",
        "yes_bid_dollars": "0.8000",
        "yes_ask_dollars": "0.9000",
        "no_bid_dollars": "0.1000",
        "no_ask_dollars": "0.2000",
        **fields,
    }


def listed(series: str, count: int, **fields: Any) -> dict[str, Any]:
    event = f"{series}-1"
    return {
        "event_ticker": event,
        "series_ticker": series,
        "mutually_exclusive": True,
        "collateral_return_type": "MECNET",
        "title": "?",
        "sub_title": "",
        "markets": [market(event, number, **fields) for number in range(count)],
    }


class Venue:
    """Answers to what a hunt asks; books of every market but those it lost."""

    def __init__(self, *events: dict[str, Any], lost: str = "") -> None:
        self.events, self.lost = list(events), lost
        self.asked: list[list[str]] = []

    def __call__(self, request: Request) -> Response:
        url = urlsplit(request.url)
        path = url.path.removeprefix("/trade-api/v2")
        if path == "/events":
            return answer({"events": self.events, "cursor": ""})
        if path == "/markets/orderbooks":
            tickers = parse_qs(url.query)["tickers"]
            self.asked.append(tickers)
            bids = {"yes_dollars": [["0.8000", "5.00"]], "no_dollars": [["0.1000", "5.00"]]}
            books = [{"ticker": each, "orderbook_fp": bids} for each in tickers]
            return answer({"orderbooks": [each for each in books if each["ticker"] != self.lost]})
        if path == "/series/fee_changes":
            return answer({"series_fee_change_arr": []})
        if path == "/events/fee_changes":
            return answer({"event_fee_changes": [], "cursor": ""})
        series = path.rpartition("/")[2]
        fee_type = "flat" if series == "KXFLAT" else "quadratic"
        said = {"ticker": series, "fee_type": fee_type, "fee_multiplier": 1, "title": "?"}
        return answer({"series": said})


async def hunt(venue: Venue, **options: Any) -> Findings:
    http = ScriptedHTTP(venue)
    async with KalshiClient(environment="demo", limits=None, http=http) as client:
        return await _Hunt(client, ArbOptions(**options)).run()


async def test_whatever_is_passed_over_is_counted() -> None:
    venue = Venue(
        listed("KXGOOD", 3),
        listed("KXNONE", 0),
        listed("KXFLAT", 2),
        listed("KXLOST", 2),
        listed("KXODD", 2, strike_type="sideways"),
        listed("KXDEAR", 3, yes_bid_dollars="0.1000", no_ask_dollars="0.9000"),
        lost="KXLOST-1-1",
    )
    found = await hunt(venue)
    assert (found.events, found.markets, found.candidates) == (6, 12, 4)
    assert found.skipped == {
        "without markets": 1,
        "whose fees are not known": 1,
        "without the books asked for": 1,
    }
    assert found.not_understood == 1
    assert list(found.unknown_fees) == ["KXFLAT"]
    assert "'flat' of series KXFLAT" in found.unknown_fees["KXFLAT"]
    assert [package.event for package in found.packages] == ["KXGOOD-1", "KXODD-1"]
    assert found.books == 6


async def test_books_are_asked_for_together_and_those_of_an_event_not_apart() -> None:
    venue = Venue(*(listed(f"KXS{number}", 30) for number in range(8)))
    found = await hunt(venue)
    assert len(found.packages) == 8
    assert sum(map(len, venue.asked)) == found.books == 240
    assert all(len(tickers) <= MAX_BOOKS for tickers in venue.asked)
    for number in range(8):
        event = f"KXS{number}-1-"
        assert sum(any(ticker.startswith(event) for ticker in part) for part in venue.asked) == 1
    few = Venue(*(listed(f"KXS{number}", 2) for number in range(8)))
    assert (await hunt(few, max_events=3)).events == 3
    assert len(few.asked) == 1
    # More than a request holds: in several.
    large = Venue(listed("KXLARGE", 150))
    assert len((await hunt(large)).packages) == 1
    assert [len(part) for part in large.asked] == [100, 50]


async def test_an_event_that_comes_on_two_pages_is_looked_at_once() -> None:
    event = listed("KXGOOD", 3)
    found = await hunt(Venue(event, event))
    assert (found.events, len(found.packages), found.books) == (1, 1, 3)


def test_series_of_unknown_fees_are_named() -> None:
    summary = {"seconds": 1.0, "requests": 1, "throttled_seconds": 0.0, "undecoded": 0}
    found = Findings(unknown_fees={f"KX{number}": "[flat] fees" for number in range(12)})
    found.skipped["whose fees are not known"] = 12
    lines = list(_closing_lines(summary, found))
    assert lines[1:3] == [
        "[yellow]12 events skipped whose fees are not known[/]",
        "[yellow]  KX0: \\[flat] fees[/]",
    ]
    assert lines[-1] == "[yellow]  and 2 series more[/]"


async def test_an_amount_that_is_none_is_one_line() -> None:
    done = await to_thread.run_sync(lambda: kalshi("arb", "--min-profit", "lots"))
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "--min-profit is 'lots'" in done.err
