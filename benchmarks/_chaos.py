"""Orders amid faults, and the judge of what became of them: the exchange's own record.

What a client claims of each order is held against what the exchange has. An order that it has twice
is a *duplicate*; one that the client takes for placed and the exchange does not have, or has
otherwise, is *lost*; one that the client gave up and the exchange has is *denied*.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Literal

from kalshi_async.orders import Certainty, OrderRequest
from kalshi_async.sandbox import Fault, Faults, Sandbox
from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._records import CANCELED, FOK, NewOrder, Order
from kalshi_async.sandbox._units import CONTRACT, ONE

from ._exchange_server import TICKERS, quiet_markets

AMBIGUOUS_RATE, LIMITED_RATE = 0.20, 0.05
READ_LAG = 0.4
TIMEOUT = 0.2
DELAY = 0.3
"""Seconds by which a delayed request or answer is late: longer than the client waits for it."""

CERTAINTY = Certainty(lag=READ_LAG + 0.15, grace=DELAY + 0.6, patience=0.5)
"""No request takes effect later than ``DELAY`` seconds after it left, since nothing else delays one
here; and should the exchange's process come to a halt, the looks, which go through it as well, wait
behind what was due before them. So ``grace`` holds with time to spare, and what is not listed then
will never be there. The short patience makes many orders end as unknown, to be resolved.
"""

LIMITED = "429"
AMBIGUOUS = {
    "dropped before": Fault(drop=True),
    "dropped after": Fault(drop=True, processed=True),
    "reset before": Fault(reset=True),
    "reset after": Fault(reset=True, processed=True),
    "request late": Fault(delay=DELAY),
    "answer late": Fault(delay_answer=DELAY),
    "truncated": Fault(truncate=True),
    **{
        f"{status} {when}": Fault(status=status, processed=when == "after")
        for status in (500, 502, 503, 504)
        for when in ("before", "after")
    },
}
KINDS = AMBIGUOUS | {LIMITED: Fault(status=429)}
_PLACEMENTS = ("CreateOrderV2", "BatchCreateOrdersV2")

Verdict = Literal["placed", "refused", "absent", "unknown"]


class Chaos(Faults):
    """A fifth of the placements end in doubt, evenly in every way there is; one in twenty gets a
    429. Reads of the account lag, and some of them fail.

    Args:
        seed: The same seed and order of requests give the same faults.
        at_placement: Told of every placement that arrives, by its number from 1.
    """

    def __init__(self, seed: int, at_placement: Callable[[int], None] = lambda _: None) -> None:
        super().__init__(seed=seed, read_lag=READ_LAG)
        for fault in ({"status": 503}, {"status": 429}, {"drop": True}, {"truncate": True}):
            self.on("GetOrders", rate=0.02, **fault)
        self.struck: Counter[str] = Counter()
        self.placements = 0
        self.at_placement = at_placement
        self._which = Random(f"{seed}/which")
        self._kinds = sorted(AMBIGUOUS)

    def decide(self, operation: str) -> Fault:
        """What happens to the next request of this operation."""
        if operation not in _PLACEMENTS:
            return super().decide(operation)
        self.placements += 1
        self.at_placement(self.placements)
        draw, kind = self._which.random(), self._which.choice(self._kinds)
        if draw < LIMITED_RATE:
            kind = LIMITED
        elif draw >= LIMITED_RATE + AMBIGUOUS_RATE:
            return Fault()
        self.struck[kind] += 1
        return KINDS[kind]


def plan(seed: int, number: int) -> Iterator[OrderRequest]:
    """Orders to place: most of them rest, some trade at once, some are killed or refused."""
    dice = Random(f"{seed}/plan")
    for at in range(number):
        bid, drawn = dice.random() < 0.5, dice.random()
        away = dice.randint(1, 30)
        price, count, time_in_force = (45 - away if bid else 55 + away), dice.randint(1, 9), None
        if drawn < 0.10:  # meets a rival
            price, time_in_force = (50 if bid else 49), "immediate_or_cancel"
        elif drawn < 0.20:  # is filled, or too large to be
            price, time_in_force = (50 if bid else 49), "fill_or_kill"
            count = count if drawn < 0.15 else 10_000_000
        elif drawn < 0.25:  # cannot be paid
            count = 10**10
        yield OrderRequest(
            dice.choice(TICKERS),
            book_side="bid" if bid else "ask",
            price=Decimal(price).scaleb(-2),
            count=count,
            time_in_force=time_in_force,  # type: ignore[arg-type]
            client_order_id=f"chaos-{seed}-{at}",
        )


def stock(exchange: Sandbox) -> None:
    """A rival who buys at 49 cents and sells at 50 in every market, more than anybody wants."""
    rival = exchange.add_account(tier=None, deposit="100000000.00").user_id
    for ticker in TICKERS:
        for bid, price in ((True, 49), (False, 50)):
            new = NewOrder(
                user_id=rival,
                ticker=ticker,
                bid=bid,
                price=price * ONE // 100,
                count=1_000_000 * CONTRACT,
            )
            exchange._exchange.do(_placing(new))


def _placing(new: NewOrder) -> Callable[[Engine, int], Order]:
    return lambda engine, now: engine.place(new, now)


def serving(folder: Path, faults: Faults) -> AbstractAsyncContextManager[Sandbox]:
    """An exchange for ``async with``: ten markets, no limits, money for everything."""
    return Sandbox.serve(
        markets=0, load=[quiet_markets(folder)], tier=None, faults=faults, deposit="10000000.00"
    )


async def calm(exchange: Sandbox) -> None:
    """Wait until nothing that was sent is still on its way."""
    edge, quiet = exchange._server.edge, 0
    while quiet < 5:
        await asyncio.sleep(0.05)
        quiet = 0 if edge._waiting else quiet + 1


@dataclass(frozen=True)
class Claim:
    """What a client, or its journal, says of an order; ``filled`` where it was told."""

    verdict: Verdict
    order_id: str | None = None
    filled: Decimal | None = None


@dataclass
class Judgement:
    """How claims compare with the exchange; all lists name client_order_ids."""

    orders: int
    placed: int = 0
    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    @property
    def flawless(self) -> bool:
        """Whether every claim holds, and nothing is there that nobody asked for."""
        return not (self.duplicates or self.lost or self.denied or self.unknown or self.strangers)


def judge(
    exchange: Sandbox, user_id: str, wanted: Sequence[OrderRequest], claims: Mapping[str, Claim]
) -> Judgement:
    """Hold claims against the exchange's own record of an account.

    Args:
        exchange: The exchange; see ``calm``.
        user_id: The account, which has no other orders than those wanted.
        wanted: What was to be placed.
        claims: By client_order_id; a missing one counts as unknown.
    """
    kept: dict[str, list[Order]] = {}
    for order in exchange.engine.traders[user_id].orders.values():
        kept.setdefault(order.client_order_id, []).append(order)
    result = Judgement(len(wanted), placed=len(kept))
    result.strangers = sorted(kept.keys() - {str(each.client_order_id) for each in wanted})
    for request in wanted:
        name = str(request.client_order_id)
        there, claim = kept.get(name, []), claims.get(name, Claim("unknown"))
        if len(there) > 1:
            result.duplicates.append(name)
        elif claim.verdict == "unknown":
            result.unknown.append(name)
        elif claim.verdict == "placed":
            if not there or not _is(there[0], request, claim):
                result.lost.append(name)
        elif there and not (claim.verdict == "refused" and _was_killed(there[0])):
            result.denied.append(name)
    return result


def _is(order: Order, request: OrderRequest, claim: Claim) -> bool:
    """Whether an order of the exchange is the one wanted, and as claimed."""
    filled = Decimal(order.filled).scaleb(-2)
    return (
        order.order_id == claim.order_id
        and order.ticker == request.market_ticker
        and order.bid == request.on_the_bid
        and Decimal(order.price).scaleb(-4) == request.limit
        and Decimal(order.initial).scaleb(-2) == request.contracts
        and claim.filled in (None, filled)
    )


def _was_killed(order: Order) -> bool:
    """A fill-or-kill order that was refused leaves a trace: its id is spent."""
    return order.time_in_force == FOK and order.status == CANCELED and not order.filled
