"""Orders over HTTP, signed beforehand, to an exchange in a process of its own on one core."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from time import process_time

import msgspec

from benchmarks._exchange_server import TICKERS, Member, Remote, remote
from benchmarks._flow import draws
from benchmarks._lines import HOST, Load, signer, wall_ms
from kalshi_async.sandbox._records import GTC, IOC
from kalshi_async.sandbox._units import count_text, price_text

from ._probe import emit

PATH = "/trade-api/v2/portfolio/events/orders"
CREATED = 201
# Signatures hold from 30 seconds before their instant to 20 after it: these can be used at once and
# for most of a minute.
_AHEAD_MS = 15_000


def requests(members: list[Member], port: int, number: int, seed: int) -> list[bytes]:
    """New orders of several accounts in all markets, about half of which trade at once; each with a
    signature of its own.
    """
    signers = [signer(member) for member in members]
    start = wall_ms() + _AHEAD_MS
    placing = (draw for draw in draws(seed) if draw.kind == "place")
    made = []
    for at, draw in enumerate(islice(placing, number)):
        body = msgspec.json.encode(
            {
                "ticker": TICKERS[draw.market % len(TICKERS)],
                "client_order_id": f"bench-{seed}-{at}",
                "side": "bid" if draw.bid else "ask",
                "count": count_text(draw.count),
                "price": price_text(draw.price),
                "time_in_force": IOC if draw.immediate else GTC,
                "self_trade_prevention_type": "taker_at_cross",
            }
        )
        head = f"POST {PATH} HTTP/1.1\r\nHost: {HOST}:{port}\r\n".encode()
        # A millisecond apart, so that no two are the same text.
        head += signers[draw.trader % len(signers)]("POST", PATH, start + at % 4_000)
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        made.append(head + body)
    return made


async def measure(exchange: Remote, given: argparse.Namespace) -> dict[str, float]:
    """The orders, after some that are not counted; then some one at a time."""
    port, members = exchange.opened.port, exchange.opened.members
    warm_up, alone = min(given.orders, 300), min(given.orders, 300)
    await Load(requests(members, port, warm_up, 2), wanted=CREATED).run(port, given.connections)
    load = Load(requests(members, port, given.orders, 1), wanted=CREATED)
    before, own = exchange.counters(), process_time()
    wall = await load.run(port, given.connections)
    own, after = process_time() - own, exchange.counters()
    single = Load(requests(members, port, alone, 3), wanted=CREATED)
    await single.run(port, 1)
    sent = warm_up + given.orders + alone
    _check(exchange, sent, load)
    return {
        "rate": given.orders / wall,
        "cpu_rate": given.orders / (after.cpu - before.cpu),
        "server_share": (after.cpu - before.cpu) / wall,
        "load_share": own / wall,
        "p50": load.percentile(0.5),
        "p99": load.percentile(0.99),
        "alone_p50": single.percentile(0.5),
        "alone_p99": single.percentile(0.99),
    }


def _check(exchange: Remote, sent: int, load: Load) -> None:
    """Every order was acknowledged and is there, and the money adds up; else the process ends."""
    counters = exchange.counters()
    if load.statuses.keys() != {CREATED}:
        raise SystemExit(f"answers by status: {load.statuses}, wanted {CREATED} only")
    if counters.statuses != {CREATED: sent} or counters.orders != sent:
        raise SystemExit(f"{sent:,} orders were sent, but the exchange has {counters}")
    if not counters.balanced or not counters.volume:
        raise SystemExit(f"the money does not add up, or nothing was traded: {counters}")


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("key_type", choices=("ed25519", "rsa"))
    parser.add_argument("--durable", action="store_true", help="keep the exchange in a file")
    parser.add_argument("--members", type=int, default=8)
    parser.add_argument("--orders", type=int, default=8_000)
    parser.add_argument("--connections", type=int, default=32)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() if given.durable else nullcontext("") as folder:
        state = Path(folder) / "state" if folder else ""
        with remote(members=given.members, key_type=given.key_type, state=state) as exchange:
            emit(asyncio.run(measure(exchange, given)))


if __name__ == "__main__":
    main()
