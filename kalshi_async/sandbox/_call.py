"""What a handler is given, and how a page is collected without stopping the event loop."""

from __future__ import annotations

from asyncio import sleep, to_thread
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from ._auth import Account, Key
from ._catalog.catalog import Catalog, Listed
from ._errors import nested
from ._exchange import Exchange
from ._handlers.params import Params
from ._lag import LaggedView, TraderView

T = TypeVar("T")
# About 2 ms of rendering.
_SLICE = 100
# Events a listing may pass over without letting the loop go on: some 20 ms.
_LARGE = 50_000


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated, metered request. `as_of` is what a read with a lag shows; `body` is what
    was sent, undecoded.
    """

    exchange: Exchange
    params: Params
    path: Mapping[str, str]
    account: Account | None
    key: Key | None
    now: int
    as_of: int
    body: bytes = b""

    @property
    def catalog(self) -> Catalog:
        """What is listed."""
        return self.exchange.catalog

    @property
    def user_id(self) -> str:
        """Who asks; 401 without a key."""
        if self.account is None:
            raise nested(401, "token_authentication_failure")
        return self.account.user_id

    @property
    def trader(self) -> TraderView:
        """The orders, fills, positions and money of who asks, as old as reads are to be."""
        if self.as_of < self.now:
            return self.exchange.room(LaggedView).view(self.user_id, self.as_of)
        return self.exchange.engine.trader(self.user_id)

    def market(self) -> Listed | None:
        """The market its path names."""
        return self.catalog.market(self.path["ticker"])


Handler = Callable[[Call], Awaitable[object]]


async def page(call: Call, found: Iterator[T], limit: int) -> tuple[list[T], bool]:
    """Up to `limit` items, and whether there are more."""
    if len(call.catalog.generated) > _LARGE:
        # A rare match can be a million events away: a thread searches while the loop goes on.
        items = await to_thread(lambda: list(islice(found, limit + 1)))
        return items[:limit], len(items) > limit
    items = []
    for item in islice(found, limit + 1):
        items.append(item)
        if len(items) % _SLICE == 0:
            await sleep(0)
    return items[:limit], len(items) > limit


async def rendered(items: list[T], render: Callable[[T], object]) -> list[object]:
    """The wire objects of a page."""
    shown: list[object] = []
    for item in items:
        shown.append(render(item))
        if len(shown) % _SLICE == 0:
            await sleep(0)
    return shown
