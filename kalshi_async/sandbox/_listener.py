"""The door of the exchange: the socket it listens on, which can be closed for a while, so that the
operating system refuses whoever knocks, and opened again under the same address.
"""

from __future__ import annotations

import contextlib
import os
import socket
from asyncio import sleep
from collections.abc import AsyncIterator

from aiohttp import web

# Turns of the event loop a loop may take to let go of a socket it has closed.
_TURNS = 50
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
        site = web.TCPSite(runner, host, port)
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
        if self._runner is None:
            return
        self._refusals += 1
        if self._refusals > 1:
            return
        sites, self._sites = self._sites, []
        for site in sites:
            await site.stop()
        self._held = [await _hold(address) for address in self._addresses]
        for connection in self._runner.server.connections if self._runner.server else ():
            connection.close()
            # aiohttp ends the task of an idle connection with that, and leaves its socket open.
            if connection._current_request is None:
                connection.force_close()

    async def accept(self) -> None:
        """Open the door again under the same address, once every `refuse` is taken back."""
        if self._runner is None or not self._refusals:
            return
        self._refusals -= 1
        if self._refusals:
            return
        sockets, self._held = self._held, []
        if not sockets:
            sockets = [await _hold(address) for address in self._addresses]
        for held in sockets:
            site = web.SockSite(self._runner, held)
            self._sites.append(site)
            await site.start()

    @contextlib.asynccontextmanager
    async def refused(self) -> AsyncIterator[None]:
        """Refuse connections inside the ``async with`` block."""
        try:
            await self.refuse()
            yield
        finally:
            await self.accept()

    def stop(self) -> None:
        """Forget the door for good; the runner is cleaned up next. `accept` does nothing then."""
        self._runner, self._sites, self._refusals = None, [], 0
        for held in self._held:
            held.close()
        self._held = []


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
