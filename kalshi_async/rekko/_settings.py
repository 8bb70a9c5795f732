"""The key, the address, and what an environment says of them."""

from __future__ import annotations

import difflib
import os
import re
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from .._config import is_loopback_url, refuse_misspelt
from .._errors import ConfigurationError
from .._ratelimit import BucketLimits, RateLimits
from ..models.secret import Secret

BASE_URL = "https://api.rekko.ai"
API_PREFIX = "/v1"
KEY_VARIABLE = "REKKO_API_KEY"
URL_VARIABLE = "REKKO_API_URL"

_VARIABLES = (KEY_VARIABLE, URL_VARIABLE)
_DOMAIN = "rekko.ai"
_HOST = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:]+\]"
_URL = re.compile(
    rf"https?://(?:{_HOST})(?::[0-9]{{1,5}})?(?:/[a-z0-9_~-][a-z0-9_~.-]*)*/*",
    re.ASCII | re.IGNORECASE,
)
_EXPECTED = f"expected a URL like {BASE_URL}"
_OTHER_NAMES = {"TOKEN": KEY_VARIABLE, "SECRET": KEY_VARIABLE, "HOST": URL_VARIABLE}


class Bearer:
    """Puts the key into the header of each request, and shows it nowhere else.

    Args:
        key: The API key.
    """

    def __init__(self, key: Secret) -> None:
        self._key = key

    async def headers_async(
        self, method: str, path: str, *, busy: bool = False
    ) -> Mapping[str, str]:
        """The header of a request."""
        return {"authorization": f"Bearer {self._key.reveal()}"}

    def learn_clock(self, date: str | None, sent_at: float, received_at: float) -> float | None:
        """Nothing that is sent depends on the time."""
        return None

    def wall_clock(self) -> float:
        """Unix seconds."""
        return time.time()

    def close(self) -> None:
        """There is nothing to give back."""

    def __repr__(self) -> str:
        return "<Bearer>"


def default_limits() -> RateLimits:
    """5 requests a second, one second's worth at once. One bucket pays for everything."""
    bucket = BucketLimits(50, 50)
    return RateLimits(bucket, bucket, dedicated={})


def checked_key(key: object, origin: str = "api_key") -> Secret:
    """The key, if it can be one.

    Raises:
        ConfigurationError: There is none, or it holds what no header may hold. It is not quoted.
    """
    text = key.reveal() if isinstance(key, Secret) else key
    if text is None or text == "":
        raise ConfigurationError(
            f"Rekko needs an API key: set {KEY_VARIABLE} and use RekkoClient.from_env(), or pass "
            "api_key="
        )
    if not isinstance(text, str):
        raise ConfigurationError(f"{origin} is a {type(text).__name__}; expected text")
    text = text.strip()
    if not text or not all("!" <= character <= "~" for character in text):
        raise ConfigurationError(
            f"{origin} is blank, or holds spaces or other odd characters; copy the key alone, "
            "without quotes and without the word Bearer"
        )
    return Secret(text)


def checked_url(url: object, origin: str = "base_url") -> str:
    """The address without ``/v1`` and trailing slashes.

    The key is sent to it, so it must be https, or loopback. An address that only the process
    environment names must be Rekko's own, or loopback.

    Raises:
        ConfigurationError: It is none, or the key must not be sent there.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"{origin} is a {type(url).__name__}; {_EXPECTED}")
    if "@" in url:
        raise ConfigurationError(f"{origin} holds a user name or password; {_EXPECTED}")
    if not _URL.fullmatch(url) or not _has_port(url):
        raise ConfigurationError(f"{origin} is {url!r}; {_EXPECTED}")
    if not is_loopback_url(url):
        host = urlsplit(url).hostname or ""
        if urlsplit(url).scheme != "https":
            raise ConfigurationError(
                f"{origin} names {host!r} over plain http; the key is sent over https only: "
                f"use https://{host}"
            )
        ours = host == _DOMAIN or host.endswith(f".{_DOMAIN}")
        if origin == URL_VARIABLE and not ours:
            raise ConfigurationError(
                f"{origin} names {host!r}, which is not Rekko's; to send the key there, pass "
                "base_url= in code"
            )
    return url.rstrip("/").removesuffix(API_PREFIX).rstrip("/")


def _has_port(url: str) -> bool:
    """Whether the port, if there is one, can be one."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def environment_settings(env: Mapping[str, str] | None = None) -> tuple[str | None, str | None]:
    """Key and address from ``REKKO_*`` variables; None for one that is not set.

    Raises:
        ConfigurationError: A variable is misspelt.
    """
    env = os.environ if env is None else env
    refuse_misspelt(env, _VARIABLES, _meant)
    key, url = (env.get(variable, "").strip() or None for variable in _VARIABLES)
    return key, url


def _meant(name: str) -> str | None:
    """The variable that a misspelt one stands for; None for a variable of somebody else."""
    prefix, _, rest = name.partition("_")
    if f"REKKO_{rest}" in _VARIABLES and difflib.get_close_matches(prefix, ["REKKO"], 1, 0.75):
        return f"REKKO_{rest}"
    if prefix != "REKKO":
        return None
    close = difflib.get_close_matches(name, _VARIABLES, 1, cutoff=0.75)
    return close[0] if close else _OTHER_NAMES.get(rest.removeprefix("API_"))
