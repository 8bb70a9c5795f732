"""A seeded stream of orders: what each of several traders does next, and carrying it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._records import GTC, IOC, RESTING, NewOrder, Order
from kalshi_async.sandbox._units import CONTRACT, ONE

Kind = Literal["place", "cancel", "amend"]

MIDDLE = ONE // 2
CENT = ONE // 100
# Of a hundred commands, so many are cancellations and so many amendments.
_CANCELS, _AMENDS = 20, 15
# Of a hundred orders, so many are immediate-or-cancel.
_IMMEDIATE = 15


@dataclass(frozen=True, slots=True)
class Draw:
    """One command, before it is known which orders rest. `trader`, `market` and `pick` are numbers
    to be taken modulo what there is; prices and counts are in the units of the engine.
    """

    kind: Kind
    trader: int
    market: int
    bid: bool
    price: int
    count: int
    immediate: bool
    pick: int


def draws(seed: int) -> Iterator[Draw]:
    """Commands without an end. Bids lie from 12 cents below the middle to 4 above it, asks the
    other way: about half of the orders trade at once, and some levels deep if they are large.
    """
    dice = Random(seed)
    while True:
        bid = dice.random() < 0.5
        away = dice.randrange(-4, 13) * CENT
        drawn = dice.randrange(100)
        kind: Kind = "place"
        if drawn < _CANCELS:
            kind = "cancel"
        elif drawn < _CANCELS + _AMENDS:
            kind = "amend"
        yield Draw(
            kind=kind,
            trader=dice.randrange(1 << 16),
            market=dice.randrange(1 << 16),
            bid=bid,
            price=MIDDLE - away if bid else MIDDLE + away,
            count=dice.randrange(1, 21) * CONTRACT,
            immediate=dice.randrange(100) < _IMMEDIATE,
            pick=dice.randrange(1 << 30),
        )


@dataclass
class Flow:
    """Carries out draws for some traders in some markets. Where nothing rests that could be
    cancelled or amended, an order is placed instead; `done` counts what was carried out.
    """

    user_ids: Sequence[str]
    tickers: Sequence[str]
    done: Counter[Kind] = field(default_factory=Counter)
    _resting: list[Order] = field(default_factory=list)

    def step(self, engine: Engine, draw: Draw, now: int) -> None:
        """One command. Raises ApiError where the exchange refuses it, which it has no reason to."""
        order = self._chosen(draw) if draw.kind != "place" else None
        if order is None:
            self.done["place"] += 1
            placed = engine.place(self.order(draw), now)
            if placed.status == RESTING:
                self._resting.append(placed)
        elif draw.kind == "cancel":
            self.done["cancel"] += 1
            engine.cancel(order.user_id, order.order_id, now)
        else:
            self.done["amend"] += 1
            engine.amend(
                order.user_id,
                order.order_id,
                now,
                ticker=order.ticker,
                bid=order.bid,
                price=draw.price if draw.bid is order.bid else ONE - draw.price,
                count=order.filled + draw.count,
            )

    def order(self, draw: Draw) -> NewOrder:
        """The order that a draw stands for."""
        return NewOrder(
            user_id=self.user_ids[draw.trader % len(self.user_ids)],
            ticker=self.tickers[draw.market % len(self.tickers)],
            bid=draw.bid,
            price=draw.price,
            count=draw.count,
            time_in_force=IOC if draw.immediate else GTC,
        )

    def _chosen(self, draw: Draw) -> Order | None:
        """A resting order; the ones met that have ended are forgotten."""
        resting = self._resting
        while resting:
            at = draw.pick % len(resting)
            order = resting[at]
            if order.status == RESTING:
                return order
            resting[at] = resting[-1]
            resting.pop()
        return None
