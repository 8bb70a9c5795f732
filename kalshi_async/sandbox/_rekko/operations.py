"""The calls of the intelligence API that the stand-in answers, under the names the client uses."""

from __future__ import annotations

from .._operations import Operation

REKKO_ROOT = "/v1"
_MARKET = "/markets/{platform}/{market_id}"

# A path with fixed words stands before one with a placeholder in the same place.
REKKO_OPERATIONS: tuple[Operation, ...] = (
    Operation("RekkoListMarkets", "/markets"),
    Operation("RekkoGetMarket", _MARKET),
    Operation("RekkoMarketHistory", f"{_MARKET}/history"),
    Operation("RekkoMarketResolution", f"{_MARKET}/resolution"),
    Operation("RekkoMarketExecution", f"{_MARKET}/execution"),
    Operation("RekkoMarketConsensus", f"{_MARKET}/consensus"),
    Operation("RekkoAnalyze", f"{_MARKET}/analyze", "POST", status=202),
    Operation("RekkoAnalysisStatus", f"{_MARKET}/analyze/{{analysis_id}}/status"),
    Operation("RekkoAnalysis", f"{_MARKET}/analysis"),
    Operation("RekkoListAnalyses", "/analyses"),
    Operation("RekkoSignal", "/signals", "POST"),
    Operation("RekkoPortfolioSignal", "/signals/portfolio", "POST"),
    Operation("RekkoScreen", "/screen", "POST"),
    Operation("RekkoArbitrage", "/arbitrage"),
    Operation("RekkoLiveArbitrage", "/arbitrage/live"),
    Operation("RekkoCorrelation", "/correlation", "POST"),
    Operation("RekkoListEvents", "/events"),
    Operation("RekkoTrendingEvents", "/events/trending"),
    Operation("RekkoSearchEvents", "/events/search"),
    Operation("RekkoGetEvent", "/events/{slug}"),
    Operation("RekkoEventMarkets", "/events/{slug}/markets"),
    Operation("RekkoCalibration", "/calibration"),
    Operation("RekkoPerformance", "/performance"),
    Operation("RekkoReportTrade", "/trades/report", "POST", status=201),
    Operation("RekkoListWebhooks", "/webhooks"),
    Operation("RekkoCreateWebhook", "/webhooks", "POST", status=201),
    Operation("RekkoDeleteWebhook", "/webhooks/{webhook_id}", "DELETE", status=204),
)

REKKO_NAMES = frozenset(operation.name for operation in REKKO_OPERATIONS)
