"""Recorded markets and events out of JSON files, kept as the bytes they were recorded in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from .._text import parse_time
from . import states
from .book import EMPTY, Book, Level, top_of_book
from .series import COMBO_PREFIX

Fields = dict[str, msgspec.Raw]
_FIELDS = msgspec.json.Decoder(Fields)
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_MARKET_MARKS = ("market_type", "yes_bid_dollars", "yes_bid", "yes_ask_dollars", "yes_ask")
_SUFFIXES = (".json", ".jsonl", ".ndjson")


class LoadError(ValueError):
    """Files that cannot be loaded: the message says which, why, and what is expected."""


@dataclass(slots=True)
class LoadSummary:
    """What was found: `skipped` names each file left out, with the reason."""

    files: int = 0
    objects: int = 0
    markets: int = 0
    events: int = 0
    skipped: list[tuple[Path, str]] = field(default_factory=list)

    @property
    def duplicates(self) -> int:
        """Market objects of tickers that were already loaded; the first one counts."""
        return self.objects - self.markets

    def __str__(self) -> str:
        text = (
            f"{self.markets} markets ({self.duplicates} duplicates left out), "
            f"{self.events} events, {self.files} files read, {len(self.skipped)} skipped"
        )
        return text + "".join(f"\n  skipped {path}: {reason}" for path, reason in self.skipped)


@dataclass(slots=True, eq=False)
class LoadedMarket:
    """A recorded market: `raw` is what it is served as, the rest is what filters and listings
    need.
    """

    raw: bytes
    ticker: str
    event_ticker: str
    series_ticker: str
    word: str
    created: int
    close: int
    settled: int
    updated: int
    combo: bool
    resting: Book

    def json(self) -> bytes:
        """The object, as recorded."""
        return self.raw

    def book(self) -> Book:
        """Its recorded book, else one that agrees with its best prices."""
        return self.resting


@dataclass(slots=True, eq=False)
class LoadedEvent:
    """A recorded event without its markets; `fields` keep their recorded text."""

    ticker: str
    series_ticker: str
    fields: Fields


@dataclass(slots=True)
class Loaded:
    """Everything found in the files, by ticker, in order of finding."""

    markets: dict[str, LoadedMarket] = field(default_factory=dict)
    events: dict[str, LoadedEvent] = field(default_factory=dict)
    books: dict[str, Book] = field(default_factory=dict)
    series: dict[str, bytes] = field(default_factory=dict)
    summary: LoadSummary = field(default_factory=LoadSummary)


def load(paths: Iterable[str | Path]) -> Loaded:
    """Read files and folders; raises LoadError for a named file that does not hold JSON, or
    nothing found.
    """
    loaded = Loaded()
    given = [Path(path) for path in paths]
    for path, named in _files(given):
        try:
            text = _read(path)
        except LoadError as error:
            if named:
                raise LoadError(f"cannot load {path}: {error}") from error
            loaded.summary.skipped.append((path, str(error)))
            continue
        loaded.summary.files += 1
        for value in text:
            _collect(value, loaded)
    if given and not loaded.markets:
        raise LoadError(
            f"no market in {', '.join(map(str, given))}: {loaded.summary.files} JSON files read; "
            "expected objects with a ticker and prices (yes_bid_dollars or yes_bid), at any depth"
        )
    for ticker, book in loaded.books.items():
        if ticker in loaded.markets:
            loaded.markets[ticker].resting = book
    loaded.summary.markets = len(loaded.markets)
    loaded.summary.events = len(
        {market.event_ticker for market in loaded.markets.values()} | set(loaded.events)
    )
    return loaded


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Every file, and whether it was named itself rather than found in a folder."""
    for path in paths:
        if path.is_dir():
            for found in sorted(path.rglob("*")):
                if found.is_file():
                    yield found, False
        else:
            yield path, True


def _read(path: Path) -> list[msgspec.Raw]:
    """The JSON values of a file: one, or one a line."""
    if path.suffix.lower() not in _SUFFIXES:
        raise LoadError(f"not a JSON file (expected {', '.join(_SUFFIXES)})")
    try:
        text = path.read_bytes()
    except OSError as error:
        raise LoadError(error.strerror or str(error)) from error
    lines = (
        [text]
        if path.suffix.lower() == ".json"
        else [line for line in text.splitlines() if line.strip()]
    )
    try:
        for line in lines:
            msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LoadError(f"not valid JSON ({error})") from error
    return [msgspec.Raw(line.strip()) for line in lines]


def _collect(value: msgspec.Raw, loaded: Loaded) -> None:
    """Walk a value; an explicit stack keeps reading order and bears any depth."""
    stack = [value]
    while stack:
        raw = stack.pop()
        opening = bytes(memoryview(raw)[:1])
        if opening == b"[":
            stack.extend(reversed(_ITEMS.decode(raw)))
        elif opening == b"{":
            fields = _FIELDS.decode(raw)
            _recognise(raw, fields, loaded)
            stack.extend(reversed(list(fields.values())))


def _recognise(raw: msgspec.Raw, fields: Fields, loaded: Loaded) -> None:
    ticker, event_ticker = _text(fields, "ticker"), _text(fields, "event_ticker")
    if ticker and any(_scalar(fields, mark) for mark in _MARKET_MARKS):
        loaded.summary.objects += 1
        if ticker not in loaded.markets:
            loaded.markets[ticker] = _market(bytes(raw), ticker, fields)
    elif ticker and "fee_type" in fields and "frequency" in fields:
        loaded.series.setdefault(ticker, bytes(raw))
    elif event_ticker and not ticker and "title" in fields and "series_ticker" in fields:
        kept = {
            name: msgspec.Raw(bytes(value)) for name, value in fields.items() if name != "markets"
        }
        series = _text(fields, "series_ticker")
        loaded.events.setdefault(event_ticker, LoadedEvent(event_ticker, series, kept))
    if ticker and "orderbook" in fields:
        book = _book(fields["orderbook"])
        if book is not None:
            loaded.books.setdefault(ticker, book)


def _market(raw: bytes, ticker: str, fields: Fields) -> LoadedMarket:
    event = _text(fields, "event_ticker") or ticker.rpartition("-")[0] or ticker
    status = _text(fields, "status")
    yes, no = _best(fields, "yes_bid"), _best(fields, "no_bid")
    sizes = _size(fields, "yes_bid_size_fp"), _size(fields, "yes_ask_size_fp")
    return LoadedMarket(
        raw=raw,
        ticker=ticker,
        event_ticker=event,
        series_ticker=event.partition("-")[0],
        word=states.WORD_OF_STATUS.get(status, "closed" if _text(fields, "result") else "open"),
        created=parse_time(_text(fields, "created_time")) or parse_time(_text(fields, "open_time")),
        close=parse_time(_text(fields, "close_time")),
        settled=parse_time(_text(fields, "settlement_ts")),
        updated=parse_time(_text(fields, "updated_time")),
        combo=ticker.startswith(COMBO_PREFIX) or "mve_collection_ticker" in fields,
        resting=top_of_book((yes, sizes[0]), (no, sizes[1])) if status == "active" else EMPTY,
    )


def _scalar(fields: Fields, name: str) -> bool:
    return name in fields and bytes(memoryview(fields[name])[:1]) not in (b"{", b"[")


def _text(fields: Fields, name: str) -> str:
    value = msgspec.json.decode(fields[name]) if name in fields else None
    return value if isinstance(value, str) else ""


def _number(fields: Fields, name: str) -> Decimal | None:
    try:
        return Decimal(bytes(fields[name]).decode().strip('"'))
    except (KeyError, InvalidOperation):
        return None


def _best(fields: Fields, name: str) -> int:
    """The best bid in ticks, from the dollar text or from whole cents; 0 when there is none."""
    dollars, cents = _number(fields, f"{name}_dollars"), _number(fields, name)
    ticks = (
        dollars * 1000 if dollars is not None else cents * 10 if cents is not None else Decimal(0)
    )
    return int(ticks) if 0 < ticks < 1000 else 0


def _size(fields: Fields, name: str) -> int:
    # Objects of before sizes were shown still have a best price, so at least one contract rests
    # there.
    size = _number(fields, name)
    return 100 if size is None else int(size * 100)


def _book(raw: msgspec.Raw) -> Book | None:
    """A recorded book in the dollar form."""
    found = msgspec.json.decode(raw)
    inner = found.get("orderbook_fp") if isinstance(found, dict) else None
    if not isinstance(inner, dict):
        return None
    try:
        return Book(_levels(inner.get("yes_dollars")), _levels(inner.get("no_dollars")))
    except (ValueError, TypeError, InvalidOperation):
        return None


def _levels(levels: object) -> tuple[Level, ...]:
    if not isinstance(levels, list):
        return ()
    found = [(int(Decimal(price) * 1000), int(Decimal(size) * 100)) for price, size in levels]
    return tuple(sorted(found, reverse=True))
