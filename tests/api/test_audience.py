"""Audiences over HTTP: each figure against a plain computation from what the test put into the graph."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from service.api.app import create_app
from service.api.audience_schemas import AudienceAnswer
from service.domain import Follow, StoreAddress
from service.flows import audience as flow
from service.flows.keys import add_key
from service.store.driver import Store
from service.store.edges import apply_follows
from tests.api.conftest import api_settings, publish
from tests.api.test_asking import SPEC
from tests.api.test_empty import is_problem
from tests.conftest import clear

LAST = date(2024, 6, 30)
SIZE = 30
STAR, OTHER = "t:m00", "t:m01"


@dataclass
class World:
    """What the graph was told."""

    api: TestClient
    store: Store
    address: StoreAddress
    journal: Path
    follows: dict[tuple[str, str], date | None] = field(default_factory=dict)
    gone: list[tuple[str, str, date]] = field(default_factory=list)
    engaged: list[tuple[str, str, date, list[int]]] = field(default_factory=list)
    posted: list[tuple[str, date]] = field(default_factory=list)
    said: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)

    def followers(self, *targets: str) -> set[str]:
        return {a for a, b in self.follows if b in targets} - set(targets)

    def got(self, path: str, **parameters: str) -> Any:
        answer = self.api.get(f"/v1/{path}/audience", params=parameters)
        assert answer.status_code == 200, answer.text
        assert "etag" not in answer.headers
        AudienceAnswer.model_validate(answer.json())
        return answer.json()


@pytest.fixture(scope="module")
def world(store_address: StoreAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    journal = tmp_path_factory.mktemp("audience") / "journal"
    with Store(store_address) as store:
        clear(store)
        app = create_app(api_settings(store_address), journal)
        with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as api:
            made = World(api, store, store_address, journal)
            _tell(made)
            publish(store, SPEC)
            yield made


def _tell(world: World) -> None:
    """Thirty members in one network who follow, unfollow, engage and post; two brands, one without accounts."""
    chance = random.Random(5)
    members = [f"t:m{i:02}" for i in range(SIZE)]
    for a in members:
        for b in members:
            if a != b and chance.random() < (0.9 if b in (STAR, OTHER) else 0.2):
                day = LAST - timedelta(days=chance.randrange(150))
                world.follows[a, b] = None if chance.random() < 0.2 else day
    apply_follows(world.store, sorted(Follow(a, b) for a, b in world.follows))
    world.gone += [
        (a, b, LAST - timedelta(days=chance.randrange(100)))
        for a in members
        for b in (STAR, OTHER)
        if a != b and (a, b) not in world.follows
    ]
    world.gone += [(f"t:x{i:02}", STAR, LAST - timedelta(days=3 * i)) for i in range(25)]
    for a in members[:24]:
        for _ in range(30):
            b, day = chance.choice(members), LAST - timedelta(days=chance.randrange(1, 120))
            if a != b:
                hours = [0] * 24
                hours[chance.choice([7, 7, 7, 18, chance.randrange(24)])] = 1 + chance.randrange(3)
                world.engaged.append((a, b, day, hours))
    world.engaged.append((members[24], STAR, LAST - timedelta(days=90), [0] * 23 + [1]))
    world.posted += [(members[25], LAST - timedelta(days=89)), (members[26], date(2023, 1, 1)), (members[2], LAST)]
    places = ["Paris", "paris", "Lyon", None]
    world.said = {a: ("fr" if i % 3 else None, places[i % 4]) for i, a in enumerate(members)}
    world.store.statement(
        "UNWIND $rows AS one MATCH (a:Account {key: one[0]})-[f:FOLLOWS]->(b:Account {key: one[1]}) "
        "SET f.at = datetime(one[2])",
        rows=[[a, b, f"{day}T10:00:00Z"] for (a, b), day in world.follows.items() if day is not None],
    )
    world.store.statement(
        "MATCH (g:Graph) UNWIND range(0, 24) AS i CREATE (:Account {key: 't:x' + right('0' + i, 2), network: 't', "
        "native_id: 'x' + i, n: g.n + 1 + i, v: g.v, handle: 'ex' + i}) WITH DISTINCT g SET g.n = g.n + 25"
    )
    world.store.statement(
        "UNWIND $rows AS one MATCH (a:Account {key: one[0]}), (b:Account {key: one[1]}) "
        "CREATE (a)-[:UNFOLLOWED {at: datetime(one[2]), v: 1}]->(b)",
        rows=[[a, b, f"{day}T11:00:00Z"] for a, b, day in world.gone],
    )
    merged: dict[tuple[str, str, date], list[int]] = {}
    for a, b, day, hours in world.engaged:
        known = merged.setdefault((a, b, day), [0] * 24)
        merged[a, b, day] = [x + y for x, y in zip(known, hours, strict=True)]
    world.store.statement(
        "UNWIND $rows AS one MATCH (a:Account {key: one[0]}), (b:Account {key: one[1]}) "
        "CREATE (a)-[:ENGAGED {day: date(one[2]), likes: one[4], replies: 0, mentions: 0, reposts: 0, hours: one[3], "
        "v: 1}]->(b)",
        rows=[[a, b, str(day), hours, sum(hours)] for (a, b, day), hours in merged.items()],
    )
    world.store.statement(
        "UNWIND $rows AS one MATCH (a:Account {key: one[0]}) "
        "CREATE (a)-[:POSTED {v: 1}]->(:Post {key: 't:p' + one[0], at: datetime(one[1]), kind: 'text', v: 1})",
        rows=[[a, f"{day}T12:00:00Z"] for a, day in world.posted],
    )
    world.store.statement(
        "UNWIND $rows AS one MATCH (a:Account {key: one[0]}) SET a.lang = one[1], a.location = one[2]",
        rows=[[a, *said] for a, said in world.said.items()],
    )
    world.store.statement(
        "CREATE (b:Brand {key: 'bee', name: 'Bee', v: 1}), (:Brand {key: 'owl', v: 1}) WITH b "
        "MATCH (a:Account) WHERE a.key IN $own CREATE (a)-[:ACCOUNT_OF {v: 1}]->(b)",
        own=[STAR, OTHER],
    )


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "Asia/Kathmandu"])
def test_hours_are_those_in_which_followers_are_active(world: World, zone: str) -> None:
    found = world.got(f"accounts/{STAR}", tz=zone)
    audience = world.followers(STAR)
    table: Counter[tuple[int, int]] = Counter()
    moments = {
        (a, datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC))
        for a, b, day, hours in world.engaged
        for hour in range(24)
        if a in audience and hours[hour] and LAST - timedelta(days=91) < day <= LAST
    }
    for _, moment in moments:
        local = moment.astimezone(ZoneInfo(zone))
        table[local.weekday(), local.hour] += 1
    hours = found["hours"]
    assert hours["table"] == [[table[weekday, hour] for hour in range(24)] for weekday in range(7)]
    assert (hours["observations"], hours["timezone"]) == (len(moments), zone)
    assert hours["accounts"] == len({a for a, _ in moments})
    assert (hours["first"], hours["last"]) == ("2024-04-01", "2024-06-30")
    for one in hours["best"]:
        here = {(a, at) for a, at in moments if (local := at.astimezone(ZoneInfo(zone))).hour == one["hour"]
                and local.weekday() == one["weekday"]}  # fmt: skip
        assert (one["observations"], one["accounts"]) == (len(here), len({a for a, _ in here}))
        assert 1 < one["times_average"] <= len(here) / (len(moments) / 168)


@pytest.mark.parametrize(("path", "targets"), [(f"accounts/{STAR}", [STAR]), ("brands/bee", [STAR, OTHER])])
def test_growth_and_who_left_are_counted_week_by_week(world: World, path: str, targets: list[str]) -> None:
    found = world.got(path)
    assert (
        found["size"]
        == len(world.followers(*targets))
        == len({a for a, b in world.follows if b in targets} - {*targets})
    )
    ties: dict[str, list[date | None]] = {}
    for (a, b), day in world.follows.items():
        if b in targets and a not in targets:
            ties.setdefault(a, []).append(day)
    begun = [None if None in days else min(day for day in days if day) for days in ties.values()]
    left: dict[str, tuple[str, str, date]] = {}
    for a, b, day in world.gone:
        if b in targets and a not in targets and a not in ties:
            left[a] = max(left.get(a, (a, b, day)), (a, b, day), key=lambda one: one[2])
    gone = list(left.values())
    growth = found["growth"]
    assert growth["undated"] == begun.count(None)
    assert len(growth["weeks"]) == 12
    for back, week in enumerate(reversed(growth["weeks"])):
        days = {LAST - timedelta(days=7 * back + one) for one in range(7)}
        assert (week["first"], week["last"]) == (str(min(days)), str(max(days)))
        assert week["gained"] == sum(day in days for day in begun)
        assert week["lost"] == sum(day in days for *_, day in gone)
        assert week["net"] == week["gained"] - week["lost"]
    mean = sum(week["net"] for week in growth["weeks"]) / 12
    assert [one["net"] for one in growth["forecast"]] == pytest.approx([h * mean for h in (1, 2, 3, 4)], abs=1e-6)
    assert all(one["low"] < one["net"] < one["high"] for one in growth["forecast"])
    assert growth["undated_lost"] == 0
    latest = sorted(gone, key=lambda one: (-one[2].toordinal(), one[0], one[1]))[:20]
    assert [(one["account"], one["followed"], one["at"][:10]) for one in found["unfollowed"]] == [
        (a, b, str(day)) for a, b, day in latest
    ]


def test_who_is_inactive_what_they_say_and_how_they_are_tied(world: World) -> None:
    found = world.got(f"accounts/{STAR}")
    audience = world.followers(STAR)
    last: dict[str, date] = {}
    for a, day in [(a, day) for a, _, day, _ in world.engaged] + world.posted:
        last[a] = max(day, last.get(a, day))
    active = {a for a in audience if a in last and (LAST - last[a]).days < 90}
    # Of the network 27 of 55 were seen, fewer than half: of who was not seen nothing is known.
    assert len(last) == 27
    known = {a for a in audience if a in last}
    activity = found["activity"]
    assert (activity["active"], activity["inactive"]) == (len(active), len(known - active))
    assert activity["not_known"] == len(audience - known) > 0
    assert activity["inactive_share"] == pytest.approx(len(known - active) / len(known)) != 0
    answer = world.api.get(f"/v1/accounts/{STAR}/lenses/audience")
    assert answer.status_code == 200, answer.text
    lens = answer.json()
    assert lens["value"] == pytest.approx(100 * (1 - activity["inactive_share"]), abs=1e-5)
    assert lens["figures"]["known"] == len(known)
    for name, place in (("languages", 0), ("places", 1)):
        said = Counter(text.casefold() for a in audience if (text := world.said[a][place]))
        assert (found[name]["said"], found[name]["not_said"]) == (said.total(), len(audience) - said.total())
        assert {one["value"].casefold(): one["accounts"] for one in found[name]["items"]} == said
        assert sum(one["share"] for one in found[name]["items"]) == pytest.approx(1)
    n, inside = len(audience), sum(a in audience and b in audience for a, b in world.follows)
    tied = found["interconnection"]
    assert (tied["follows"], tied["share"]) == (inside, pytest.approx(inside / (n * (n - 1))))
    assert tied["graph_share"] == pytest.approx(len(world.follows) / (55 * 54))
    communities = {one["id"]: one for one in world.api.get("/v1/communities").json()["items"]}
    own = communities[lens["community"]["id"]]
    assert tied["community_share"] == pytest.approx(own["follows_inside"] / (own["size"] * (own["size"] - 1)))


def test_a_community_is_its_members(world: World) -> None:
    members: dict[str, set[str]] = {}
    for row in world.store.statement(
        "MATCH (a:Account)-[:MEMBER_OF {primary: true}]->(c) RETURN a.key AS a, c.id AS c"
    ):
        members.setdefault(row["c"], set()).add(row["a"])
    followers = world.followers(STAR)
    for community, keys in members.items():
        found = world.got(f"communities/{community}", **{"with": f"account:{STAR}"})
        assert found["size"] == found["sampled"]["looked_at"] == len(keys)
        assert found["growth"]["weeks"] is None
        assert found["growth"]["reason"]
        assert found["unfollowed"] == []
        inside = sum(a in keys and b in keys for a, b in world.follows)
        assert found["interconnection"]["follows"] == inside
        assert found["interconnection"]["share"] == found["interconnection"]["community_share"]
        both = len(keys & followers)
        assert found["overlap"] == {
            "with": {"kind": "account", "key": STAR, "name": None},
            "size": len(followers),
            "both": both,
            "jaccard": pytest.approx(both / len(keys | followers)),
            "share_of_this": pytest.approx(both / len(keys)),
            "share_of_other": pytest.approx(both / len(followers)),
        }


def test_of_a_large_audience_a_sample_is_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow.sampled, "__defaults__", (10,))
    found = world.got(f"accounts/{STAR}", **{"with": "brand:bee"})
    chosen = set(flow.sampled(list(world.followers(STAR)), 10))
    assert found["sampled"] == {"looked_at": 10, "of": len(world.followers(STAR))}
    assert found["languages"]["said"] == sum(world.said[a][0] is not None for a in chosen)
    assert found["interconnection"]["follows"] == sum(a in chosen and b in chosen for a, b in world.follows)
    assert found["overlap"]["both"] == len(world.followers(STAR) & world.followers(STAR, OTHER)), "of all of them"


def test_a_list_of_all_followers_is_no_growth(world: World) -> None:
    """When a list saw follows is not when they began, nor when those stopped that it does not name."""
    key, at = "t:m09", "2024-06-20T00:00:00Z"
    world.store.statement(
        "MATCH (a:Account {key: $key}) SET a.followers_complete_at = datetime($at) WITH a "
        "CALL (a) { MATCH (a)<-[f:FOLLOWS]-() SET f.was = f.at, f.at = datetime($at) } "
        "MATCH (x:Account {key: 't:x03'}) "
        "CREATE (x)-[:UNFOLLOWED {at: datetime($at) - duration({milliseconds: 1})}]->(a)",
        key=key, at=at,
    )  # fmt: skip
    found = world.got(f"accounts/{key}")
    growth = found["growth"]
    assert (growth["undated"], growth["undated_lost"]) == (len(world.followers(key)), 1)
    assert (growth["weeks"], growth["forecast"], found["unfollowed"]) == (None, None, [])
    # Lists that came after the data of the run take nobody away.
    world.store.statement(
        "MATCH (a:Account {key: $key})<-[f:FOLLOWS]-() SET f.at = datetime('2024-07-09T00:00:00Z')", key=key
    )
    assert world.got(f"accounts/{key}")["size"] == len(world.followers(key))
    world.store.statement(
        "MATCH (a:Account {key: $key})<-[f:FOLLOWS]-() SET f.at = f.was REMOVE f.was, a.followers_complete_at "
        "WITH a MATCH (a)<-[u:UNFOLLOWED]-(:Account {key: 't:x03'}) DELETE u",
        key=key,
    )


def test_hours_of_a_person_are_not_told(world: World) -> None:
    found = world.got("accounts/t:x00")["hours"]
    assert (found["table"], found["best"]) == (None, None)


def test_an_audience_of_nobody_has_reasons(world: World) -> None:
    for path in ("brands/owl", "accounts/t:x00"):
        found = world.got(path, **{"with": "brand:owl"})
        assert (found["size"], found["hours"]["best"], found["growth"]["forecast"]) == (0, None, None)
        assert all(found[name]["reason"] for name in ("hours", "growth", "activity", "interconnection"))
        assert found["overlap"]["jaccard"] is None


def test_what_is_wrong_with_a_question_is_said(world: World) -> None:
    path = f"/v1/accounts/{STAR}/audience"
    names = ("Europe/Nowhere", "../etc", "Europe", "localtime", "right/UTC")
    wrong: list[dict[str, str]] = [{"tz": name} for name in names]
    for parameters in [*wrong, {"with": "bee"}, {"other": "x"}]:
        problem = is_problem(world.api.get(path, params=parameters), 422, "invalid_request")
        assert [one["field"] for one in problem["errors"]] == [f"query.{name}" for name in parameters]
    for other, code in (("account:t:no", "account"), ("community:no", "community"), ("brand:no", "brand")):
        is_problem(world.api.get(path, params={"with": other}), 404, f"{code}_not_found")
    for one, code in (("accounts/t:no", "account"), ("communities/no", "community"), ("brands/no", "brand")):
        is_problem(world.api.get(f"/v1/{one}/audience"), 404, f"{code}_not_found")
        problem = is_problem(world.api.get(f"/v1/{one}/audience?nonsense=1"), 422, "invalid_request")
        assert [wrong["field"] for wrong in problem["errors"]] == ["query.nonsense"]


def test_a_brand_that_a_key_may_not_see_is_not_there(world: World) -> None:
    _, secret = add_key(world.address, world.journal, "some", ("read",), ["owl"])
    app = create_app(api_settings(world.address, authentication=True), world.journal)
    headers = {"Authorization": f"Bearer {secret}"}
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as api:
        is_problem(api.get("/v1/brands/bee/audience", headers=headers), 404, "brand_not_found")
        asked = api.get(f"/v1/accounts/{STAR}/audience", params={"with": "brand:bee"}, headers=headers)
        is_problem(asked, 404, "brand_not_found")
        assert api.get("/v1/brands/owl/audience", headers=headers).status_code == 200


def test_who_opted_out_is_counted_and_not_named(world: World) -> None:
    """The last test: it changes what the others look at."""
    before = world.got(f"accounts/{STAR}")
    leaver = before["unfollowed"][0]["account"]
    staying = min(a for a in world.followers(STAR) if world.said[a][0])
    for key in (leaver, staying):
        assert world.api.patch(f"/v1/accounts/{key}", json={"opted_out": True}).status_code == 200
    answer = world.api.get(f"/v1/accounts/{STAR}/audience")
    after = answer.json()
    assert leaver not in answer.text
    assert len(after["unfollowed"]) == 20
    assert after["unfollowed"][:19] == before["unfollowed"][1:]
    assert after["size"] == before["size"]
    assert after["growth"] == before["growth"]
    assert after["languages"]["said"] == before["languages"]["said"] - 1
    assert world.got(f"accounts/{staying}")["audience"]["key"] == staying
    # Who had opted out before every run that is kept is in no mask, and is not named either.
    world.store.statement("MATCH (a:Account {key: $key}) SET a.v = 0", key=leaver)
    world.store.statement("MATCH (g:Graph) SET g.v = g.v + 1, g.masks_v = g.masks_v + 1")
    assert leaver not in world.api.get(f"/v1/accounts/{STAR}/audience").text
