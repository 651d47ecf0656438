"""Reading what platforms send in tests: any JSON, spoiled payloads, and what is left of follows, told slowly."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from service.adapters import Adapter, Event, Unusable
from service.domain import Follow, Reader
from service.files.events import Item, Said, read_body, read_events
from service.flows.reading import event_source

NOW = 1_790_000_000_000
"""When deliveries come, in milliseconds since 1970 UTC: in September 2026."""

Pair = tuple[str, str]

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**53 + 1, 2**63, 2**64, 10**30, 10**4_000]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.text(st.characters(categories=["Cc", "Cs", "Zs", "Lo"]), max_size=6),
    st.sampled_from(["", " ", "\0", "\ud800", "x" * 300, "did:plc:" + "x" * 3_000, "https://s.example/" + "x" * 2_000]),
    st.just([]),
    st.just({}),
)
JSON = st.recursive(
    ODD, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=4))
)


@st.composite
def spoiled(draw: st.DrawFn, payloads: list[Any]) -> Any:
    """A payload of which one to three parts were replaced, removed, doubled or put into a list."""
    spoilt = copy.deepcopy(draw(st.sampled_from(payloads)))
    for _ in range(draw(st.integers(1, 3))):
        places = [*_places(spoilt)]
        if not places:
            break
        holder, at = draw(st.sampled_from(places))
        how = draw(st.sampled_from(["replace", "replace", "remove", "double", "list"]))
        if how == "remove":
            del holder[at]
        else:
            was = holder[at]
            holder[at] = {"replace": draw(JSON), "double": [was, was], "list": [was]}[how]
    return spoilt


def _places(value: Any) -> Iterable[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield value, key
        yield from _places(one)


def read(adapter: Adapter, payloads: list[Any], received_at: int = NOW) -> list[Item]:
    """What becomes of payloads that come in one body, as the flow reads them."""
    body = json.dumps(payloads).encode()
    return read_events(
        read_body(body, of_platform=True), event_source("s", adapter.network, Reader(adapter.name, None)), received_at
    )


def assert_read_or_kept(adapter: Adapter, payload: Any) -> None:
    """Whatever a platform sends becomes events of ours, nothing, or a dead letter with a code and a sentence."""
    before = copy.deepcopy(payload)
    events: list[Event] | None = None
    unusable: Unusable | None = None
    try:
        events = adapter.events(payload)
        assert adapter.events(payload) == events
    except Unusable as error:
        unusable = error
    if unusable is not None:
        assert re.fullmatch(r"[a-z_]+", unusable.code)
        assert unusable.message[0].isupper()
        assert unusable.message.endswith(".")
        assert len(unusable.message) < 250
    assert payload == before, "it is read, not changed"
    [item] = read_events([payload], event_source("s", adapter.network, Reader(adapter.name, None)), NOW)
    assert item.event is payload
    if item.code is not None:
        assert item.message
        assert not item.said
        return
    assert events is not None, "what cannot be used is a dead letter"
    assert item.ignored == (not events)
    assert bool(item.said) == bool(events)


def live_pairs(said: Said) -> set[Pair]:
    """Who follows whom in the end, by the rules in service/store/follow_records.py, told slowly.

    Of each record the earliest begin and end stand; an end that names the pair ends all its records that began until
    then. As long as one is left, it is a follow at the latest begin; else an unfollow at the latest begin or end. Of
    what is said beside records the latest stands, of two at once the unfollow. Who is deleted has no follows.
    """
    begun: dict[tuple[str, Pair], int] = {}
    ended: dict[str, int] = {}
    followed: list[tuple[Pair, int]] = []
    unfollowed: list[tuple[Pair, int]] = []
    erased, named = set(), set()
    for one in said:
        if isinstance(one, Follow):
            assert one.at is not None
            followed.append(((one.follower, one.followee), one.at))
            continue
        identity = tuple(map(str, one.identity))
        if one.thing == "unfollows":
            unfollowed.append(((identity[0], identity[1]), one.at))
        elif one.thing == "deleted_accounts":
            erased.add(identity[0])
        elif not one.values:
            ended[identity[0]] = min(one.at, ended.get(identity[0], one.at))
            named |= {(identity[0], (identity[1], identity[2]))} if len(identity) == 3 else set()
        else:
            key = identity[0], (identity[1], identity[2])
            begun[key] = min(one.at, begun.get(key, one.at))
    for pair in {pair for _, pair in (*begun, *named)}:
        records = [record for record, of in {*begun, *named} if of == pair]
        began = [begun[record, pair] for record in records if (record, pair) in begun]
        until = max((ended[record] for record in records if (record, pair) in named), default=-1)
        if any(record not in ended and begun[record, pair] > until for record in records):
            followed.append((pair, max(began)))
        else:
            unfollowed.append((pair, max(*began, *(ended[record] for record in records if record in ended), 0)))
    return {
        pair
        for pair, at in followed
        if all(other != pair or end < at for other, end in unfollowed) and not erased.intersection(pair)
    }


def said_by(items: list[Item]) -> Said:
    """All that was said; nothing may be a dead letter."""
    assert [item.message for item in items if item.code is not None] == []
    return [one for item in items for one in item.said]


def keys(network: str, pairs: Iterable[Pair]) -> set[Pair]:
    """Pairs of ids as pairs of keys of accounts."""
    return {(f"{network}:{follower}", f"{network}:{followee}") for follower, followee in pairs}


def examples_of(page: str) -> list[tuple[Any, Any]]:
    """Payloads that a page shows, each with the events of ours that it says they become: blocks of JSON in turns."""
    blocks = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]
    assert blocks
    assert len(blocks) % 2 == 0
    return list(zip(blocks[::2], blocks[1::2], strict=True))
