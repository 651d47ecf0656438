"""Pictures for notebooks, drawn with matplotlib: readable without colours, and when printed.

Colours are those of Okabe and Ito; what a colour says is said once more by a label, a hatch or a place.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from service.analytics.layout import place_communities, place_members
from service.analytics.palette import OKABE_ITO, colours
from service.domain import PART_NAMES, Float64, Int64
from service.errors import AccountNotFound, InvalidRequest
from service.notebook.connection import Connection
from service.notebook.frames import missing, missing_extra

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TEXT, QUIET, PAPER = "#1b1f24", "#57606a", "#ffffff"
NOBODY = "#d0d4d9"
"""Colour of accounts that are in no community."""

HATCHES = ("", "//", "\\\\", "..", "xx", "--", "++", "oo")
"""Of parts of a score, in turn, so that they can be told apart in grey."""

MARKS = "osD^vPX*ph8<>d"
"""Of communities, in turn, so that they can be told apart where there are more of them than colours."""

MOST_DOTS = 20_000
"""Accounts that are drawn one by one; where there are more, communities are discs without them."""


class Picture:
    """A picture: a notebook shows it, `save` writes it to a file. `axes` is matplotlib's, to change what is drawn."""

    def __init__(self, axes: Axes) -> None:
        self.axes = axes

    def __repr__(self) -> str:
        return f"Picture: {self.axes.get_title(loc='left')}"

    def save(self, path: str | Path, *, dpi: int = 200) -> None:
        """Write it to a file: PNG, SVG or PDF by the ending of its name. `dpi` is dots an inch, of PNG.

        Raises:
            InvalidRequest: the file cannot be written, or its ending names no kind of picture.
        """
        try:
            self._figure.savefig(path, dpi=dpi)
        except (OSError, ValueError) as error:
            raise InvalidRequest(f"The picture cannot be written to {path}: {error}") from None

    @property
    def _figure(self) -> Figure:
        return self.axes.get_figure(root=True)  # type: ignore[return-value]  # they are always in one

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self._figure.savefig(file, format="png", metadata={"Software": None})
        return file.getvalue()


def community_map(graph: Connection, *, most: int = 25, least: int = 5) -> Picture:
    """Draw the communities of the run that is served: a disc each, its accounts inside, and who follows whom between.

    A disc has room in proportion to its accounts, and is near those whom its members follow, for how many they follow.
    Lines are as wide as the share of follows that leave the smaller of both communities for the other one. Candidates
    are black dots in the middle of their community. Labels are its topics, its size and its first candidate.

    Args:
        graph: from `connect`.
        most: communities that are drawn, the largest first.
        least: leave out communities of fewer accounts.

    Raises:
        InvalidRequest: there is no community to draw, or all are smaller.
        NothingPublished: no run is served.
        ConfigurationError: matplotlib or pandas is not installed.
    """
    graph.served()
    every = graph.query("communities", most=100_000)
    found = every[every["size"] >= least].head(most)
    if every.empty:
        raise InvalidRequest("There is nothing to draw: nobody is tied to anybody, so there is no community.")
    if found.empty:
        raise InvalidRequest(f"No community has {least} accounts; the largest has {every['size'].max()}. Say least=1.")
    between = graph.query("flows_between", most=len(every) ** 2)
    first = graph.query("candidates", each=1).set_index("community")
    place = {community: at for at, community in enumerate(found["community"])}
    between = between[between["source"].isin(place) & between["target"].isin(place)]
    source, target = (between[end].map(place).to_numpy(np.int64) for end in ("source", "target"))
    follows = between["follows"].to_numpy(np.int64)
    size = found["size"].to_numpy(np.int64)
    # Room around each for its label.
    centre, _ = place_communities(size * 2, (source, target, follows))
    radius = np.sqrt(size)

    axes = _canvas(10, 8, "Communities")
    _draw_ties(axes, centre, size, source, target, follows)
    for at, (row, colour) in enumerate(zip(found.itertuples(), colours(len(found)), strict=True)):
        _draw_community(axes, row, centre[at], radius[at], colour, dots=int(size.sum()) <= MOST_DOTS)
        who = first["handle"].get(row.community)
        text = f"{_named(row.community, row.topics)}\n{row.size:,} accounts" + ("" if missing(who) else f"\n@{who}")
        _label(axes, text, centre[at] - (0, radius[at]), (0, -1))
    _fit(axes, centre, radius)
    left_out = len(every) - len(found)
    _note(
        axes,
        "● candidates, in the middle   · members   lines: follows between   @: first candidate"
        + (f"   not drawn: {left_out} smaller communities" if left_out else ""),
    )
    return Picture(axes)


def _draw_ties(axes: Axes, centre: Float64, size: Int64, source: Int64, target: Int64, follows: Int64) -> None:
    pairs: dict[tuple[int, int], int] = {}
    for a, b, count in zip(source.tolist(), target.tolist(), follows.tolist(), strict=True):
        pairs[min(a, b), max(a, b)] = pairs.get((min(a, b), max(a, b)), 0) + count
    shares = {pair: count / min(size[pair[0]], size[pair[1]]) for pair, count in pairs.items()}
    widest = max(shares.values(), default=1.0)
    for (a, b), share in sorted(shares.items()):
        ends = centre[[a, b]]
        axes.plot(ends[:, 0], ends[:, 1], color="#8a8f98", lw=0.3 + 7 * share / widest, alpha=0.45, zorder=1)


def _draw_community(axes: Axes, row: Any, centre: Float64, radius: float, colour: str, *, dots: bool) -> None:
    from matplotlib.patches import Circle

    respectable = bool(row.respectable)
    axes.add_patch(
        Circle(
            tuple(centre), radius, facecolor=PAPER, edgecolor=colour, lw=2.2 if respectable else 1.2,
            ls="-" if respectable else ":", zorder=2,
        )
    )  # fmt: skip
    axes.add_patch(Circle(tuple(centre), radius, facecolor=colour, alpha=0.18 if dots else 0.6, lw=0, zorder=2))
    if dots:
        places = place_members(int(row.size), centre, radius * 0.95)
        inside = int(row.candidates)
        members, candidates = places[inside:], places[:inside]
        axes.scatter(members[:, 0], members[:, 1], s=5, color=colour, zorder=3, linewidths=0)
        axes.scatter(candidates[:, 0], candidates[:, 1], s=9, color=TEXT, zorder=4, linewidths=0)


def ego_network(graph: Connection, key: str, *, most: int = 25, days: int = 90) -> Picture:
    """Draw an account with those it is most tied to: who follows whom, and how much they do with each other.

    Neighbours stand around the account, those of a community side by side; the more they and the account do with each
    other, the nearer to it they are. A line is as wide as what both do with each other in the last `days` (a like
    counts 1, a repost 2, a reply or a mention 3), and dashed where they only follow.

    Args:
        graph: from `connect`.
        key: of the account.
        most: neighbours, the strongest first.
        days: of interactions, up to the end of the data.

    Raises:
        AccountNotFound: there is no such account, or it has no ties that may be shown.
        NothingPublished: no run is served.
        ConfigurationError: matplotlib or pandas is not installed.
    """
    graph.served()
    ties = graph.query("neighbourhood", key=key, most=most, days=days)
    if ties.empty:
        raise AccountNotFound(f"There is nothing to draw of {key[:200]}: it is not there, or nobody is tied to it.")
    handles, communities = _who(ties)
    strength, follows = _pairs(ties)
    to_ego = {other: strength.get(_pair(key, other), 0) for other in handles if other != key}
    order = _around(to_ego, communities)
    angle = np.linspace(0.5 * np.pi, 2.5 * np.pi, len(order), endpoint=False)
    outward = dict(zip(order, np.column_stack((np.cos(angle), np.sin(angle))), strict=True))
    nearest = sorted(order, key=lambda other: (-to_ego[other], other))
    at = {key: np.zeros(2)}
    at |= {other: (0.45 + 0.55 * (k + 1) / len(order)) * outward[other] for k, other in enumerate(nearest)}
    signs = _signs_of([communities[one] for one in (key, *order)])

    axes = _canvas(9, 9, f"Around {_called(key, handles)}")
    most_strength = max(strength.values(), default=1) or 1
    for pair in sorted(follows):
        one, other = pair
        mine, weight = key in pair, strength.get(pair, 0)
        axes.plot(
            *np.array([at[one], at[other]]).T,
            color="#57606a" if mine else "#b6bcc4",
            lw=(0.8 if mine else 0.4) + 5 * weight / most_strength,
            ls="-" if weight else (0, (3, 3)),
            zorder=2 if mine else 1,
        )
    for one in (*order, key):
        own = one == key
        x, y = at[one]
        colour, mark = signs[communities[one]]
        axes.scatter(x, y, s=420 if own else 130, color=colour, marker=mark, edgecolor=TEXT, lw=0.8, zorder=3)
        _label(axes, _called(one, handles), at[one], (0, -1) if own else outward[one], away=14 if own else 9)
    _legend_of_communities(axes, graph, signs, communities[key])
    _fit(axes, np.array(list(at.values())), np.full(len(at), 0.15))
    _note(axes, f"lines: what both did with each other in {days} days; dashed: only a follow; nearer: more")
    return Picture(axes)


def _around(to_ego: Mapping[str, int], communities: Mapping[str, str | None]) -> list[str]:
    """Neighbours in turn: those of a community side by side, near ones between far ones so that names have room."""
    found = []
    for community in sorted({communities[one] for one in to_ego}, key=lambda one: (one is None, one or "")):
        some = sorted((one for one in to_ego if communities[one] == community), key=lambda one: (-to_ego[one], one))
        half = (len(some) + 1) // 2
        for near, far in itertools.zip_longest(some[:half], some[half:]):
            found += [near] if far is None else [near, far]
    return found


def _who(ties: pd.DataFrame) -> tuple[dict[str, str | None], dict[str, str | None]]:
    handles: dict[str, str | None] = {}
    communities: dict[str, str | None] = {}
    for end in ("source", "target"):
        for account, handle, community in zip(ties[end], ties[f"{end}_handle"], ties[f"{end}_community"], strict=True):
            handles[account] = None if missing(handle) else handle
            communities[account] = None if missing(community) else community
    return handles, communities


def _pairs(ties: pd.DataFrame) -> tuple[dict[tuple[str, str], int], set[tuple[str, str]]]:
    strength: dict[tuple[str, str], int] = {}
    tied: set[tuple[str, str]] = set()
    for row in ties.itertuples():
        pair = _pair(row.source, row.target)
        strength[pair] = strength.get(pair, 0) + int(row.strength)
        tied.add(pair)
    return strength, tied


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _called(key: str, handles: Mapping[str, str | None]) -> str:
    handle = handles.get(key)
    return key if handle is None else f"@{handle}"


def _signs_of(communities: Sequence[str | None]) -> dict[str | None, tuple[str, str]]:
    """A colour and a shape for each community, the most frequent first; ties by id."""
    named = [one for one in communities if one is not None]
    order = sorted(set(named), key=lambda one: (-named.count(one), one))
    marks = itertools.islice(itertools.cycle(MARKS), len(order))
    found: dict[str | None, tuple[str, str]] = {
        one: (colour, mark) for one, colour, mark in zip(order, colours(len(order)), marks, strict=True)
    }
    return found | ({None: (NOBODY, "o")} if None in communities else {})


def _legend_of_communities(
    axes: Axes, graph: Connection, signs: Mapping[str | None, tuple[str, str]], own: str | None
) -> None:
    from matplotlib.lines import Line2D

    every = graph.query("communities", most=100_000)
    topics = dict(zip(every["community"], every["topics"], strict=True))

    def called(community: str | None) -> str:
        if community is None:
            return "in no community"
        return _named(community, topics.get(community, ())) + (" (its own)" if community == own else "")

    handles = [
        Line2D([], [], marker=mark, ls="", color=colour, markeredgecolor=TEXT, label=_plain(called(one)))
        for one, (colour, mark) in signs.items()
    ]
    axes.legend(handles=handles, loc="lower left", frameon=False, fontsize=8, labelcolor=QUIET)


def _named(community: str, topics: Sequence[str]) -> str:
    """What a picture calls a community: its first topics, or its id where nothing stands out in it."""
    return ", ".join(topics[:2]) or community


def score_parts(candidates: pd.DataFrame, *, title: str = "What scores are made of") -> Picture:
    """Draw what each part gives to the scores of candidates: a bar each, its pieces as long as their points.

    Args:
        candidates: from `Connection.candidates` or `brand_candidates`.
        title: of the picture.

    Raises:
        InvalidRequest: there is no candidate, or no points of parts.
        ConfigurationError: matplotlib is not installed.
    """
    columns = [name for name in candidates.columns if name.endswith("_points") and (candidates[name] > 0).any()]
    if not columns:
        raise InvalidRequest("There is nothing to draw: candidates() gives rows with points, and there is none.")
    axes = _axes(9, 1.6 + 0.42 * len(candidates))
    left = np.zeros(len(candidates))
    places = np.arange(len(candidates))
    order = sorted(columns, key=lambda name: _part_place(name.removesuffix("_points")))
    for at, name in enumerate(order):
        points = candidates[name].fillna(0.0).to_numpy(np.float64)
        colour = OKABE_ITO[at % len(OKABE_ITO)]
        bars = axes.barh(
            places, points, left=left, height=0.7, color=colour, edgecolor=PAPER, lw=0.6,
            hatch=HATCHES[at % len(HATCHES)], label=name.removesuffix("_points"),
        )  # fmt: skip
        axes.bar_label(
            bars, [f"{one:.0f}" if one >= 3 else "" for one in points], label_type="center", fontsize=8, color=TEXT,
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
        )  # fmt: skip
        left += points
    for place, score in enumerate(candidates["score"]):
        axes.text(left[place] + 0.8, place, f"{score:.1f}", va="center", fontsize=9, color=TEXT, weight="bold")
    names = [
        _plain(key if missing(handle) else f"@{handle}")
        for key, handle in zip(candidates["account"], candidates["handle"], strict=True)
    ]
    axes.set_yticks(places, names, color=TEXT)
    axes.invert_yaxis()
    axes.set_xlim(0, float(left.max()) + 8)
    axes.set_xlabel("points of 100", color=QUIET)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    axes.set_title(_plain(title), loc="left", color=TEXT, weight="bold", pad=34)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(len(columns), 6), frameon=False, fontsize=8)
    return Picture(axes)


def _part_place(part: str) -> tuple[int, str]:
    return (PART_NAMES.index(part) if part in PART_NAMES else len(PART_NAMES), part)


def community_flows(graph: Connection, before: str = "", after: str = "", *, least: int = 5) -> Picture:
    """Draw where the accounts of each community of one run are in another: bars for communities, bands between them.

    Args:
        graph: from `connect`.
        before: id of the earlier run; empty: the one that the later one started from.
        after: id of the later run; empty: the one that is served.
        least: communities of fewer accounts are one bar together, and bands of fewer accounts are not drawn.

    Raises:
        InvalidRequest: there is no earlier run, or nothing is left of it.
        NothingPublished: no run is served.
        ConfigurationError: matplotlib or pandas is not installed.
    """
    graph.served()
    moves = graph.query("moves", before=before, after=after)
    if moves.empty or missing(moves["run_before"].iloc[0]):
        raise InvalidRequest(
            "There are no two runs to compare. Both must be done and kept; without names, the later one must have "
            "started from the earlier one. `entourage runs list` shows which there are."
        )
    names = {
        end: {
            one: _named(one, t) for one, t in zip(moves[end], moves[f"{end}_topics"], strict=True) if not missing(one)
        }
        for end in ENDS
    }
    rows = _gathered(moves, least)
    left, right = _stacks(rows)
    colour = {**dict(zip(left, colours(len(left)), strict=True)), NONE: NOBODY, OTHERS: NOBODY}
    axes = _axes(9, 7)
    _bands(axes, rows, left, right, colour, least)
    for x, stack, end in ((0.0, left, "source"), (1.0, right, "target")):
        for community, (low, high) in stack.items():
            shown = colour.get(community, PAPER)
            axes.barh((low + high) / 2, 0.03, left=x - 0.015, height=high - low, color=shown, edgecolor=TEXT, lw=0.5)
            text = f"{names[end].get(community, community)} · {high - low:,}"
            text = _plain(text)
            axes.text(
                x + (-0.03 if end == "source" else 0.03), (low + high) / 2, text, va="center", fontsize=8, color=TEXT,
                ha="right" if end == "source" else "left",
            )  # fmt: skip
    axes.set_xlim(-0.4, 1.4)
    axes.axis("off")
    axes.set_title("Where the accounts of each community went", loc="left", color=TEXT, weight="bold")
    _note(axes, f"left: {moves['run_before'].iloc[0]}   right: {moves['run_after'].iloc[0]}   numbers: accounts")
    return Picture(axes)


ENDS = ("source", "target")
NONE, OTHERS = "in no community", "smaller communities"
Move = tuple[str, str, int]
Stack = dict[str, tuple[int, int]]


def _gathered(moves: pd.DataFrame, least: int) -> list[Move]:
    """Moves between communities of enough accounts, between all others together, and of accounts in none."""
    ends: dict[str, list[str]] = {}
    for end in ENDS:
        named = [NONE if missing(one) else one for one in moves[end]]
        sizes = dict.fromkeys(named, 0)
        for one, accounts in zip(named, moves["accounts"], strict=True):
            sizes[one] += int(accounts)
        ends[end] = [one if sizes[one] >= least or one == NONE else OTHERS for one in named]
    found: dict[tuple[str, str], int] = {}
    for source, target, accounts in zip(ends["source"], ends["target"], moves["accounts"], strict=True):
        found[source, target] = found.get((source, target), 0) + int(accounts)
    return [(source, target, accounts) for (source, target), accounts in found.items()]


def _stacks(rows: Sequence[Move]) -> tuple[Stack, Stack]:
    """Put communities above each other, from the largest down; on the right in the order of where most come from."""
    before: dict[str, int] = {}
    after: dict[str, dict[str, int]] = {}
    for source, target, accounts in rows:
        before[source] = before.get(source, 0) + accounts
        after.setdefault(target, {})[source] = accounts
    last = (OTHERS, NONE)
    order = sorted(before, key=lambda one: (one in last, one == NONE, -before[one], one))
    rank = {community: at for at, community in enumerate(order)}
    # The mean rank of where its accounts come from: bands then cross little (Sugiyama et al. 1981, barycenters).
    middle = {
        target: sum(rank[one] * count for one, count in sources.items()) / sum(sources.values())
        for target, sources in after.items()
    }
    beside = sorted(after, key=lambda one: (one in last, one == NONE, middle[one], one))
    total = sum(before.values())
    gap = max(total // 80, 1)
    return (
        _stacked([(one, before[one]) for one in order], gap),
        _stacked([(one, sum(after[one].values())) for one in beside], gap),
    )


def _stacked(sizes: Sequence[tuple[str, int]], gap: int) -> Stack:
    top, found = 0, {}
    for community, size in sizes:
        found[community] = (top - size, top)
        top -= size + gap
    return found


def _bands(axes: Axes, rows: Sequence[Move], left: Stack, right: Stack, colour: Mapping[str, str], least: int) -> None:
    place, place_after = ({one: at for at, one in enumerate(stack)} for stack in (left, right))
    top, top_after = ({one: high for one, (_, high) in stack.items()} for stack in (left, right))
    # On either side the bands of a bar are in the order in which the bars of the other side stand.
    arrives = {}
    for source, target, accounts in sorted(rows, key=lambda row: place[row[0]]):
        arrives[source, target] = top_after[target]
        top_after[target] -= accounts
    for source, target, accounts in sorted(rows, key=lambda row: place_after[row[1]]):
        if accounts >= least:
            _band(axes, top[source], arrives[source, target], accounts, colour[source])
        top[source] -= accounts


def _band(axes: Axes, high: float, high_after: float, accounts: int, colour: str) -> None:
    steps = np.linspace(0, 1, 40)
    bent = steps * steps * (3 - 2 * steps)
    upper = high + (high_after - high) * bent
    axes.fill_between(0.015 + 0.97 * steps, upper - accounts, upper, color=colour, alpha=0.45, lw=0)


# --- paper ----------------------------------------------------------------------------------------------


def _axes(wide: float, high: float) -> Axes:
    """Axes of a new figure, which pyplot does not know: it goes when nobody has it any more."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra(error) from error
    figure = Figure(figsize=(wide, high), dpi=110, facecolor=PAPER, layout="constrained")
    return figure.add_subplot()


def _canvas(wide: float, high: float, title: str) -> Axes:
    axes = _axes(wide, high)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(_plain(title), loc="left", color=TEXT, weight="bold")
    return axes


def _plain(text: str) -> str:
    """A text as matplotlib shows it as it is: what people write between two $ would be a formula."""
    return text.replace("$", r"\$")


def _fit(axes: Axes, centre: Float64, radius: Float64) -> None:
    low, high = (centre - radius[:, None]).min(axis=0), (centre + radius[:, None]).max(axis=0)
    room = 0.12 * float((high - low).max())
    axes.set_xlim(low[0] - room, high[0] + room)
    axes.set_ylim(low[1] - room, high[1] + room / 2)


def _label(axes: Axes, text: str, at: Float64, outward: Sequence[float] | Float64, *, away: float = 3) -> None:
    """Write a text beside a point, so many points away in a direction of length one."""
    x, y = float(outward[0]), float(outward[1])
    axes.annotate(
        _plain(text), (float(at[0]), float(at[1])), xytext=(away * x, away * y), textcoords="offset points",
        ha="center" if abs(x) < 0.3 else "left" if x > 0 else "right",
        va="center" if abs(y) < 0.3 else "bottom" if y > 0 else "top",
        fontsize=8, color=TEXT, zorder=6, bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1},
    )  # fmt: skip


def _note(axes: Axes, text: str) -> None:
    axes.text(0, -0.02, text, transform=axes.transAxes, fontsize=8, color=QUIET, va="top")
