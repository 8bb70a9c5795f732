"""Handlers of series and of the search vocabulary."""

from __future__ import annotations

import msgspec

from .._call import Call
from .._catalog.draw import cutoff
from .._catalog.market import traded_event
from .._catalog.series import INDEX, SERIES, Kind, Series
from .._errors import not_found
from .._text import DAY, SECOND, named_uuid, time_text
from .._units import count_text

_DOCS = "https://kalshi-public-docs.s3.amazonaws.com/contract_terms"


def _json(series: Series, updated: int, *, metadata: bool) -> dict[str, object]:
    shown: dict[str, object] = {
        "additional_prohibitions": [],
        "categories": [series.category],
        "category": series.category,
        "contract_terms_url": f"{_DOCS}/{series.ticker}.pdf",
        "contract_url": f"{_DOCS}/{series.ticker}_certification.pdf",
        "exchange_index": series.exchange_index,
        "fee_multiplier": series.fee_multiplier,
        "fee_type": series.fee_type,
        "frequency": series.frequency,
        "last_updated_ts": time_text(updated),
        "settlement_sources": [{"name": series.source[0], "url": series.source[1]}],
        "tags": list(series.tags),
        "ticker": series.ticker,
        "title": series.title,
    }
    if metadata:
        shown["product_metadata"] = (
            {"competition": series.competition} if series.competition else {}
        )
    return shown


def _minimal(ticker: str) -> Series:
    """A series of which only markets are known."""
    return Series(ticker, ticker, "", (), Kind.WINNER, 0.0)


def _show(call: Call, ticker: str, *, metadata: bool, volume: bool) -> object:
    recorded = call.catalog.loaded.series.get(ticker)
    if recorded is not None:
        return msgspec.Raw(recorded)
    series = SERIES[INDEX[ticker]] if ticker in INDEX else _minimal(ticker)
    shown = _json(series, _updated(call, ticker), metadata=metadata)
    if volume:
        shown["volume_fp"] = count_text(_volume(call, ticker))
    return shown


def _updated(call: Call, ticker: str) -> int:
    # The series change rarely: each at a day of its own within the history shown.
    return cutoff(call.catalog.now) + int(named_uuid(ticker)[:6], 16) % 60 * DAY


def _volume(call: Call, ticker: str) -> int:
    """Contracts traded in the live markets of a series, in hundredths."""
    generated = call.catalog.generated
    positions = generated.by_series[INDEX[ticker]] if ticker in INDEX else ()
    columns = generated.columns
    return sum(
        market.volume
        for position in positions
        if traded_event(columns.key[position], columns.state[position])
        for market in generated.event_at(position).markets
        if market.word != "archived"
    )


async def get_series_list(call: Call) -> object:
    params = call.params
    category, since = params.text("category"), params.number("min_updated_ts")
    tags = params.comma("tags")
    metadata, volume = (
        bool(params.flag("include_product_metadata")),
        bool(params.flag("include_volume")),
    )
    shown = []
    for ticker in call.catalog.series_tickers():
        series = SERIES[INDEX[ticker]] if ticker in INDEX else _minimal(ticker)
        if category is not None and series.category != category:
            continue
        if tags is not None and not set(tags) & set(series.tags):
            continue
        if since is not None and _updated(call, ticker) < since * SECOND:
            continue
        shown.append(_show(call, ticker, metadata=metadata, volume=volume))
    return {"series": shown}


async def get_series(call: Call) -> object:
    ticker = call.path["series_ticker"]
    if ticker not in call.catalog.series_tickers():
        raise not_found()
    volume = bool(call.params.flag("include_volume"))
    return {"series": _show(call, ticker, metadata=True, volume=volume)}


async def get_series_fee_changes(call: Call) -> object:
    """The change that gave a series its fees; scheduled ones are yet to come."""
    wanted, historical = (
        call.params.text("series_ticker"),
        bool(call.params.flag("show_historical")),
    )
    changes = []
    for number, series in enumerate(SERIES):
        upcoming = number % 5 == 0
        if (wanted is not None and series.ticker != wanted) or not (upcoming or historical):
            continue
        when = call.catalog.now // DAY * DAY + (14 if upcoming else -30) * DAY
        changes.append(
            {
                "fee_multiplier": series.fee_multiplier,
                "fee_type": series.fee_type,
                "id": named_uuid(f"fee/{series.ticker}"),
                "scheduled_ts": time_text(when),
                "series_ticker": series.ticker,
            }
        )
    return {"series_fee_change_arr": changes}


async def get_tags_by_categories(call: Call) -> object:
    tags: dict[str, list[str]] = {}
    for ticker in call.catalog.series_tickers():
        if ticker in INDEX:
            series = SERIES[INDEX[ticker]]
            known = tags.setdefault(series.category, [])
            known += [tag for tag in series.tags if tag not in known]
    return {"tags_by_categories": tags}


async def get_filters_by_sport(call: Call) -> object:
    sports: dict[str, dict[str, object]] = {}
    for series in SERIES:
        if series.kind is Kind.GAME:
            scopes = ["Games", "Futures"]
            sports[series.tags[0]] = {
                "competitions": {series.competition: {"scopes": scopes}},
                "scopes": scopes,
            }
    return {"filters_by_sports": sports, "sport_ordering": list(sports)}
