"""Starting and stopping an exchange as a whole, whoever cancels in between."""

from __future__ import annotations

from asyncio import CancelledError, Task, create_task, to_thread, wait
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import CancelScope

if TYPE_CHECKING:
    from ._sandbox import Sandbox

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end even if the caller is cancelled meanwhile, which is raised then."""
    task = create_task(work)
    await _ended(task)
    return task.result()


async def _ended(task: Task[T]) -> None:
    """Return when a task has ended; a cancellation that came before is raised only then, and what
    the task raised is behind it.
    """
    cancelled: CancelledError | None = None
    # A cancel scope cancels again whatever still waits: for ever, if it were not for the shield.
    with CancelScope(shield=True):
        while not task.done():
            try:
                await wait([task])
            except CancelledError as error:
                cancelled = error
    if cancelled is not None:
        raise cancelled from (None if task.cancelled() else task.exception())


class Serving:
    """The async context manager of `Sandbox.serve`. It may be left in another task than it was
    entered in.
    """

    def __init__(self, build: Callable[[], Sandbox], host: str, port: int) -> None:
        self._build, self._host, self._port = build, host, port
        self._sandbox: Sandbox | None = None

    async def __aenter__(self) -> Sandbox:
        starting = create_task(self._start())
        try:
            await _ended(starting)
        except CancelledError:
            if not starting.cancelled() and starting.exception() is None:
                await to_the_end(starting.result()._stop())
            raise
        self._sandbox = starting.result()
        return self._sandbox

    async def _start(self) -> Sandbox:
        # A million markets take seconds to draw: the caller's loop goes on meanwhile.
        sandbox = await to_thread(self._build)
        try:
            await sandbox._start(self._host, self._port)
        except BaseException:
            await sandbox._stop()
            raise
        return sandbox

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sandbox, self._sandbox = self._sandbox, None
        if sandbox is None:
            return
        await to_the_end(sandbox._stop())
        if error is None:
            sandbox._check_clock()
