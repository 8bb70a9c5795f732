"""``place_many``: many orders at once, each placed exactly once, with an outcome for each."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Literal, get_args

import anyio

from .._errors import InvalidRequestError, KalshiError, OrderStatusUnknown, PlacementInterrupted
from .._operations import BATCH_CREATE_ORDERS, CREATE_ORDER
from .._options import INHERIT
from ..models.orders import PlacedOrder
from ..resources._base import CallOptions
from ._answers import Ticket
from ._batching import batch_size, check_batch
from ._desk import Result
from ._flow import LEFT, Flow, Run, not_sent
from ._line import Job
from ._outcomes import CancelFailed, CancelOutcome, Outcome, Placed, Rejected, Unknown
from ._request import OrderRequest, effective_time_in_force, wire_order
from ._terms import GTC, one_of
from ._withdraw import Stake, log_failure, withdraw

if TYPE_CHECKING:
    from ._orders import Orders

OnError = Literal["collect", "cancel_placed"]
_ON_ERROR = get_args(OnError)
WITHDRAWAL_SECONDS = 10.0
"""How long ``on_error="cancel_placed"`` may take to cancel what was placed."""


class PlaceMany(Flow[OrderRequest, Outcome]):
    """Orders being placed; made by ``orders.place_many``. It is used once, in one of three ways.

    ``results = await orders.place_many(requests)``
        The outcomes of all, in the order of the input.

    ``async with orders.place_many(requests) as outcomes: async for outcome in outcomes: …``
        Outcomes as they come. The pipeline stays full while the loop is busy: at most
        ``max_in_flight`` orders are under way, and at most twice as many are begun and not given
        out. Leaving the block early sends nothing more and waits for what was sent; cancelling it
        does not wait. Either way ``outcomes`` then tells what is known.

    ``async for outcome in orders.place_many(requests): …``
        The same without a block, and so without tasks of its own between two steps of the loop:
        the next ``4 * max_in_flight`` are placed together whenever the last ones have been given
        out (of an async source: once so many have come, or it has ended).

    Every request has exactly one outcome: ``Placed``, ``Rejected`` (certainly not placed) or
    ``Unknown``.

    Attributes:
        cancellations: With ``on_error="cancel_placed"``, once something was not placed, the source
            failed or the whole was cancelled: what happened to each order that was placed, by
            ``index``. ``CancelFailed`` may still rest.

    Raises (from all three):
        PlacementInterrupted: The source failed (``__cause__``) after something was sent; or the
            whole was cancelled after that, except in a block, which is cancelled like any other.
            Carries ``outcomes``. Before anything was sent, the cause itself is raised.
    """

    def __init__(
        self,
        orders: Orders,
        requests: Iterable[OrderRequest] | AsyncIterable[OrderRequest],
        *,
        max_in_flight: int,
        batch: Literal["auto"] | None,
        on_error: OnError,
        options: CallOptions,
        admit: Callable[[], None] | None = None,
    ) -> None:
        one_of("on_error", on_error, _ON_ERROR)
        check_batch(batch)
        orders._transport.until(options.get("deadline", INHERIT))
        super().__init__(requests, max_in_flight)
        self._orders = orders
        self._batch = batch
        self._cancels = on_error == "cancel_placed"
        self._options = options
        self._admit = admit
        self._stakes: list[Stake] = []
        self._broken = False
        self.placed = self.rejected = self.unknown = 0
        self.cancellations: list[CancelOutcome] = []

    def _job(self, index: int, item: OrderRequest) -> Job[OrderRequest, Outcome]:
        if not isinstance(item, OrderRequest):
            raise InvalidRequestError(
                f"request {index} is a {type(item).__name__}; place_many takes OrderRequest(…)"
            )
        # A price from the book is too fresh to wait for the books of others.
        return Job(index, item, item.client_order_id or "", alone=item.limit is None)

    def _most_together(self) -> int:
        if self._batch is None:
            return 1
        return batch_size(self._orders._transport, BATCH_CREATE_ORDERS, CREATE_ORDER)

    async def _carry_out(self, run: Run[OrderRequest, Outcome]) -> None:
        if self._admit is not None:
            self._admit()
        tickets: list[Ticket] = []
        run.doing = tickets
        if len(run.jobs) == 1:
            await self._place_one(run.jobs[0], tickets)
        else:
            await self._place_batch(run.jobs, tickets)

    async def _place_one(self, job: Job[OrderRequest, Outcome], tickets: list[Ticket]) -> None:
        orders = self._orders
        result: Result
        try:
            order, options = await orders._priced(job.item, self._options)
            result = await orders._placement.place(order, options, tickets)
        except KalshiError as exc:
            result = exc
        job.outcome = outcome(job, result)

    async def _place_batch(
        self, jobs: list[Job[OrderRequest, Outcome]], tickets: list[Ticket]
    ) -> None:
        wires = [wire_order(job.item, job.item.limit) for job in jobs if job.item.limit is not None]
        results: dict[str, Result] = {}
        try:
            await self._orders._placement.place_batch(wires, self._options, results, tickets)
        except InvalidRequestError:  # the journal refuses one of them, and with it all
            async with anyio.create_task_group() as tasks:
                for job in jobs:
                    tasks.start_soon(self._place_one, job, tickets)
        except KalshiError as exc:
            for order in wires:
                results.setdefault(order.client_order_id, exc)
        finally:
            for job in jobs:
                result = results.get(job.key)
                if result is not None:
                    job.outcome = outcome(job, result)

    def _not_sent(self, job: Job[OrderRequest, Outcome], why: str) -> Outcome:
        return Rejected(job.item, not_sent(why), job.index)

    def _ended(self, job: Job[OrderRequest, Outcome], outcome: Outcome) -> None:
        if isinstance(outcome, Placed):
            self.placed += 1
        elif isinstance(outcome, Rejected):
            self.rejected += 1
        else:
            self.unknown += 1
        if not self._cancels:
            return
        stake = _stake(outcome)
        if stake is not None:
            self._stakes.append(stake)
        if not isinstance(outcome, Placed) and (job.outcome is not None or self._why is None):
            self._broken = True
            self._stop(f"another was not placed ({outcome.error})")

    def _fail(self, error: Exception) -> None:
        super()._fail(error)
        if self._cancels:
            self._stop(f"it was broken off by {error!r}")

    @property
    def _drains(self) -> bool:
        return self._cancels and self._broken

    async def _settle(self) -> None:
        if not self._stakes or (self._why == LEFT and not self._broken):
            return
        self.cancellations = await withdraw(self._orders, self._stakes, WITHDRAWAL_SECONDS)
        stakes = {stake.index: stake for stake in self._stakes}
        for ended in self.cancellations:
            if isinstance(ended, CancelFailed):
                log_failure(stakes[ended.index], ended.error)

    def _interruption(self, cause: BaseException) -> BaseException:
        if not self._sent:
            return cause
        why = f"the source failed with {cause!r}" if isinstance(cause, Exception) else "cancelled"
        error = PlacementInterrupted(f"{why} amid {self._counts()}; see .outcomes")
        error.outcomes = self.outcomes
        return error

    def _counts(self) -> str:
        return f"{self.placed} placed, {self.rejected} rejected, {self.unknown} unknown"


def outcome(job: Job[OrderRequest, Outcome], result: Result) -> Outcome:
    """How a placement ended, as an outcome."""
    if isinstance(result, PlacedOrder):
        return Placed(job.item, result, job.index)
    if isinstance(result, OrderStatusUnknown):
        return Unknown(job.item, result, job.index)
    return Rejected(job.item, result, job.index)


def _stake(outcome: Outcome) -> Stake | None:
    """What is to be cancelled of a request; None if nothing of it can rest."""
    request = outcome.request
    if isinstance(outcome, Rejected) or effective_time_in_force(request) != GTC:
        return None
    stake = Stake(
        request.client_order_id or "", request.market_ticker, request.subaccount, outcome.index
    )
    if isinstance(outcome, Unknown):
        stake.doubt = outcome.error
    elif outcome.order.remaining_count == 0:
        return None
    else:
        stake.order_id = outcome.order.order_id
    return stake
