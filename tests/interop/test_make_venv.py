"""Which interpreter the foreign clients' environment is made with, and when it counts as made."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import make_venv


def interpreter(folder: Path, name: str, version: str) -> Path:
    """A program that calls itself a Python of this version."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho 'Python {version}'\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any Python: `bin` is its PATH, `home` its home."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sys.executable", str(tmp_path / "none"))
    monkeypatch.setattr(make_venv, "VENV", tmp_path / "venv")
    monkeypatch.setattr(make_venv, "COMPLETE", tmp_path / "venv" / "complete")
    return tmp_path


def test_the_first_new_enough_python_on_the_path_is_taken(places: Path) -> None:
    interpreter(places / "bin", "python3.13", "3.12.9")  # a shim of another version
    wanted = interpreter(places / "bin", "python3.14", "3.14.0")
    interpreter(places / "bin", "python3", "3.15.0")
    assert make_venv.find_interpreter() == str(wanted)


def test_pyenv_helps_out_with_its_newest(places: Path) -> None:
    interpreter(places / "bin", "python3", "3.11.7")
    versions = places / "home" / ".pyenv" / "versions"
    for release in ("3.9.18", "3.13.0", "3.13.11", "3.13.2"):
        interpreter(versions / release / "bin", "python", release)
    assert make_venv.find_interpreter() == str(versions / "3.13.11" / "bin" / "python")


def test_without_a_new_python_it_says_so(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    interpreter(places / "bin", "python3", "3.12.1")
    broken = interpreter(places / "bin", "python3.13", "3.13.0")
    broken.write_text("#!/bin/sh\nexit 127\n")
    assert make_venv.make() == 0
    assert "no Python 3.13 or newer" in capsys.readouterr().out
    assert make_venv.ready() is None


def test_an_installation_that_fails_is_an_error(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = interpreter(places / "bin", "python3.13", "3.13.0")
    program.write_text(
        '#!/bin/sh\n[ "$1" = -V ] && echo Python 3.13.0 && exit\necho no room left >&2\nexit 1\n'
    )
    assert make_venv.make() == 1
    assert "no room left" in capsys.readouterr().err
    assert make_venv.ready() is None


def test_an_environment_counts_while_its_requirements_are_the_same(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = interpreter(places / "venv" / "bin", "python", "3.13.0")
    assert make_venv.ready() is None
    make_venv.COMPLETE.write_text(make_venv.REQUIREMENTS.read_text())
    assert make_venv.ready() == python
    assert make_venv.make() == 0
    assert "is complete" in capsys.readouterr().out
    make_venv.COMPLETE.write_text("kalshi-sdk==1.0\n")
    assert make_venv.ready() is None
