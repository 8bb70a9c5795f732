"""Settings: what is accepted, what is refused, and that every refusal says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import ConfigurationError, Environment, KalshiClient
from kalshi_async._config import Config, config_from_env, is_trusted, make_config

from .keys import KEY_ID, PASSPHRASE, ed_key, pem, rsa_key

PRODUCTION = "https://external-api.kalshi.com/trade-api/v2"
DEMO = "https://external-api.demo.kalshi.co/trade-api/v2"
LOOPBACK = "http://127.0.0.1:8080/trade-api/v2"
FOREIGN = "https://exchange.example.com/trade-api/v2"


def text_key() -> str:
    return pem(ed_key()).decode()


def signed(**more: str) -> dict[str, str]:
    """An environment with whole credentials."""
    return {"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY": text_key(), **more}


def refused(env: Mapping[str, str], says: str, **overrides: object) -> str:
    with pytest.raises(ConfigurationError, match=says) as caught:
        config_from_env(env, overrides)
    return str(caught.value)


# ---------------------------------------------------------------------------- the environment


def test_nothing_set_is_public_production() -> None:
    config = config_from_env({})
    assert config == Config(
        Environment.PRODUCTION,
        PRODUCTION,
        "wss://external-api-ws.kalshi.com/trade-api/ws/v2",
        None,
    )


@pytest.mark.parametrize(
    ("value", "environment", "base_url"),
    [
        ("production", Environment.PRODUCTION, PRODUCTION),
        (" Demo ", Environment.DEMO, DEMO),
        ("DEMO", Environment.DEMO, DEMO),
    ],
)
def test_kalshi_env(value: str, environment: Environment, base_url: str) -> None:
    config = config_from_env({"KALSHI_ENV": value})
    assert (config.environment, config.base_url) == (environment, base_url)
    assert config.ws_url == environment.ws_url


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("prod", "KALSHI_ENV is 'prod'.*did you mean 'production'.*sandbox, demo, production"),
        ("yes", "KALSHI_ENV is 'yes'; expected sandbox, demo, production"),
        ("live", "expected sandbox, demo, production"),
        ("demo2", "did you mean 'demo'"),
        ("sandbox", "kalshi-async sandbox.*base_url="),
    ],
)
def test_wrong_kalshi_env(value: str, says: str) -> None:
    refused({"KALSHI_ENV": value}, says)


def test_private_key_path_and_id(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(rsa_key()))
    config = config_from_env({"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": f" {file}\n"})
    assert config.credentials is not None
    assert config.credentials.api_key_id == KEY_ID
    assert config.credentials.private_key.private_numbers() == rsa_key().private_numbers()  # type: ignore[union-attr]


@pytest.mark.parametrize("newline", ["\n", "\\n"])
def test_private_key_and_passphrase(newline: str) -> None:
    text = pem(ed_key(), PASSPHRASE).decode().replace("\n", newline)
    env = signed(KALSHI_PRIVATE_KEY=text, KALSHI_PRIVATE_KEY_PASSPHRASE=PASSPHRASE)
    config = config_from_env(env)
    assert config.credentials is not None
    assert config.credentials.private_key.sign(b"x") == ed_key().sign(b"x")  # type: ignore[call-arg]
    refused(env | {"KALSHI_PRIVATE_KEY_PASSPHRASE": "x"}, "KALSHI_PRIVATE_KEY: wrong passphrase")
    refused(signed(KALSHI_PRIVATE_KEY=text), "is encrypted; give .*KALSHI_PRIVATE_KEY_PASSPHRASE")


def test_urls() -> None:
    config = config_from_env({"KALSHI_BASE_URL": f" {LOOPBACK}/ "})
    assert config.environment is Environment.SANDBOX
    assert config.base_url == LOOPBACK
    assert config.ws_url == "ws://127.0.0.1:8080/trade-api/ws/v2"
    other = config_from_env(
        {"KALSHI_BASE_URL": LOOPBACK, "KALSHI_WS_URL": "ws://localhost:9/trade-api/ws/v2"}
    )
    assert other.ws_url == "ws://localhost:9/trade-api/ws/v2"
    elections = config_from_env(
        {"KALSHI_BASE_URL": "https://api.elections.kalshi.com/trade-api/v2"}
    )
    assert elections.environment is Environment.PRODUCTION
    assert elections.ws_url == "wss://api.elections.kalshi.com/trade-api/ws/v2"


def test_sandbox_as_the_command_prints_it(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(text_key())
    config = config_from_env(
        {
            "KALSHI_ENV": "sandbox",
            "KALSHI_BASE_URL": LOOPBACK,
            "KALSHI_WS_URL": "ws://127.0.0.1:8080/trade-api/ws/v2",
            "KALSHI_API_KEY_ID": KEY_ID,
            "KALSHI_PRIVATE_KEY_PATH": str(file),
        }
    )
    assert config.environment is Environment.SANDBOX
    assert config.credentials is not None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("KALSHI_EVN", "KALSHI_ENV"),
        ("KALSHI_ENVIRONMENT", "KALSHI_ENV"),
        ("KALHSI_ENV", "KALSHI_ENV"),
        ("kalshi_env", "KALSHI_ENV"),
        ("KALSH_BASE_URL", "KALSHI_BASE_URL"),
        ("KALSHI_API_KEYID", "KALSHI_API_KEY_ID"),
        ("KALSHI_API_KEY", "KALSHI_API_KEY_ID"),
        ("KALSHI_PRIVATE_KEY_PAHT", "KALSHI_PRIVATE_KEY_PATH"),
        ("KALSHI_PRIVATE_KEY_FILE", "KALSHI_PRIVATE_KEY"),
        ("KALSHI_PRIVAT_KEY", "KALSHI_PRIVATE_KEY"),
        ("KALSHI_PRIVATE_KEY_PASSPHRAZE", "KALSHI_PRIVATE_KEY_PASSPHRASE"),
        ("KALSHI_BASEURL", "KALSHI_BASE_URL"),
        ("KALSHI_WSS_URL", "KALSHI_WS_URL"),
    ],
)
def test_misspelt_names(name: str, meant: str) -> None:
    message = refused({name: "the value"}, f"unknown environment variable {name}; did you mean")
    assert meant in message
    assert "the value" not in message


@pytest.mark.parametrize(
    "name",
    ["KALSHIX", "KALSHIX_TOKEN", "KALSHI_LOG_LEVEL", "KALSHI_JOURNAL", "PATH", "kalshi", "DEMO",
     "AWS_PRIVATE_KEY_PASSPHRASE", "KALTURA_PRIVATE_KEY_PASSPHRASE", "POLYMARKET_API_KEY_ID"],
)  # fmt: skip
def test_variables_of_others_are_ignored(name: str) -> None:
    assert config_from_env({name: "x"}) == config_from_env({})


def test_blank_values_count_as_unset() -> None:
    blank = dict.fromkeys(
        ("KALSHI_ENV", "KALSHI_API_KEY_ID", "KALSHI_PRIVATE_KEY_PATH", "KALSHI_PRIVATE_KEY",
         "KALSHI_PRIVATE_KEY_PASSPHRASE", "KALSHI_BASE_URL", "KALSHI_WS_URL"), "  \n",
    )  # fmt: skip
    assert config_from_env(blank) == config_from_env({})


def test_half_credentials() -> None:
    refused({"KALSHI_API_KEY_ID": KEY_ID}, "KALSHI_API_KEY_ID without a private key; give")
    message = refused({"KALSHI_PRIVATE_KEY": text_key()}, "private key without .*give the id")
    assert text_key().splitlines()[1] not in message
    refused({"KALSHI_PRIVATE_KEY_PATH": "/tmp/x.pem"}, "private key without .*give the id")
    refused({"KALSHI_PRIVATE_KEY_PASSPHRASE": "x"}, "_PASSPHRASE is given without a private key")
    refused(signed(KALSHI_PRIVATE_KEY_PATH="/tmp/x"), "both KALSHI_PRIVATE_KEY_PATH and KALSHI_PR")
    refused(signed(KALSHI_API_KEY_ID="two words"), "KALSHI_API_KEY_ID holds spaces")
    refused(signed(KALSHI_API_KEY_ID="line\nbreak"), "KALSHI_API_KEY_ID holds spaces")


def test_missing_file_is_named_with_its_variable() -> None:
    env = {"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": "/nowhere/key.pem"}
    refused(env, "KALSHI_PRIVATE_KEY_PATH: there is no file '/nowhere/key.pem'; give the path")


# ---------------------------------------------------------------------------- overrides


def test_an_argument_replaces_the_other_form_of_the_key(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(rsa_key()))
    by_path = {"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": "/nowhere"}
    first = config_from_env(by_path, {"private_key": text_key()})
    second = config_from_env(signed(), {"private_key_path": file})
    assert first.credentials is not None
    assert second.credentials is not None
    assert hasattr(second.credentials.private_key, "key_size")
    assert not hasattr(first.credentials.private_key, "key_size")
    refused({}, "both private_key_path and private_key", private_key="x", private_key_path="y")


def test_arguments_win_over_variables() -> None:
    config = config_from_env({"KALSHI_ENV": "production"}, {"environment": "demo"})
    assert config.base_url == DEMO
    other = config_from_env(signed(), {"api_key_id": "other-id"})
    assert other.credentials is not None
    assert other.credentials.api_key_id == "other-id"
    assert config_from_env({"KALSHI_ENV": "nonsense"}, {"environment": "demo"}).base_url == DEMO


@pytest.mark.parametrize(
    ("env", "overrides"),
    [
        ({"KALSHI_ENV": "demo", "KALSHI_BASE_URL": PRODUCTION}, {}),
        ({"KALSHI_ENV": "sandbox", "KALSHI_BASE_URL": PRODUCTION}, {}),
        ({"KALSHI_BASE_URL": PRODUCTION}, {"environment": "demo"}),
        ({"KALSHI_ENV": "production"}, {"base_url": DEMO}),
        ({"KALSHI_ENV": "demo", "KALSHI_WS_URL": "wss://api.elections.kalshi.com/ws"}, {}),
    ],
)
def test_an_environment_never_talks_to_another_ones_hosts(
    env: dict[str, str], overrides: dict[str, object]
) -> None:
    refused(env, "a host of (production|demo), but the environment is .*change one", **overrides)


def test_demo_hosts_are_told_from_the_url() -> None:
    config = make_config(base_url="https://demo-api.kalshi.co/trade-api/v2")
    assert config.environment is Environment.DEMO


async def test_client_from_env_is_what_the_config_says() -> None:
    env = signed(KALSHI_ENV="demo")
    async with KalshiClient.from_env(env=env, http="httpx", max_in_flight=3) as kalshi:
        assert kalshi.environment is Environment.DEMO
        assert "signed" in repr(kalshi)
        assert DEMO in repr(kalshi)
    with pytest.raises(ConfigurationError, match="KALSHI_ENV is 'prod'"):
        KalshiClient.from_env(env={"KALSHI_ENV": "prod"})


# ---------------------------------------------------------------------------- where is signed for

ALIKE = [
    "https://evilkalshi.com", "https://kalshi.com.evil.com", "https://kalshi.comx",
    "https://kalshi.co.uk", "https://kalshi-com.evil.io",
    "http://external-api.kalshi.com", "http://EXTERNAL-API.KALSHI.COM", "https://127.0.0.1.evil.com",
    "http://localhost.evil.com", "http://0.0.0.0", "http://[::]",
    "http://169.254.169.254", "http://10.0.0.1", "http://2130706433", "http://[::2]",
]  # fmt: skip
TRICKS = [
    "https://external-api.kalshi.com@evil.com", "https://kalshi.com:pw@evil.com",
    "https://@kalshi.com", "https://:@kalshi.com", "https://evil.com\\.kalshi.com",
    "https://evil.com%2f.kalshi.com", "https://evil.com%23.kalshi.com", "https://evil.com;.kalshi.com",
    "https://evil.com\\@kalshi.com", "https://evil.com .kalshi.com", "https://evil.com\t.kalshi.com",
    "https://kalshi.com\n.evil.com", "https://kalshi\u3002com", "https://\u212aalshi.com",
    "https://external-api.kalshi.com.", "http://localhost.", "https://.kalshi.com", "https://evil..kalshi.com",
    "https://kalshi.com:99999",
    "https://kalshi.com:x", "https://[::1", "https://", "kalshi.com", "//kalshi.com",
    "https:kalshi.com",
]  # fmt: skip
GOOD = [
    "https://kalshi.com", "https://external-api.kalshi.com", "https://EXTERNAL-API.Kalshi.COM",
    "https://demo-api.kalshi.co", "https://api.elections.kalshi.com:443", "http://127.0.0.1:1",
    "http://127.8.9.1:1", "http://localhost:1", "http://LOCALHOST:1", "http://[::1]:1",
    "https://localhost:1",
]  # fmt: skip


@pytest.mark.parametrize("host", ALIKE)
def test_look_alikes_from_the_environment_get_no_signature(host: str) -> None:
    url = f"{host}/trade-api/v2"
    refused(signed(KALSHI_BASE_URL=url), "KALSHI_BASE_URL names .*pass base_url= in code")
    ws = url.replace("http", "ws", 1)
    says = "KALSHI_WS_URL names .*pass ws_url= in code"
    refused(signed(KALSHI_WS_URL=ws, KALSHI_ENV="production"), says)
    assert config_from_env({"KALSHI_BASE_URL": url}).credentials is None
    named = config_from_env(signed(), {"base_url": url})
    assert named.credentials is not None
    assert named.base_url == url


@pytest.mark.parametrize("host", TRICKS)
def test_urls_that_libraries_may_read_differently_are_refused(host: str) -> None:
    url = f"{host}/trade-api/v2"
    for env in (signed(KALSHI_BASE_URL=url), {"KALSHI_BASE_URL": url}):
        refused(env, "KALSHI_BASE_URL")
    with pytest.raises(ConfigurationError, match="base_url"):
        make_config(base_url=url)
    with pytest.raises(ConfigurationError, match="ws_url"):
        make_config(ws_url=url.replace("http", "ws", 1))


@pytest.mark.parametrize("host", GOOD)
def test_kalshi_over_https_and_loopback_are_signed_for(host: str) -> None:
    config = config_from_env(signed(KALSHI_BASE_URL=f"{host}/trade-api/v2"))
    assert config.credentials is not None


@given(st.text(st.sampled_from("kalshi.comx@:/\\%#?;evl[]1 "), max_size=25))
def test_whatever_passes_is_read_alike_by_both_http_libraries(host: str) -> None:
    import httpx
    import yarl

    try:
        url = config_from_env(signed(KALSHI_BASE_URL=f"https://{host}")).base_url
    except ConfigurationError:
        return
    assert httpx.URL(url).host == yarl.URL(url, encoded=True).host
    trusted = httpx.URL(url).host
    assert trusted.endswith((".kalshi.com", ".kalshi.co")) or trusted in ("kalshi.com", "kalshi.co")
    assert is_trusted(url)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://trading-api.kalshi.com/trade-api/v2", "retired; use https://external-api"),
        ("https://me:geheim@external-api.kalshi.com/trade-api/v2", "user name or password"),
        ("ftp://me:geheim@external-api.kalshi.com/", "user name or password"),
        (f"{PRODUCTION}?a=1", "query or fragment"),
        (f"{PRODUCTION}#a", "query or fragment"),
        ("ftp://external-api.kalshi.com/trade-api/v2", "expected a URL like https://host"),
        ("wss://external-api.kalshi.com/trade-api/v2", "expected a URL like https://host"),
        ("https://host/trade api", "expected a URL like"),
        ("https://host/a/../b", "expected a URL like"),
        ("https://host/a//b", "expected a URL like"),
        ("https://host/\u00e4", "expected a URL like"),
    ],
)
def test_wrong_urls(url: str, says: str) -> None:
    message = refused({"KALSHI_BASE_URL": url}, f"KALSHI_BASE_URL.*{says}")
    assert "geheim" not in message


def test_wrong_kinds_of_arguments() -> None:
    for name in ("base_url", "ws_url"):
        for value in (b"https://kalshi.com", Path("x"), 5):
            with pytest.raises(ConfigurationError, match=f"{name} is a .*expected text"):
                make_config(**{name: value})  # type: ignore[arg-type]
    for wrong in (5, True, object()):
        with pytest.raises(ConfigurationError, match=r"environment is .*expected sandbox"):
            make_config(environment=wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="private_key_path must be a path"):
        make_config(api_key_id=KEY_ID, private_key_path=5)


def test_a_key_in_the_wrong_variable_is_not_quoted() -> None:
    body = "".join(text_key().splitlines()[1:-1])
    for name in ("KALSHI_ENV", "KALSHI_BASE_URL", "KALSHI_API_KEY_ID", "KALSHI_PRIVATE_KEY_PATH"):
        for wrong in (text_key(), body, text_key().replace("\n", "\\n")):
            env = {"KALSHI_API_KEY_ID": KEY_ID} if name.endswith("PATH") else {}
            message = refused({**env, name: wrong}, name)
            assert body[:16] not in message
