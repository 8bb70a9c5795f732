"""The peers' virtual environment: made once, used for every contender of a comparison."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

from ._process import CACHE, ROOT, BenchmarkError, captured

MINIMUM = (3, 13)
PEERS = {"kalshi-sdk": "22.4.0", "kalshi-python-async": "3.34.0"}

_INSTALL_SECONDS = 600


def find_interpreter() -> str | None:
    """A CPython of at least 3.13: from PATH first, then pyenv's; None where there is none."""
    names = [f"python3.{minor}" for minor in range(MINIMUM[1], MINIMUM[1] + 4)]
    found = [path for name in [*names, "python3"] if (path := shutil.which(name))]
    versions = Path.home() / ".pyenv" / "versions"
    found += [str(path) for path in sorted(versions.glob("3.*/bin/python"), reverse=True)]
    return next((path for path in found if _version(path) >= MINIMUM), None)


def environment() -> str | None:
    """The Python of a complete peers environment, or None where `install()` has not run."""
    python = _folder() / "bin" / "python"
    return str(python) if (_folder() / "complete").exists() and python.exists() else None


def install() -> str:
    """Make the peers' environment, unless it is there, and return its Python.

    Raises BenchmarkError where no Python of at least 3.13 is found or the installation fails.
    """
    ready = environment()
    if ready is not None:
        return ready
    base = find_interpreter()
    if base is None:
        wanted = ".".join(map(str, MINIMUM))
        raise BenchmarkError(
            f"the peers need Python {wanted} or newer, and none is on PATH or under "
            f"~/.pyenv/versions: install one, or leave --peers out"
        )
    CACHE.mkdir(exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    _run([base, "-m", "venv", "--clear", str(_folder())])
    python = str(_folder() / "bin" / "python")
    pinned = [f"{name}=={version}" for name, version in PEERS.items()]
    _run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *pinned, *_own()])
    (_folder() / "complete").write_text("\n".join(pinned) + "\n")
    return python


def _own() -> list[str]:
    """What our package itself asks for; the package is taken from the checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["fast"]]


def _folder() -> Path:
    return CACHE / "peers"


def _version(python: str) -> tuple[int, int]:
    try:
        answer = captured([python, "-V"])
    except (OSError, BenchmarkError):
        return (0, 0)  # a shim of a version manager whose version is not there
    match = re.match(r"Python (\d+)\.(\d+)", answer)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _run(command: list[str]) -> None:
    try:
        captured(command, timeout=_INSTALL_SECONDS)
    except BenchmarkError as exc:
        raise BenchmarkError(f"could not make the peers' environment: {exc}") from exc
