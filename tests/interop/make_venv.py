"""Make tests/interop/.venv with the foreign clients: ``python tests/interop/make_venv.py``.

They need Python 3.13. Where there is none this says so and ends with status 0, and the tests of
this folder are skipped; status 1 means that the environment could not be made.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

MINIMUM = (3, 13)
HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
REQUIREMENTS = HERE / "requirements.txt"
# Holds the requirements an environment was completed with.
COMPLETE = VENV / "complete"

_INSTALL_SECONDS = 600


def ready() -> Path | None:
    """The Python of a complete and current environment, else None."""
    python = VENV / "bin" / "python"
    if not (python.exists() and COMPLETE.exists()):
        return None
    return python if COMPLETE.read_text() == REQUIREMENTS.read_text() else None


def find_interpreter() -> str | None:
    """A Python that is new enough: on PATH first, then pyenv's newest."""
    names = [f"python3.{minor}" for minor in range(MINIMUM[1], MINIMUM[1] + 4)]
    found = [path for name in [*names, "python3"] if (path := shutil.which(name))]
    pyenv = (Path.home() / ".pyenv" / "versions").glob("3.*/bin/python")
    found += sorted(map(str, pyenv), key=_release, reverse=True)
    return next((path for path in [*found, sys.executable] if _version(path) >= MINIMUM), None)


def make() -> int:
    """Make the environment unless it is there; the exit status."""
    wanted = ".".join(map(str, MINIMUM))
    if ready() is not None:
        print(f"interop: {VENV} is complete")
        return 0
    base = find_interpreter()
    if base is None:
        print(
            f"interop: no Python {wanted} or newer on PATH or under ~/.pyenv/versions, so the "
            "foreign clients are not driven: their tests are skipped"
        )
        return 0
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q"]
    try:
        _run([base, "-m", "venv", "--clear", str(VENV)])
        _run([*pip, "install", "-r", str(REQUIREMENTS)])
    except (OSError, subprocess.SubprocessError) as error:
        text = getattr(error, "stderr", None) or str(error)
        print(f"interop: could not make {VENV}: {text.strip()}", file=sys.stderr)
        return 1
    COMPLETE.write_text(REQUIREMENTS.read_text())
    print(f"interop: made {VENV} with {base}")
    return 0


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS)


def _version(python: str) -> tuple[int, int]:
    try:
        answer = subprocess.run(
            [python, "-V"], check=True, capture_output=True, text=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return (0, 0)  # a shim of a version manager whose version is not there
    match = re.match(r"Python (\d+)\.(\d+)", answer)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _release(path: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", Path(path).parents[1].name))


if __name__ == "__main__":
    sys.exit(make())
