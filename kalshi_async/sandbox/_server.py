"""The HTTP edge: faults, authentication, metering, the handler, and every error in the
exchange's own shape.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler as RequestHandler
from aiohttp.typedefs import Middleware

from ._auth import Key, authenticate, carries_key
from ._call import Call, Handler
from ._dialect import translate, translate_query
from ._dialect_orders import HANDLERS as OLDER_HANDLERS
from ._errors import ApiError, forbidden, nested, too_many_requests
from ._exchange import Exchange
from ._fault_http import FaultyHttp, Lost
from ._faults import Fault, Faults
from ._handlers.bodies import BodyError, billed_items, billed_shard
from ._handlers.exchange import exchange_status
from ._handlers.orders import LEGACY, legacy_order
from ._handlers.params import Params
from ._handlers.table import HANDLERS
from ._lag import LaggedView
from ._limits import Limits, Tier, cost_of
from ._listener import Listener
from ._operations import API_ROOT, OPERATIONS, Operation
from ._rekko.desk import RekkoDesk
from ._rekko.http import RekkoHttp
from ._state_file import StateError
from ._text import SECOND
from ._ws.server import close_websockets, websocket

logger = logging.getLogger("kalshi_async.sandbox")

LARGEST_BODY = 1 << 20
# The status under which a connection closed without an answer is counted.
DROPPED = 0
# The API of early 2026 beside today's.
SEED = "seed"
WS_PATH = "/trade-api/ws/v2"
_ENCODER = msgspec.json.Encoder()
_UNROUTED = "unrouted"
_FAULT_CODES = {429: "too_many_requests", 500: "internal_server_error", 503: "service_unavailable"}


def _without_traceback(record: logging.LogRecord) -> bool:
    """A request that is not HTTP is the sender's fault: one line says so."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError | web.RequestPayloadError):
        reason = " ".join(str(getattr(error, "message", error)).split())[:200]
        record.msg, record.args, record.exc_info = "not an HTTP request: %s", (reason,), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


http_logger = logging.getLogger("kalshi_async.sandbox.http")
http_logger.addFilter(_without_traceback)


async def _sent(request: web.Request) -> bytes:
    """The body of a request; 400 when it is not what its headers say."""
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise BodyError(f"the body cannot be read: {' '.join(str(error).split())[:200]}") from None


class Server:
    """Answers requests to one exchange. `timer` is a monotonic clock in seconds."""

    def __init__(
        self,
        exchange: Exchange,
        *,
        tier: Tier,
        timer: Callable[[], float],
        faults: Faults,
        desk: RekkoDesk,
        dialect: str | None = None,
    ) -> None:
        self.exchange = exchange
        self.listener = Listener()
        self.edge = FaultyHttp(self.listener)
        self.requests: Counter[tuple[str, int]] = Counter()
        self.rekko = RekkoHttp(
            desk, faulty=self.edge, faults=lambda: self.faults, requests=self.requests
        )
        self._seed_dialect = dialect == SEED
        self._tier, self._timer = tier, timer
        self._by_address: dict[str, Limits] = {}
        self._second, self._dated = -1, ""
        self._unfollow: Callable[[], None] = lambda: None
        self.follow(faults)

    def follow(self, faults: Faults) -> None:
        """Let these faults happen from now on; what a lag is to show is kept from now on."""
        self._unfollow()
        self.faults = faults
        self._unfollow = faults.follow_lag(self.exchange.room(LaggedView).keep)

    async def stop(self) -> None:
        """Let nobody in any more, end what waits in a fault, and close the WebSockets. The
        application is cleaned up next.
        """
        self._unfollow()
        await self.listener.stop()
        await self.edge.stop()
        await self.rekko.stop()
        # The clean-up begins with deaf ears: nobody's answer to a close frame would be heard.
        await close_websockets(self.exchange)

    def application(self) -> web.Application:
        """The aiohttp application with a route for every operation."""
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._errors()])
        router = app.router
        for operation in OPERATIONS:
            router.add_route(operation.method, API_ROOT + operation.path, self._route(operation))
        older = OLDER_HANDLERS if self._seed_dialect else {}
        for method, path in LEGACY:
            handler = older.get((method, path), legacy_order)
            operation = Operation(f"{method} {path}", path, method, scope="write::trade")
            router.add_route(method, API_ROOT + path, self._route(operation, handler))
        router.add_get(WS_PATH, self._websocket)
        self.rekko.add_routes(router)
        return app

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        return await websocket(self, request)

    def key_of(self, request: web.Request) -> Key:
        """The key that signed a request, else an ApiError 401."""
        path = request.raw_path.partition("?")[0]
        keys, now_ms = self.exchange.directory.keys, self.exchange.wall_ms()
        return authenticate(keys, request.method, path, request.headers, now_ms)

    def _route(self, operation: Operation, handler: Handler | None = None) -> RequestHandler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._answer(operation, handler or HANDLERS[operation.name], request)

        return handle

    async def _answer(
        self, operation: Operation, handler: Handler, request: web.Request
    ) -> web.StreamResponse:
        fault = self.faults.decide(operation.name)

        async def process() -> web.Response:
            return self._respond(*await self._processed(operation, handler, request, fault))

        response = await self.edge.answer(
            fault, request, process, lambda status: self._faulty(operation, status)
        )
        lost = isinstance(response, Lost)
        self.requests[operation.name, DROPPED if lost else response.status] += 1
        return response

    async def _processed(
        self, operation: Operation, handler: Handler, request: web.Request, fault: Fault
    ) -> tuple[int, object]:
        """Status and body of an answer. What a write did is on disk before it is answered."""
        try:
            try:
                body = await self._process(operation, handler, request, fault)
                return operation.status, body
            except ApiError as error:
                return error.status, error.body
            finally:
                if operation.writes:
                    await self.exchange.durable()
        except web.HTTPException:
            raise
        except StateError as error:
            # The disk, not the exchange, is at fault: no traceback helps with that.
            logger.error("%s is not acknowledged: %s", operation.name, error)  # noqa: TRY400
            return 500, nested(500, "internal_server_error").body
        except Exception:
            logger.exception("%s failed", operation.name)
            return 500, nested(500, "internal_server_error").body

    async def _process(
        self, operation: Operation, handler: Handler, request: web.Request, fault: Fault
    ) -> object:
        sent = await _sent(request)
        key = account = None
        if not operation.public or carries_key(request.headers):
            key = self.key_of(request)
            account = self.exchange.directory.accounts[key.user_id]
            if operation.scope and not key.allows(operation.scope):
                raise forbidden(f"the key lacks the scope {operation.scope}")
        limits = account.limits if account else self._anonymous(request.remote or "")
        cost = cost_of(operation.method, operation.path) * billed_items(operation.name, sent)
        shard = billed_shard(operation.name, sent, request.query)
        if not limits.admit(operation.name, operation.method, cost, shard):
            raise too_many_requests()
        if not operation.writes:
            # What a write does is preceded by what is due in any case.
            self.exchange.tick()
        now = self.exchange.now()
        query = request.query
        if self._seed_dialect:
            query = translate_query(operation.name, query)
        call = Call(
            exchange=self.exchange,
            params=Params(operation.name, query),
            path=request.match_info,
            account=account,
            key=key,
            now=now,
            as_of=now - int(fault.stale * SECOND),
            body=sent,
        )
        body = await handler(call)
        if self._seed_dialect:
            trader = self.exchange.engine.traders.get(account.user_id) if account else None
            body = translate(operation.name, body, trader)
        return body

    def _anonymous(self, address: str) -> Limits:
        """The buckets of an address that calls without a key."""
        if address not in self._by_address:
            self._by_address[address] = Limits(self._tier, self._timer)
        return self._by_address[address]

    def _faulty(self, operation: Operation, status: int) -> web.Response:
        if operation.name == "GetExchangeStatus" and status in (500, 503, 504):
            return self._respond(status, exchange_status(active=False))
        if status in _FAULT_CODES:
            return self._respond(status, nested(status, _FAULT_CODES[status]).body)
        # Gateways in front of an exchange answer in HTML.
        text = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
        return web.Response(
            status=status, text=text, content_type="text/html", headers={"Date": self._date()}
        )

    def _date(self) -> str:
        # As for the signatures: who sets a clock by it must be able to sign, whatever was advanced.
        second = self.exchange.wall_ms() // 1000
        if second != self._second:
            self._second, self._dated = second, formatdate(second, usegmt=True)
        return self._dated

    def _respond(self, status: int, body: object) -> web.Response:
        if body is None:
            return web.Response(status=status, headers={"Date": self._date()})
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
        self.requests[_UNROUTED, error.status] += 1
        response = self._respond(error.status, shown.body)
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
                if self.rekko.owns(request.path):
                    return self.rekko.refuse(error)
                return self._refuse(error)

        return translate
