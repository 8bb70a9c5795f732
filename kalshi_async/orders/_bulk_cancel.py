"""``cancel_many``: many orders taken off the book at once, with an outcome for each."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import anyio

from .._decode import object_decoder
from .._errors import (
    BadRequestError,
    DecodeError,
    ErrorBody,
    InvalidRequestError,
    KalshiError,
    NotFoundError,
    api_error,
    item_error,
)
from .._operations import BATCH_CANCEL_ORDERS, CANCEL_ORDER
from .._options import INHERIT
from .._trail import Trail
from ..models.orders import CanceledBatch, CanceledOrder, CanceledOrderItem, OrderError
from ..resources._base import CallOptions
from ._batching import batch_size, check_batch
from ._flow import Flow, Run, not_sent
from ._line import Job
from ._outcomes import Canceled, CancelFailed, CancelOutcome, Gone
from ._targets import OrderLike, Target, proves_gone, target

if TYPE_CHECKING:
    from ._orders import Orders

Cancelable = OrderLike | Target
_Job = Job[Cancelable, CancelOutcome]

_batch_decoder = object_decoder(CanceledBatch)
_NOT_FOUND = "not_found"


class CancelMany(Flow[Cancelable, CancelOutcome]):
    """Orders being cancelled; made by ``orders.cancel_many``.

    It is used like ``PlaceMany``: awaited for all outcomes in the order of the input, in an ``async
    with`` block, or iterated as it is. Every order has exactly one outcome: ``Canceled``, ``Gone``
    (it did not rest) or ``CancelFailed`` (it may still rest).

    Raises (from all three):
        Whatever the source raised, once all outcomes were given out. Cancelled, it is cancelled
        like any other call; ``outcomes`` then tells what is known.
    """

    def __init__(
        self,
        orders: Orders,
        items: Iterable[Cancelable] | AsyncIterable[Cancelable],
        *,
        subaccount: int | None,
        max_in_flight: int,
        batch: Literal["auto"] | None,
        options: CallOptions,
    ) -> None:
        check_batch(batch)
        if isinstance(items, str):
            raise InvalidRequestError(
                f"orders is the text {items!r}; expected several, as in cancel_many([order_id])"
            )
        orders._transport.until(options.get("deadline", INHERIT))
        super().__init__(items, max_in_flight)
        self._orders = orders
        self._subaccount = subaccount
        self._batch = batch
        self._options = options
        self.canceled = self.gone = self.failed = 0

    def _job(self, index: int, item: Cancelable) -> _Job:
        wanted = item if isinstance(item, Target) else target(item)
        if wanted.subaccount is None and self._subaccount is not None:
            wanted = replace(wanted, subaccount=self._subaccount)
        return Job(index, wanted, wanted.order_id)

    def _most_together(self) -> int:
        if self._batch is None:
            return 1
        return batch_size(self._orders._transport, BATCH_CANCEL_ORDERS, CANCEL_ORDER)

    async def _carry_out(self, run: Run[Cancelable, CancelOutcome]) -> None:
        trail = Trail()
        trails = [trail]
        run.doing = trails
        if len(run.jobs) == 1:
            await self._cancel_one(run.jobs[0], trail)
            return
        left = await self._cancel_batch(run.jobs, trail)
        async with anyio.create_task_group() as tasks:
            for job in left:
                again = Trail(doubtful=trail.doubtful)
                trails.append(again)
                tasks.start_soon(self._cancel_one, job, again)

    async def _cancel_one(self, job: _Job, trail: Trail) -> None:
        wanted = _target(job)
        try:
            canceled = await self._orders._cancel(wanted, None, self._options, trail)
        except KalshiError as exc:
            job.outcome = _failed(job, exc)
        except Exception as exc:  # noqa: BLE001 - it must not keep the others on the book
            job.outcome = _failed(job, _unforeseen(exc, trail))
        except anyio.get_cancelled_exc_class():
            if trail.unknown:
                job.outcome = _failed(job, _interrupted())
            raise
        else:
            job.outcome = Canceled(wanted.order_id, canceled, job.index)

    async def _cancel_batch(self, jobs: list[_Job], trail: Trail) -> list[_Job]:
        """Cancel orders in one request; returns those that are to be cancelled by themselves."""
        transport = self._orders._transport
        body = {"orders": [_item(_target(job)) for job in jobs]}
        try:
            response = await transport.call(
                BATCH_CANCEL_ORDERS, body=body, trail=trail, items=len(jobs), **self._options
            )
            answer = transport.decode_object(BATCH_CANCEL_ORDERS, _batch_decoder, response)
        except (BadRequestError, NotFoundError):  # one, or their number, spoils it for all
            return jobs
        except DecodeError:
            trail.doubtful = True  # it was carried out, for all that can be told
            return jobs
        except KalshiError as exc:
            for job in jobs:
                job.outcome = _failed(job, exc)
            return []
        except Exception as exc:  # noqa: BLE001 - it must not keep the others on the book
            for job in jobs:
                job.outcome = _failed(job, _unforeseen(exc, trail))
            return []
        except anyio.get_cancelled_exc_class():
            for job in jobs if trail.unknown else ():
                job.outcome = _failed(job, _interrupted())
            raise
        items = {item.order_id: item for item in answer.orders}
        left = []
        for job in jobs:
            item = items.get(job.key)
            if item is None or (trail.doubtful and _is_gone(item)):
                trail.doubtful = True
                left.append(job)
            else:
                self._sort(job, item)
        return left

    def _sort(self, job: _Job, item: CanceledOrderItem) -> None:
        if item.error is not None:
            error = _error(item.error)
            if proves_gone(error, _target(job)):
                self._orders._off_the_book(job.key)
            job.outcome = _failed(job, error)
            return
        self._orders._off_the_book(job.key)
        canceled = CanceledOrder(
            order_id=item.order_id,
            client_order_id=item.client_order_id,
            reduced_by=item.reduced_by,
            ts_ms=item.ts_ms or 0,
        )
        job.outcome = Canceled(job.key, canceled, job.index)

    def _not_sent(self, job: _Job, why: str) -> CancelOutcome:
        return CancelFailed(job.key, not_sent(why), job.index)

    def _ended(self, job: _Job, outcome: CancelOutcome) -> None:
        if isinstance(outcome, Canceled):
            self.canceled += 1
        elif isinstance(outcome, Gone):
            self.gone += 1
        else:
            self.failed += 1

    def _counts(self) -> str:
        return f"{self.canceled} canceled, {self.gone} gone, {self.failed} failed"


def _target(job: _Job) -> Target:
    item = job.item
    return item if isinstance(item, Target) else target(item)


def _item(wanted: Target) -> dict[str, object]:
    """An order, as the body of a batch names it."""
    item: dict[str, object] = {"order_id": wanted.order_id}
    if wanted.subaccount is not None:
        item["subaccount"] = wanted.subaccount
    if wanted.ticker is not None:
        item["market_ticker"] = wanted.ticker
    return item


def _is_gone(item: CanceledOrderItem) -> bool:
    return item.error is not None and item.error.code == _NOT_FOUND


def _error(said: OrderError) -> KalshiError:
    body = ErrorBody(said.code, said.message, said.details, said.service)
    error = api_error(404, body) if said.code == _NOT_FOUND else item_error(body)
    error.operation = BATCH_CANCEL_ORDERS.name
    return error


def _failed(job: _Job, error: KalshiError) -> CancelOutcome:
    if isinstance(error, NotFoundError):
        return Gone(job.key, error, job.index)
    return CancelFailed(job.key, error, job.index)


def _interrupted() -> KalshiError:
    error = KalshiError("interrupted after it was sent; it may have been carried out")
    error.operation = BATCH_CANCEL_ORDERS.name
    error.may_have_reached_server = error.outcome_unknown = True
    return error


def _unforeseen(cause: Exception, trail: Trail) -> KalshiError:
    """What is no error of this package, as one."""
    error = KalshiError(f"failed with {cause!r}")
    error.__cause__ = cause
    error.operation, error.attempts = BATCH_CANCEL_ORDERS.name, trail.attempts
    error.may_have_reached_server = error.outcome_unknown = trail.unknown
    return error
