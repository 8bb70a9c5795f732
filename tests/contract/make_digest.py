"""Boil an OpenAPI file of the exchange down to the facts that the contract test compares.

    python tests/contract/make_digest.py openapi.json > tests/contract/digest.json

Kept are names, types, requiredness, enumerations, limits and statuses of all operations and the
schemas they reach, and what is deprecated; no prose. One line an operation or schema, sorted, so
that a difference reads well. ``status`` is the one of success, ``errors`` are the others that an
operation documents.

A type is ``string``, ``string/date-time``, ``integer``, ``number``, ``boolean``, ``object`` (open),
``[T]`` (list), ``{T}`` (map from text), or ``$Name`` (a schema).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

Facts = dict[str, object]

_KEPT = {
    "enum": "enum",
    "minimum": "min",
    "maximum": "max",
    "minItems": "min_items",
    "maxItems": "max_items",
    "maxLength": "max_length",
    "default": "default",
}
_VERBS = ("delete", "get", "patch", "post", "put")


class Digest:
    """Collects the facts of one OpenAPI document."""

    def __init__(self, document: dict[str, object]) -> None:
        self._document = document
        self._waiting: list[tuple[str, dict]] = []
        self.schemas: dict[str, Facts] = {}

    def operations(self) -> dict[str, Facts]:
        found = {}
        for path, verbs in self._document["paths"].items():
            for verb in _VERBS:
                if verb in verbs:
                    spec = verbs[verb]
                    found[spec["operationId"]] = self._operation(verb, path, spec)
        self._follow()
        return found

    def _operation(self, verb: str, path: str, spec: dict) -> Facts:
        facts: Facts = {
            "method": verb.upper(),
            "path": path,
            "auth": bool(spec.get("security")),
            "parameters": {},
            "response": self._response(spec),
            **self._statuses(spec),
        }
        if spec.get("deprecated"):
            facts["deprecated"] = True
        for parameter in spec.get("parameters", []):
            resolved = self._resolve(parameter)
            described = self._describe(resolved["schema"], resolved["name"])
            described["in"] = resolved["in"]
            if resolved.get("required"):
                described["required"] = True
            facts["parameters"][resolved["name"]] = described
        body = self._resolve(spec.get("requestBody", {})).get("content", {})
        if "application/json" in body:
            facts["body"] = self._describe(body["application/json"]["schema"], "body")["type"]
        return facts

    def _response(self, spec: dict) -> str | None:
        for status, response in sorted(spec["responses"].items()):
            if status.startswith("2"):
                content = self._resolve(response).get("content", {})
                if "application/json" in content:
                    name = f"{spec['operationId']}.response"
                    return self._describe(content["application/json"]["schema"], name)["type"]
        return None

    @staticmethod
    def _statuses(spec: dict) -> Facts:
        known = sorted(int(status) for status in spec["responses"])
        (success,) = [status for status in known if status < 300]
        return {"status": success, "errors": [status for status in known if status >= 300]}

    def _follow(self) -> None:
        """Describe the schemas reached so far, and those that they reach."""
        while self._waiting:
            name, schema = self._waiting.pop()
            if name in self.schemas:
                continue
            if "properties" not in schema:
                self.schemas[name] = self._describe(schema, name)
                continue
            required = schema.get("required", [])
            fields = {}
            for field, kind in schema["properties"].items():
                fields[field] = self._describe(kind, f"{name}.{field}")
                if field in required:
                    fields[field]["required"] = True
            self.schemas[name] = {"fields": fields}

    def _describe(self, schema: dict, name: str) -> Facts:
        facts: Facts = {"type": self._type(schema, name)}
        facts |= {short: schema[key] for key, short in _KEPT.items() if key in schema}
        if schema.get("nullable"):
            facts["null"] = True
        return facts

    def _type(self, schema: dict, name: str) -> str:
        if "$ref" in schema:
            reached = schema["$ref"].rsplit("/", 1)[1]
            self._waiting.append((reached, self._resolve(schema)))
            return f"${reached}"
        for choice in ("allOf", "oneOf", "anyOf"):
            if choice in schema:
                return "|".join(self._type(part, name) for part in schema[choice])
        if "properties" in schema:
            self._waiting.append((name, schema))
            return f"${name}"
        if schema.get("type") == "array":
            return f"[{self._type(schema['items'], name)}]"
        if schema.get("type", "object") == "object":
            values = schema.get("additionalProperties")
            return f"{{{self._type(values, name)}}}" if isinstance(values, dict) else "object"
        dated = schema.get("format") == "date-time"
        return f"{schema['type']}/date-time" if dated else schema["type"]

    def _resolve(self, node: dict) -> dict:
        while "$ref" in node:
            target: dict = self._document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node


def make_digest(document: dict[str, object]) -> Facts:
    """The facts of an OpenAPI document.

    Raises:
        KeyError: It lacks something that every OpenAPI document has.
    """
    digest = Digest(document)
    operations = digest.operations()
    version = document.get("version") or document["info"]["version"]
    return {"version": version, "operations": operations, "schemas": digest.schemas}


def render(digest: Facts) -> str:
    """The digest as JSON text, one line an operation or schema."""
    return "\n".join(_lines(digest)) + "\n"


def _lines(digest: Facts) -> Iterator[str]:
    yield "{"
    yield f' "version": {json.dumps(digest["version"])},'
    for last, part in ((False, "operations"), (True, "schemas")):
        yield f' "{part}": {{'
        entries = sorted(digest[part].items())
        for place, (name, facts) in enumerate(entries, 1):
            text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
            yield f"  {json.dumps(name)}: {text}{',' if place < len(entries) else ''}"
        yield " }" if last else " },"
    yield "}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make_digest.py FILE (the exchange's OpenAPI document as JSON)")
    try:
        source = json.loads(Path(sys.argv[1]).read_text())
        text = render(make_digest(source))
    except (OSError, ValueError, KeyError, TypeError) as exc:
        sys.exit(f"{sys.argv[1]} is no OpenAPI document in JSON: {type(exc).__name__}: {exc}")
    sys.stdout.write(text)
