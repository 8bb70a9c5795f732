"""Scans: a whole list as fast as the rate limit allows, in bounded memory, resumable."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from operator import length_hint
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import anyio
import msgspec
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from ._decode import PageDecoder, PageSlices
from ._errors import InvalidRequestError, PaginationError
from ._operations import Operation, Priority
from ._windows import Seams, Window, cut, sample_times
from ._wire import QueryValue

if TYPE_CHECKING:
    from ._transport import Transport
    from .resources._base import CallOptions

T = TypeVar("T")

CHECKPOINT_VERSION = 1
DEFAULT_PREFETCH = 2


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan is.

    Attributes:
        pages: Pages delivered to the caller.
        items: Items delivered to the caller.
        requests: Pages asked for, those included that only showed where to cut.
        windows_open: Parts of the list that are not finished.
        elapsed: Seconds since the scan began.
    """

    pages: int
    items: int
    requests: int
    windows_open: int
    elapsed: float

    @property
    def items_per_second(self) -> float:
        return self.items / self.elapsed if self.elapsed > 0 else 0.0


@dataclass(slots=True)
class _Part:
    """A window with its place in the scan; ``window`` is where a resumed scan would begin it."""

    window: Window


@dataclass(slots=True)
class _Batch(Generic[T]):
    """A page on its way to the caller, and what follows it in its part."""

    part: _Part
    slices: PageSlices[T]
    steps: Iterator[int]
    following: Window | None


class Scan(Generic[T]):
    """A scan in progress: ``async with … as scan: async for item in scan``.

    Pages are fetched ahead by tasks that live inside the ``async with`` block. They wait while the
    caller is busy: in memory are at most ``prefetch`` pages, one for each cursor and the one that
    the caller is at. Breaking out of the loop or cancelling it is safe at any time, and the loop
    may then be taken up again; leaving the block ends the tasks.

    Where a scan is sharded, items come in no particular order; each comes exactly once.

    Raises (from the loop):
        KalshiError: A page could not be read. ``scan.checkpoint()`` still says where to go on.
    """

    def __init__(
        self,
        transport: Transport,
        operation: Operation,
        decoder: PageDecoder[T],
        *,
        query: Mapping[str, QueryValue],
        identity: str,
        sharded: bool,
        concurrency: int,
        prefetch: int | None,
        progress: Callable[[ScanProgress], None] | None,
        resume: Mapping[str, object] | None,
        options: CallOptions,
    ) -> None:
        if concurrency < 1:
            raise InvalidRequestError(f"concurrency is {concurrency}; expected 1 or more")
        if prefetch is not None and prefetch < 0:
            raise InvalidRequestError(f"prefetch is {prefetch}; expected 0 or more pages")
        self._transport = transport
        self._operation = operation
        self._decoder = decoder
        self._identity = identity
        self._sharded = sharded
        self._concurrency = concurrency if sharded else 1
        self._prefetch = DEFAULT_PREFETCH if prefetch is None else prefetch
        self._progress = progress
        self._options = options
        self._filters = {name: value for name, value in query.items() if value is not None}
        self._asked = {name: str(value) for name, value in sorted(self._filters.items())}
        windows, self._seams = self._restore(resume)
        self._parts = {id(part): part for part in map(_Part, windows)}
        self._queue = deque(self._parts.values())
        self._busy = 0
        self._changed = anyio.Event()
        self._failure: Exception | None = None
        self._tasks: TaskGroup | None = None
        self._ready: deque[_Batch[T]] = deque()
        self._ended = False
        self._items: list[T] = []
        self._rest: Iterator[T] = iter(self._items)
        self._undelivered: tuple[_Part, Window | None] | None = None
        self._pages = self._delivered = self._requests = 0
        self._started = 0.0

    async def __aenter__(self) -> Self:
        if self._tasks is not None:
            raise InvalidRequestError("a scan can be entered once; make another one")
        self._started = anyio.current_time()
        self._tasks = await anyio.create_task_group().__aenter__()
        self._tasks.start_soon(self._fetch_all)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._tasks is not None  # noqa: S101 - set by __aenter__
        self._tasks.cancel_scope.cancel()
        # The block's own exception goes on by itself: a task group would wrap it.
        await self._tasks.__aexit__(None, None, None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while True:
            for item in self._rest:  # the quickest way to take one
                return item
            self._commit()
            await checkpoint()  # letting go of a page takes as long as a slice of the next
            await self._next_batch()

    @property
    def _next(self) -> int:
        """How many items of the page in hand have been delivered."""
        return len(self._items) - length_hint(self._rest)

    @property
    def progress(self) -> ScanProgress:
        """How far the scan is now."""
        elapsed = anyio.current_time() - self._started
        delivered = self._delivered + self._next
        return ScanProgress(self._pages, delivered, self._requests, len(self._parts), elapsed)

    def checkpoint(self) -> dict[str, object]:
        """Where to go on: a JSON value for ``resume=`` of the same scan with the same filters.

        Exact between any two items: what was delivered does not come again, nothing is left out.
        """
        if self._next >= len(self._items):
            self._commit()
        pending = {self._ticker(item) for item in self._items[self._next :]}
        delivered = self._seams.delivered - pending
        if pending:
            delivered |= {self._ticker(item) for item in self._items[: self._next]}
        return {
            "version": CHECKPOINT_VERSION,
            "operation": self._operation.name,
            "filters": self._asked,
            "windows": [asdict(part.window) for part in self._parts.values()],
            "bounds": sorted(self._seams.bounds),
            "delivered": sorted(delivered),
        }

    def __repr__(self) -> str:
        return (
            f"<Scan {self._operation.name} {self._delivered + self._next} items, "
            f"{self._pages} pages, {len(self._parts)} windows open>"
        )

    # -- delivering: in the caller's task

    async def _next_batch(self) -> None:
        """Take and decode a page, giving way to the event loop between slices.

        The page stays in the queue until it is decoded: cancelled here, it is not lost.
        """
        batch = await self._arrival()
        for _ in batch.steps:
            await checkpoint()
        self._ready.popleft()
        self._notify()
        page = batch.slices.page
        self._transport.note_drift(self._operation, page.drift, page.undecoded)
        self._undelivered = (batch.part, batch.following)
        self._pages += 1
        window = batch.part.window
        self._items = [item for item in page.items if self._is_new(item, window)]
        self._rest = iter(self._items)

    async def _arrival(self) -> _Batch[T]:
        """The oldest page that was fetched and not taken."""
        if self._tasks is None:
            raise InvalidRequestError("enter a scan first: `async with … as scan`")
        while not self._ready:
            if self._failure is not None:
                raise self._failure from self._failure.__cause__
            if not self._parts:
                raise StopAsyncIteration
            if self._ended:
                raise InvalidRequestError(
                    "the scan was left before its end; iterate inside its `async with` block, or "
                    "go on with another scan and resume=checkpoint()"
                )
            await self._changed.wait()
        return self._ready[0]

    def _commit(self) -> None:
        """The page in hand was delivered whole: a resumed scan begins its part after it."""
        if self._undelivered is None:
            return
        (part, following), self._undelivered = self._undelivered, None
        self._delivered += len(self._items)
        self._items = []
        self._rest = iter(self._items)
        if following is None:
            self._parts.pop(id(part), None)
        else:
            part.window = following
        if self._progress is not None:
            self._progress(self.progress)

    def _is_new(self, item: T, window: Window) -> bool:
        """Whether an item belongs to its window and has not come from the neighbouring one."""
        if not self._sharded:
            return self._seams.first_time(self._ticker(item), None)
        created: datetime | None = getattr(item, "created_time", None)
        at = None if created is None else created.timestamp()
        return window.covers(at) and self._seams.first_time(self._ticker(item), at)

    def _ticker(self, item: T) -> str:
        return str(getattr(item, self._identity))

    # -- fetching: in the scan's own tasks

    async def _fetch_all(self) -> None:
        """Run the workers until all are done or one has failed."""
        try:
            async with anyio.create_task_group() as workers:
                for _ in range(self._concurrency):
                    workers.start_soon(self._work, workers)
        finally:
            self._ended = True
            self._notify()

    async def _work(self, workers: TaskGroup) -> None:
        try:
            while (part := await self._take()) is not None:
                try:
                    await self._read(part)
                finally:
                    self._busy -= 1
                    self._notify()
        except Exception as exc:  # noqa: BLE001 - raised in the caller's task, as itself
            if self._failure is None:
                self._failure = exc
            workers.cancel_scope.cancel()

    async def _take(self) -> _Part | None:
        """The next window to read; None when there are none and none can come."""
        while not self._queue:
            if not self._busy:
                return None
            await self._changed.wait()
        self._busy += 1
        return self._queue.popleft()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def _read(self, part: _Part) -> None:
        """Read a window to its end, or cut it into pieces for all to read."""
        window: Window | None = part.window
        seen: set[str] = set()
        while window is not None:
            if window.cursor is not None and window.cursor in seen:
                raise PaginationError(f"the exchange sent cursor {window.cursor!r} a second time")
            seen.add(window.cursor or "")
            window = await self._read_page(part, window)

    async def _read_page(self, part: _Part, window: Window) -> Window | None:
        """Fetch a page and hand it over; what follows it in its window.

        A function of its own, so that its page is let go before the next one is fetched.
        """
        body = await self._fetch(window)
        slices = self._decoder.slices(body)
        following = window.at(slices.cursor) if slices.cursor is not None else None
        if following is not None and window.cursor is None and self._cut(part, body):
            return None
        await self._hand_over(_Batch(part, slices, iter(slices), following))
        return following

    async def _hand_over(self, batch: _Batch[T]) -> None:
        """Queue a page for the caller; wait while there are more than may be held ready."""
        self._ready.append(batch)
        self._notify()
        while len(self._ready) > self._prefetch:
            await self._changed.wait()

    async def _fetch(self, window: Window) -> bytes:
        self._requests += 1
        query: dict[str, QueryValue] = dict(self._filters)
        if self._sharded:
            query["min_created_ts"] = window.start
            query["max_created_ts"] = window.end
        query["cursor"] = window.cursor
        response = await self._transport.call(
            self._operation, query=query, priority=Priority.SCAN, **self._options
        )
        return response.body

    def _cut(self, part: _Part, body: bytes) -> bool:
        """Put the pieces of a long window in its place; whether there are any."""
        if not self._sharded or self._concurrency == 1:
            return False
        times = sample_times(body)
        if not times:
            return False
        pieces = cut(part.window, min(times), max(times), most=4 * self._concurrency)
        if len(pieces) == 1:
            return False
        self._seams.add(pieces)
        self._parts.pop(id(part))
        for piece in map(_Part, pieces):
            self._parts[id(piece)] = piece
            self._queue.append(piece)
        self._notify()
        return True

    # -- resuming

    def _restore(self, resume: Mapping[str, object] | None) -> tuple[list[Window], Seams]:
        bounds: dict[str, Any] = {}
        if self._sharded:  # the caller's own bounds are the first window's
            bounds = {
                "start": self._filters.pop("min_created_ts", None),
                "end": self._filters.pop("max_created_ts", None),
            }
        if resume is None:
            return [Window(**bounds)], Seams()
        try:
            saved = msgspec.convert(dict(resume), _Checkpoint)
        except msgspec.ValidationError as exc:
            raise InvalidRequestError(
                f"resume is not a checkpoint of a scan ({exc}); pass what checkpoint() returned"
            ) from None
        if saved.version != CHECKPOINT_VERSION or saved.operation != self._operation.name:
            raise InvalidRequestError(
                f"the checkpoint is of {saved.operation} (version {saved.version}), "
                f"the scan is {self._operation.name} (version {CHECKPOINT_VERSION})"
            )
        if saved.filters != self._asked:
            raise InvalidRequestError(
                f"the checkpoint was made with filters {saved.filters}, the scan has "
                f"{self._asked}; resume with the same ones"
            )
        return saved.windows, Seams(saved.bounds, saved.delivered)


class _Checkpoint(msgspec.Struct):
    """The form of ``Scan.checkpoint()``."""

    version: int
    operation: str
    filters: dict[str, str]
    windows: list[Window]
    bounds: list[int]
    delivered: list[str]
