"""``client.api_keys``: the keys that sign for the account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack, get_args

from .._decode import object_decoder
from .._errors import DecodeError, InvalidRequestError
from .._operations import CREATE_API_KEY, DELETE_API_KEY, GENERATE_API_KEY, GET_API_KEYS
from .._repair import Drift
from .._wire import answered
from ..models._base import Model
from ..models.api_keys import (
    ApiKeyList,
    ApiKeyScope,
    ApiKeyType,
    CreatedApiKey,
    GeneratedApiKey,
)
from ..models.secret import Secret
from ._base import CallOptions, Resource
from ._bodies import given, subaccount, words_of
from ._checks import identifier, optional, word

_LAST_SUBACCOUNT = 63


class _GenerateAnswer(Model, kw_only=True):
    """``GeneratedApiKey`` on the wire."""

    api_key_id: str
    key_type: str | None = None
    private_key: str
    warning: str | None = None


class ApiKeys(Resource):
    """Keys of the account. Needs a key that is not restricted to a subaccount.

    Cancelling ``list`` is safe. A write that was sent before it was cancelled may be carried out
    (``error.may_have_reached_server`` tells).
    """

    async def list(
        self, *, fcm_subtrader_id: str | None = None, **options: Unpack[CallOptions]
    ) -> ApiKeyList:
        """The keys of the account, or those of one subtrader of a clearing member.

        Raises:
            InvalidRequestError: ``fcm_subtrader_id`` is empty; nothing is sent.
        """
        return await self._object(
            GET_API_KEYS,
            ApiKeyList,
            options,
            query={"fcm_subtrader_id": optional("fcm_subtrader_id", fcm_subtrader_id)},
        )

    async def create(
        self,
        *,
        name: str,
        public_key: str,
        scopes: Sequence[ApiKeyScope] | None = None,
        subaccount: int | None = None,
        fcm_subtrader_id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> CreatedApiKey:
        """Let a key pair of the caller's sign for the account.

        A repeat makes another key, so that only what certainly did not arrive is sent again by
        itself. Cancelled after sending, the key may sign all the same; ``list()`` tells.

        Args:
            name: What people know it as.
            public_key: The public half, as PEM text; RSA or Ed25519.
            scopes: What it may do; the exchange's default is everything.
            subaccount: The only subaccount it may use, 0 to 63; None restricts nothing.
            fcm_subtrader_id: The subtrader of a clearing member that it is for.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: A private key instead of a public one, an unknown scope, an empty
                or impossible argument; nothing is sent.
        """
        body = given(
            {
                "name": identifier("name", name),
                "public_key": _public_pem(public_key),
                **_restrictions(scopes, subaccount, fcm_subtrader_id),
            }
        )
        return await self._object(CREATE_API_KEY, CreatedApiKey, options, body=body)

    async def generate(
        self,
        *,
        name: str,
        key_type: ApiKeyType | None = None,
        scopes: Sequence[ApiKeyScope] | None = None,
        subaccount: int | None = None,
        fcm_subtrader_id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> GeneratedApiKey:
        """Have the exchange make a key pair. It tells the private key this once.

        The private key comes as a ``Secret``, which prints as ``<secret>``; no error, event or log
        line of this call holds it. ``reveal()`` gives it, to keep it or to sign with it.

        A repeat makes another key, so that only what certainly did not arrive is sent again by
        itself. Cancelled or failed after sending, there may be a key that nobody holds: find it
        with ``list()`` and delete it.

        Args:
            name: What people know it as.
            key_type: ``"rsa"`` (the exchange's default) or ``"ed25519"``, which signs faster.
            scopes: What it may do; the exchange's default is everything.
            subaccount: The only subaccount it may use, 0 to 63; None restricts nothing.
            fcm_subtrader_id: The subtrader of a clearing member that it is for.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An unknown scope or key type, an empty or impossible argument;
                nothing is sent.
            DecodeError: The answer cannot be read; its ``body`` is withheld.
        """
        body = given(
            {
                "name": identifier("name", name),
                "key_type": word("key_type", key_type, get_args(ApiKeyType)),
                **_restrictions(scopes, subaccount, fcm_subtrader_id),
            }
        )
        response = await self._transport.call(GENERATE_API_KEY, body=body, **options)
        # Taken out of the answer, so that no report of a traceback's variables shows the key.
        content, response.body = response.body, b""
        read = _read_generated(content)
        del content
        if isinstance(read, DecodeError):
            answered(read, GENERATE_API_KEY, response)
            raise read
        generated, drift = read
        self._transport.note_drift(GENERATE_API_KEY, drift, ())
        return generated

    async def delete(self, api_key: str, **options: Unpack[CallOptions]) -> None:
        """Let a key sign no more; a key may delete itself.

        Safe to repeat: of a key that is gone the exchange says so (``NotFoundError``, or
        ``AuthenticationError`` where it signed the request itself). Cancelled after sending, the
        key may be gone; ``list()`` tells.

        Args:
            api_key: The key's id.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: ``api_key`` is empty; nothing is sent.
            NotFoundError: The account has no such key.
        """
        path = {"api_key": identifier("api_key", api_key)}
        await self._done(DELETE_API_KEY, options, path=path)


def _restrictions(
    scopes: Sequence[ApiKeyScope] | None, number: int | None, fcm_subtrader_id: str | None
) -> dict[str, object]:
    return {
        "scopes": words_of("scopes", scopes, get_args(ApiKeyScope)),
        "subaccount": subaccount("subaccount", number, _LAST_SUBACCOUNT),
        "fcm_subtrader_id": optional("fcm_subtrader_id", fcm_subtrader_id),
    }


def _public_pem(value: str) -> str:
    """The text of a public key; what it is instead is told without showing it."""
    expected = 'expected PEM text that begins with "-----BEGIN PUBLIC KEY-----"'
    if not isinstance(value, str):
        raise InvalidRequestError(f"public_key is a {type(value).__name__}; {expected}")
    if "PRIVATE KEY" in value:
        raise InvalidRequestError(
            f"public_key holds a private key, which must never be sent to anybody; {expected}"
        )
    if "-----BEGIN" not in value:
        raise InvalidRequestError(f"public_key is no PEM; {expected}")
    return value


def _read_generated(body: bytes) -> tuple[GeneratedApiKey, tuple[Drift, ...]] | DecodeError:
    """The key of an answer, or an error that shows nothing of the answer.

    Returned, not raised: the failure of the decoder, and all that its frames hold, ends here.
    """
    try:
        wire, drift = object_decoder(_GenerateAnswer).decode(body)
    except DecodeError as exc:
        return DecodeError(
            f"{exc.summary}; there may be a new key that nobody holds: look for it with "
            "api_keys.list() and delete it",
            status=exc.status,
        )
    generated = GeneratedApiKey(
        api_key_id=wire.api_key_id,
        key_type=wire.key_type,
        private_key=Secret(wire.private_key),
        warning=wire.warning,
    )
    return generated, tuple(drift)
