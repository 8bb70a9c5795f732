"""All in which the package is not what a digest of the contract says."""

from __future__ import annotations

from kalshi_async._operations import OPERATIONS

from .compare import Facts, operation_differences, struct_differences
from .compare_arguments import (
    argument_differences,
    body_class_differences,
    request_struct_differences,
)
from .faces import FACES
from .methods import METHODS
from .structs import BOOK_SCHEMAS, EXTRA_FIELDS, OTHER_TYPES, STRUCTS


def differences(digest: Facts) -> list[str]:
    """Everything in which the package is not what the digest says."""
    operations, schemas = digest["operations"], digest["schemas"]
    found = []
    for operation in OPERATIONS:
        if operation.name not in operations:
            found.append(f"{operation.name} is no operation of the contract")
            continue
        facts = operations[operation.name]
        found += operation_differences(operation, facts)
        if operation.name in METHODS:
            resource, name = METHODS[operation.name]
            method = getattr(resource, name)
            found += argument_differences(operation.name, method, facts, schemas, FACES)
    for name, struct in STRUCTS.items():
        if name not in schemas:
            found.append(f"{name} is no schema of the contract")
            continue
        found += struct_differences(name, struct, schemas, STRUCTS, EXTRA_FIELDS, OTHER_TYPES)
    for name in FACES.structs:
        found += request_struct_differences(name, schemas, FACES)
    for name in FACES.bodies:
        found += body_class_differences(name, operations, schemas, FACES)
    found += [f"{name} has no struct" for name in sorted(reached(digest) - set(STRUCTS))]
    return found


def reached(digest: Facts) -> set[str]:
    """Schemas with fields that answers of offered operations reach, their envelopes aside."""
    answers = [digest["operations"][name]["response"] for name in METHODS]
    found, waiting = set(), [kind for kind in answers if kind is not None]
    envelopes = {kind.strip("$") for kind in waiting}
    while waiting:
        name = waiting.pop().strip("[]{}")
        if not name.startswith("$") or name[1:] in found:
            continue
        schema = digest["schemas"][name[1:]]
        fields = schema.get("fields")
        found |= {name[1:]} if fields else set()
        waiting += [facts["type"] for facts in fields.values()] if fields else [schema["type"]]
    return found - BOOK_SCHEMAS - (envelopes - set(STRUCTS))
