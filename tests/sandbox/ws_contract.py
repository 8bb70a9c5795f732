"""A small validator of WebSocket frames against the AsyncAPI contract."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class WsContract:
    """The messages a server sends, by their type."""

    def __init__(self, path: Path) -> None:
        self.document = json.loads(path.read_text())
        self.payloads: dict[str, list[dict[str, Any]]] = {}
        schemas = self.document["components"]["schemas"]
        for name, schema in schemas.items():
            if name.endswith("CommandPayload") or "type" not in schema.get("properties", {}):
                continue
            kind = schema["properties"]["type"]
            if "const" in kind:
                self.payloads.setdefault(kind["const"], []).append(schema)

    def problems(self, frame: dict[str, Any]) -> list[str]:
        """Why a frame breaks the contract; a type several payloads share must fit one of them."""
        schemas = self.payloads.get(frame.get("type", ""))
        if not schemas:
            return [f"{frame.get('type')!r} is no message of the contract"]
        found = [list(self.check(schema, frame, frame["type"])) for schema in schemas]
        return min(found, key=len)

    def check(self, schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        wanted = schema.get("type", [])
        kinds = [wanted] if isinstance(wanted, str) else wanted
        if kinds and not any(self.fits(kind, value) for kind in kinds):
            yield f"{where}: {value!r} is not {wanted}"
            return
        if "const" in schema and value != schema["const"]:
            yield f"{where}: {value!r} is not {schema['const']!r}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} not in {schema['enum']}"
        if isinstance(value, str):
            yield from self.check_format(schema.get("format"), value, where)
        if isinstance(value, int) and value < schema.get("minimum", value):
            yield f"{where}: {value} is below {schema['minimum']}"
        if isinstance(value, list):
            if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 1 << 30):
                yield f"{where}: {len(value)} items"
            for number, item in enumerate(value):
                yield from self.check(schema.get("items", {}), item, f"{where}[{number}]")
        if isinstance(value, dict):
            properties = schema.get("properties", {})
            for name in schema.get("required", ()):
                if name not in value:
                    yield f"{where}: {name} is missing"
            for name, item in value.items():
                if name in properties:
                    yield from self.check(properties[name], item, f"{where}.{name}")
                elif properties:
                    yield f"{where}: {name} is not in the contract"

    @staticmethod
    def fits(kind: str, value: Any) -> bool:
        return isinstance(value, KINDS[kind]) and (kind == "boolean") == isinstance(value, bool)

    @staticmethod
    def check_format(form: str | None, value: str, where: str) -> Iterator[str]:
        if form == "uuid" and not UUID.fullmatch(value):
            yield f"{where}: {value!r} is not a UUID"
        if form == "date-time":
            try:
                datetime.fromisoformat(value)
            except ValueError:
                yield f"{where}: {value!r} is not a time"
