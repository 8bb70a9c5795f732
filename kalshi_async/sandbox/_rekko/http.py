"""The HTTP edge of the intelligence API: the key, faults, answers that wait for a run, and what is
posted to webhooks.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections import Counter
from collections.abc import Callable, Mapping

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout, web
from aiohttp.typedefs import Handler as RequestHandler

from .._errors import ApiError
from .._fault_http import FaultyHttp, Lost
from .._faults import Faults
from .._operations import Operation
from . import calls, events
from .calls import Answer, Waiting
from .desk import RekkoDesk
from .given import Asked, Given, decoded, refusal
from .markets import KALSHI
from .operations import REKKO_OPERATIONS, REKKO_ROOT
from .webhooks import Delivery

logger = logging.getLogger("kalshi_async.sandbox")

Call = Callable[[RekkoDesk, Asked], object]
CALLS: Mapping[str, Call] = {
    "RekkoListMarkets": calls.markets,
    "RekkoGetMarket": calls.market,
    "RekkoMarketHistory": calls.history,
    "RekkoMarketResolution": calls.resolution,
    "RekkoMarketExecution": calls.execution,
    "RekkoMarketConsensus": calls.consensus,
    "RekkoAnalyze": calls.analyze,
    "RekkoAnalysisStatus": calls.analysis_status,
    "RekkoAnalysis": calls.analysis,
    "RekkoListAnalyses": calls.analyses,
    "RekkoSignal": calls.signal,
    "RekkoPortfolioSignal": calls.portfolio_signal,
    "RekkoScreen": calls.screen,
    "RekkoArbitrage": calls.arbitrage,
    "RekkoLiveArbitrage": calls.arbitrage,
    "RekkoCorrelation": calls.correlations,
    "RekkoListEvents": events.events,
    "RekkoTrendingEvents": events.trending,
    "RekkoSearchEvents": events.search,
    "RekkoGetEvent": events.event,
    "RekkoEventMarkets": events.event_markets,
    "RekkoCalibration": calls.calibration,
    "RekkoPerformance": calls.performance,
    "RekkoReportTrade": calls.report_trade,
    "RekkoListWebhooks": calls.webhooks,
    "RekkoCreateWebhook": calls.create_webhook,
    "RekkoDeleteWebhook": calls.delete_webhook,
}
_ENCODER = msgspec.json.Encoder()
# Seconds a webhook has to answer.
_PATIENCE = 5.0
_CODES = {429: "rate_limited", 500: "internal_error", 503: "unavailable"}
_RETRY_AFTER = {429: {"Retry-After": "1"}}


class RekkoHttp:
    """Answers requests to the intelligence API. `tick` has to be called whenever time has passed:
    what waits for a run looks again then.
    """

    def __init__(
        self,
        desk: RekkoDesk,
        *,
        faulty: FaultyHttp,
        faults: Callable[[], Faults],
        requests: Counter[tuple[str, int]],
    ) -> None:
        self.desk = desk
        self._faulty, self._faults, self._requests = faulty, faults, requests
        self._turned = asyncio.Event()
        self._indexing = asyncio.Lock()
        self._stopped = False
        self._http: ClientSession | None = None
        self._couriers: set[asyncio.Task[None]] = set()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """A route for every call."""
        for operation in REKKO_OPERATIONS:
            route = self._route(operation, CALLS[operation.name])
            router.add_route(operation.method, REKKO_ROOT + operation.path, route)

    def owns(self, path: str) -> bool:
        """Whether a path is one of the intelligence API, also one that does not exist."""
        return path.startswith(f"{REKKO_ROOT}/")

    def refuse(self, error: web.HTTPException) -> web.Response:
        """What no call answers for."""
        codes = {404: "not_found", 405: "method_not_allowed", 413: "request_entity_too_large"}
        code = codes.get(error.status, "bad_request")
        shown = refusal(error.status, code, error.reason)
        return _respond(error.status, shown.body)

    def tick(self) -> None:
        """End the runs that are due, wake what waits for them, and send what webhooks are told."""
        self.desk.advance()
        for each in self.desk.take_deliveries():
            task = asyncio.create_task(self._deliver(each))
            self._couriers.add(task)
            task.add_done_callback(self._couriers.discard)
        self._turned.set()
        self._turned = asyncio.Event()

    async def stop(self) -> None:
        """Answer what waits for a run, and end what is being delivered."""
        self._stopped = True
        self._turned.set()
        couriers = list(self._couriers)
        for courier in couriers:
            courier.cancel()
        if couriers:
            await asyncio.wait(couriers)
        if self._http is not None:
            await self._http.close()

    # Requests

    def _route(self, operation: Operation, call: Call) -> RequestHandler:
        async def handle(request: web.Request) -> web.StreamResponse:
            fault = self._faults().decide(operation.name)

            async def process() -> web.Response:
                return _respond(*await self._processed(operation, call, request))

            response = await self._faulty.answer(fault, request, process, _faulty)
            status = 0 if isinstance(response, Lost) else response.status
            self._requests[operation.name, status] += 1
            return response

        return handle

    async def _processed(
        self, operation: Operation, call: Call, request: web.Request
    ) -> tuple[int, object]:
        try:
            self._check_key(request)
            sent = await _body(request)
            self.desk.exchange.tick()
            self.desk.advance()
            query = Given({name: request.query[name] for name in request.query})
            asked = Asked(request.match_info, query, Given(decoded(sent)))
            if needs_index(operation.name, asked.path):
                await self._index()
            found = call(self.desk, asked)
            if isinstance(found, Waiting):
                await self._until_over(found, request)
                found = found.then()
        except ApiError as error:
            return error.status, error.body
        except web.HTTPException:
            raise
        except Exception:
            logger.exception("%s failed", operation.name)
            return 500, refusal(500, "internal_error", "the stand-in failed").body
        return (
            (found.status, found.body) if isinstance(found, Answer) else (operation.status, found)
        )

    def _check_key(self, request: web.Request) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        sent = key.strip().encode(errors="surrogateescape")
        known = hmac.compare_digest(sent, self.desk.api_key.encode())
        if scheme.lower() != "bearer" or not known:
            detail = "send the header 'Authorization: Bearer KEY' with the key of this sandbox"
            raise refusal(401, "invalid_api_key", detail)

    async def _until_over(self, waiting: Waiting, request: web.Request) -> None:
        while not waiting.run.over:
            if self._stopped:
                raise refusal(503, "unavailable", "the sandbox stops")
            if request.transport is None or request.transport.is_closing():
                raise refusal(503, "unavailable", "whoever asked has gone")
            await self._turned.wait()

    async def _index(self) -> None:
        # It takes tenths of a second in a vast catalog, in which others are served as well.
        async with self._indexing:
            for _ in self.desk.venues.indexing():
                await asyncio.sleep(0)

    # Webhooks

    async def _deliver(self, each: Delivery) -> None:
        if self._http is None:
            self._http = ClientSession(timeout=ClientTimeout(total=_PATIENCE))
        try:
            async with self._http.post(
                each.url, data=each.body, headers=each.headers, allow_redirects=False
            ) as answer:
                each.status = answer.status
        except (ClientError, OSError, TimeoutError, ValueError) as error:
            each.error = str(error) or type(error).__name__
            logger.warning("a webhook was not told of %s: %s", each.event, each.error)


def needs_index(name: str, path: Mapping[str, str]) -> bool:
    """Whether a call looks at more than one market of the exchange itself."""
    return path.get("platform") != KALSHI or name == "RekkoMarketConsensus"


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.RequestPayloadError:
        raise refusal(422, "invalid_parameter", "the body cannot be read") from None


def _faulty(status: int) -> web.Response:
    if status in _CODES:
        shown = refusal(status, _CODES[status], "an injected fault")
        return _respond(status, shown.body, _RETRY_AFTER.get(status))
    return web.Response(
        status=status, text=f"<html><h1>{status}</h1></html>", content_type="text/html"
    )


def _respond(status: int, body: object, headers: Mapping[str, str] | None = None) -> web.Response:
    if body is None:
        return web.Response(status=status, headers=headers)
    return web.Response(
        status=status,
        body=_ENCODER.encode(body),
        content_type="application/json",
        headers=headers,
    )
