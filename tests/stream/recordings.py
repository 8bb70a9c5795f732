"""Recordings made by hand, and what a market's frames look like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from kalshi_async.stream._recorded.lines import end_line, frame_line, header_line

A, B = "KXA-26-T1", "KXB-26-T2"
START = 1_781_159_380.25


def frame(kind: str, sid: int, seq: int | None = None, **msg: object) -> bytes:
    """A data frame as the exchange sends it."""
    told: dict[str, object] = {"type": kind, "sid": sid}
    if seq is not None:
        told["seq"] = seq
    return msgspec.json.encode({**told, "msg": msg})


def subscribed(sid: int, channel: str, command: int = 1) -> bytes:
    msg = {"channel": channel, "sid": sid}
    return msgspec.json.encode({"type": "subscribed", "id": command, "msg": msg})


def snapshot(
    sid: int,
    seq: int,
    ticker: str = A,
    yes: Mapping[str, str] | None = None,
    no: Mapping[str, str] | None = None,
) -> bytes:
    sides = {"yes_dollars_fp": yes, "no_dollars_fp": no}
    levels = {name: list(side.items()) for name, side in sides.items() if side}
    return frame("orderbook_snapshot", sid, seq, market_ticker=ticker, market_id="m", **levels)


def delta(
    sid: int, seq: int, size: str, ticker: str = A, price: str = "0.4000", side: str = "yes"
) -> bytes:
    return frame(
        "orderbook_delta",
        sid,
        seq,
        market_ticker=ticker,
        market_id="m",
        price_dollars=price,
        delta_fp=size,
        side=side,
    )


def trade(sid: int, seq: int, number: int, ticker: str = A) -> bytes:
    return frame("trade", sid, seq, trade_id=f"t{number}", market_ticker=ticker)


def fill(sid: int, number: int, ticker: str = A) -> bytes:
    ids = {"trade_id": f"t{number}", "order_id": f"o{number}"}
    return frame("fill", sid, None, **ids, market_ticker=ticker, ts_ms=1_781_159_400_000 + number)


def write(path: Path, entries: Iterable[bytes | tuple[int, bytes]], *, ended: bool = True) -> Path:
    """A plain recording: a frame of connection 1 each second, or lines as they are where an entry
    is a line already; (connection, frame) for another connection.
    """
    lines = [header_line(START)]
    for second, entry in enumerate(entries, 1):
        if isinstance(entry, bytes) and entry.endswith(b"\n"):
            lines.append(entry)
            continue
        connection, data = (1, entry) if isinstance(entry, bytes) else entry
        lines.append(frame_line(connection, data, START + second))
    if ended:
        lines.append(end_line(len(lines) - 1, 0, START + len(lines)))
    path.write_bytes(b"".join(lines))
    return path
