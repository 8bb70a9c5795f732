"""What all models share: the struct they derive from, and the names of the wire.

Field names drop the suffixes of the wire (``yes_bid``, not ``yes_bid_dollars``; ``volume``, not
``volume_fp``). Prices and money are dollars, counts are contracts: both exact ``Decimal``. Times
are aware ``datetime`` in UTC; names ending in ``_ts`` are Unix seconds and ``_ms`` Unix
milliseconds, as the exchange sends them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, dataclass_transform

import msgspec

ABSENT: Any = None
"""Default of a field that the contract requires: its type never says None.

Should the exchange stop sending such a field, the value is None rather than the page lost.
"""

JsonObject = dict[str, Any]
"""An object whose keys the contract leaves open, as plain Python values."""


# Without this, type checkers take subclasses for mutable: they do not see that frozen is inherited.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Model(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A decoded, immutable object of the exchange.

    Unknown fields of the wire are ignored, unknown values of an enumeration are kept as text.
    Equal when all fields are equal. (``gc=False``: a model holds JSON data only and cannot be part
    of a reference cycle, so the collector need not walk millions of them.) ``msgspec.json.encode``
    gives the form of the wire again, without the fields that were absent.

    The structs of long lists declare their fields in the order of the wire, which is alphabetical:
    the decoder looks for a key where the last one left off, and any other order costs a fifth.
    """

    __legacy_probes__: ClassVar[tuple[str, ...]] = ()


def wire_names(
    *, dollars: Iterable[str] = (), counts: Iterable[str] = (), **others: str
) -> dict[str, str]:
    """Python name → wire name: ``dollars`` gain ``_dollars``, ``counts`` gain ``_fp``.

    ``others`` gives any other pair as ``python_name="wire_name"``.
    """
    names = {name: f"{name}_dollars" for name in dollars}
    names.update({name: f"{name}_fp" for name in counts})
    names.update(others)
    return names
