"""Files handed in over HTTP: taken to disk, journaled, carried out by the importer's own loop, asked about."""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from service.api.app import create_app
from service.domain import Applied, StoreAddress, no_progress
from service.errors import StoreUnavailable
from service.files.follows import FollowFile
from service.flows import importing
from service.flows.importer import Importer
from service.flows.importing import import_file
from service.journal import uploads
from service.journal.imports import FOLDER, Imports
from service.journal.journal import Journal
from service.store.driver import Store
from tests.api.conftest import api_settings
from tests.api.test_empty import is_problem
from tests.conftest import clear
from tests.store.graph_dump import dump

CSV = {"Content-Type": "text/csv"}


@pytest.fixture
def imports(journal: Path) -> Iterator[Imports]:
    with Journal(journal) as opened:
        yield Imports(opened)


@pytest.fixture
def importer(imports: Imports, store_address: StoreAddress) -> Importer:
    """The importer of the API's journal, in this process."""
    return Importer(store_address, imports, 1 << 30, None)


def turn(importer: Importer) -> bool:
    return importer.turn(threading.Event())


def files(journal: Path) -> list[str]:
    folder = journal / FOLDER
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def follows(count: int, *, bad_every: int = 0) -> bytes:
    lines = [f"a{i},a{i}\n" if bad_every and i % bad_every == 0 else f"a{i},b{i % 7}\n" for i in range(1, count + 1)]
    return ("follower,followee\n" + "".join(lines)).encode()


def hand_in(api: TestClient, body: Any, headers: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
    answer = api.post("/v1/imports", params=options, content=body, headers=headers or CSV)
    assert answer.status_code == 202, answer.text
    one: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/imports/{one['id']}"
    return one


def test_a_file_is_taken_in_imported_and_gone(
    api: TestClient, importer: Importer, store: Store, journal: Path, tmp_path: Path
) -> None:
    body = follows(500, bad_every=50)
    one = hand_in(api, body, network="m", name="who follows whom.csv")
    assert (one["state"], one["progress"]) == ("queued", {"read_bytes": 0, "total_bytes": len(body), "lines": 0})
    assert one["options"] == {"network": "m"}
    assert (journal / FOLDER / one["id"]).read_bytes() == body
    assert (journal / FOLDER / one["id"]).stat().st_mode & 0o777 == 0o600
    assert (journal / FOLDER).stat().st_mode & 0o777 == 0o700
    assert api.get(f"/v1/imports/{one['id']}").json() == one
    is_problem(api.get(f"/v1/imports/{one['id']}/rejects"), 404, "import_not_found")

    assert turn(importer)
    assert not turn(importer)
    done = api.get(f"/v1/imports/{one['id']}").json()
    over_http = dump(store)
    clear(store)
    path = tmp_path / "follows.csv"
    path.write_bytes(body)
    plain = import_file(store.address, FollowFile(path, network="m"), tmp_path, no_progress)
    assert plain.report is not None
    assert dump(store) == over_http, "as the command imports it"
    assert (done["state"], done["attempts"], done["error"]) == ("done", 1, None)
    assert done["progress"] == {"read_bytes": len(body), "total_bytes": len(body), "lines": 501}
    different = {"file": "who follows whom.csv", "report": f"/v1/imports/{one['id']}/rejects"}
    expected = {**plain.model_dump(mode="json", exclude={"seconds"}), **different}
    assert {name: value for name, value in done["report"].items() if name != "seconds"} == expected
    rejects = api.get(done["rejects"])
    assert rejects.headers["content-type"] == "application/x-ndjson"
    assert "attachment" in rejects.headers["content-disposition"]
    assert rejects.text == plain.report.read_text()
    assert files(journal) == [f"{one['id']}.rejected.ndjson"], "the file itself is not kept"


def test_each_kind_of_a_graph_file_is_handed_in_by_itself(
    api: TestClient, importer: Importer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_LINES", 40)
    nodes = "".join(f'<node id="u{i}" label="Name {i}"/>\n' for i in range(100))
    ties = "".join(f'<edge source="u{i}" target="u{i * 7 % 50}" weight="2"/>\n' for i in range(100))
    body = f"<gexf><graph>{nodes}{ties}</graph></gexf>".encode()
    headers = {"Content-Type": "application/octet-stream"}
    refused = api.post("/v1/imports", params={"format": "gexf"}, content=body, headers=headers)
    assert (
        "once for each, with kind one of accounts, follows, opt_outs" in is_problem(refused, 400, "bad_input")["detail"]
    )
    unsaid = hand_in(api, body, headers, kind="follows")
    turn(importer)
    said = api.get(f"/v1/imports/{unsaid['id']}").json()["error"]["message"]
    assert "where it is GraphML or GEXF say so as its format" in said
    loops = sum(i == i * 7 % 50 for i in range(100))
    for kind, created in (("accounts", 100), ("follows", 2 * (100 - loops))):
        one = hand_in(api, body, headers, kind=kind, format="gexf", network="x")
        turn(importer)
        report = api.get(f"/v1/imports/{one['id']}").json()["report"]
        assert (report["kind"], report["used"], report["skipped"]) == (kind, created, {})
    followed = {"x:u21", *(f"x:u{i}" for i in range(100) if i * 7 % 50 == 3)}
    rows = store.statement("MATCH (a:Account {key: 'x:u3'})-[:FOLLOWS]->(b) RETURN a.handle AS handle, b.key AS key")
    assert {(row["handle"], row["key"]) for row in rows} == {("Name 3", one) for one in followed}


@pytest.mark.parametrize("packing", ["plain", "gzip", "encoding", "chunked"])
def test_however_it_is_packed_and_sent(api: TestClient, importer: Importer, store: Store, packing: str) -> None:
    body = b"".join(b'{"account": "a%d", "handle": "h%d"}\n' % (i, i) for i in range(30))
    headers = {"Content-Type": "application/x-ndjson"}
    sent: Any = body
    if packing in ("gzip", "encoding"):
        sent = gzip.compress(body)
    if packing == "encoding":
        headers["Content-Encoding"] = "gzip"
    if packing == "chunked":
        sent = (body[i : i + 7] for i in range(0, len(body), 7))
    one = hand_in(api, sent, headers, kind="accounts", set=["lang=fr", "location=Lyon"], column="handle=handle")
    turn(importer)
    report = api.get(f"/v1/imports/{one['id']}").json()["report"]
    assert (report["kind"], report["created"], report["rejected"]) == ("accounts", 30, {})
    rows = store.statement("MATCH (a:Account) RETURN DISTINCT a.lang AS lang, a.location AS location")
    assert [(row["lang"], row["location"]) for row in rows] == [("fr", "Lyon")]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": "posts", "follower": "1"}, "follower can only be said of follows"),
        ({"as_of": "2024-01-01"}, "as_of cannot be said of follows"),
        ({"kind": "dances"}, "no kind of lines"),
        ({"keys": "true", "network": "m"}, "not both"),
        ({"kind": "posts", "set": "x"}, "FIELD=VALUE"),
        ({"format": "excel"}, "no format"),
        ({"list": "mastodon_following"}, "With list say account, too"),
        ({"account": "lea@m.example"}, "With account say list, too"),
        ({"list": "mastodon_following", "account": "lea@m.example", "kind": "posts"}, "kind cannot be said of a list"),
        ({"list": "mastodon_following", "account": "lea"}, "write it like lea@mastodon.social"),
        ({"list": "gotosocial_followers", "account": "lea@m.example"}, "say when it was downloaded, as_of 2025-"),
        ({"list": "/etc/own.toml", "account": "lea"}, "There is no list '/etc/own.toml'; choose one of"),
    ],
)
def test_options_are_checked_before_the_body_is_read(
    api: TestClient, journal: Path, options: dict[str, str], says: str
) -> None:
    answer = api.post("/v1/imports", params=options, content=b"a,b\n", headers=CSV)
    assert says in is_problem(answer, 400, "bad_input")["detail"]
    assert "--" not in answer.json()["detail"], "parameters are named as they are written here"
    assert files(journal) == []


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_foreign_page_could_send_is_refused(api: TestClient, journal: Path, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = api.post("/v1/imports", content=b"a,b\n", headers=headers)
    assert "application/octet-stream" in is_problem(answer, 415, "invalid_request")["detail"]
    answer = api.post("/v1/imports", content=b"a,b\n", headers={**CSV, "Content-Encoding": "br"})
    is_problem(answer, 415, "invalid_request")
    assert files(journal) == []


def test_bodies_that_are_not_whole_leave_nothing_behind(api: TestClient, journal: Path, imports: Imports) -> None:
    short = api.post("/v1/imports", content=b"a,b\n", headers={**CSV, "Content-Length": "9"})
    is_problem(short, 400, "malformed_body")
    is_problem(api.post("/v1/imports", content=b"", headers=CSV), 400, "malformed_body")
    not_packed = api.post("/v1/imports", content=b"a,b\n", headers={**CSV, "Content-Encoding": "gzip"})
    is_problem(not_packed, 400, "malformed_body")
    assert files(journal) == []
    assert imports.latest(None, None, 10) == []


def test_limits_of_size_and_room(store_address: StoreAddress, journal: Path) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b" " * 65_536

    small = create_app(api_settings(store_address, import_max_mb=1), journal)
    with TestClient(small, base_url="http://127.0.0.1:8000") as api:
        assert (
            "1 MiB"
            in is_problem(api.post("/v1/imports", content=endless(), headers=CSV), 413, "body_too_large")["detail"]
        )
        announced = api.post("/v1/imports", content=b"x" * (1 << 20) + b"y", headers=CSV)
        is_problem(announced, 413, "body_too_large")
        assert announced.headers["connection"] == "close"
        hand_in(api, b" " * ((1 << 20) - 4) + b"a,b\n")
        (journal / FOLDER / files(journal)[0]).unlink()
    full = create_app(api_settings(store_address, journal_min_free_mb=1 << 40), journal)
    with TestClient(full, base_url="http://127.0.0.1:8000") as api:
        is_problem(api.post("/v1/imports", content=b"a,b\n", headers=CSV), 503, "journal_full")
    assert files(journal) == []


def test_the_same_key_is_the_same_import(api: TestClient, importer: Importer) -> None:
    keyed = {**CSV, "Idempotency-Key": "k-1"}
    first = hand_in(api, b"a,b\n", keyed, network="m")

    def again(body: bytes, **options: str) -> Any:
        return api.post("/v1/imports", params=options, content=body, headers=keyed)

    assert (again(b"a,b\n", network="m").status_code, again(b"a,b\n", network="m").json()) == (200, first)
    is_problem(again(b"a,c\n", network="m"), 409, "idempotency_conflict")
    is_problem(again(b"a,b\n", network="n"), 409, "idempotency_conflict")
    is_problem(again(b"a,b\n", network="m", check="true"), 409, "idempotency_conflict")
    turn(importer)
    assert again(b"a,b\n", network="m").json()["state"] == "done"
    assert hand_in(api, b"a,b\n")["id"] != first["id"], "without a key it is another one"
    assert len(api.get("/v1/imports").json()["items"]) == 2


def test_imports_are_listed_latest_first(api: TestClient, importer: Importer) -> None:
    ids = [hand_in(api, b"a,b%d\n" % i)["id"] for i in range(5)]
    turn(importer)
    page = api.get("/v1/imports", params={"limit": 2}).json()
    assert [one["id"] for one in page["items"]] == [ids[4], ids[3]]
    page = api.get("/v1/imports", params={"limit": 2, "before": page["before"]}).json()
    assert [one["id"] for one in page["items"]] == [ids[2], ids[1]]
    done = api.get("/v1/imports", params={"state": "done"}).json()
    assert ([one["id"] for one in done["items"]], done["before"]) == ([ids[0]], None)
    is_problem(api.get("/v1/imports", params={"state": "gone"}), 422, "invalid_request")
    is_problem(api.get("/v1/imports/i0"), 404, "import_not_found")


def test_files_that_cannot_be_used_fail_and_say_why(api: TestClient, importer: Importer, journal: Path) -> None:
    nothing = hand_in(api, b"follower,followee\na,a\nb,b\n", name="loops.csv")
    unreadable = hand_in(api, b"PK\x03\x04rest", {"Content-Type": "application/octet-stream"})
    damaged = bytearray(gzip.compress(follows(100)))
    damaged[-6] ^= 1
    broken = hand_in(api, bytes(damaged), {"Content-Type": "application/gzip"})
    for _ in range(3):
        assert turn(importer)
    one = api.get(f"/v1/imports/{nothing['id']}").json()
    assert (one["state"], one["error"]["code"]) == ("failed", "nothing_imported")
    assert (one["error"]["lines"], one["error"]["rejected"]) == (3, {"self_loop": 2})
    assert "loops.csv" in one["error"]["message"]
    assert str(journal) not in json.dumps(one), "where files lie concerns nobody"
    assert len(api.get(one["rejects"]).text.splitlines()) == 2
    for failed, says in ((unreadable, "ZIP"), (broken, "checksum")):
        one = api.get(f"/v1/imports/{failed['id']}").json()
        assert (one["state"], one["error"]["code"], one["report"]) == ("failed", "unreadable_file", None)
        assert says in one["error"]["message"]
        assert str(journal) not in json.dumps(one)
    assert files(journal) == [f"{nothing['id']}.rejected.ndjson"]


def test_a_gzip_bomb_is_refused_before_anything_is_imported(api: TestClient, imports: Imports, store: Store) -> None:
    packing = zlib.compressobj(9, wbits=31)
    bomb = packing.compress(b"a,b\n" + b"\n" * (8 << 20)) + packing.flush()
    assert len(bomb) < 10_000
    one = hand_in(api, bomb, {"Content-Type": "application/gzip"})
    Importer(store.address, imports, 4 << 20, None).turn(threading.Event())
    failed = api.get(f"/v1/imports/{one['id']}").json()
    assert (failed["state"], failed["error"]["code"]) == ("failed", "expands_too_far")
    assert store.statement("MATCH (a:Account) RETURN count(a) AS n")[0]["n"] == 0


def test_looking_first_writes_nothing(api: TestClient, importer: Importer, store: Store) -> None:
    one = hand_in(api, follows(20), check="true")
    assert one["check"] is True
    turn(importer)
    report = api.get(f"/v1/imports/{one['id']}").json()["report"]
    assert (report["check"], report["created"], report["version"]) == (True, 20, None)
    assert store.statement("MATCH (a:Account) RETURN count(a) AS n")[0]["n"] == 0


# --- cut off, and gone on ---------------------------------------------------------------------------------------


class Crash(BaseException):
    """What a killed process is like: nothing after it is done."""


CRM = b"".join(
    b'{"account": "%s%d", "brand": "aubade", "relation": "customer"}\n' % (b"no" if i % 9 == 0 else b"a", i)
    for i in range(200)
)


FOLLOWERS = b"Account address\n" + b"".join(
    b"%s@m.example\n" % (b"lea" if i % 9 == 0 else b"a%d" % i) for i in range(200)
)


KNOWN = b"".join(b'{"account": "a%d"}\n' % i for i in range(200) if i % 9)


@pytest.mark.parametrize(
    ("kind", "moment"),
    [
        ("follows", "between"),
        ("crm", "before"),
        ("crm", "between"),
        ("crm", "after"),
        ("list", "between"),
        ("list", "after"),
    ],
)
def test_a_crash_at_each_batch_ends_in_one_whole_import(
    api: TestClient, importer: Importer, store: Store, monkeypatch: pytest.MonkeyPatch, kind: str, moment: str
) -> None:
    """Killed at every batch: before its transaction, between that and its note, or after its note."""
    monkeypatch.setattr(importing, "BATCH_LINES", 40)
    headers, body = CSV, follows(200, bad_every=11)
    if kind == "crm":  # of its lines some are left out only when they are matched with the graph
        headers, body = {"Content-Type": "application/x-ndjson"}, CRM
    options = {"kind": kind}
    if kind == "list":
        options, body = {"list": "gotosocial_followers", "account": "lea@m.example", "as_of": "2024-01-01"}, FOLLOWERS
    apply, note = importing.apply_batch, Imports.note
    crashed: set[str] = set()

    def crash_once(when: str, where: object) -> None:
        if when == moment and repr(where) not in crashed:
            crashed.add(repr(where))
            raise Crash

    def applied(store: Store, thing: str, group: Any) -> Applied:
        crash_once("before", group[0])
        done = apply(store, thing, group)
        if thing != "accounts":  # lists say three things in a batch, and an import that dies there thrice has failed
            crash_once("between", group[0])
        return done

    def noted(imports: Imports, import_id: str, done: str | None, read: int, lines: int) -> bool:
        said = note(imports, import_id, done, read, lines)
        crash_once("after", lines)
        return said

    def imported() -> tuple[dict[str, Any], str, Any]:
        clear(store)
        if kind == "crm":
            hand_in(api, KNOWN, headers, kind="accounts")
            turn(importer)
        with monkeypatch.context() as patched:
            patched.setattr(importing, "apply_batch", applied)
            patched.setattr(Imports, "note", noted)
            one = hand_in(api, body, headers, **options)
            while True:
                with suppress(Crash):
                    assert turn(importer)
                    break
        ended = api.get(f"/v1/imports/{one['id']}").json()
        assert ended["state"] == "done", ended
        return ended, api.get(ended["rejects"]).text, dump(store)

    cut, cut_text, cut_graph = imported()
    assert len(crashed) >= 4
    assert cut["attempts"] == len(crashed) + 1
    crashed_at, moment = moment, "never"
    whole, text, graph = imported()
    assert whole["attempts"] == 1
    assert cut_text == text, "each rejected line once, in order"
    assert cut_graph == graph
    # A batch that is in the graph and was not noted is applied again: its lines count as unchanged.
    counted = ("created", "unchanged", "accounts_created", "also_created")
    free = {"report", "seconds", *(counted if crashed_at == "between" else ())}
    counts, expected = cut["report"], whole["report"]
    assert {k: v for k, v in counts.items() if k not in free} == {k: v for k, v in expected.items() if k not in free}
    assert counts["created"] + counts["unchanged"] == expected["created"] + expected["unchanged"]


def test_a_file_that_kills_the_importer_each_time_has_failed(
    api: TestClient, importer: Importer, monkeypatch: pytest.MonkeyPatch, journal: Path
) -> None:
    def poison(*_: Any) -> None:
        raise Crash

    bad, good = hand_in(api, b"a,b\n"), hand_in(api, b"c,d\n")
    monkeypatch.setattr(importing, "apply_batch", poison)
    for _ in range(3):
        with pytest.raises(Crash):
            turn(importer)
    monkeypatch.undo()
    assert turn(importer)
    one = api.get(f"/v1/imports/{bad['id']}").json()
    assert (one["state"], one["attempts"], one["error"]["code"]) == ("failed", 3, "import_interrupted")
    assert api.get(f"/v1/imports/{good['id']}").json()["state"] == "done", "the next one is not kept waiting"
    assert files(journal) == []


def test_neo4j_away_is_waited_for(api: TestClient, importer: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_LINES", 10)
    apply, calls = importing.apply_batch, 0
    notes: list[str | None] = []

    def sometimes(*given: Any) -> Applied:
        nonlocal calls
        calls += 1
        if calls in (2, 3, 5):
            raise StoreUnavailable("Neo4j is away.")
        if calls in (4, 6):
            notes.append(api.get(f"/v1/imports/{one['id']}").json()["note"])
        return apply(*given)

    monkeypatch.setattr(importing, "apply_batch", sometimes)
    one = hand_in(api, follows(50))
    turn(importer)
    ended = api.get(f"/v1/imports/{one['id']}").json()
    assert (ended["state"], ended["report"]["created"], ended["attempts"], ended["note"]) == ("done", 50, 1, None)
    assert all(note is not None and "waits for Neo4j" in note for note in notes)
    assert len(notes) == 2


def test_a_process_that_ends_in_order_puts_its_import_back(
    api: TestClient, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_LINES", 10)
    stop = threading.Event()
    apply = importing.apply_batch

    def stopping(*given: Any) -> Applied:
        stop.set()
        return apply(*given)

    monkeypatch.setattr(importing, "apply_batch", stopping)
    one = hand_in(api, follows(50))
    for _ in range(5):  # a batch each time
        stop.clear()
        importer.turn(stop)
    ended = api.get(f"/v1/imports/{one['id']}").json()
    assert (ended["state"], ended["progress"]["lines"]) == ("queued", 51)
    stop.clear()
    importer.turn(stop)
    ended = api.get(f"/v1/imports/{one['id']}").json()
    assert (ended["state"], ended["report"]["created"], ended["report"]["lines"]) == ("done", 50, 51)


# --- cancelling -------------------------------------------------------------------------------------------------


def test_cancelling(
    api: TestClient, importer: Importer, store: Store, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = hand_in(api, b"a,b\n")
    address = f"/v1/imports/{waiting['id']}/cancel"
    answer = api.post(address)
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert "Nothing of it" in answer.json()["error"]["message"]
    assert (api.post(address).status_code, files(journal)) == (200, [])
    assert not turn(importer)

    monkeypatch.setattr(importing, "BATCH_LINES", 10)
    apply = importing.apply_batch
    said: list[Any] = []

    def cancelling(*given: Any) -> Applied:
        if not said:
            said.append(api.post(f"/v1/imports/{one['id']}/cancel"))
        return apply(*given)

    monkeypatch.setattr(importing, "apply_batch", cancelling)
    one = hand_in(api, follows(50))
    assert turn(importer)
    assert (said[0].status_code, said[0].json()["state"], said[0].json()["cancelling"]) == (202, "running", True)
    ended = api.get(f"/v1/imports/{one['id']}").json()
    assert (ended["state"], ended["error"]["code"], ended["cancelling"]) == ("cancelled", "import_cancelled", False)
    assert "11 lines say is in the graph" in ended["error"]["message"]
    assert store.statement("MATCH ()-[f:FOLLOWS]->() RETURN count(f) AS n")[0]["n"] == 10
    assert files(journal) == []

    done = hand_in(api, b"x,y\n")
    turn(importer)
    is_problem(api.post(f"/v1/imports/{done['id']}/cancel"), 409, "import_ended")
    is_problem(api.post("/v1/imports/i0/cancel"), 404, "import_not_found")


def test_cancelling_while_neo4j_is_away(api: TestClient, imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    importer = Importer(StoreAddress("bolt://127.0.0.1:9", "x", SecretStr("x")), imports, None, None)
    one = hand_in(api, b"a,b\n")

    def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("Neo4j is away.")

    monkeypatch.setattr("service.flows.importer.import_file", away)
    working = threading.Thread(target=turn, args=(importer,))
    working.start()
    address = f"/v1/imports/{one['id']}"
    deadline = time.monotonic() + 30
    while api.get(address).json()["note"] is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert api.get(address).json()["state"] == "running", "it is no failure"
    assert api.post(f"{address}/cancel").status_code == 202
    working.join(30)
    assert api.get(address).json()["state"] == "cancelled"


# --- watching ---------------------------------------------------------------------------------------------------


def events(text: str) -> list[dict[str, str]]:
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in fields:
            found.append(fields)
    return found


def test_an_import_is_watched_to_its_end_and_nothing_comes_twice(
    api: TestClient, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.flows.watching.POLL_SECONDS", 0.02)
    monkeypatch.setattr(importing, "BATCH_LINES", 50)
    one = hand_in(api, follows(300))
    working = threading.Timer(0.3, turn, (importer,))
    working.start()
    found = events(api.get(f"/v1/imports/{one['id']}/events").text)
    working.join()
    assert [event["event"] for event in found] == ["progress"] * (len(found) - 1) + ["done"]
    assert json.loads(found[0]["data"])["state"] == "queued"
    assert json.loads(found[-1]["data"]) == api.get(f"/v1/imports/{one['id']}").json()
    lines = [json.loads(event["data"])["progress"]["lines"] for event in found]
    assert lines == sorted(lines)
    assert len({event["id"] for event in found}) == len(found)
    address = f"/v1/imports/{one['id']}/events"
    assert api.get(address, headers={"Last-Event-ID": found[-1]["id"]}).status_code == 204
    again = events(api.get(address, headers={"Last-Event-ID": found[0]["id"]}).text)
    assert [event["id"] for event in again] == [found[-1]["id"]]
    assert api.head(address).status_code == 200
    is_problem(api.get("/v1/imports/i0/events"), 404, "import_not_found")


def test_watchers_are_limited(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    one = hand_in(api, b"a,b\n")
    monkeypatch.setattr("service.flows.watching.MOST_WATCHERS", 0)
    answer = api.get(f"/v1/imports/{one['id']}/events")
    assert f"GET /v1/imports/{one['id']}" in is_problem(answer, 429, "too_many_watchers")["detail"]


# --- what is left behind ----------------------------------------------------------------------------------------


def test_what_no_import_needs_is_tidied_up(api: TestClient, imports: Imports, journal: Path) -> None:
    one = hand_in(api, b"a,b\n")
    folder = journal / FOLDER
    (folder / f"i{'0' * 20}").write_bytes(b"half a file of a process that died")
    (folder / f"i{'1' * 20}.rejected.ndjson").write_bytes(b"of an import that is no longer kept")
    (folder / "notes.txt").write_bytes(b"not ours")
    with uploads.Upload(journal, most_bytes=100, least_free_bytes=0) as coming:
        coming.write(b"x")
        assert uploads.tidy(imports) == 2
        assert files(journal) == sorted([one["id"], coming.id, "notes.txt"])
    assert files(journal) == sorted([one["id"], "notes.txt"])


def test_ended_imports_are_kept_thirty_days(api: TestClient, importer: Importer, journal: Path) -> None:
    ended, waiting = hand_in(api, b"follower,followee\na,b\nc,c\n"), hand_in(api, b"c,d\n")
    turn(importer)
    with Journal(journal) as opened:
        now = time.time_ns() // 1_000_000
        opened.compact(now + 29 * 86_400_000)
        assert api.get(f"/v1/imports/{ended['id']}").status_code == 200
        opened.compact(now + 31 * 86_400_000)
        assert uploads.tidy(Imports(opened)) == 1, "the report of its rejected lines"
    is_problem(api.get(f"/v1/imports/{ended['id']}"), 404, "import_not_found")
    assert api.get(f"/v1/imports/{waiting['id']}").json()["state"] == "queued"
    assert files(journal) == [waiting["id"]]


def test_the_scope_is_ingest(store_address: StoreAddress, journal: Path) -> None:
    from service.api.access import needed

    for method, path in (
        ("POST", "/v1/imports"), ("GET", "/v1/imports"), ("GET", "/v1/imports/x/events"),
        ("GET", "/v1/imports/x/rejects"), ("POST", "/v1/imports/x/cancel"),
    ):  # fmt: skip
        assert needed(method, path) == ("ingest", "admin")
    app = create_app(api_settings(store_address, authentication=True), journal)
    with TestClient(app, base_url="http://127.0.0.1:8000") as api:
        is_problem(api.post("/v1/imports", content=b"a,b\n", headers=CSV), 401, "key_required")
    assert files(journal) == []
