"""Finds orders by their client_order_id, for which the exchange has no filter.

What is known is the market and about when; so the account's orders in that market are read. Reads
may lag behind writes: one look that finds nothing proves nothing (``Certainty``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from math import inf

import anyio

from .._errors import (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    DecodeError,
    KalshiError,
    PermissionDeniedError,
)
from ..models.orders import Order
from ._lists import OrderLists

PAGE_LIMIT = 1000
BOUNDED_LOOKS = 3
"""Looks that keep to ``Wanted.since`` although the exchange says that there is such an order."""
_HOPELESS = (AuthenticationError, PermissionDeniedError, ClientClosedError)


@dataclass(frozen=True, slots=True)
class Certainty:
    """When an order that cannot be found is certain not to exist.

    A signed request can be delayed on its way and still be accepted, until its timestamp is too
    old; and lists show an order somewhat later than the exchange has it.

    Attributes:
        lag: Seconds by which lists may trail the exchange's own state.
        grace: Seconds after sending from which a request can no longer be accepted: the exchange
            takes timestamps that are up to 20 s old, and up to 30 s ahead.
        patience: Seconds that a placement goes on looking before it says that it does not know.

    Raises:
        ConfigurationError: One of them is no number of seconds.
    """

    lag: float = 1.0
    grace: float = 55.0
    patience: float = 5.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value < inf:
                raise ConfigurationError(f"{each.name} is {value!r}; expected seconds, 0 or more")

    def pause(self, looks: int) -> float:
        """Seconds to wait after so many looks that found nothing."""
        return min(0.1 * 2.0**looks, 2.0)

    def proves_absence(self, look_began: float, sent: float) -> bool:
        """Whether a look that found nothing shows that what was sent by then is not there."""
        return look_began >= sent + self.grace + self.lag


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order to find.

    Attributes:
        client_order_id: What it is known by.
        ticker: Its market.
        subaccount: Its subaccount; None looks in all.
        since: Unix seconds, by this machine's clock, from which on it is looked for first; None
            looks at everything.
    """

    client_order_id: str
    ticker: str
    subaccount: int | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """How a search ended: with the order, with proof that there is none, or with neither."""

    order: Order | None = None
    absent: bool = False
    trouble: KalshiError | None = None


@dataclass(slots=True)
class _Look:
    """What is being looked for in one market, by whoever waits for it."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    # Since when, for each who waits for an order: several may wait for the same.
    wanted: dict[str, list[int | None]] = field(default_factory=dict)
    seen: dict[str, Order] = field(default_factory=dict)
    begun: int = 0
    read_to_the_end: int = 0


class Finder:
    """Looks orders up; whoever waits for orders of the same market shares a look.

    Args:
        orders: Reads the account's orders.
        certainty: How long to look, and what an empty look means.
        clock_offset: Seconds by which the exchange's clock is ahead of this machine's.
    """

    def __init__(
        self,
        orders: OrderLists,
        certainty: Certainty,
        clock_offset: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._orders = orders
        self.certainty = certainty
        self._clock_offset = clock_offset
        self._looks: dict[tuple[str, int | None], _Look] = {}

    async def search(
        self, wanted: Wanted, *, sent: float, until: float | None, exists: bool = False
    ) -> Found:
        """Look again and again.

        Args:
            wanted: What to find.
            sent: By when its last request had left, on the clock of the event loop.
            until: When to give up, on the same clock; None looks until absence is proof.
            exists: The exchange has said that there is an order of this client_order_id. It may
                be one of long ago, and not finding it is no proof that there is none.

        Cancelling is safe.
        """
        trouble: KalshiError | None = None
        looks = 0
        while True:
            began = anyio.current_time()
            if until is not None and began >= until:
                return Found(trouble=trouble)
            # The id may have been used before this placement: only all orders together are proof.
            proof = self.certainty.proves_absence(began, sent)
            if looks >= BOUNDED_LOOKS if exists else proof:
                wanted = replace(wanted, since=None)
            with anyio.move_on_after(None if until is None else until - began):
                try:
                    order = await self.look(wanted)
                except _HOPELESS as exc:
                    return Found(trouble=exc)
                except KalshiError as exc:
                    trouble = exc
                else:
                    if order is not None:
                        return Found(order)
                    # One that exists the list will never show, wherever it is.
                    if proof and wanted.since is None:
                        return Found(trouble=trouble) if exists else Found(absent=True)
                await anyio.sleep(self.certainty.pause(looks))
            looks += 1

    async def look(self, wanted: Wanted) -> Order | None:
        """One look, begun now or later; None where it does not show the order.

        Raises:
            KalshiError: The orders could not be read; or not all of them, and it may be one of
                the others.
        """
        key = (wanted.ticker, wanted.subaccount)
        look = self._looks.setdefault(key, _Look())
        name = wanted.client_order_id
        look.wanted.setdefault(name, []).append(wanted.since)
        begun = look.begun
        try:
            async with look.lock:
                # Another's look counts if it began after this one was asked for, and did not fail.
                if name not in look.seen and look.read_to_the_end <= begun:
                    look.begun = this = look.begun + 1
                    unreadable = await self._read_through(key, look)
                    if not unreadable:
                        look.read_to_the_end = this
                    elif name not in look.seen:
                        raise DecodeError(f"{unreadable} of the listed orders could not be read")
                return look.seen.get(name)
        finally:
            look.wanted[name].remove(wanted.since)
            if not look.wanted[name]:
                del look.wanted[name]
                look.seen.pop(name, None)
            if not look.wanted:
                self._looks.pop(key, None)

    async def _read_through(self, key: tuple[str, int | None], look: _Look) -> int:
        """Read until everything wanted when this look began has been seen, or to the end.

        Returns:
            How many orders there were that may be any; 0 where everything was seen.
        """
        asked = set(look.wanted)
        since = [when for waiting in look.wanted.values() for when in waiting]
        bounds = [when + self._clock_offset() for when in since if when is not None]
        bound = int(min(bounds)) if len(bounds) == len(since) else None
        ticker, subaccount = key
        listed = self._orders.list(
            ticker=ticker, subaccount=subaccount, min_ts=bound, limit=PAGE_LIMIT
        )
        unreadable = 0
        async for page in listed.pages():
            unreadable += len(page.undecoded)
            for order in page.items:
                if order.client_order_id in asked:
                    look.seen[order.client_order_id] = order
                elif _is_nameless(order):
                    unreadable += 1
            if asked <= look.seen.keys():
                return 0
        return unreadable


def _is_nameless(order: Order) -> bool:
    name: object = order.client_order_id
    return name is None
