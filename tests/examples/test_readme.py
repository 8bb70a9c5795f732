"""Every Python block of the README runs, from top to bottom, against an embedded exchange."""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import re
import types
from collections.abc import Iterator
from contextlib import redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio.to_thread
import msgspec
import pytest

import kalshi_async
import kalshi_async.orders
from kalshi_async import KalshiClient
from kalshi_async.rekko import _runs
from kalshi_async.sandbox import Faults, Sandbox

from ..cli.runner import ROOT

README = ROOT / "README.md"
KEY_FILE = "kalshi.pem"


def python_blocks(text: str) -> Iterator[tuple[int, str]]:
    """The line on which each Python block begins, and the block."""
    for block in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, block.start(1)) + 1, block[1]


BLOCKS = list(python_blocks(README.read_text(encoding="utf-8")))


def compiled(line: int, source: str) -> types.CodeType:
    """A block as code; what it awaits outside of functions is allowed, as in a notebook."""
    tree = ast.parse(source, str(README))
    ast.increment_lineno(tree, line - 1)
    code: types.CodeType = compile(
        tree, str(README), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    return code


def at(exchange: Sandbox) -> type[KalshiClient]:
    """The client of the README, led to an embedded exchange whatever environment it names."""

    class Local(KalshiClient):
        def __init__(self, environment: Any = None, **options: Any) -> None:
            key = {"api_key_id": exchange.api_key_id, "private_key": exchange.private_key_pem}
            known = {} if "private_key_path" in options else key
            super().__init__(environment, **known | options | {"base_url": exchange.base_url})

    return Local


def names(exchange: Sandbox) -> dict[str, Any]:
    """What the README takes for granted: the public names, and those imported further up."""
    public = {name: getattr(kalshi_async, name) for name in kalshi_async.__all__}
    orders = {name: getattr(kalshi_async.orders, name) for name in kalshi_async.orders.__all__}
    others = {"Decimal": Decimal, "Faults": Faults, "Sandbox": Sandbox, "msgspec": msgspec}
    return public | orders | others | {"KalshiClient": at(exchange)}


async def carry_out(code: types.CodeType, scope: dict[str, Any]) -> None:
    if code.co_flags & inspect.CO_COROUTINE:
        await types.FunctionType(code, scope)()
    else:  # it may run an event loop of its own
        await anyio.to_thread.run_sync(exec, code, scope)


@pytest.mark.parametrize(("line", "source"), BLOCKS, ids=[f"line-{line}" for line, _ in BLOCKS])
async def test_the_block_runs(
    line: int, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_runs, "_FIRST_WAIT", 0.1)
    async with Sandbox.serve(seed=7, tier="premier", analysis_seconds=0.1) as exchange:
        (tmp_path / KEY_FILE).write_bytes(exchange.private_key_pem)
        scope = names(exchange)
        monkeypatch.setattr(kalshi_async, "KalshiClient", scope["KalshiClient"])
        for name, value in (
            ("KALSHI_ENV", "sandbox"),
            ("KALSHI_BASE_URL", exchange.base_url),
            ("KALSHI_API_KEY_ID", exchange.api_key_id),
            ("KALSHI_PRIVATE_KEY_PATH", KEY_FILE),
            ("REKKO_API_URL", exchange.rekko_url),
            ("REKKO_API_KEY", exchange.rekko_api_key),
        ):
            monkeypatch.setenv(name, value)
        async with exchange.client(limits="account") as kalshi:
            with redirect_stdout(io.StringIO()):
                await asyncio.wait_for(
                    carry_out(compiled(line, source), scope | {"kalshi": kalshi}), 30
                )


async def test_a_block_that_does_not_run_is_noticed() -> None:
    (block,) = python_blocks("text\n\n```python\nawait kalshi.markets.gett()\n```\n")
    assert block == (4, "await kalshi.markets.gett()\n")
    async with KalshiClient() as kalshi:
        with pytest.raises(AttributeError, match="gett"):
            await carry_out(compiled(*block), {"kalshi": kalshi})
