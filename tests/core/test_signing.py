"""Signing in threads: every message its own signature, whoever waits or gives up."""

from __future__ import annotations

import threading

import anyio
import pytest

from kalshi_async._auth import Signer
from kalshi_async._signing import SigningThreads

from .keys import ed_key, rsa_key

both_backends = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def _reversed(message: bytes) -> bytes:
    return message[::-1]


@both_backends
def test_a_burst_gets_each_its_own_signature(backend: str) -> None:
    async def main() -> None:
        threads = SigningThreads(_reversed)
        signed: dict[bytes, bytes] = {}

        async def one(message: bytes) -> None:
            signed[message] = await threads.sign(message)

        messages = [b"message %d" % number for number in range(500)]
        async with anyio.create_task_group() as tasks:
            for message in messages:
                tasks.start_soon(one, message)
        assert signed == {message: message[::-1] for message in messages}
        threads.close()
        assert await threads.sign(b"again") == b"niaga"
        threads.close()

    anyio.run(main, backend=backend)


@both_backends
def test_giving_up_harms_nobody_else(backend: str) -> None:
    async def main() -> None:
        may_sign, begun = threading.Event(), threading.Event()

        def slow(message: bytes) -> bytes:
            begun.set()
            may_sign.wait()
            return _reversed(message)

        threads = SigningThreads(slow, threads=1)
        signed: list[bytes] = []

        async def patient() -> None:
            signed.append(await threads.sign(b"ab"))

        async with anyio.create_task_group() as tasks:
            with anyio.CancelScope() as hasty:
                tasks.start_soon(patient)
                await anyio.wait_all_tasks_blocked()
                hasty.cancel()
                await threads.sign(b"never read")
            assert hasty.cancelled_caught
            assert begun.wait(10)
            may_sign.set()
        assert signed == [b"ba"]
        threads.close()

    anyio.run(main, backend=backend)


@both_backends
def test_a_failing_key_fails_the_one_who_asked(backend: str) -> None:
    def sign(message: bytes) -> bytes:
        if message == b"bad":
            raise ValueError("no such key")
        return message

    async def main() -> None:
        threads = SigningThreads(sign)
        with pytest.raises(ValueError, match="no such key"):
            await threads.sign(b"bad")
        assert await threads.sign(b"good") == b"good"
        threads.close()

    anyio.run(main, backend=backend)


def test_one_set_of_threads_serves_several_event_loops() -> None:
    threads = SigningThreads(_reversed)

    async def main() -> bytes:
        return await threads.sign(b"xy")

    for backend in ("asyncio", "trio", "asyncio"):
        assert anyio.run(main, backend=backend) == b"yx"
    threads.close()


async def test_short_rsa_keys_sign_in_threads_only_when_others_are_under_way() -> None:
    here = threading.get_ident()
    seen: list[int] = []

    class Key:
        key_size = 2048

        def sign(self, *args: object) -> bytes:
            seen.append(threading.get_ident())
            return rsa_key().sign(*args)  # type: ignore[call-overload, no-any-return]

    signer = Signer("id", Key())  # type: ignore[arg-type]
    await signer.headers_async("GET", "/x")
    await signer.headers_async("GET", "/x", busy=True)
    signer.close()
    assert [thread == here for thread in seen] == [True, False]


async def test_ed25519_never_needs_a_thread() -> None:
    before = set(threading.enumerate())  # of other tests; some may end meanwhile
    signer = Signer("id", ed_key())
    await signer.headers_async("GET", "/x", busy=True)
    assert set(threading.enumerate()) <= before
