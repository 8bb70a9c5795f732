"""A small validator of response bodies against the schemas of the REST contract."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


class Contract:
    def __init__(self, path: Path) -> None:
        self.document = json.loads(path.read_text())
        self.operations = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
            if method in ("get", "post", "put", "delete")
        }

    def resolve(self, node: dict) -> dict:
        while "$ref" in node:
            target = self.document
            for part in node["$ref"].split("/")[1:]:
                target = target[part]
            # Facts beside the reference, such as nullable, hold too.
            node = {**target, **{name: value for name, value in node.items() if name != "$ref"}}
        return node

    def problems(self, operation: str, body: object, status: int = 200) -> list[str]:
        """What is wrong with the body of an answer; None stands for one without a body."""
        responses = self.operations[operation][2]["responses"]
        if str(status) not in responses:
            return [f"{operation}: {status} is not one of {', '.join(responses)}"]
        content = self.resolve(responses[str(status)]).get("content")
        if content is None:
            return [] if body is None else [f"{operation}: {status} has a body"]
        return list(self.check(content["application/json"]["schema"], body, operation))

    def check(self, schema: dict, value: object, where: str):
        schema = self.resolve(schema)
        if value is None:
            if not schema.get("nullable"):
                yield f"{where}: null"
            return
        for part in schema.get("allOf", ()):
            yield from self.check(part, value, where)
        kind = schema.get("type")
        if kind and (
            not isinstance(value, TYPES[kind]) or (kind != "boolean" and isinstance(value, bool))
        ):
            yield f"{where}: {value!r} is not {kind}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} not in {schema['enum']}"
        if schema.get("format") == "date-time":
            try:
                datetime.fromisoformat(value)
            except ValueError:
                yield f"{where}: {value!r} is not a time"
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
                elif isinstance(schema.get("additionalProperties"), dict):
                    yield from self.check(schema["additionalProperties"], item, f"{where}.{name}")
