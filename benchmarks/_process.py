"""Child processes: where they run, what they inherit, and what becomes of their failures."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
CACHE = Path(__file__).resolve().parent / ".cache"

_DROPPED = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "PYTHONDONTWRITEBYTECODE", "PYTHONHOME")


class BenchmarkError(RuntimeError):
    """A benchmark could not be taken; the message says what to do."""


def child_environment() -> dict[str, str]:
    """The environment of servers and contenders: this checkout first, no proxy, no credentials."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in _DROPPED and not name.startswith("KALSHI_")
    }
    return {**kept, "PYTHONPATH": str(ROOT), "NO_PROXY": "*", "no_proxy": "*"}


def captured(command: Sequence[str], *, timeout: float = 120) -> str:
    """What a command prints, run in the checkout with the environment of a child.

    Raises BenchmarkError, with the last line of its complaint, where it fails.
    """
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BenchmarkError(f"`{' '.join(command)}` failed: {last}")
    return done.stdout


@contextmanager
def child(command: Sequence[str], *, patience: float = 10) -> Iterator[tuple[IO[str], IO[str]]]:
    """A child process; yields its standard input and output. It ends when its input closes."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=child_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdin, process.stdout
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@contextmanager
def conversation(command: Sequence[str]) -> Iterator[Callable[[], str]]:
    """A child that answers a line with a line, once it has printed one to say that it is ready.

    Yields what asks it and returns the answer. Raises BenchmarkError where it ends early.
    """
    with child(command) as (stdin, stdout):

        def answer() -> str:
            line = stdout.readline()
            if not line:
                raise BenchmarkError(f"`{' '.join(command)}` ended early")
            return line

        def ask() -> str:
            stdin.write("\n")
            stdin.flush()
            return answer()

        answer()
        yield ask
