"""Runs the command, here or in a process of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from kalshi_async.cli import main

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "kalshi_async", *arguments]


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without any Kalshi settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KALSHI")}
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))
    return {**kept, **extra}


def kalshi(*arguments: str, cwd: Path | None = None, **env: str) -> Result:
    """Run ``kalshi-async`` with these arguments and settings, in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with (
        mock.patch.dict(os.environ, clean_environment(**env), clear=True),
        mock.patch.object(sys, "argv", ["kalshi-async", *arguments]),
        chdir(cwd or Path.cwd()),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
            code: object = 0
        except SystemExit as ended:
            code = ended.code or 0
    assert isinstance(code, int), code
    return Result(code, _text(out), _text(err))


def kalshi_process(*arguments: str, cwd: Path | None = None, **env: str) -> Result:
    """The same in a process of its own, as a user would."""
    done = subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        cwd=cwd,
        env=clean_environment(**env),
        timeout=120,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def _text(written: io.TextIOWrapper) -> str:
    written.flush()
    buffer = written.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
