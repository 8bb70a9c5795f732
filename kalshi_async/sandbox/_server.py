"""The HTTP edge: faults, authentication, metering, the handler, and every error in the
exchange's own shape.
"""

from __future__ import annotations

import logging
from asyncio import sleep
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler as RequestHandler
from aiohttp.typedefs import Middleware

from ._auth import Account, authenticate, carries_key
from ._call import Call
from ._catalog import Catalog
from ._errors import ApiError, nested, too_many_requests
from ._faults import Faults
from ._handlers import HANDLERS
from ._handlers_exchange import exchange_status
from ._limits import DEFAULT_COST, ENDPOINT_COSTS, Limits, Tier
from ._operations import API_ROOT, OPERATIONS, Operation
from ._params import Params
from ._text import SECOND

logger = logging.getLogger("kalshi_async.sandbox")

LARGEST_BODY = 1 << 20
# The status under which a connection closed without an answer is counted.
DROPPED = 0
_ENCODER = msgspec.json.Encoder()
_UNROUTED = "unrouted"
_COSTS = {(method, path): cost for method, path, cost in ENDPOINT_COSTS}
_FAULT_CODES = {429: "too_many_requests", 500: "internal_server_error", 503: "service_unavailable"}


def _without_traceback(record: logging.LogRecord) -> bool:
    """A request that is not HTTP is the sender's fault: one line says so."""
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        reason = str(record.exc_info[1].message).partition("\n")[0]
        record.msg, record.args, record.exc_info = "not an HTTP request: %s", (reason,), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


http_logger = logging.getLogger("kalshi_async.sandbox.http")
http_logger.addFilter(_without_traceback)


class Server:
    """Answers requests from a catalog. `clock` is the wall clock in Unix seconds, `timer` a
    monotonic one.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        tier: Tier,
        clock: Callable[[], float],
        timer: Callable[[], float],
        faults: Faults,
    ) -> None:
        self.catalog = catalog
        self.accounts: dict[str, Account] = {}
        self.faults = faults
        self.clock_skew = 0.0
        self.requests: Counter[tuple[str, int]] = Counter()
        self._tier, self._clock, self._timer = tier, clock, timer
        self._by_address: dict[str, Limits] = {}

    def application(self) -> web.Application:
        """The aiohttp application with a route for every operation."""
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._errors()])
        for operation in OPERATIONS:
            app.router.add_route(
                operation.method, API_ROOT + operation.path, self._route(operation)
            )
        return app

    def now(self) -> float:
        """The clock of the exchange in Unix seconds."""
        return self._clock() + self.clock_skew

    def _route(self, operation: Operation) -> RequestHandler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._answer(operation, request)

        return handle

    async def _answer(self, operation: Operation, request: web.Request) -> web.StreamResponse:
        fault = self.faults.decide(operation.name)
        if fault.delay:
            await sleep(fault.delay)
        if fault.drop and not fault.processed:
            return self._drop(operation, request)
        if fault.status is not None:
            return self._faulty(operation, fault.status)
        try:
            body: object = await self._process(operation, request)
            status = 200
        except ApiError as error:
            body, status = error.body, error.status
        except web.HTTPException:
            raise
        except Exception:
            logger.exception("%s failed", operation.name)
            body, status = nested(500, "internal_server_error").body, 500
        if fault.drop:
            return self._drop(operation, request)
        return self._send(operation.name, status, body)

    async def _process(self, operation: Operation, request: web.Request) -> object:
        if request.can_read_body:
            await request.read()
        account = None
        path = request.raw_path.partition("?")[0]
        if not operation.public or carries_key(request.headers):
            now_ms = int(self.now() * 1000)
            account = authenticate(self.accounts, request.method, path, request.headers, now_ms)
        cost = _COSTS.get((operation.method, operation.path), DEFAULT_COST)
        limits = account.limits if account else self._anonymous(request.remote or "")
        if not limits.admit(operation.method, cost):
            raise too_many_requests()
        call = Call(
            catalog=self.catalog,
            params=Params(operation.name, request.query),
            path=request.match_info,
            account=account,
            now=int(self.now() * SECOND),
        )
        return await HANDLERS[operation.name](call)

    def _anonymous(self, address: str) -> Limits:
        """The buckets of an address that calls without a key."""
        if address not in self._by_address:
            self._by_address[address] = Limits(self._tier, self._timer)
        return self._by_address[address]

    def _faulty(self, operation: Operation, status: int) -> web.StreamResponse:
        if operation.name == "GetExchangeStatus" and status in (500, 503, 504):
            return self._send(operation.name, status, exchange_status(active=False))
        if status in _FAULT_CODES:
            return self._send(operation.name, status, nested(status, _FAULT_CODES[status]).body)
        # Gateways in front of an exchange answer in HTML.
        self.requests[operation.name, status] += 1
        text = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
        return web.Response(
            status=status, text=text, content_type="text/html", headers={"Date": self._date()}
        )

    def _drop(self, operation: Operation, request: web.Request) -> web.StreamResponse:
        self.requests[operation.name, DROPPED] += 1
        if request.transport is not None:
            request.transport.close()
        return web.Response()

    def _date(self) -> str:
        return formatdate(self.now(), usegmt=True)

    def _send(self, name: str, status: int, body: object) -> web.Response:
        self.requests[name, status] += 1
        return web.Response(
            status=status,
            body=_ENCODER.encode(body),
            content_type="application/json",
            headers={"Date": self._date()},
        )

    def _refuse(self, error: web.HTTPException) -> web.Response:
        """What no operation answers for: unknown paths, wrong methods, oversized bodies."""
        codes = {404: "not_found", 405: "method_not_allowed", 413: "request_entity_too_large"}
        shown = nested(error.status, codes.get(error.status, "bad_request"))
        response = self._send(_UNROUTED, error.status, shown.body)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response

    def _errors(self) -> Middleware:
        @web.middleware
        async def translate(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
            try:
                if (request.content_length or 0) > LARGEST_BODY:
                    raise web.HTTPRequestEntityTooLarge(LARGEST_BODY, request.content_length or 0)
                return await handler(request)
            except web.HTTPException as error:
                return self._refuse(error)

        return translate
