"""Writing a synthetic sample as a folder that can be imported, with the planted truth beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from service.domain import Int64, Progress, no_progress
from service.errors import ConfigurationError, Conflict
from service.sample import (
    DAY,
    DAYS,
    DEMO_FOLLOWS,
    END,
    INTERACTION_KINDS,
    NETWORK,
    POST_KINDS,
    RELATIONS,
    SEED,
    SOURCES,
    UNKNOWN,
    Sample,
    handles,
    make_sample,
    topic_name,
)
from service.sample_words import BIOS, BOUGHT_BIO, BRANDS, POSTS, STANCES, TOPICS, TOWNS

MANIFEST = "manifest.json"
ROWS = 200_000
"""Rows that are made into text at a time."""

SYNTHETIC = "Synthetic: invented people, drawn by chance. Nobody in it exists."
_PAID = {1: "true", 0: "false", UNKNOWN: ""}
_KINDS = {
    "accounts.csv": "accounts",
    "follows.csv": "follows",
    "unfollows.csv": "unfollows",
    "interactions.csv": "interactions",
    "posts.csv": "posts",
    "responses.csv": "responses",
    "brands.ndjson": "brands",
    "brand_relations.csv": "brand_relations",
    "mentions.csv": "mentions",
    "persons.csv": "persons",
    "endorsements.csv": "endorsements",
    "opt_outs.csv": "opt_outs",
}


def write_sample(folder: Path, follows: int = DEMO_FOLLOWS, seed: int = SEED, progress: Progress = no_progress) -> Path:
    """Write a sample as a folder that can be imported, with the planted truth in `truth/`; return the folder.

    Args:
        folder: is made where it is not there; an earlier sample in it is replaced.
        follows, seed: as of `make_sample`; the same ones give the same bytes.
        progress: told of stage `sample`, in files.

    Raises:
        BadInput: the size or the seed cannot be had.
        Conflict: the folder holds something that is no sample.
        ConfigurationError: it cannot be written.
    """
    try:
        _check_folder(folder)
        sample = make_sample(follows, seed)
        # Without its manifest a folder half written is no sample that could be imported.
        (folder / MANIFEST).unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        _write_readme(folder, sample, follows, seed)  # first: it says that a folder half written is ours
        (folder / "truth").mkdir(exist_ok=True)
        files = _files(sample, seed)
        for done, (name, (header, lines)) in enumerate(files.items()):
            progress("sample", done, len(files))
            with (folder / name).open("w", encoding="utf-8", newline="") as file:
                file.write(header)
                file.writelines(lines)
        _write_manifest(folder)
        progress("sample", len(files), len(files))
    except OSError as error:
        raise ConfigurationError(
            f"The sample cannot be written to {folder}: {error.strerror}; choose a folder with room that you may "
            "write to (for the demo, ENTOURAGE_DATA_DIR)."
        ) from error
    return folder


def _check_folder(folder: Path) -> None:
    """Raise Conflict where a folder holds what this program did not write."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if isinstance(manifest, dict) and manifest.get("description") == SYNTHETIC:
            return
    except (OSError, ValueError):
        pass
    if folder.is_dir() and (folder / "README.txt").is_file() and _starts_as_ours(folder / "README.txt"):
        return  # an earlier one that was cut off before its manifest
    raise Conflict(f"{folder} is there already and holds no sample; choose another folder, or remove it first.")


def _starts_as_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SYNTHETIC)) == SYNTHETIC.encode()


def _write_manifest(folder: Path) -> None:
    manifest = {
        "entourage_import": 1,
        "description": SYNTHETIC,
        "synthetic": True,
        "network": NETWORK,
        "as_of": "2025-06-30T00:00:00Z",
        "files": [{"file": name, "kind": kind} for name, kind in _KINDS.items()],
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _write_readme(folder: Path, sample: Sample, follows: int, seed: int) -> None:
    (folder / "README.txt").write_text(
        f"{SYNTHETIC}\n\n"
        f"{sample.people.n:,} accounts and {follows:,} follows, drawn with seed {seed}.\n"
        "The same size and seed give the same bytes.\n\n"
        f"Import it with `entourage import` and the name of this folder; {MANIFEST} lists its files.\n"
        "truth/ holds what was planted (communities, latent traits, roles, bought followers, trends).\n"
        "It is not imported: it is there to compare with what an analysis finds.\n",
        encoding="utf-8",
    )


# --- each file: its header and its lines --------------------------------------------------------------------------

Lines = tuple[str, Iterator[str]]


def _files(sample: Sample, seed: int) -> dict[str, Lines]:
    people, posts, ids = sample.people, sample.posts, [f"u{i:06}" for i in range(sample.people.n)]
    post_ids = _Numbered("p")
    ties, ended, acts = sample.follows, sample.unfollows, sample.interactions
    about = np.flatnonzero((acts.post >= 0) & ~acts.told)
    named = np.flatnonzero(posts.brand >= 0)
    topics = [topic_name(i, sample.trends) for i in range(len(TOPICS) + len(sample.trends))]
    rel, end = sample.relations, sample.endorsements
    out = np.flatnonzero(people.opted_out)

    def follow(a: int, b: int, at: str) -> str:
        return f"{ids[a]},{ids[b]},{at}\n"

    def interaction(i: int, a: int, b: int, kind: int, at: str, post: int, told: bool) -> str:
        return f"e{i},{ids[a]},{ids[b]},{INTERACTION_KINDS[kind]},{at},{post_ids[post] if told and post >= 0 else ''}\n"

    def endorsement(a: int, b: int, topic: int, at: str, withdrawn: bool) -> str:
        return f"{ids[a]},{ids[b]},{topics[topic]},{at},{'true' if withdrawn else ''}\n"

    return {
        "accounts.csv": (
            "account,handle,name,bio,lang,location,created_at,followers\n", _account_lines(sample, ids, seed)
        ),
        "follows.csv": ("follower,followee,at\n", _rows(follow, ties.follower, ties.followee, _Times(ties.at))),
        "unfollows.csv": ("follower,followee,at\n", _rows(follow, ended.follower, ended.followee, _Times(ended.at))),
        "interactions.csv": (
            "id,account,target,kind,at,post\n",
            _rows(
                interaction, np.arange(len(acts.at)), acts.account, acts.target, acts.kind, _Times(acts.at), acts.post,
                acts.told,
            ),
        ),
        "posts.csv": ("post,account,at,kind,lang,text,topics,paid\n", _post_lines(sample, ids, topics)),
        "responses.csv": (
            "account,post,kind,at\n",
            _rows(
                lambda a, post, kind, at: f"{ids[a]},{post_ids[post]},{INTERACTION_KINDS[kind]},{at}\n",
                acts.account[about], acts.post[about], acts.kind[about], _Times(acts.at[about]),
            ),
        ),
        "brands.ndjson": ("", _brand_lines(sample, ids)),
        "brand_relations.csv": (
            "account,brand,relation,since,until,source\n",
            _rows(
                lambda a, brand, kind, since, until, ends: (
                    f"{ids[a]},{BRANDS[brand][0]},{RELATIONS[kind]},{since[:10]},{until[:10] if ends >= 0 else ''},"
                    f"{SOURCES[kind]}\n"
                ),
                rel.account, rel.brand, rel.relation, _Times(rel.since), _Times(rel.until), rel.until,
            ),
        ),
        "mentions.csv": (
            "post,brand,stance,paid\n",
            _rows(
                lambda post, brand, stance, paid: (
                    f"{post_ids[post]},{BRANDS[brand][0]},{'' if stance == UNKNOWN else stance},{_PAID[paid]}\n"
                ),
                named, posts.brand[named], posts.stance[named], posts.paid[named],
            ),
        ),
        "persons.csv": (
            "person,account\n",
            (
                f"person{number},{ids[account]}\n"
                for number, pair in enumerate(sample.persons.tolist())
                for account in pair
            ),
        ),
        "endorsements.csv": (
            "account,endorsed,topic,at,withdrawn\n",
            _rows(endorsement, end.account, end.endorsed, end.topic, _Times(end.at), end.withdrawn),
        ),
        "opt_outs.csv": (
            "account,at\n", _rows(lambda a, at: f"{ids[a]},{at}\n", out, _Times(END - DAY * (1 + out % 90)))
        ),
        "truth/accounts.csv": (
            "account,community,second_community,influence,popularity,sociability,follows_back,roles,fraud\n",
            _truth_lines(sample, ids),
        ),
        "truth/trends.csv": (
            "topic,account,at,starter\n",
            (
                f"{trend.name},{ids[account]},{at},{'true' if account in trend.starters else 'false'}\n"
                for trend in sample.trends
                for account, at in zip(trend.adopters.tolist(), _texts(trend.at), strict=True)
            ),
        ),
    }  # fmt: skip


class _Times:
    """Times in seconds that are written as text, a slice at a time."""

    def __init__(self, seconds: Int64) -> None:
        self._seconds = seconds

    def __getitem__(self, part: slice) -> list[str]:
        return _texts(self._seconds[part])


class _Numbered:
    """Ids that are a letter and a number."""

    def __init__(self, letter: str) -> None:
        self._letter = letter

    def __getitem__(self, number: int) -> str:
        return f"{self._letter}{number}"


def _texts(seconds: Int64) -> list[str]:
    """Return times as RFC 3339."""
    return [f"{text}Z" for text in np.datetime_as_string(seconds.astype("datetime64[s]")).tolist()]


def _rows(line: Callable[..., str], first: Int64, *columns: Any) -> Iterator[str]:
    """Yield the lines of parallel columns, made a part at a time: times would fill the memory as text."""
    for begin in range(0, len(first), ROWS):
        part = slice(begin, begin + ROWS)
        cut = [column[part] for column in (first, *columns)]
        rows = zip(*(one if isinstance(one, list) else one.tolist() for one in cut), strict=True)
        yield "".join([line(*row) for row in rows])


def _cell(text: str) -> str:
    """Return a text as a cell of CSV."""
    return '"' + text.replace('"', '""') + '"' if any(one in text for one in ',"\n') else text


def _account_lines(sample: Sample, ids: list[str], seed: int) -> Iterator[str]:
    people = sample.people
    rng = np.random.default_rng([seed, 9])
    names = handles(people, seed)
    inside = np.bincount(sample.follows.followee, minlength=people.n)
    # The network counts followers who are not in this graph, too.
    followers = inside + np.floor(inside * rng.lognormal(0, 1, people.n)).astype(np.int64)
    created = _Times(END - DAYS * DAY + np.floor(people.joined * DAY).astype(np.int64))
    towns = TOWNS.split("|")
    town, bio = rng.integers(0, len(towns), people.n), rng.integers(0, len(BIOS["fr"]), people.n)

    def line(i: int, at: str, place: int, about: int, reported: int, french: bool, bought: bool, brand: int) -> str:
        lang = "fr" if french else "en"
        liked = [TOPICS[topic][1 if french else 2] for topic in people.topic[i].tolist()]
        said = BOUGHT_BIO if bought else BIOS[lang][about].format(*liked)
        name = " ".join(part.capitalize() for part in names[i].split("."))
        if brand >= 0:
            name, said = BRANDS[brand][1], f"{BRANDS[brand][1]} (invented brand)"
        return f"{ids[i]},{names[i]},{name},{_cell(said)},{lang},{towns[place]},{at},{reported}\n"

    return _rows(line, np.arange(people.n), created, town, bio, followers, people.french, people.bought, people.brand)


def _post_lines(sample: Sample, ids: list[str], topics: Sequence[str]) -> Iterator[str]:
    posts = sample.posts
    calls = {"fr": [*(one[1] for one in TOPICS)], "en": [*(one[2] for one in TOPICS)]}
    for names in calls.values():
        names += topics[len(TOPICS) :]

    def line(
        i: int, author: int, at: str, kind: int, french: bool, one: int, two: int, brand: int, stance: int, paid: int
    ) -> str:
        lang = "fr" if french else "en"
        if brand >= 0:
            text = STANCES[lang][0 if stance == UNKNOWN else stance].format(BRANDS[brand][1])
        else:
            text = POSTS[lang][i % len(POSTS[lang])].format(calls[lang][one], topics[one].replace(" ", ""))
        about = "|".join(topics[topic] for topic in (one, two) if topic >= 0)
        return f"p{i},{ids[author]},{at},{POST_KINDS[kind]},{lang},{_cell(text)},{about},{_PAID[paid]}\n"

    return _rows(
        line, np.arange(len(posts.at)), posts.author, _Times(posts.at), posts.kind, posts.french, posts.topic[:, 0],
        posts.topic[:, 1], posts.brand, posts.stance, posts.paid,
    )  # fmt: skip


def _brand_lines(sample: Sample, ids: list[str]) -> Iterator[str]:
    for number, (key, name, _, competitors) in enumerate(BRANDS):
        own = [ids[i] for i in np.flatnonzero(sample.people.brand == number).tolist()]
        said = {"brand": key, "name": name, "accounts": own, "competitors": list(competitors)}
        yield json.dumps(said, ensure_ascii=False) + "\n"


def _truth_lines(sample: Sample, ids: list[str]) -> Iterator[str]:
    people = sample.people
    starters = {one for trend in sample.trends for one in trend.starters}
    for i in range(people.n):
        roles = [
            name
            for name, holds in (
                ("networker", people.second[i] != people.community[i]),
                ("broadcaster", people.broadcaster[i]),
                ("heavy_user", people.heavy_user[i]),
                ("trend_starter", i in starters),
                ("detractor", people.detractor[i]),
            )
            if holds
        ]
        fraud = "bought" if people.bought[i] else "buyer" if people.buyer[i] else ""
        yield (
            f"{ids[i]},{people.community[i]},{people.second[i]},{people.influence[i]:.6g},{people.popularity[i]:.6g},"
            f"{people.sociability[i]:.6g},{people.follows_back[i]:.6g},{'|'.join(roles)},{fraud}\n"
        )
