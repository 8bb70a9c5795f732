"""The public face: complete, sorted, documented, and free of other people's types."""

from __future__ import annotations

import inspect
import subprocess
import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import kalshi_async
from kalshi_async import KalshiClient, KalshiError
from kalshi_async._client import ClientOptions
from kalshi_async._config import SETTINGS
from kalshi_async._transport import Transport
from kalshi_async.resources._base import CallOptions, Resource

ROOT = Path(kalshi_async.__file__).parent
FIXED = (
    "environment", "api_key_id", "private_key_path", "private_key", "base_url", "ws_url",
    "limits", "timeout", "deadline", "http", "hooks",
)  # fmt: skip
FOREIGN = ("Any", "httpx", "aiohttp", "tenacity", "yarl", "websockets")


def public_objects() -> dict[str, object]:
    return {name: getattr(kalshi_async, name) for name in kalshi_async.__all__}


def own_members(kind: type) -> Iterator[tuple[str, Callable[..., object]]]:
    """Public methods and properties of a class, also those it inherits within this package."""
    for base in kind.__mro__:
        if not base.__module__.startswith("kalshi_async"):
            continue
        for name, value in vars(base).items():
            plain = value.fget if isinstance(value, property) else value
            plain = getattr(plain, "__func__", plain)
            if inspect.isfunction(plain) and (not name.startswith("_") or name == "__init__"):
                yield name, plain


def client_resources() -> dict[str, object]:
    client = KalshiClient(http="httpx")
    return {
        name: value
        for name, value in vars(client).items()
        if not name.startswith("_") and type(value).__module__.startswith("kalshi_async")
    }


def public_classes() -> dict[str, type]:
    classes = {name: one for name, one in public_objects().items() if isinstance(one, type)}
    classes |= {f"client.{name}": type(value) for name, value in client_resources().items()}
    return classes


# ---------------------------------------------------------------------------- __all__


def test_all_is_sorted_as_ruff_sorts_it_and_without_repeats() -> None:
    names = kalshi_async.__all__

    def rank(name: str) -> tuple[int, str]:
        plain = name.strip("_")
        return (0 if plain.isupper() else 1 if plain[0].isupper() else 2), name

    assert names == sorted(set(names), key=rank)


def test_all_holds_whatever_the_package_imports_for_others() -> None:
    shown = {
        name
        for name, value in vars(kalshi_async).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert shown == set(kalshi_async.__all__) - {"__version__"}


def test_every_error_and_every_event_is_public() -> None:
    def leaves(kind: type[KalshiError]) -> Iterator[str]:
        yield kind.__name__
        for sub in kind.__subclasses__():
            if sub.__module__.startswith("kalshi_async"):
                yield from leaves(sub)

    events = {kind.__name__ for kind in typing.get_args(kalshi_async.Event)}
    assert events
    assert set(leaves(KalshiError)) | events <= set(kalshi_async.__all__)


# ---------------------------------------------------------------------------- docstrings


@pytest.mark.parametrize("name", sorted(public_classes()))
def test_classes_and_their_methods_say_what_they_are(name: str) -> None:
    kind = public_classes()[name]
    assert kind.__doc__
    assert not kind.__doc__.startswith(f"{kind.__name__}("), "only the generated one"
    silent = [
        f"{kind.__name__}.{member}"
        for member, function in own_members(kind)
        if member != "__init__"
        and not function.__doc__
        and not isinstance(inspect.getattr_static(kind, member), property)  # its class tells
    ]
    assert silent == []


def test_functions_say_what_they_do() -> None:
    functions = [one for one in public_objects().values() if inspect.isfunction(one)]
    assert all(function.__doc__ for function in functions)


# ---------------------------------------------------------------------------- signatures


def annotations_of(function: Callable[..., object]) -> dict[str, str]:
    raw = getattr(function, "__annotations__", {})
    return {name: text if isinstance(text, str) else str(text) for name, text in raw.items()}


def test_signatures_name_no_any_and_no_type_of_others() -> None:
    found = []
    seen = 0
    for kind in public_classes().values():
        for name, function in own_members(kind):
            for parameter, text in annotations_of(function).items():
                seen += 1
                words = set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())
                if words & set(FOREIGN) and parameter != "http":
                    found.append(f"{kind.__name__}.{name}({parameter}: {text})")
    assert seen > 100
    assert found == []


def test_every_public_method_is_annotated() -> None:
    for kind in public_classes().values():
        for name, function in own_members(kind):
            if function.__module__.startswith("kalshi_async"):
                assert "return" in annotations_of(function), f"{kind.__name__}.{name}"


# ---------------------------------------------------------------------------- the client's options


def parameters(function: Callable[..., object]) -> dict[str, inspect.Parameter]:
    found = dict(inspect.signature(function).parameters)
    found.pop("self", None)
    return found


def test_the_fixed_names_are_there() -> None:
    names = parameters(KalshiClient.__init__)
    assert set(FIXED) <= set(names)
    positional = [
        name for name, one in names.items() if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    assert positional == ["environment"]
    assert all(one.default is not inspect.Parameter.empty for one in names.values())


def test_from_env_takes_what_the_constructor_takes() -> None:
    assert set(ClientOptions.__annotations__) == set(parameters(KalshiClient.__init__))
    assert set(SETTINGS) <= set(ClientOptions.__annotations__)


def test_with_options_covers_every_option_of_a_call() -> None:
    ours = parameters(KalshiClient.with_options)
    assert set(CallOptions.__annotations__) <= set(ours)
    per_call = {"timeout", "deadline", "priority"}
    assert per_call <= set(parameters(Transport.call))
    assert per_call | {"retry", "hooks"} == set(ours) == set(parameters(Transport.view))
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in ours.values())


def test_every_documented_argument_of_the_client_exists() -> None:
    for name in parameters(KalshiClient.__init__):
        assert f"    {name}: " in inspect.cleandoc(KalshiClient.__doc__ or ""), name


def test_every_resource_takes_keywords_only_beyond_identifiers() -> None:
    for resource in client_resources().values():
        if not isinstance(resource, Resource):
            continue
        for name, method in inspect.getmembers(resource, inspect.ismethod):
            if name.startswith("_"):
                continue
            for parameter in parameters(method).values():
                if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
                    assert parameter.default is inspect.Parameter.empty, f"{name}({parameter})"


# ---------------------------------------------------------------------------- importing

HEAVY = ("httpx", "aiohttp", "cryptography", "tenacity", "typer", "rich", "websockets", "polars",
         "redis", "uvloop", "hypothesis", "sqlite3")  # fmt: skip


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, logging; before = logging.root.handlers[:]; import kalshi_async\n"
        "assert logging.root.handlers == before\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT.parent,
        check=False,
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")


def test_the_package_is_typed_and_has_a_version() -> None:
    assert (ROOT / "py.typed").is_file()
    assert kalshi_async.__version__.count(".") == 2
