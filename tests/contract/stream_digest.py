"""Boil an AsyncAPI file of the exchange down to the facts that stream messages are held against.

    python -m tests.contract.stream_digest asyncapi.json > tests/contract/ws_digest.json

Kept is what ``make_digest`` keeps, of all messages that the exchange sends, and the order of their
fields. ``messages`` gives for each type of the wire the schemas it may have. Besides the types of
``make_digest``, a list whose items are lists of a fixed length names those as a schema of their
own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.sandbox.ws_contract import WsContract

from .make_digest import Digest, Facts


class WsDigest(Digest):
    """Collects the facts of one AsyncAPI document."""

    def messages(self, contract: WsContract) -> dict[str, list[str]]:
        """The schemas of each type; ``schemas`` holds their facts from then on."""
        names = {id(schema): name for name, schema in self._known().items()}
        found = {}
        for kind, payloads in contract.payloads.items():
            found[kind] = [names[id(payload)] for payload in payloads]
            self._waiting += zip(found[kind], payloads, strict=True)
        self._follow()
        return found

    def _known(self) -> dict[str, dict]:
        return self._document["components"]["schemas"]

    def _describe(self, schema: dict, name: str) -> Facts:
        facts = super()._describe(schema, name)
        facts |= {key: schema[key] for key in ("const", "deprecated") if key in schema}
        return facts | ({"null": True} if "null" in _kinds(schema) else {})

    def _type(self, schema: dict, name: str) -> str:
        kinds = _kinds(schema)
        if "null" in kinds:
            (kind,) = (each for each in kinds if each != "null")
            return self._type(schema | {"type": kind}, name)
        items = schema.get("items", {})
        if "minItems" in items:
            self._waiting.append((f"{name}.item", items))
            return f"[${name}.item]"
        return super()._type(schema, name)


def _kinds(schema: dict) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def make_ws_digest(path: Path) -> Facts:
    """The facts of an AsyncAPI document in a file.

    Raises:
        OSError, ValueError: It cannot be read, is no JSON, or has no messages.
        KeyError: It lacks something that every AsyncAPI document has.
    """
    contract = WsContract(path)
    digest = WsDigest(contract.document)
    messages = digest.messages(contract)
    if not messages:
        raise ValueError("it has no messages with a type")
    return {
        "version": contract.document["version"],
        "messages": messages,
        "schemas": digest.schemas,
    }


def render(digest: Facts) -> str:
    """The digest as JSON text, one line a type or schema."""
    parts = [f' "version": {json.dumps(digest["version"])}']
    for part in ("messages", "schemas"):
        lines = [
            f"  {json.dumps(name)}: {json.dumps(facts, separators=(',', ':'))}"
            for name, facts in sorted(digest[part].items())
        ]
        parts.append(f' "{part}": {{\n' + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: stream_digest FILE (the exchange's AsyncAPI document as JSON)")
    try:
        text = render(make_ws_digest(Path(sys.argv[1])))
    except (OSError, ValueError, KeyError, TypeError) as exc:
        sys.exit(f"{sys.argv[1]} is no AsyncAPI document in JSON: {type(exc).__name__}: {exc}")
    sys.stdout.write(text)
