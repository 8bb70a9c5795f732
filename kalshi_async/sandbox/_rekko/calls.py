"""The calls of the intelligence API, each decided without waiting for anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, islice

from .._errors import ApiError
from .desk import RekkoDesk
from .drawn import (
    MOST_SIZE,
    JsonObject,
    analysis_json,
    calibration_json,
    correlation,
    dollars,
    market_json,
    performance_json,
    round4,
    screened,
    signal_json,
)
from .given import Asked, Given, invalid, missing, not_found, refusal
from .markets import PLATFORMS, VenueMarket
from .runs import Run
from .views import (
    PERIODS,
    arbitrage_json,
    consensus_json,
    execution_json,
    history_json,
    resolution_json,
)
from .webhooks import webhook_of

_LIMIT, _MOST = 30, 100
_LONGER_PERIODS = (*PERIODS, "90d", "1y", "all")
# How far an appetite for risk goes.
_APPETITES = {"low": 0.05, "medium": 0.1, "high": MOST_SIZE}
_SCREENED = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with another status than the usual one of its call."""

    status: int
    body: object


@dataclass(frozen=True, slots=True)
class Waiting:
    """An answer that is made once a run is over."""

    run: Run
    then: Callable[[], object]


def _limit(asked: Given) -> int:
    return asked.whole("limit", _LIMIT, 1, _MOST)


def _market(desk: RekkoDesk, asked: Asked) -> VenueMarket:
    return desk.venues.market(asked.path["platform"], asked.path["market_id"])


def _period(asked: Given, default: str = "7d") -> str:
    return asked.choice("period", PERIODS, default) or default


# Markets


def markets(desk: RekkoDesk, asked: Asked) -> object:
    query, limit = asked.query.text("query"), _limit(asked.query)
    source = asked.query.choice("source", PLATFORMS)
    venues = desk.venues
    found = venues.open(source) if query is None else venues.search(query, source)
    shown = [market_json(market) for market in islice(found, limit)]
    return {"markets": shown, "total": len(shown)}


def market(desk: RekkoDesk, asked: Asked) -> object:
    return market_json(_market(desk, asked))


def history(desk: RekkoDesk, asked: Asked) -> object:
    period = _period(asked.query)
    points = asked.query.whole("max_points", 48, 1, 1000)
    return history_json(desk.exchange, _market(desk, asked), period, points)


def resolution(desk: RekkoDesk, asked: Asked) -> object:
    return resolution_json(desk.exchange.now(), _market(desk, asked))


def execution(desk: RekkoDesk, asked: Asked) -> object:
    return execution_json(desk.exchange, _market(desk, asked))


def consensus(desk: RekkoDesk, asked: Asked) -> object:
    period = _period(asked.query)
    return consensus_json(desk.venues.same_question(_market(desk, asked)), period)


# Analyses


def analyze(desk: RekkoDesk, asked: Asked) -> object:
    desk.need_plan()
    run = desk.start(_market(desk, asked))
    return {"analysis_id": run.analysis_id, "status": run.status(desk.timer())}


def analysis_status(desk: RekkoDesk, asked: Asked) -> object:
    key = _market(desk, asked).key
    run = desk.runs.by_id.get(asked.path["analysis_id"])
    if run is None or run.key != key:
        raise not_found(f"analysis {asked.path['analysis_id']!r} of this market")
    now = desk.timer()
    shown: JsonObject = {
        "analysis_id": run.analysis_id,
        "status": run.status(now),
        "progress": run.progress(now),
    }
    return shown | {"error": run.failure} if run.over and run.opinion is None else shown


def analysis(desk: RekkoDesk, asked: Asked) -> object:
    latest = desk.runs.latest.get(_market(desk, asked).key)
    if latest is None or latest.opinion is None:
        raise refusal(404, "no_analysis", "this market was not analyzed yet: POST …/analyze first")
    return analysis_json(desk.seed, latest.opinion)


def analyses(desk: RekkoDesk, asked: Asked) -> object:
    found = [run.opinion for run in desk.runs.newest() if run.opinion is not None]
    shown = [analysis_json(desk.seed, each) for each in found[: _limit(asked.query)]]
    return {"analyses": shown, "total": len(found)}


# Signals


def _wanted(desk: RekkoDesk, body: Given) -> VenueMarket:
    """The market a signal is wanted for: by platform and id, else the busiest that a text finds."""
    market_id, query = body.text("market_id"), body.text("market_query")
    if market_id is not None:
        return desk.venues.market(body.needed("platform", "that of market_id"), market_id)
    if query is None:
        raise missing("market_id", "platform and market_id, or market_query")
    found = next(desk.venues.search(query), None)
    if found is None:
        raise not_found(f"open market that {query!r} finds")
    return found


def _risk_limit(body: Given) -> float:
    given = body.get("risk_limit")
    if isinstance(given, str) and given in _APPETITES:
        return _APPETITES[given]
    try:
        share = body.number("risk_limit", 0.0, 1.0)
    except ApiError:
        expected = f"a share of the bankroll from 0 to 1, or one of {', '.join(_APPETITES)}"
        raise invalid("risk_limit", given, expected) from None
    return MOST_SIZE if share is None else share


def _signal_of(desk: RekkoDesk, run: Run, signal_id: str, most: float) -> JsonObject:
    if run.opinion is None:
        detail = f"the analysis {run.analysis_id} failed: {run.failure}"
        raise refusal(502, "analysis_failed", detail, analysis_id=run.analysis_id)
    return signal_json(desk.seed, run.opinion, signal_id, most)


def _when_over(
    desk: RekkoDesk, asked: Asked, run: Run, signal_id: str, then: Callable[[], object]
) -> object:
    if asked.query.flag("wait"):
        return Waiting(run, then)
    named = {"signal_id": signal_id, "analysis_id": run.analysis_id}
    return Answer(202, {**named, "status": run.status(desk.timer())})


def signal(desk: RekkoDesk, asked: Asked) -> object:
    desk.need_plan()
    found, most = _wanted(desk, asked.body), _risk_limit(asked.body)
    run, signal_id = desk.run_for_signal(found), desk.new_id("signal")
    return _when_over(desk, asked, run, signal_id, lambda: _signal_of(desk, run, signal_id, most))


@dataclass(frozen=True, slots=True)
class _Holding:
    ticker: str
    side: str
    size: float

    @classmethod
    def of(cls, given: Given) -> _Holding:
        ticker = given.needed("ticker", "the market of each holding")
        size = given.number("size_usd")
        if size is None:
            raise missing("size_usd", "the dollars of each holding")
        return cls(ticker, given.choice("side", ("yes", "no"), "yes") or "yes", size)


def portfolio_signal(desk: RekkoDesk, asked: Asked) -> object:
    desk.need_plan()
    body = asked.body
    bankroll = body.number("bankroll_usd")
    if bankroll is None:
        raise missing("bankroll_usd", "the money there is, in dollars")
    most = body.number("max_position_pct", 0.0, 1.0)
    holdings = [_Holding.of(item) for item in body.objects("portfolio")]
    found = _wanted(desk, body)
    run, signal_id = desk.run_for_signal(found), desk.new_id("signal")

    def then() -> object:
        shown = _signal_of(desk, run, signal_id, MOST_SIZE if most is None else most)
        return shown | _in_portfolio(desk, found, holdings, bankroll, shown)

    return _when_over(desk, asked, run, signal_id, then)


def _in_portfolio(
    desk: RekkoDesk,
    market: VenueMarket,
    holdings: list[_Holding],
    bankroll: float,
    shown: JsonObject,
) -> JsonObject:
    """What a signal comes to beside what is held: money in markets that move alike counts."""
    alike = []
    for holding in holdings:
        held = desk.venues.anywhere(holding.ticker)
        if held is not None and abs(correlation(desk.seed, market, held)) >= 0.2:
            alike.append(holding)
    exposure = sum(holding.size for holding in alike)
    share = shown["size_pct"]
    wanted = bankroll * share if isinstance(share, float) else 0.0
    size = max(0.0, wanted - exposure) if wanted else 0.0
    return {
        "size_usd": round(size, 2),
        "correlated": [holding.ticker for holding in alike],
        "portfolio_exposure_usd": round(sum(holding.size for holding in holdings), 2),
    }


# Many markets


def screen(desk: RekkoDesk, asked: Asked) -> object:
    body = asked.body
    platform = body.choice("platform", PLATFORMS)
    volume = body.number("min_volume_24h") or 0.0
    least, limit = body.number("min_score", 0.0, 1.0) or 0.0, _limit(body)
    ids = body.texts("market_ids")
    unknown: list[str] = []
    if ids:
        found = [desk.venues.anywhere(market_id, platform) for market_id in ids]
        unknown = [name for name, market in zip(ids, found, strict=True) if market is None]
    else:
        found = list(islice(desk.venues.open(platform), _SCREENED))
    looked_at = [market for market in found if market is not None]
    scored = [(screened(market), market) for market in looked_at]
    kept = [
        (judged, market)
        for judged, market in scored
        if judged[0] >= least and market.volume_24h / 100 >= volume
    ]
    kept.sort(key=lambda item: (-item[0][0], item[1].key))
    results = [
        {
            "market_id": market.market_id,
            "platform": market.platform,
            "title": market.title,
            "score": score,
            "action": action,
            "reasons": reasons,
            "yes_price": dollars(market.price),
            "volume_24h": market.volume_24h / 100,
        }
        for (score, action, reasons), market in kept[:limit]
    ]
    return {"results": results, "screened": len(looked_at), "not_found": unknown}


def arbitrage(desk: RekkoDesk, asked: Asked) -> object:
    least = asked.query.number("min_spread", 0.0, 1.0)
    return arbitrage_json(desk.venues, 0.01 if least is None else least, desk.now_text())


def correlations(desk: RekkoDesk, asked: Asked) -> object:
    platform = asked.body.choice("platform", PLATFORMS)
    ids = asked.body.texts("market_ids", least=2, most=20)
    period = _period(asked.body, "30d")
    found = [desk.venues.anywhere(market_id, platform) for market_id in ids]
    known = [market for market in found if market is not None]
    if len(known) < len(ids):
        raise not_found(f"market {next(n for n, m in zip(ids, found, strict=True) if m is None)!r}")
    pairs = [
        {
            "a": one.market_id,
            "b": other.market_id,
            "correlation": correlation(desk.seed, one, other),
        }
        for one, other in combinations(known, 2)
    ]
    return {"correlations": pairs, "period": period, "made_up": True}


# What is beside the markets


def calibration(desk: RekkoDesk, asked: Asked) -> object:
    period = asked.query.choice("period", _LONGER_PERIODS, "30d") or "30d"
    return calibration_json(desk.seed, period, asked.query.text("category"))


def performance(desk: RekkoDesk, asked: Asked) -> object:
    period = asked.query.choice("period", _LONGER_PERIODS, "30d") or "30d"
    return performance_json(desk.seed, period, asked.query.text("category"))


def report_trade(desk: RekkoDesk, asked: Asked) -> object:
    body = asked.body
    platform = body.needed("platform", "where it was traded")
    found = desk.venues.market(platform, body.needed("market_id", "the market"))
    side = body.choice("side", ("yes", "no"))
    size, price = body.number("size_usd"), body.number("price", 0.0, 1.0)
    for name, value in (("side", side), ("size_usd", size), ("price", price)):
        if value is None:
            raise missing(name, "side, size_usd and price of the trade")
    trade_id = desk.new_id("trade")
    told = {"platform": platform, "market_id": found.market_id, "side": side}
    figures = {"size_usd": size, "price": None if price is None else round4(price)}
    desk.report({"trade_id": trade_id, **told, **figures})
    return {"trade_id": trade_id, "accepted": True}


def webhooks(desk: RekkoDesk, asked: Asked) -> object:
    desk.need_plan()
    return {"webhooks": [webhook.json() for webhook in desk.webhooks.values()]}


def create_webhook(desk: RekkoDesk, asked: Asked) -> object:
    desk.need_plan()
    made_secret = f"whsec_{desk.new_id('secret').replace('-', '')}"
    made = webhook_of(asked.body, desk.new_id("webhook"), desk.now_text(), made_secret)
    desk.webhooks[made.webhook_id] = made
    return made.json() | ({"secret": made_secret} if made.secret == made_secret else {})


def delete_webhook(desk: RekkoDesk, asked: Asked) -> object:
    desk.need_plan()
    if desk.webhooks.pop(asked.path["webhook_id"], None) is None:
        raise not_found(f"webhook {asked.path['webhook_id']!r}")
    return None
