"""The calls of Rekko's API: what each is called, where it lives, and what may be sent again.

Paths are below ``/v1``. All are paid from one bucket.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .._operations import Operation, Retry
from .._raw import raw_operation
from ._settings import API_PREFIX

_MARKET = "/markets/{platform}/{market_id}"


def _get(name: str, path: str) -> Operation:
    return Operation(f"Rekko{name}", "GET", path)


def _post(name: str, path: str, retry: Retry = Retry.REFUSED) -> Operation:
    return Operation(f"Rekko{name}", "POST", path, retry=retry)


# markets
LIST_MARKETS = _get("ListMarkets", "/markets")
GET_MARKET = _get("GetMarket", _MARKET)
MARKET_HISTORY = _get("MarketHistory", f"{_MARKET}/history")
MARKET_RESOLUTION = _get("MarketResolution", f"{_MARKET}/resolution")
MARKET_EXECUTION = _get("MarketExecution", f"{_MARKET}/execution")
MARKET_CONSENSUS = _get("MarketConsensus", f"{_MARKET}/consensus")

# analyses
ANALYZE = _post("Analyze", f"{_MARKET}/analyze")
ANALYSIS_STATUS = _get("AnalysisStatus", f"{_MARKET}/analyze/{{analysis_id}}/status")
ANALYSIS = _get("Analysis", f"{_MARKET}/analysis")
LIST_ANALYSES = _get("ListAnalyses", "/analyses")

# signals
SIGNAL = _post("Signal", "/signals")
PORTFOLIO_SIGNAL = _post("PortfolioSignal", "/signals/portfolio")
REPORT_TRADE = _post("ReportTrade", "/trades/report")

# comparing: these POSTs only read
SCREEN = _post("Screen", "/screen", Retry.SAFE)
ARBITRAGE = _get("Arbitrage", "/arbitrage")
LIVE_ARBITRAGE = _get("LiveArbitrage", "/arbitrage/live")
CORRELATION = _post("Correlation", "/correlation", Retry.SAFE)

# events
LIST_EVENTS = _get("ListEvents", "/events")
TRENDING_EVENTS = _get("TrendingEvents", "/events/trending")
SEARCH_EVENTS = _get("SearchEvents", "/events/search")
GET_EVENT = _get("GetEvent", "/events/{slug}")
EVENT_MARKETS = _get("EventMarkets", "/events/{slug}/markets")

# record
CALIBRATION = _get("Calibration", "/calibration")
PERFORMANCE = _get("Performance", "/performance")

# webhooks
LIST_WEBHOOKS = _get("ListWebhooks", "/webhooks")
CREATE_WEBHOOK = _post("CreateWebhook", "/webhooks")
DELETE_WEBHOOK = Operation(
    "RekkoDeleteWebhook", "DELETE", "/webhooks/{webhook_id}", retry=Retry.REPEATABLE
)

REKKO_OPERATIONS: tuple[Operation, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Operation)
)
"""Every call, in the order of this module."""


def operation_of(method: str, path: str) -> Operation:
    """The operation of a verb and a path, below ``/v1`` or with it.

    One that this version knows goes by its name. What is no GET is sent again only where it
    certainly was not carried out, or where it only reads.

    Raises:
        InvalidRequestError: No verb, or no such path.
    """
    checked = raw_operation(method, path)
    below = checked.path
    if below.startswith(f"{API_PREFIX}/"):
        below = below.removeprefix(API_PREFIX)
    for pattern, known in _patterns():
        if known.method == checked.method and pattern.fullmatch(below):
            return Operation(known.name, known.method, below, retry=known.retry)
    retry = Retry.SAFE if checked.method == "GET" else Retry.REFUSED
    return Operation(f"Rekko {checked.method} {below}", checked.method, below, retry=retry)


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], Operation], ...]:
    """Operations with their paths as patterns; those of fixed words before those with any."""
    ordered = sorted(REKKO_OPERATIONS, key=lambda operation: operation.path.count("{"))
    return tuple(
        (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(operation.path))), operation)
        for operation in ordered
    )
