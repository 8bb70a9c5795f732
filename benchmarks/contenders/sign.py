"""One kind of key signs: inline and in worker threads, alone and as a burst."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from time import perf_counter

from anyio import CapacityLimiter, to_thread
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ._probe import Stopwatch, best_of, emit, watching

MESSAGE = b"1763812800000GET/trade-api/v2/portfolio/orders"
Sign = Callable[[], bytes]


def rsa_key(bits: int) -> Sign:
    """RSA-PSS, SHA-256, salt as long as the digest."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=bits)
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    return lambda: key.sign(MESSAGE, scheme, hashes.SHA256())


def ed25519_key() -> Sign:
    """Ed25519 over the plain bytes."""
    key = Ed25519PrivateKey.generate()
    return lambda: key.sign(MESSAGE)


KEYS: dict[str, Callable[[], Sign]] = {
    "Ed25519": ed25519_key,
    "RSA-2048": lambda: rsa_key(2048),
    "RSA-4096": lambda: rsa_key(4096),
}


async def alone(sign: Sign, seconds: float) -> float:
    """Median seconds of one signature in a worker thread, nothing else going on."""
    taken: list[float] = []
    end = perf_counter() + seconds
    while len(taken) < 5 or perf_counter() < end:
        begin = perf_counter()
        await to_thread.run_sync(sign)
        taken.append(perf_counter() - begin)
    return sorted(taken)[len(taken) // 2]


async def burst(sign: Sign, size: int, *, threads: int) -> dict[str, float]:
    """`size` requests that want a signature at once; `threads` workers, or 0 for inline.

    Inline, each task gives way after its signature, as a request does that goes on to be sent.
    """
    limiter = CapacityLimiter(max(1, threads))

    async def request() -> None:
        if threads:
            await to_thread.run_sync(sign, limiter=limiter)
        else:
            sign()
            await asyncio.sleep(0)

    watch = Stopwatch()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(size):
            tasks.create_task(request())
    wall = watch.figures()["wall"]
    async with watching() as loop_watch, asyncio.TaskGroup() as tasks:
        for _ in range(size):
            tasks.create_task(request())
    return {"each": wall / size, "stop": loop_watch.longest}


async def run(given: argparse.Namespace) -> dict[str, float]:
    """All figures of one kind of key, in seconds."""
    sign = KEYS[given.key]()
    inline = best_of(sign, seconds=given.seconds)["median"]
    await to_thread.run_sync(sign)
    figures = {"inline": inline, "thread": await alone(sign, given.seconds)}
    for threads in (0, 1, 2):
        await burst(sign, 4, threads=threads)
        result = await burst(sign, given.burst, threads=threads)
        figures |= {f"{name}_{threads}": value for name, value in result.items()}
    return figures


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("key", choices=KEYS)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--burst", type=int, default=50)
    emit(asyncio.run(run(parser.parse_args())))


if __name__ == "__main__":
    main()
