"""The HTTP edge: bytes out, bytes in. Two adapters behind one protocol of two methods."""

from __future__ import annotations

import asyncio
import importlib.util
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import urlsplit

import anyio

from ._errors import (
    ConfigurationError,
    ConnectionFailedError,
    ConnectionLostError,
    RequestTimeoutError,
)
from ._wire import Request, Response

if TYPE_CHECKING:
    import ssl

    import aiohttp
    import httpx

HttpChoice = Literal["auto", "httpx", "aiohttp"]

_KEEP_ALIVE = 60.0
_ENCODINGS = "gzip, deflate"


class HTTPAdapter(Protocol):
    """Sends one request and reads the whole answer.

    ``send`` raises ``ConnectionFailedError`` only when the request certainly was not sent,
    ``ConnectionLostError`` and ``RequestTimeoutError`` otherwise. It follows no redirect, and is
    safe to cancel.
    """

    async def send(
        self, request: Request, headers: Mapping[str, str], timeout: float | None
    ) -> Response:
        """Send ``request`` with ``headers``; ``timeout`` bounds the attempt, in seconds."""
        ...

    async def aclose(self) -> None:
        """Close the connections that are the adapter's own."""
        ...


class HttpxAdapter:
    """On ``httpx``; runs on asyncio and trio.

    Connections are kept here, one to a transport, and the last one used goes first: a pool of httpx
    looks at all its connections and all who wait for each request, which with many under way costs
    several times what the request does.

    Args:
        client: The caller's own client, which is then used as it is, and not closed.
        direct: Take no proxy, whatever the environment says.
    """

    def __init__(self, client: httpx.AsyncClient | None = None, *, direct: bool = False) -> None:
        import httpx

        self._httpx = httpx
        self._client = client
        self._direct = direct
        self._idle: list[httpx.AsyncHTTPTransport] = []
        self._busy: dict[httpx.AsyncHTTPTransport, anyio.CancelScope] = {}
        self._context: ssl.SSLContext | None = None
        self._closed = False

    async def send(
        self, request: Request, headers: Mapping[str, str], timeout: float | None
    ) -> Response:
        httpx = self._httpx
        answer = None
        try:
            with anyio.fail_after(timeout) as scope:
                if self._client is None:
                    answer = await self._send(request, headers, scope)
                else:
                    answer = await self._client.request(
                        request.method,
                        request.url,
                        headers=dict(headers),
                        content=request.body,
                        auth=None,
                        follow_redirects=False,
                        timeout=httpx.Timeout(None),
                    )
        except TimeoutError as exc:
            raise RequestTimeoutError(_no_answer(timeout)) from exc
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
            raise ConnectionFailedError(f"no connection to {_host(request)}: {exc}") from exc
        except httpx.TimeoutException as exc:
            raise RequestTimeoutError(_no_answer(timeout)) from exc
        except httpx.UnsupportedProtocol as exc:
            raise ConfigurationError(f"{_host(request)}: {exc}") from exc
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            raise ConnectionLostError(_lost(request, exc)) from exc
        if answer is None:  # cancelled by ``aclose``
            raise ConnectionLostError(_closed(request))
        lowered = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, lowered, answer.content)

    async def _send(
        self, request: Request, headers: Mapping[str, str], scope: anyio.CancelScope
    ) -> httpx.Response:
        transport = self._idle.pop() if self._idle else self._open(request.url)
        self._busy[transport] = scope
        done = False
        try:
            answer = await transport.handle_async_request(
                self._httpx.Request(
                    request.method,
                    request.url,
                    headers={"accept-encoding": _ENCODINGS, **headers},
                    content=request.body,
                )
            )
            try:
                await answer.aread()
            finally:
                await answer.aclose()
            done = not self._closed
        finally:
            del self._busy[transport]
            if done:
                self._idle.append(transport)
            else:  # whatever state it is in, nothing more goes over it
                with anyio.CancelScope(shield=True):
                    await transport.aclose()
        return answer

    def _open(self, url: str) -> httpx.AsyncHTTPTransport:
        if self._closed:
            raise ConnectionFailedError("the connections were closed")
        proxy = None if self._direct else _environment_proxy(url, socks=True)
        if self._context is None:  # it takes as long as many requests, and serves all
            try:
                self._context = self._httpx.create_ssl_context()
            except OSError as exc:
                raise ConfigurationError(
                    f"cannot read the certificates to trust: {exc}; check SSL_CERT_FILE and "
                    "SSL_CERT_DIR"
                ) from exc
        return self._httpx.AsyncHTTPTransport(
            verify=self._context,
            proxy=proxy,
            limits=self._httpx.Limits(
                max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEEP_ALIVE
            ),
        )

    async def aclose(self) -> None:
        self._closed = True
        for scope in self._busy.values():  # one that is only being opened cannot be closed
            scope.cancel()
        idle, self._idle = self._idle, []
        for transport in idle:
            await transport.aclose()

    def __repr__(self) -> str:
        return "httpx" if self._client is None else "httpx (the caller's client)"


class AiohttpAdapter:
    """On ``aiohttp``; several times faster for small requests; asyncio only.

    Args:
        max_connections: How many idle and busy connections at most.
        direct: Take no proxy, whatever the environment says.
    """

    def __init__(self, max_connections: int = 100, *, direct: bool = False) -> None:
        import aiohttp
        import yarl

        self._aiohttp = aiohttp
        self._url = yarl.URL
        self._max_connections = max_connections
        self._direct = direct
        self._proxy: str | None = None
        self._session: aiohttp.ClientSession | None = None

    def _open(self, url: str) -> aiohttp.ClientSession:
        if self._session is None:  # it binds to the running loop: not before the first call
            aiohttp = self._aiohttp
            # aiohttp's own look at the environment would also send logins of a .netrc
            self._proxy = None if self._direct else _environment_proxy(url, socks=False)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._max_connections, ttl_dns_cache=300, keepalive_timeout=_KEEP_ALIVE
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                read_bufsize=1 << 20,
            )
            # aiohttp would send GET, PUT and DELETE again by itself after a lost connection:
            # unpaid in the limiter, and twice for a cancel. It has no public switch for that.
            self._session._retry_connection = False
        return self._session

    async def send(
        self, request: Request, headers: Mapping[str, str], timeout: float | None
    ) -> Response:
        aiohttp, session = self._aiohttp, self._open(request.url)
        try:
            async with session.request(
                request.method,
                # encoded=True: the path must go out exactly as it was signed
                self._url(request.url, encoded=True),
                headers=headers,
                data=request.body,
                allow_redirects=False,
                proxy=self._proxy,
                # ceil_threshold: aiohttp would round 5 s and more up to whole seconds
                timeout=aiohttp.ClientTimeout(total=timeout, ceil_threshold=math.inf),
            ) as answer:
                body = await answer.read()
            lowered = {name.lower(): value for name, value in answer.headers.items()}
            return Response(answer.status, lowered, body)
        except asyncio.CancelledError:
            # Closing cancels who is still connecting, as if somebody had cancelled the task.
            task = asyncio.current_task()
            if not session.closed or task is None or task.cancelling():
                raise
            raise ConnectionLostError(_closed(request)) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as exc:
            raise ConnectionFailedError(f"no connection to {_host(request)}: {exc}") from exc
        except TimeoutError as exc:
            raise RequestTimeoutError(_no_answer(timeout)) from exc
        except (aiohttp.NonHttpUrlClientError, aiohttp.InvalidURL) as exc:
            raise ConfigurationError(f"{_host(request)}: {exc}") from exc
        except aiohttp.ClientResponseError as exc:
            malformed, cause = _lost(request, exc), exc.__cause__
        except (aiohttp.ClientError, OSError) as exc:
            raise ConnectionLostError(_lost(request, exc)) from exc
        # Outside the handler: that exception's repr holds the headers that were sent.
        raise ConnectionLostError(malformed) from cause

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def __repr__(self) -> str:
        return "aiohttp"


def make_adapter(choice: object, max_connections: int, *, direct: bool = False) -> HTTPAdapter:
    """The adapter for what the caller chose.

    Args:
        choice: ``"auto"``, ``"httpx"``, ``"aiohttp"``, an ``httpx.AsyncClient``, or an adapter.
        max_connections: Size of the pool.
        direct: Take no proxy: what is signed for loopback must not leave the machine.

    Raises:
        ConfigurationError: Unknown choice, aiohttp missing, or aiohttp outside asyncio.
    """
    if choice == "auto":
        fast = _on_asyncio() and importlib.util.find_spec("aiohttp") is not None
        choice = "aiohttp" if fast else "httpx"
    if choice == "aiohttp":
        if importlib.util.find_spec("aiohttp") is None:
            raise ConfigurationError(
                "http='aiohttp' needs aiohttp: pip install 'kalshi-async[fast]', or use 'httpx'"
            )
        if not _on_asyncio():
            raise ConfigurationError("http='aiohttp' runs on asyncio only: use 'httpx'")
        return AiohttpAdapter(max_connections, direct=direct)
    if choice == "httpx":
        return HttpxAdapter(direct=direct)
    if callable(getattr(choice, "send", None)) and callable(getattr(choice, "aclose", None)):
        import httpx

        if isinstance(choice, httpx.AsyncClient):
            return HttpxAdapter(choice)
        return choice  # type: ignore[return-value]
    raise ConfigurationError(
        f"http is {choice!r}; expected 'auto', 'httpx', 'aiohttp', an httpx.AsyncClient, "
        "or an object with the methods of HTTPAdapter"
    )


def _environment_proxy(url: str, *, socks: bool) -> str | None:
    """The proxy that the process environment names for a URL.

    Raises:
        ConfigurationError: It cannot be used. It is not quoted, since it may hold a password.
    """
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy:
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    schemes = {"http", "https"}
    if socks and importlib.util.find_spec("socksio") is not None:
        schemes |= {"socks5", "socks5h"}
    try:
        named = urlsplit(proxy)
        usable = named.scheme in schemes and bool(named.hostname) and named.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            f"the proxy that the environment names for {parts.scheme} cannot be used; expected "
            "http://host:port (socks5:// with http='httpx' and httpx[socks]), or except the host "
            "in NO_PROXY"
        )
    return proxy


def _on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _host(request: Request) -> str:
    return request.url.split("/", 3)[2]


def _no_answer(timeout: float | None) -> str:
    return f"no answer within {timeout:g} s" if timeout is not None else "no answer in time"


def _closed(request: Request) -> str:
    return f"connection to {_host(request)} was closed together with the client"


def _lost(request: Request, exc: BaseException) -> str:
    reason = " ".join(str(exc).split()) or type(exc).__name__
    return f"connection to {_host(request)} broke: {reason}"
