"""Loads and runs the examples: as a user would, or piece by piece."""

from __future__ import annotations

import importlib.util
import io
import os
import runpy
import subprocess
import sys
import tempfile
from contextlib import chdir, redirect_stdout
from pathlib import Path
from types import ModuleType
from unittest import mock

from ..cli.runner import ROOT, clean_environment

FOLDER = ROOT / "examples"


def load(name: str) -> ModuleType:
    """An example as a module, not run."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and msgspec look a class's module up by its name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run(name: str, folder: Path) -> list[str]:
    """Run an example in this process, all warnings errors; the lines that it printed."""
    out = io.StringIO()
    with (
        mock.patch.dict(os.environ, clean_environment(), clear=True),
        mock.patch.object(sys, "argv", [f"{name}.py"]),
        mock.patch.object(tempfile, "tempdir", str(folder)),
        chdir(folder),
        redirect_stdout(out),
    ):
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    return out.getvalue().splitlines()


def run_process(name: str, folder: Path, *arguments: str, **env: str) -> list[str]:
    """The same in a process of its own, with arguments and settings."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(FOLDER / f"{name}.py"), *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=clean_environment(**env, TMPDIR=str(folder)),
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()
