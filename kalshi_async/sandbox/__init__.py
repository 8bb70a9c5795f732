"""An embedded Kalshi exchange on loopback: a catalog from a seed or from recorded files, behind
the real REST API.

    async with Sandbox.serve(seed=7) as exchange:
        async with exchange.client() as kalshi:
            ...

Needs aiohttp (``pip install 'kalshi-async[sandbox]'``).
"""

from __future__ import annotations

try:
    import aiohttp as _aiohttp  # noqa: F401 - asked for here so that the remedy can be named
except ImportError as error:
    raise ImportError("the sandbox needs aiohttp: pip install 'kalshi-async[sandbox]'") from error

from ._activity import Activity
from ._auth import Credentials, KeyType
from ._catalog.catalog import Catalog
from ._catalog.loading import LoadError, LoadSummary
from ._fault_kinds import Fault, FrameFault
from ._fault_text import parse_fault
from ._faults import Faults
from ._rekko.desk import RekkoDesk
from ._run import run
from ._sandbox import Sandbox, SandboxError
from ._state import StateError

__all__ = [
    "Activity",
    "Catalog",
    "Credentials",
    "Fault",
    "Faults",
    "FrameFault",
    "KeyType",
    "LoadError",
    "LoadSummary",
    "RekkoDesk",
    "Sandbox",
    "SandboxError",
    "StateError",
    "parse_fault",
    "run",
]
