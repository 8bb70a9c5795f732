"""One contender decodes one page of 1,000 markets, over and over."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sized

from .._listing import Listing, Query
from ._probe import best_of, emit

Decode = Callable[[bytes], Sized]


def floor() -> Decode:
    """msgspec, exact and typed."""
    from ._floor import decode_markets

    return lambda body: decode_markets(body).markets


def floor_five() -> Decode:
    """msgspec, five fields."""
    from ._floor import decode_quotes

    return lambda body: decode_quotes(body).markets


def split() -> Decode:
    """msgspec, only split into raw items."""
    import msgspec

    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    items = msgspec.json.Decoder(list[msgspec.Raw])
    return lambda body: items.decode(decoder.decode(body)["markets"])


def ours() -> Decode:
    """Our decoder, a whole page in one go."""
    from kalshi_async._decode import page_decoder
    from kalshi_async.models import Market

    decoder = page_decoder(Market, "markets")
    return lambda body: decoder.decode(body).items


def ours_sliced() -> Decode:
    """Our decoder as a client runs it on a large page: in slices."""
    from kalshi_async._decode import page_decoder
    from kalshi_async.models import Market

    decoder = page_decoder(Market, "markets")

    def decode(body: bytes) -> Sized:
        slices = decoder.slices(body)
        for _ in slices:
            pass
        return slices.page.items

    return decode


def kalshi_sdk() -> Decode:
    """kalshi-sdk: the standard library's JSON, then a pydantic model an item."""
    from kalshi.models import Market  # type: ignore[import-not-found,unused-ignore]

    return lambda body: [Market.model_validate(item) for item in json.loads(body)["markets"]]


def kalshi_python_async() -> Decode:
    """kalshi-python-async's own deserializer."""
    from kalshi_python_async import ApiClient  # type: ignore[import-not-found,unused-ignore]

    client = ApiClient()

    def decode(body: bytes) -> Sized:
        page = client.deserialize(body.decode(), "GetMarketsResponse", "application/json")
        markets: Sized = page.markets
        return markets

    return decode


DECODERS: dict[str, Callable[[], Decode]] = {
    "floor": floor,
    "ours": ours,
    "ours, in slices": ours_sliced,
    "kalshi-sdk": kalshi_sdk,
    "kalshi-python-async": kalshi_python_async,
    "floor, five fields": floor_five,
    "floor, split only": split,
}


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=DECODERS)
    parser.add_argument("--seconds", type=float, default=1.0)
    given = parser.parse_args()
    body = b"".join(Listing(2_000).page(Query(limit=1_000)))
    decode = DECODERS[given.contender]()
    if len(decode(body)) != 1_000:
        raise SystemExit(f"{given.contender} did not decode all 1,000 markets")
    emit({**best_of(lambda: decode(body), seconds=given.seconds), "bytes": float(len(body))})


if __name__ == "__main__":
    main()
