"""The door of the exchange: the socket it listens on, which can be closed for a while, so that the
operating system refuses whoever knocks, and opened again under the same address.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
from asyncio import Lock, sleep
from collections.abc import AsyncIterator

from aiohttp import web

from ._serving import to_the_end

# Turns of the event loop a loop may take to let go of a socket it has closed.
_TURNS = 50
# Connections that may wait for the event loop, so that thousands can open at once.
_BACKLOG = 4_096
# Host and port, with what else an IPv6 address has.
Address = tuple[str, int] | tuple[str, int, int, int]


class Listener:
    """Listens for one application runner. Nothing here may be called from another event loop."""

    def __init__(self) -> None:
        self._runner: web.AppRunner | None = None
        self._sites: list[web.BaseSite] = []
        self._addresses: list[Address] = []
        self._held: list[socket.socket] = []
        self._refusals = 0
        self._turning = Lock()

    def __repr__(self) -> str:
        if self._runner is None:
            return "<Listener: not listening>"
        host, port = self.address
        return f"<Listener {host} port {port}: {'refusing' if self.refusing else 'accepting'}>"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port it listens on, the same while it refuses. Raises RuntimeError before the
        start.
        """
        if not self._addresses:
            raise RuntimeError("the listener was not started: await start() first")
        host, port = self._addresses[0][:2]
        return host, port

    @property
    def refusing(self) -> bool:
        """Whether connections are refused at the moment."""
        return self._refusals > 0

    async def start(self, runner: web.AppRunner, host: str, port: int) -> None:
        """Listen; `port` 0 picks a free one. The runner has been set up.

        Raises OSError for an address that cannot be bound; nothing is left behind then.
        """
        site = web.TCPSite(runner, host, port, backlog=_BACKLOG)
        try:
            await site.start()
        except BaseException:
            await site.stop()
            raise
        self._runner, self._sites = runner, [site]
        self._addresses = list(runner.addresses)

    async def refuse(self) -> None:
        """Close the door: new connections are refused, idle ones end, busy ones end with their
        answer (a WebSocket goes on). Each call needs an `accept` of its own, also a cancelled one.
        """
        if self._runner is not None:
            self._refusals += 1
            await self._turn()

    async def accept(self) -> None:
        """Open the door again under the same address, once every `refuse` is taken back."""
        if self._runner is not None and self._refusals:
            self._refusals -= 1
            await self._turn()

    async def _turn(self) -> None:
        """Bring the door to where it should be. Several may ask for that at a time."""
        async with self._turning:
            if self._runner is None:
                return
            if self._refusals and self._sites:
                await self._shut(self._runner)
            elif not self._refusals and not self._sites:
                await self._open(self._runner)

    async def _shut(self, runner: web.AppRunner) -> None:
        sites, self._sites = self._sites, []
        for site in sites:
            await site.stop()
        self._held = [await _hold(address) for address in self._addresses]
        for connection in runner.server.connections if runner.server else ():
            request = connection._current_request
            if request is None:
                connection.close()
                # aiohttp ends the task of an idle connection with that, its socket stays open.
                connection.force_close()
            elif request.headers.get("Upgrade", "").lower() != "websocket":
                # From then on aiohttp throws away whatever comes: the body must be there.
                request.content.on_eof(connection.close)

    async def _open(self, runner: web.AppRunner) -> None:
        sockets, self._held = self._held, []
        if not sockets:
            sockets = [await _hold(address) for address in self._addresses]
        for held in sockets:
            site = web.SockSite(runner, held, backlog=_BACKLOG)
            self._sites.append(site)
            await site.start()

    @contextlib.asynccontextmanager
    async def refused(self) -> AsyncIterator[None]:
        """Refuse connections inside the ``async with`` block. However that ends, the door is open
        again behind it.
        """
        try:
            await self.refuse()
            yield
        finally:
            await to_the_end(self.accept())

    async def stop(self) -> None:
        """Close the door for good; the runner is cleaned up next. `accept` does nothing then."""
        self._runner, self._refusals = None, 0
        sites, self._sites = self._sites, []
        held, self._held = self._held, []
        for each in held:
            each.close()
        for site in sites:
            await site.stop()


async def _hold(address: Address) -> socket.socket:
    """A socket that keeps the port without listening: whoever connects is refused, and nobody else
    can take the port meanwhile.
    """
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    for _ in range(_TURNS):
        held = socket.socket(family, socket.SOCK_STREAM)
        try:
            held.setblocking(False)
            if os.name == "posix":
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            held.bind(address)
            return held
        except OSError as error:
            held.close()
            taken = error
        # Some loops close a listening socket only in their next turn.
        await sleep(0)
    raise taken


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def cannot_bind(host: str, port: int, error: OSError) -> str:
    """Why an address cannot be listened on, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: choose another, or port 0 for any free one"
    if error.errno == errno.EACCES:
        return (
            f"port {port} on {host} needs more rights: choose one above 1023, or 0 for any free one"
        )
    return f"cannot listen on {host} port {port}: {error.strerror or error}"
