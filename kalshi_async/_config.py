"""Settings: where to connect, as whom, and how patiently."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from ._auth import Passphrase, load_private_key, load_private_key_file, looks_like_key
from ._errors import ConfigurationError

if TYPE_CHECKING:
    from ._auth import PrivateKey

API_PREFIX = "/trade-api/v2"
WS_PATH = "/trade-api/ws/v2"
KALSHI_DOMAINS = ("kalshi.com", "kalshi.co")
RETIRED_HOSTS = ("trading-api.kalshi.com",)

_URL_PATH = re.compile(r"(?:/[A-Za-z0-9_~%.-]+)*/*")
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")

_VARIABLES = {
    "KALSHI_ENV": "environment",
    "KALSHI_API_KEY_ID": "api_key_id",
    "KALSHI_PRIVATE_KEY_PATH": "private_key_path",
    "KALSHI_PRIVATE_KEY": "private_key",
    "KALSHI_PRIVATE_KEY_PASSPHRASE": "private_key_passphrase",
    "KALSHI_BASE_URL": "base_url",
    "KALSHI_WS_URL": "ws_url",
}
SETTINGS = tuple(_VARIABLES.values())
"""Names of the settings that ``make_config`` takes and the environment may hold."""


class Environment(Enum):
    """An exchange to talk to. Keys belong to one environment."""

    SANDBOX = "sandbox"
    DEMO = "demo"
    PRODUCTION = "production"

    @property
    def base_url(self) -> str | None:
        """REST base URL; None for the sandbox, which lives wherever it was started."""
        return _HOSTS[self][0]

    @property
    def ws_url(self) -> str | None:
        """WebSocket URL; None for the sandbox."""
        return _HOSTS[self][1]

    @classmethod
    def parse(cls, value: str | Environment, *, origin: str = "environment") -> Environment:
        """An environment from its name, in any case.

        Raises:
            ConfigurationError: No environment has that name; nothing is guessed.
        """
        if isinstance(value, Environment):
            return value
        names = [member.value for member in cls]
        name = value.strip().lower() if isinstance(value, str) else repr(value)
        if name in names:
            return cls(name)
        begun = [one for one in names if name and one.startswith(name)]
        close = begun or difflib.get_close_matches(name, names, 1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ConfigurationError(f"{origin} is {_shown(value)}{hint}; expected {', '.join(names)}")


_HOSTS: dict[Environment, tuple[str | None, str | None]] = {
    Environment.SANDBOX: (None, None),
    Environment.DEMO: (
        f"https://external-api.demo.kalshi.co{API_PREFIX}",
        f"wss://external-api-ws.demo.kalshi.co{WS_PATH}",
    ),
    Environment.PRODUCTION: (
        f"https://external-api.kalshi.com{API_PREFIX}",
        f"wss://external-api-ws.kalshi.com{WS_PATH}",
    ),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key id with its private key; the key does not show in ``repr``."""

    api_key_id: str
    private_key: PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """Checked settings of a client.

    Attributes:
        environment: The exchange.
        base_url: REST base URL without a trailing slash.
        ws_url: WebSocket URL.
        credentials: None for public calls only.
    """

    environment: Environment
    base_url: str
    ws_url: str
    credentials: Credentials | None = None


def make_config(
    *,
    environment: str | Environment | None = None,
    api_key_id: str | None = None,
    private_key_path: object = None,
    private_key: object = None,
    private_key_passphrase: Passphrase | None = None,
    base_url: str | None = None,
    ws_url: str | None = None,
    origins: Mapping[str, str] | None = None,
) -> Config:
    """Check settings and load the key.

    Args:
        environment: Told from ``base_url`` when left out; production when that is left out too.
        api_key_id: The key's id.
        private_key_path: A PEM file; excludes ``private_key``.
        private_key: PEM text, PEM bytes or a key object.
        private_key_passphrase: For an encrypted PEM.
        base_url: Instead of the environment's own.
        ws_url: Instead of the environment's own, or of the one derived from ``base_url``.
        origins: What messages call a setting, where it did not come as an argument. A host that
            comes from elsewhere (the process environment) must be Kalshi's or loopback before
            anything is signed for it.

    Raises:
        ConfigurationError: The message says which setting is wrong and what to do.
    """
    origins = origins or {}
    rest = _checked_url(base_url, ("http", "https"), origins.get("base_url", "base_url"))
    live = _checked_url(ws_url, ("ws", "wss"), origins.get("ws_url", "ws_url"))
    chosen = _environment(environment, rest, origins)
    for name, url in (("base_url", rest), ("ws_url", live)):
        _refuse_other_exchange(chosen, url, origins.get(name, name))
    if rest is None:
        rest = chosen.base_url
    if rest is None:
        raise ConfigurationError(
            "the sandbox has no fixed address: start one with `kalshi-async sandbox` and give its "
            "KALSHI_BASE_URL (base_url=), or use exchange.client() of an embedded Sandbox"
        )
    if live is None:
        live = _derived_ws(rest) if base_url else chosen.ws_url
    credentials = _credentials(
        api_key_id, private_key_path, private_key, private_key_passphrase, origins
    )
    if credentials is not None:
        for name, url in (("base_url", rest), ("ws_url", live)):
            if name in origins and not is_trusted(url or ""):
                raise ConfigurationError(
                    f"{origins[name]} names {urlsplit(url).netloc!r}, neither Kalshi's over https "
                    f"nor loopback; to sign requests for it, pass {name}= in code"
                )
    return Config(chosen, rest, live or "", credentials)


def _environment(
    environment: str | Environment | None, base_url: str | None, origins: Mapping[str, str]
) -> Environment:
    if environment is not None:
        return Environment.parse(environment, origin=origins.get("environment", "environment"))
    return (base_url and _exchange_at(base_url)) or Environment.PRODUCTION


def _exchange_at(url: str) -> Environment | None:
    """The exchange that a host belongs to; None for a host that may be anything."""
    host = urlsplit(url).hostname or ""
    if _is_loopback(host):
        return Environment.SANDBOX
    if _within(host, "kalshi.co"):
        return Environment.DEMO
    return Environment.PRODUCTION if _within(host, "kalshi.com") else None


def _refuse_other_exchange(chosen: Environment, url: str | None, origin: str) -> None:
    """Kalshi's hosts are of one exchange each: real money must not move by a leftover setting."""
    found = _exchange_at(url) if url else None
    if url and found in (Environment.DEMO, Environment.PRODUCTION) and found is not chosen:
        raise ConfigurationError(
            f"{origin} names {urlsplit(url).hostname}, a host of {found.value}, but the "
            f"environment is {chosen.value}; change one of them or leave it out"
        )


def config_from_env(
    env: Mapping[str, str] | None = None, overrides: Mapping[str, object] | None = None
) -> Config:
    """Settings from ``KALSHI_*`` variables; ``overrides`` are arguments and win.

    Raises:
        ConfigurationError: As ``make_config``; also for a misspelt variable.
    """
    env = os.environ if env is None else env
    refuse_misspelt(env, _VARIABLES, _meant)
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for variable, name in _VARIABLES.items():
        if not env.get(variable, "").strip():
            continue
        secret = name in ("private_key", "private_key_passphrase")
        values[name] = env[variable] if secret else env[variable].strip()
        origins[name] = variable
    for name, value in (overrides or {}).items():
        if value is None:
            continue
        values[name] = value
        origins.pop(name, None)
        if name in ("private_key", "private_key_path"):  # one replaces the other
            other = "private_key_path" if name == "private_key" else "private_key"
            if other in origins:
                del values[other], origins[other]
    return make_config(**values, origins=origins)  # type: ignore[arg-type]


def refuse_misspelt(
    env: Mapping[str, str], known: Collection[str], meant: Callable[[str], str | None]
) -> None:
    """Refuse a variable that is none of the known ones but means one.

    Args:
        env: Where to look.
        known: The variables there are.
        meant: Which of them an upper-case name stands for; None for a variable of somebody else.

    Raises:
        ConfigurationError: There is one.
    """
    for name in env:
        stands_for = None if name in known else meant(name.upper())
        if stands_for is not None:
            raise ConfigurationError(
                f"unknown environment variable {name}; did you mean {stands_for}? "
                f"Known: {', '.join(known)}"
            )


def _meant(name: str) -> str | None:
    """The variable that a misspelt one stands for; None for a variable of somebody else."""
    prefix, _, rest = name.partition("_")
    if f"KALSHI_{rest}" in _VARIABLES and difflib.get_close_matches(prefix, ["KALSHI"], 1, 0.8):
        return f"KALSHI_{rest}"
    if not name.startswith("KALSHI"):
        return None
    # KALSHI_ENVIRONMENT is too far from KALSHI_ENV to be close, and too dangerous to pass over
    longer = [variable for variable in _VARIABLES if name.startswith(variable)]
    close = difflib.get_close_matches(name, _VARIABLES, 1, cutoff=0.8) or longer[-1:]
    return close[0] if close else None


def _credentials(
    api_key_id: str | None,
    private_key_path: object,
    private_key: object,
    passphrase: Passphrase | None,
    origins: Mapping[str, str],
) -> Credentials | None:
    def called(name: str) -> str:
        return origins.get(name, name)

    if private_key_path is not None and private_key is not None:
        raise ConfigurationError(
            f"both {called('private_key_path')} and {called('private_key')} are given; give one"
        )
    has_key = private_key_path is not None or private_key is not None
    if api_key_id is None and not has_key:
        if passphrase is not None:
            raise ConfigurationError(
                f"{called('private_key_passphrase')} is given without a private key"
            )
        return None
    if api_key_id is None or not api_key_id.strip():
        raise ConfigurationError(
            f"a private key without {called('api_key_id')}; give the id Kalshi showed for it"
        )
    if not has_key:
        raise ConfigurationError(
            f"{called('api_key_id')} without a private key; give {called('private_key_path')} "
            f"or {called('private_key')}, or neither for public calls only"
        )
    if not all("!" <= character <= "~" for character in api_key_id):
        raise ConfigurationError(f"{called('api_key_id')} holds spaces or other odd characters")
    if private_key_path is not None:
        if not isinstance(private_key_path, str | os.PathLike):
            raise ConfigurationError(f"{called('private_key_path')} must be a path")
        path = os.fsdecode(private_key_path)
        key = load_private_key_file(path, passphrase, origin=called("private_key_path"))
    else:
        key = load_private_key(private_key, passphrase, origin=called("private_key"))
    return Credentials(api_key_id, key)


def _checked_url(url: object, schemes: tuple[str, ...], origin: str) -> str | None:
    if url is None:
        return None
    example = f"{schemes[-1]}://host{WS_PATH if 'ws' in schemes else API_PREFIX}"
    if not isinstance(url, str):
        raise ConfigurationError(f"{origin} is a {type(url).__name__}; expected text: {example}")
    try:
        parts = urlsplit(url)
        _ = parts.port  # refuses what is no port
    except ValueError:
        raise ConfigurationError(f"{origin} is no URL; expected one like {example}") from None
    if "@" in parts.netloc:
        raise ConfigurationError(f"{origin} holds a user name or password; leave it out")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{origin} holds a query or fragment; leave it out")
    if parts.scheme not in schemes or not _is_plain(url, parts):
        raise ConfigurationError(f"{origin} is {_shown(url)}; expected a URL like {example}")
    if parts.hostname in RETIRED_HOSTS:
        raise ConfigurationError(
            f"{origin}: {parts.hostname} is retired; use {Environment.PRODUCTION.base_url}"
        )
    return url.rstrip("/")


def _is_plain(url: str, parts: SplitResult) -> bool:
    """Whether every HTTP library reads the URL alike, and sends its path exactly as written."""
    host = parts.hostname or ""
    dots = any(segment in (".", "..") for segment in parts.path.split("/"))
    return (
        url.isascii()
        and url.isprintable()
        and (_is_loopback(host) or ":" in host or _HOST.fullmatch(host) is not None)
        and _URL_PATH.fullmatch(parts.path) is not None
        and not dots
        and " " not in url
    )


def _shown(value: object) -> str:
    """A setting for a message, unless somebody put a key in the wrong place."""
    return "(a key, not shown)" if looks_like_key(str(value)) else repr(value)


def _derived_ws(base_url: str) -> str:
    """The WebSocket beside a REST base URL."""
    for environment in (Environment.PRODUCTION, Environment.DEMO):
        if base_url == environment.base_url and environment.ws_url:
            return environment.ws_url
    parts = urlsplit(base_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{parts.netloc}{WS_PATH}"


def is_trusted(url: str) -> bool:
    """Whether a URL is Kalshi's own over TLS, or loopback."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_loopback(host):
        return True
    ours = any(_within(host, domain) for domain in KALSHI_DOMAINS)
    return ours and parts.scheme in ("https", "wss") and _HOST.fullmatch(host) is not None


def is_loopback_url(url: str) -> bool:
    """Whether a URL stays on this machine."""
    return _is_loopback(urlsplit(url).hostname or "")


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
