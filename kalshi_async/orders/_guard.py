"""``orders.guard()``: what was placed inside a block is cancelled when the block fails."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, Unpack

import anyio

from .._errors import InvalidRequestError, KalshiError, OrderStatusUnknown
from ..models.orders import PlacedOrder
from ..resources._base import CallOptions
from ._bulk import OnError, PlaceMany
from ._desk import Result, Watcher
from ._orders import Orders
from ._outcomes import CancelFailed
from ._request import OrderRequest, WireOrder
from ._terms import GTC
from ._withdraw import Stake, log_failure, withdraw

if TYPE_CHECKING:
    from .._transport import Transport
    from ._desk import Desk


@dataclass(frozen=True, slots=True)
class Guarded:
    """An order placed through a guard that may rest.

    Attributes:
        client_order_id: The caller's id.
        ticker: Its market.
        order_id: The exchange's id; empty while it is not known.
        error: Why it is not known, or could not be cancelled.
    """

    client_order_id: str
    ticker: str
    order_id: str = ""
    error: KalshiError | None = None


@dataclass(slots=True, eq=False)
class _Entry:
    """What a guard knows of one client_order_id."""

    stake: Stake
    under_way: int = 0
    tried: bool = False
    error: KalshiError | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing of it can rest."""
        stake = self.stake
        return not self.under_way and not stake.order_id and stake.doubt is None

    def public(self) -> Guarded:
        stake = self.stake
        error = self.error or stake.doubt
        return Guarded(stake.client_order_id, stake.ticker, stake.order_id, error)


class _Ledger(Watcher):
    """What was placed and may rest."""

    def __init__(self) -> None:
        self.entries: dict[str, _Entry] = {}
        self._by_order_id: dict[str, str] = {}
        self.under_way = 0
        self._change: anyio.Event | None = None

    def placing(self, order: WireOrder) -> None:
        entry = self._entry(order)
        entry.under_way += 1
        self.under_way += 1

    def ended(self, order: WireOrder, result: Result | None) -> None:
        """A placement has ended; or an unknown one was looked up since."""
        entry = self._entry(order)
        stake = entry.stake
        if entry.under_way:
            entry.under_way -= 1
            self.under_way -= 1
            if self._change is not None:
                self._change.set()
        elif result is None:  # proved not to be there
            stake.doubt = None
        if isinstance(result, PlacedOrder):
            stake.doubt = None
            if order.time_in_force == GTC and result.remaining_count != 0:
                stake.order_id = result.order_id
                self._by_order_id[result.order_id] = order.client_order_id
        elif isinstance(result, OrderStatusUnknown) and order.time_in_force == GTC:
            stake.doubt = result
        if entry.settled:
            del self.entries[order.client_order_id]

    def off_the_book(self, order_id: str) -> None:
        """An order rests no more."""
        name = self._by_order_id.pop(order_id, None)
        if name is not None and name in self.entries:
            entry = self.entries[name]
            entry.stake.order_id = ""
            if entry.settled:
                del self.entries[name]

    async def change(self) -> None:
        """Wait until a placement that is under way has ended."""
        self._change = anyio.Event()
        await self._change.wait()

    def untried(self) -> list[Stake]:
        """What is to be cancelled and was not tried yet, numbered and from now on tried.

        The newest come first: of an old one it is likelier that it has traded since, and time may
        run out.
        """
        found: list[Stake] = []
        for entry in reversed(self.entries.values()):
            stake = entry.stake
            if not entry.tried and (stake.order_id or stake.doubt is not None):
                entry.tried = True
                stake.index = len(found)
                found.append(stake)
        return found

    def _entry(self, order: WireOrder) -> _Entry:
        entry = self.entries.get(order.client_order_id)
        if entry is None:
            stake = Stake(order.client_order_id, order.ticker, order.subaccount)
            entry = self.entries[order.client_order_id] = _Entry(stake)
        return entry


class Guard(Orders):
    """``client.orders`` within a block; made by ``orders.guard()``.

    Whatever is placed through it (``create``, ``buy``, ``sell``, ``place``, ``place_many``) and may
    still rest is cancelled when the block ends by an error or a cancellation: even while cancelled,
    within ``timeout`` seconds, after looking up those of which it is unknown whether they were
    placed. Then the block's exception goes on as it was, with a note on each order that could not
    be cancelled. A block that ends normally leaves its orders alone.

    Several tasks may place through it, and guards may be nested. Orders cancelled through it need
    not be cancelled again.

    Attributes:
        uncancelled: What may still rest although the block failed; also in the log.
    """

    def __init__(
        self, transport: Transport, desk: Desk, watchers: tuple[Watcher, ...], timeout: float
    ) -> None:
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
            raise InvalidRequestError(f"timeout is {timeout!r}; expected seconds above 0")
        self._ledger = _Ledger()
        super().__init__(transport, desk, (*watchers, self._ledger))
        self._timeout = timeout
        self._entered = self._left = False
        self.uncancelled: list[Guarded] = []

    @property
    def open(self) -> list[Guarded]:
        """What was placed through it and may rest, or is on its way.

        An order that has traded since stays until it is cancelled.
        """
        return [entry.public() for entry in self._ledger.entries.values()]

    def place_many(
        self,
        requests: Iterable[OrderRequest] | AsyncIterable[OrderRequest],
        *,
        max_in_flight: int = 32,
        batch: Literal["auto"] | None = "auto",
        on_error: OnError = "collect",
        **options: Unpack[CallOptions],
    ) -> PlaceMany:
        """``orders.place_many``, guarded."""
        self._check()
        return PlaceMany(
            self,
            requests,
            max_in_flight=max_in_flight,
            batch=batch,
            on_error=on_error,
            options=options,
            admit=self._check,
        )

    async def __aenter__(self) -> Self:
        if self._entered:
            raise InvalidRequestError("a guard is entered once; make another one")
        self._entered = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._left = True
        if exc is None:
            return
        try:
            with anyio.move_on_after(self._timeout, shield=True):
                await self._take_back()
        finally:
            self._account(exc)

    async def _take_back(self) -> None:
        """Cancel what may rest, and what other tasks are still placing as soon as it may."""
        until = anyio.current_time() + self._timeout
        ledger = self._ledger
        async with anyio.create_task_group() as tasks:
            while True:
                stakes = ledger.untried()
                if stakes:
                    tasks.start_soon(self._withdraw, stakes, until)
                if not ledger.under_way:
                    break
                await ledger.change()

    async def _withdraw(self, stakes: list[Stake], until: float) -> None:
        entries = self._ledger.entries
        left = until - anyio.current_time()
        if left <= 0:
            return
        for outcome in await withdraw(self, stakes, left):
            stake = stakes[outcome.index]
            entry = entries.get(stake.client_order_id)
            if entry is None:
                continue
            if isinstance(outcome, CancelFailed):
                entry.error = outcome.error
            else:
                self._ledger.off_the_book(outcome.order_id)

    def _account(self, exc: BaseException) -> None:
        """Name what may still rest: in the list, in the log and on the exception."""
        for entry in self._ledger.entries.values():
            left = entry.public()
            self.uncancelled.append(left)
            error = left.error or KalshiError("still on its way")
            log_failure(entry.stake, error)
            exc.add_note(f"may still rest: {entry.stake}: {error}")

    def _off_the_book(self, order_id: str) -> None:
        super()._off_the_book(order_id)
        self._ledger.off_the_book(order_id)

    async def _place(self, request: OrderRequest, options: CallOptions) -> PlacedOrder:
        self._check()
        return await super()._place(request, options)

    def _check(self) -> None:
        if not self._entered or self._left:
            raise InvalidRequestError(
                "place through a guard inside its block: async with … as guard"
            )
