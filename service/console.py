"""What the command shows people: progress of long work, tables of communities and candidates."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console, Group
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from service import domain

if TYPE_CHECKING:  # importing them for real would slow down every command, `--help` too
    from service.adapters import Adapter
    from service.files.list_mapping import ListMapping
    from service.files.schemas import Schema
    from service.flows.differences import BeforeAndNow, CandidateMoved, Changes, CommunityChange, WhereNow
    from service.flows.exporting import ExportReport
    from service.flows.importing import FolderReport, ImportReport
    from service.flows.measures import MeasureInfo
    from service.flows.network_export import NetworkReport
    from service.flows.pushing import Pushed
    from service.flows.results_export import ResultsReport
    from service.flows.retention import PruneReport
    from service.flows.trying import Tried
    from service.store.embedded import EmbeddedStatus
    from service.store.migrations import MigrationReport
    from service.store.queries import Query


Language = Literal["en", "fr"]


def _console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal; in a pipe or a file there is none, and 120 columns read well."""
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 120
    return console


out = _console()
err = _console(stderr=True)


@contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[domain.Progress]:
    """Yield a progress callback that draws one bar a stage on standard error.

    Where standard error is not a terminal, a line a stage is written instead; `quiet` shows nothing.
    """
    if quiet:
        yield domain.no_progress
    elif not err.is_terminal:
        seen: set[str] = set()

        def line(stage: str, done: int, total: int | None) -> None:  # noqa: ARG001 - the protocol of Progress
            if stage not in seen:
                seen.add(stage)
                print(f"{stage} ...", file=sys.stderr, flush=True)

        yield line
    else:
        columns = (
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=err, refresh_per_second=8) as bars:
            tasks: dict[str, TaskID] = {}

            def bar(stage: str, done: int, total: int | None) -> None:
                if stage not in tasks:
                    for task in tasks.values():  # a new stage means that those before it are over
                        _finish(bars, task)
                    tasks[stage] = bars.add_task(escape(stage), total=total)
                bars.update(tasks[stage], completed=done, total=total)

            yield bar
            for task in tasks.values():
                _finish(bars, task)


def _finish(bars: Progress, task: TaskID) -> None:
    shown = bars.tasks[bars.task_ids.index(task)]
    total = shown.total or max(shown.completed, 1)
    bars.update(task, completed=total, total=total)


def community_title(community: domain.Community) -> str:
    """One line that names a community: id, label, size."""
    respectable = "" if community.respectable else "  [yellow](not respectable: see its tests)[/]"
    return f"[bold]{escape(community.label)}[/]  [dim]{community.id}[/]  {community.size:,} accounts{respectable}"


def name_line(community: str, name: domain.CommunityName | None) -> str:
    """What people call a community, and what they are asked about it."""
    question = None if name is None else name.name_question
    if name is None or (name.name is None and question is None):
        return f"Community {community} has no name; `entourage name {community} NAME` gives it one."
    said = f"[bold]{escape(name.name)}[/]  [dim]{community}[/]" if name.name else f"Community {community} has no name."
    if question is None:
        return said
    what = "Others merged into it" if question.question == "merged" else "It split, or split off,"
    about = ""
    if question.suggested:
        about = f" It could be called “{escape(question.suggested)}”, as {question.asked_of} is or was."
    return f"{said}\n[yellow]{what} since it was named.[/]{about} `entourage name {community} NAME` settles it."


def lineage_table(steps: Sequence[domain.LineageStep]) -> Table:
    """Draw the history of a community, a run a row."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column, side in (("run", "left"), ("event", "left"), ("size", "right"), ("comes from", "left"), ("", "left")):
        table.add_column(column, justify="right" if side == "right" else "left", overflow="fold")
    for step in steps:
        origins = [
            f"{one.id} ({one.relation}: {one.accounts:,}, {one.share_of_it:.0%} of it, {one.share_of_this:.0%} of this)"
            for one in step.predecessors
        ]
        split = f"split off: {', '.join(step.parts)}" if step.parts else ""
        event = "continues, unchanged" if step.same else step.event
        table.add_row(step.run, event, f"{step.size:,}", "\n".join(origins), split)
    return table


def end_line(ended: domain.Ended) -> str:
    """Say what became of a community that is no more."""
    into = f": see {', '.join(ended.into)}" if ended.into else ""
    said = {"died": "Its accounts are in no community together any more", "merged": "It merged", "split": "It split"}
    return f"It is no more. {said[ended.event]}{into}."


def communities_table(communities: Sequence[domain.Community]) -> Table:
    """Draw communities, one a row."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    fitted = any(isinstance(one, domain.FittingCommunity) for one in communities)
    for name, side in (
        ("id", "left"),
        ("label", "left"),
        ("size", "right"),
        ("candidates", "right"),
        ("follows inside", "right"),
        ("reciprocity", "right"),
        ("respectable", "left"),
        *([("say any of the brief", "right")] if fitted else []),
    ):
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    for community in communities:
        failed = ", ".join(test.test for test in community.tests if test.passed is False)
        table.add_row(
            community.id,
            _called(community),
            f"{community.size:,}",
            f"{community.candidates:,}",
            f"{community.follows_inside:,}",
            f"{community.reciprocity:.0%}",
            "yes" if community.respectable else f"no: {failed}",
            *([_fit(community.fit)] if isinstance(community, domain.FittingCommunity) else []),
        )
    return table


def _called(community: domain.Community) -> str:
    asked = " [yellow](is the name right?)[/]" if community.name_question is not None else ""
    called = f"[bold]{escape(community.name)}[/] · " if community.name else ""
    return f"{called}{escape(community.label)}{asked}"


def _fit(fit: domain.CommunityFit) -> str:
    return f"{fit.accounts:,} ({fit.share:.0%})"


def groups_table(groups: Sequence[domain.CommunityGroup]) -> Table:
    """Draw groups of communities, one a row."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, right in (
        ("id", False),
        ("label", False),
        ("size", True),
        ("communities", True),
        ("candidates", True),
        ("largest parts", False),
    ):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for group in groups:
        table.add_row(
            group.id,
            escape(group.label),
            f"{group.size:,}",
            f"{group.communities:,}",
            f"{group.candidates:,}",
            ", ".join(group.parts[:3]) + (f" and {len(group.parts) - 3} more" if len(group.parts) > 3 else ""),
        )
    return table


def candidates_table(candidates: Sequence[domain.Candidate], lang: Language = "en") -> Table:
    """Draw accounts by rank: what they are (track, roles, relations), and below it their two strongest reasons.

    Beside a rank stands its interval: ranks whose intervals overlap cannot be told apart.
    """
    table = _why_table("rank", "who they are; strongest reasons")
    for candidate in candidates:
        who = [candidate.track, *roles_of(candidate), *filter(None, [active_relations(candidate)])]
        table.add_row(
            ranked(candidate),
            escape(candidate.name),
            f"{candidate.score:.1f}",
            _why(" · ".join(who), candidate, lang),
        )
    return table


def _why_table(rank: str, why: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name, right in ((rank, True), ("account", False), ("score", True)):
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    table.add_column(why, overflow="fold", ratio=1)
    return table


def _why(who: str, candidate: domain.Candidate, lang: Language) -> str:
    """What an account is, and below it its two strongest reasons, and any signs of manipulation."""
    signs = "".join(f"\n[yellow]{escape(getattr(one, lang))}[/]" for one in candidate.signs)
    return f"[cyan]{escape(who)}[/]\n{escape(reasons_of(candidate, lang, 2))}{signs}"


def ranked(candidate: domain.Candidate) -> str:
    """A rank with its interval: `3 (1-6)`."""
    interval = candidate.rank_interval
    return f"{candidate.rank}" + (f" [dim]({interval.low}-{interval.high})[/]" if interval else "")


def roles_of(candidate: domain.Candidate) -> list[str]:
    """Roles in plain words; those that are emerging say so."""
    return [f"{role.role.replace('_', ' ')}{' (emerging)' if role.emerging else ''}" for role in candidate.roles]


def reasons_of(candidate: domain.Candidate, lang: Language, most: int | None = None) -> str:
    """The strongest reasons, one a line."""
    return "\n".join(getattr(reason, lang) for reason in candidate.reasons[:most])


def recipes_table(recipes: Sequence[domain.Recipe], lang: Language) -> Table:
    """List recipes: whom each asks for, by what, and why."""
    table = Table("objective", "asks for", "by", "why, and why not the others", box=None, padding=(0, 2, 1, 0))
    for one in recipes:
        weights = [(part, weight) for part, weight in one.weights.model_dump().items() if weight]
        weights += [(domain.lens_part(lens), weight) for lens, weight in one.lenses.items()]
        weights.sort(key=lambda pair: -pair[1])
        mix = "audience" if one.rank_by == "audience" else "\n".join(f"{part} {weight:g}" for part, weight in weights)
        whom = ", ".join(one.types) + ("\n" + "\n".join([*one.tracks, *one.roles]) if one.tracks or one.roles else "")
        said = [getattr(one.why, lang), *(getattr(why, lang) for why in one.why_not.values())]
        table.add_row(f"[bold]{one.name}[/]", whom, mix, escape("\n".join(said)))
    return table


def community_card(one: domain.Community) -> Group:
    """Show one community: what people call it, sizes, tests, what it cares for, whom gates keep out."""
    of = max(one.follows_inside + one.follows_out, 1)
    name = domain.CommunityName(id=one.id, name=one.name, name_question=one.name_question)
    lines: list[Any] = [
        *([name_line(one.id, name)] if one.name or one.name_question else []),
        community_title(one),
        f"{one.base:,} of {one.size:,} are compared: {one.micros:,} micro- and {one.macros:,} macro-influencers, "
        f"{one.candidates:,} ambassador candidates; {one.secondary_members:,} more belong here, too",
        f"{one.follows_inside:,} follows inside, {one.follows_inside / of:.0%} of those of its members; "
        f"{one.follows_in:,} from outside; {one.reciprocity:.0%} go both ways",
    ]
    if one.part_of:
        lines.append(f"part of group {one.part_of}")
    if one.no_candidates_reason:
        lines.append(f"[yellow]{escape(one.no_candidates_reason)}[/]")
    tests = Table("test", "value", "asked", "", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for test in one.tests:
        said = {True: "passed", False: "[yellow]failed[/]", None: "not known"}[test.passed]
        tests.add_row(test.test, "-" if test.value is None else f"{test.value:,.3g}", f"{test.threshold:,.3g}", said)
    lines += ["", tests]
    if one.values:
        table = Table("cares for", "members", "share", "elsewhere", box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for value in one.values:
            shares = f"{value.share:.0%}", f"{value.share_elsewhere:.1%}"
            table.add_row(escape(value.topic), f"{value.members:,}", *shares)
        lines += ["", table]
    kept_out = [f"{gate.gate}: {gate.excluded:,}" for gate in one.gates if gate.excluded]
    if kept_out:
        lines += ["", f"Gates keep out {', '.join(kept_out)}"]
    return Group(*lines)


def account_card(found: dict[str, Any], run: domain.Run, lang: Language) -> Group:
    """Show one account: who it is, a row for each of its communities, reasons, and what lenses say."""
    account = found["account"]
    reported = found["reported_followers"]
    lines: list[Any] = [
        _account_head(account, run),
        *(escape(account[one]) for one in ("name", "bio", "location") if account.get(one)),
        f"{found['followers']:,} followers in the graph"
        + ("" if reported is None else f" ({reported:,} reported)")
        + f", follows {found['following']:,}",
    ]
    if account.get("opted_out"):
        lines.append("[yellow]It opted out: nobody is named who does not want to be.[/]")
    table = Table("community", "", "type", "rank", "score", "roles", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for one in found["standings"]:
        community = one["community"]
        table.add_row(
            escape(community["label"] or ""), f"[dim]{community['id']}[/]", one["type"] or "secondary",
            shown_value(one["rank"] or one["macro_rank"]), shown_value(one["score"]), ", ".join(one["roles"]),
        )  # fmt: skip
    lines += ["", table if found["standings"] else "It is in no community: it has no ties that count."]
    for one in found["standings"]:
        document = one["candidate"] or one["macro"]
        if document is not None:
            lines += ["", *(f"- {escape(reason[lang])}" for reason in document["reasons"])]
        elif one["type"]:
            lines += ["", escape(one["not_candidate_reason"])]
    return Group(*lines, "", lens_table(found["lenses"]))


def _account_head(account: dict[str, Any], run: domain.Run, where: str = "") -> str:
    """One line that names an account, where it is, and the run that says so."""
    name = domain.account_name(account["key"], account.get("handle") or "")
    until = "" if run.as_of is None else f", data until {run.as_of:%Y-%m-%d}"
    return f"[bold]{escape(name)}[/]{where}  [dim]{escape(account['key'])}, run {run.id}{until}[/]"


def queries_table(queries: Mapping[str, Query]) -> Table:
    """List queries for analysts, those of a group together: name and question."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("query", no_wrap=True)
    table.add_column("what it answers", overflow="fold")
    for group, some in itertools.groupby(queries.items(), key=lambda one: one[1].group):
        table.add_row(f"\n[bold]{group}[/]", "")
        for name, query in some:
            table.add_row(name, escape(query.answers))
    return table


def query_card(query: Query, example: str) -> Group:
    """Show what a query takes and gives, how to ask it, and its statement."""
    name = query.name.rpartition("/")[2]
    lines: list[Any] = [f"[bold]{name}[/]: {escape(query.answers)}", f"[dim]Cost: {escape(query.cost or '')}[/]", ""]
    for title, declared, defaults in (("parameter", query.parameters, query.defaults), ("column", query.columns, {})):
        table = Table(title, "type", "meaning", box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
        for one in declared:
            default = f" ({json.dumps(defaults[one.name])} if not given)" if one.name in defaults else ""
            table.add_row(one.name, one.type, escape(one.meaning + default))
        if declared:
            lines += [table, ""]
    statement = "\n".join(itertools.dropwhile(lambda line: line.startswith("//"), query.text.splitlines()))
    return Group(*lines, f"For example: {escape(example)}", "", escape(statement))


def rows_table(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> Table:
    """Draw rows of a query; numbers to the right."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        known = [row[name] for row in rows if row[name] is not None]
        numbers = bool(known) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in known)
        table.add_column(name, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(shown_value(row[name])) for name in columns))
    return table


def shown_value(value: Any) -> str:
    """A value of a query as people read it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(shown_value, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {shown_value(one)}" for name, one in value.items())
    return value.isoformat(" ", "minutes") if isinstance(value, datetime) else str(value)


def scorecard(found: dict[str, Any], run: domain.Run) -> Group:
    """Draw what every lens says of one account: value, parts as a bar each, changes, and figures."""
    community = found["community"]
    where = " in no community" if community is None else f" in [bold]{escape(community['label'] or community['id'])}[/]"
    return Group(_account_head(found["account"], run, where), "", lens_table(found["lenses"]))


def lens_table(lenses: dict[str, Any]) -> Table | str:
    """Draw what lenses say of an account, a row each."""
    if not lenses:
        return "[yellow]This run measured through no lens; analyse again.[/]"
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title, right in (("lens", False), ("value", True), ("day", True), ("week", True), ("month", True)):
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    table.add_column("made of", overflow="fold")
    for lens, said in lenses.items():
        changes = [said["change"][span]["difference"] for span in ("day", "week", "month")]
        parts = "  ".join(f"{part} {points:,.2f}" for part, points in said["parts"].items())
        table.add_row(
            lens.replace("_", " "),
            "-" if said["value"] is None else f"[bold]{said['value']:,.2f}[/]",
            *("-" if one is None else f"{one:+,.2f}" for one in changes),
            parts if said["value"] is not None else f"[yellow]{escape(said['reason'])}[/]",
        )
    return table


def explanation(found: dict[str, Any], community: domain.Community, lang: Language) -> Group:
    """Draw one account in one community: who, parts as bars, who is next to it, reasons, and evidence."""
    account, standing = found["account"], found["standing"]
    document = standing["candidate"] or standing["macro"]
    name = domain.account_name(account["key"], account["handle"] or "")
    ids = f"[dim]{escape(account['key'])}, {community.id}[/]"
    lines: list[Any] = [f"[bold]{escape(name)}[/] in [bold]{escape(community.label)}[/]  {ids}"]
    if document is not None:
        candidate = domain.Candidate.model_validate(document)
        tied = f", tied with {candidate.rank_interval.tied_with:,}" if candidate.rank_interval else ""
        lines.append(
            f"{candidate.type}, rank {ranked(candidate)}{tied}, score {candidate.score:.2f} of 100, "
            f"{candidate.population}"
        )
    elif standing["score"] is not None:
        lines.append(f"{standing['type']}, score {standing['score']:.2f} of 100")
    if standing["not_candidate_reason"]:
        lines.append(f"[yellow]{escape(standing['not_candidate_reason'])}[/]")
    lines += ["", _parts_table(standing, document, found)]
    if document is not None:
        lines += ["", *(f"- {escape(reason)}" for reason in reasons_of(candidate, lang).split("\n")), ""]
        lines.append(_ties_table(found["evidence"]))
        lines += ["", _posts_table(found["posts"])] if found["posts"] else []
    return Group(*lines)


def _parts_table(standing: dict[str, Any], document: dict[str, Any] | None, found: dict[str, Any]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    sides = [side for side in ("above", "below") if found[side]]
    titles = {side: f"{side}: {found[side]['handle'] or found[side]['key']}" for side in sides}
    for title, right in (("part", False), ("raw", True), ("x", True), ("points", True), ("", False)):
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    for side in sides:
        table.add_column(escape(titles[side]), justify="right")
    table.add_column("", overflow="fold")
    said = {part["part"]: part["null_reason"] or part["note"] or "" for part in document["parts"]} if document else {}
    for part in domain.PART_NAMES:
        one = standing["parts"].get(part)
        points = one and one["points"]
        table.add_row(
            part,
            f"{one['raw']:.4g}" if one else "-",
            f"{one['x']:.3f}" if one and one["x"] is not None else "-",
            f"{points:.2f}" if points is not None else "-",
            "█" * round((points or 0) / 2.5),
            *(f"{found[side]['parts_millionths'].get(part, 0) / domain.MILLION:+.2f}" for side in sides),
            escape(said.get(part, "")),
        )
    if standing["score"] is not None:
        table.add_row(
            "[bold]score[/]", "", "", f"[bold]{standing['score']:.2f}[/]", "",
            *(f"[bold]{found[side]['difference_millionths'] / domain.MILLION:+.2f}[/]" for side in sides), "",
        )  # fmt: skip
    return table


def _ties_table(evidence: Sequence[dict[str, Any]]) -> Table:
    table = Table(
        "who follows or engages", "evidence of", "follows since", "interactions", box=None, padding=(0, 2, 0, 0)
    )
    for one in evidence:
        since = (one["followed_at"] or "yes, since when is not known")[:28] if one["follows"] else "no"
        days = f"{one['first_engaged']} to {one['last_engaged']}" if one["last_engaged"] else "none"
        gone = "" if one["in_graph"] else "  [yellow]no longer in the graph[/]"
        table.add_row(escape(one["follower"]), ", ".join(one["parts"]), since + gone, days)
    return table


def _posts_table(posts: Sequence[dict[str, Any]]) -> Table:
    table = Table("post", "evidence of", "at", "what it says", box=None, padding=(0, 2, 0, 0))
    for one in posts:
        said = escape(" ".join((one["text"] or "").split())[:200])
        gone = said if one["in_graph"] else "[yellow]no longer in the graph[/]"
        table.add_row(escape(one["post"]), escape(", ".join(one["evidence_of"])), (one["at"] or "")[:10], gone)
    return table


def active_relations(candidate: domain.Candidate, brand: str | None = None) -> str:
    """Say what a candidate is to brands today, `brand` first: `employee and user of Aubade; customer of Nordlys`."""
    active = [relation for relation in candidate.relations if relation.active]
    active.sort(key=lambda relation: relation.brand != brand)
    of_brand: dict[tuple[str, str], dict[str, None]] = {}
    for one in active:
        of_brand.setdefault((one.brand, one.brand_name or one.brand), {})[one.relation] = None
    return "; ".join(f"{' and '.join(relations)} of {name}" for (_, name), relations in of_brand.items())


def brand_title(found: domain.BrandCandidates) -> str:
    """One line that names a brand: name and key."""
    brand = found.brand
    return f"[bold]{escape(brand.name or brand.key)}[/]  [dim]brand {escape(brand.key)}[/]"


def track_title(track: domain.TrackCandidates) -> str:
    """One line above the candidates of one track of a brand: what they are to it, and how many there are."""
    kind = {"employees_collaborators": "Employees and collaborators", "customers_users": "Customers and users"}
    return f"{kind[track.track]}: {track.total:,} {'candidate' if track.total == 1 else 'candidates'}"


def brand_candidates_table(candidates: Sequence[domain.BrandCandidate], brand: str, lang: Language = "en") -> Table:
    """Draw candidates of one track of a brand: their community, what they are, and their strongest reasons."""
    table = _why_table("", "community; who they are; strongest reasons")
    for place, one in enumerate(candidates, 1):
        who = [*roles_of(one.candidate), active_relations(one.candidate, brand)]
        table.add_row(
            f"{place}",
            escape(one.candidate.name),
            f"{one.candidate.score:.1f}",
            f"[dim]{escape(one.community_label)}[/]\n{_why(' · '.join(filter(None, who)), one.candidate, lang)}",
        )
    return table


def measures_table(measures: Sequence[MeasureInfo]) -> Table:
    """List measures of accounts."""
    table = Table("measure", "what it says", "time grows with", "made by default", box=None, padding=(0, 2, 0, 0))
    for one in measures:
        table.add_row(one.name, one.meaning, one.cost, "yes" if one.default else "no")
    return table


def backtest_report(report: domain.BacktestReport, lang: Language = "en") -> Group:
    """Show what a back-test found: what was looked at, a table for each outcome, the verdicts, and what to know."""
    ranked = sum(one.ranked for one in report.communities)
    left_out = "; ".join(f"{count} {why}" for why, count in report.left_out_communities.items())
    head = (
        f"[bold]{report.began} to {report.cut}[/] scored, [bold]{report.cut} to {report.until}[/] measured "
        f"(not with the last day of each)\n{len(report.communities)} communities, {ranked:,} members ranked"
        f"{f'; left out: {left_out}' if left_out else ''}\n"
        f"{report.interactions_before:,} interactions before, {report.interactions_after:,} afterwards\n"
    )
    parts: list[Table | str] = [head]
    for outcome in domain.OUTCOMES:
        some = [one for one in report.verdicts if (one.outcome, one.measure) == (outcome, "ndcg")]
        if some:
            last = max(some, key=lambda one: one.first or 0)  # the others are in the JSON
            colour = {"ahead": "green", "level": "yellow", "behind": "red"}[last.says]
            said = f"[{colour}]{escape(getattr(last.sentence, lang))}[/]\n"
            parts += [_figures_table(report.figures, outcome), said]
    if report.coverage is not None:
        one = report.coverage
        parts.append(
            f"Of {one.accounts:,} small accounts, {one.covered:.1%} received what their {one.interval:.0%} interval "
            f"said before (less {one.below:.1%}, more {one.above:.1%}).\n"
        )
    return Group(*parts, *(f"[dim]{escape(getattr(one, lang))}[/]" for one in report.notes))


def _figures_table(figures: Sequence[domain.RankingFigure], outcome: domain.Outcome) -> Table:
    """Figures of one outcome: a row for each ranking, a column for each measure, and half the width of its interval."""
    some = [one for one in figures if one.outcome == outcome]
    measures = list(dict.fromkeys((one.measure, one.first) for one in some))
    titles = {
        "engagement": "Interactions received from the community",
        "responders": "Members who respond for the first time",
    }
    columns = [name if first is None else f"{name}@{first}" for name, first in measures]
    table = Table("ranked by", *columns, title=titles[outcome], title_justify="left", box=None, padding=(0, 2, 0, 0))
    for ranking in dict.fromkeys(one.ranking for one in some):
        row = {(one.measure, one.first): one for one in some if one.ranking == ranking}
        cells = [f"{row[key].value:.3f} [dim]±{(row[key].high - row[key].low) / 2:.2f}[/]" for key in measures]
        kind = next(iter(row.values())).kind
        style = {"score": "[bold]", "part": "[dim]", "lens": "[dim]", "baseline": "[not bold]"}[kind]
        table.add_row(f"{style}{ranking}[/]", *cells)
    return table


def calibration(found: domain.Calibration, lang: Language = "en") -> Group:
    """Show weights that were fitted, beside the documented ones, whether to keep them, and how to ask with them."""
    table = Table("part", "documented", "fitted", box=None, padding=(0, 2, 0, 0))
    for part in domain.PART_NAMES:
        table.add_row(part, f"{getattr(found.documented, part):.3f}", f"{getattr(found.fitted, part):.3f}")
    fitted = [f"{one.cut} to {one.until} ({one.communities} communities)" for one in found.windows]
    head = (
        f"Fitted to {found.outcome} of {' and '.join(fitted)}; compared on {found.check.cut} to {found.check.until} "
        f"({found.check.communities} communities)"
    )
    values = "; ".join(f"{one.ranking} {one.value:.3f}" for one in found.figures)
    said = f"[{'green' if found.kept else 'yellow'}]{escape(getattr(found.sentence, lang))}[/]"
    weights = ",".join(f"{part}:{weight:g}" for part, weight in found.fitted.model_dump().items() if weight)
    use = f"Ask with them: --weights {weights}, or weights= over HTTP." if found.kept else ""
    return Group(head, "", table, "", f"[dim]NDCG@{found.first} on the later window: {values}[/]", said, use)


def estimate_table(estimate: domain.RunEstimate) -> Table:
    """Show what a run would take, stage by stage."""
    available = "" if estimate.available_bytes is None else f" of {estimate.available_bytes / 2**20:,.0f} MiB"
    verdict = "fits" if estimate.fits else "[red]does not fit: it would be refused[/]"
    table = Table(
        "stage", "memory", "time",
        title=f"{estimate.accounts:,} accounts, {estimate.follows:,} follows, {estimate.engagements:,} interactions "
        f"by day: about {estimate.memory_bytes / 2**20:,.0f} MiB{available} and {estimate.seconds:,.0f} s; {verdict}",
        title_justify="left", box=None, padding=(0, 2, 0, 0),
    )  # fmt: skip
    for one in estimate.stages:
        table.add_row(one.stage, f"{one.memory_bytes / 2**20:,.0f} MiB", f"{one.seconds:,.1f} s")
    return table


def run_summary(run: domain.Run, *, created: bool = True) -> str:
    """Say in a few lines what a run found."""
    quality = run.quality
    if quality is None:
        return f"Run {run.id} is {run.state}."
    chance = f", {quality.chance.mean:.2f} by chance" if quality.chance else ""
    said = (
        f"\n[bold]{quality.accounts:,}[/] accounts and [bold]{quality.follows:,}[/] follows, "
        f"in [bold]{quality.communities}[/] communities (modularity {quality.modularity:.2f}{chance}, "
        f"{quality.respectable} respectable, {quality.isolates:,} accounts without ties): "
        f"[bold]{quality.candidates:,}[/] ambassador candidates.\n"
    )
    state = "published" if run.current else "not published"
    return said + f"[dim]Run {run.id}, {state}{'' if created else '; nothing has changed since, so it stands'}.[/]\n"


_ALSO = {
    "accounts": "accounts described",
    "follows_back": "new or changed follows back",
    "complete_followers": "complete list of followers",
    "unfollows": "follows that ended",
}
"""What lists do beside the follows of their lines."""

_PLAIN_SKIPS = ("comment", "continued", "empty", "header", "preamble")


def import_summary(report: ImportReport) -> str:
    """Say in a few lines what the import of a file changed, or would change."""
    return _imported(report, "")


def folder_summary(report: FolderReport) -> str:
    """Say in a few lines what the import of a folder changed, or would change, file by file."""
    said = [escape(report.description)] if report.description else []
    if report.synthetic:
        said.append("[yellow]Everything in it is synthetic: nobody in it exists.[/]")
    said += [_imported(one, one.kind) for one in report.files]
    if report.files[0].check:
        said.append("Nothing was written.")
    return "\n".join(said)


def _imported(report: ImportReport, title: str) -> str:
    would = "would be " if report.check else ""
    said = f"[bold]{title}[/]: " if title else ""
    said += (
        f"Read [bold]{report.lines:,}[/] lines: {report.created:,} {would}new, {report.updated:,} {would}updated, "
        f"{report.unchanged:,} already known; {report.accounts_created:,} new accounts"
    )
    said += "".join(f", {count:,} {_ALSO.get(thing, f'new {thing}')}" for thing, count in report.also_created.items())
    said += "."
    if report.check and not title:
        said += " Nothing was written."
    passed_over = {reason: count for reason, count in report.skipped.items() if reason not in _PLAIN_SKIPS}
    if passed_over:
        reasons = ", ".join(f"{count:,} {escape(reason)}" for reason, count in passed_over.items())
        said += f"\n[dim]Passed over: {reasons}[/]"
    if report.ignored:
        said += f"\n[dim]Columns not read: {escape(', '.join(report.ignored[:20]))[:400]}[/]"
    if report.not_complete:
        said += f"\n[yellow]Not taken as complete, so no follow {would}ended: {report.not_complete}[/]"
    if report.rejected:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.rejected.items())
        said += f"\n[yellow]Left out: {reasons}[/]; line numbers and reasons are in {escape(str(report.report))}"
    return said


def export_summary(report: ExportReport) -> str:
    """Say what an export of everything people brought wrote."""
    return _written(f"the graph at version {report.version}", report.folder, report.lines, report.changed_meanwhile)


def network_summary(report: NetworkReport) -> str:
    """Say what an export of a network wrote."""
    with_results = f" with what run {report.run} found" if report.run else ""
    counts = {"accounts": report.accounts, "follows": report.follows}
    said = _written(f"version {report.version}{with_results}", report.file, counts, report.changed_meanwhile)
    if report.left_out:
        said += f"\n[yellow]{report.left_out:,} accounts are not in it: XML cannot hold their keys.[/]"
    return said


def results_summary(report: ResultsReport) -> str:
    """Say what an export of results wrote."""
    return _written(f"what run {report.run} found", report.folder, report.rows, report.changed_meanwhile)


def _written(what: str, where: Path, counts: Mapping[str, int], changed_meanwhile: bool) -> str:
    parts = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    said = f"Wrote {what} to [bold]{escape(str(where))}[/]: {parts}."
    if changed_meanwhile:
        said += "\n[yellow]The graph changed meanwhile: some of it is newer. Export again for one moment of it.[/]"
    return said


PRUNED_NAMES = {
    "interactions": "counts of interactions, one a pair and day",
    "responses": "responses to posts",
    "unfollows": "follows that ended",
    "ended_records": "ids of follows that ended",
    "withdrawals": "endorsements that were withdrawn",
    "posts": "posts",
    "runs": "analyses published",
}


def prune_summary(report: PruneReport) -> Group:
    """Draw what was removed because it was too old, or would be."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("would go" if report.dry_run else "removed", justify="right")
    table.add_column("what", overflow="fold")
    table.add_column("of before", no_wrap=True)
    for one in report.kinds:
        table.add_row(f"{one.things:,}", PRUNED_NAMES[one.kind], f"{one.before:%Y-%m-%d}")
    return Group(table, "[dim]Nothing was removed.[/]" if report.dry_run else "")


def kinds_table(schemas: Sequence[Schema]) -> Table:
    """Draw the kinds of lines that can be imported."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("kind", no_wrap=True)
    table.add_column("what its lines hold", overflow="fold", ratio=1)
    for schema in schemas:
        table.add_row(schema.kind, escape(schema.about))
    return table


_HELD = {"followers": "followers of it", "following": "whom it follows", "mutual": "who is connected with it"}


def lists_table(lists: Mapping[str, ListMapping]) -> Table:
    """Draw the lists of platforms that can be read: what each holds, which columns are read, where it is from."""
    table = Table(box=None, padding=(0, 2, 1, 0))
    table.add_column("list", no_wrap=True, min_width=max(map(len, lists), default=0))
    for column in ("of one account", "columns read", "where it is from"):
        table.add_column(column, overflow="fold")
    for name, one in lists.items():
        held = ("all " if one.complete else "") + _HELD[one.holds] + ("" if one.time is None else ", since when")
        columns = "\n".join(f"column {column}" if isinstance(column, int) else column for column in one.columns)
        example = "" if one.id.example is None else f"\nAn account: {one.id.example}"
        table.add_row(f"[bold]{name}[/]", f"{held}\n({one.network})", escape(columns), escape(one.about + example))
    return table


def schema_table(schema: Schema) -> Group:
    """Draw the fields of one kind of lines, with an example."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("field", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("meaning", overflow="fold", ratio=1)
    for name, field in schema.fields.items():
        options = field.schema.get("enum")
        shown = f" One of {', '.join(map(str, options))}." if options else ""
        table.add_row(name, "required" if field.required else "", escape(field.meaning + shown))
    example = json.dumps(schema.example, ensure_ascii=False)
    return Group(escape(schema.about), "", table, "", f"[dim]{escape(example)}[/]")


def migration_summary(report: MigrationReport, *, dry_run: bool) -> str:
    """Say what was applied, or would be."""
    files = report.pending if dry_run else report.applied
    if not files:
        return f"The graph is up to date (version {report.version})."
    return ("Would apply: " if dry_run else "Applied: ") + ", ".join(escape(str(file)) for file in files)


def store_summary(status: EmbeddedStatus) -> str:
    """Say where the embedded Neo4j is, or that it does not run."""
    if not status.running:
        return f"Neo4j does not run. Its data is in {escape(str(status.home))}"
    return (
        f"Neo4j {status.version} runs at [bold]{status.uri}[/] (process {status.pid}"
        f"{', kept until `entourage store stop`' if status.kept else ''}).\n"
        f"User neo4j, password in {escape(str(status.home))}/password; data in {escape(str(status.home))}"
    )


def sources_table(sources: Sequence[domain.Source]) -> Table:
    """Draw sources with their secrets; of a secret only its id and its times are shown."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("source", "platform", "network", "", "secret", "made", "last used"):
        table.add_column(column, no_wrap=True)
    for source in sources:
        for place, secret in enumerate(source.secrets):
            disabled = "disabled" if source.disabled else ""
            first = (source.name, source.platform, source.network or "in each id", disabled)
            used = secret.last_used_at
            table.add_row(
                *(first if place == 0 else ("", "", "", "")),
                secret.id,
                f"{secret.created_at:%Y-%m-%d %H:%M}",
                "never" if used is None else f"{used:%Y-%m-%d %H:%M}",
            )
    return table


def pushed_line(pushed: Pushed) -> str:
    """Say what became of lines that were pushed."""
    counts = ("accepted", "ignored", "rejected", "unreadable")
    said = ", ".join(f"{getattr(pushed, name):,} {name}" for name in counts if getattr(pushed, name))
    return f"{pushed.lines:,} lines were pushed in {pushed.deliveries:,} deliveries{': ' + said if said else ''}."


def show_tried(tried: Tried) -> None:
    """Print what would become of something that a platform sends: of each thing the events, or why there are none."""
    for item in tried.items:
        colour = {"accepted": "green", "challenge": "green", "ignored": "yellow", "rejected": "red"}[item.status]
        why = f": {item.message} ({item.code})" if item.code else ""
        out.print(f"{item.index}  [{colour}]{item.status}[/]{escape(why)}")
        if item.answer is not None:
            out.print(f"   is answered with {json.dumps(item.answer)}", markup=False, soft_wrap=True)
        for one in item.events:
            out.print(f"   {json.dumps(one.event, ensure_ascii=False)}", markup=False, soft_wrap=True)
            if one.code:
                out.print(f"   [red]cannot be used[/]: {escape(f'{one.message} ({one.code})')}")
        if item.more_events:
            out.print(f"   {item.more_events:,} more events")
        for note in item.unread:
            thing = f"thing {note.thing}, " if len({one.thing for one in item.unread}) > 1 else ""
            out.print(f"   {thing}{note.place}: {note.message}", markup=False, style="dim")
    challenges = f"{tried.challenges} challenge, " if tried.challenges else ""
    out.print(
        f"{challenges}{tried.accepted} accepted, {tried.ignored} ignored, {tried.rejected} rejected. Nothing was kept."
    )


def platforms_table(platforms: Sequence[Adapter]) -> Table:
    """Draw the platforms whose deliveries are read, one a row."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("platform", "network", "secret", "what is read"):
        table.add_column(column, no_wrap=column != "what is read")
    for one in platforms:
        table.add_row(one.name, one.network or "--network", "the platform's" if one.gives_secret else "ours", one.about)
    return table


def keys_table(keys: Sequence[domain.ApiKey]) -> Table:
    """Draw keys of the API, one a row; of a key only its id is shown."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("key", "name", "scopes", "brands", "made", "last used", ""):
        table.add_column(column, no_wrap=column in ("key", "made", "last used"))
    for key in keys:
        used, revoked = key.last_used_at, key.revoked_at
        table.add_row(
            f"ent_{key.id}",
            escape(key.name),
            ", ".join(key.scopes),
            "all" if key.brands is None else escape(", ".join(key.brands)),
            f"{key.created_at:%Y-%m-%d %H:%M}",
            "never" if used is None else f"{used:%Y-%m-%d %H:%M}",
            "" if revoked is None else f"revoked {revoked:%Y-%m-%d %H:%M}",
        )
    return table


def occasion(schedule: domain.Schedule) -> str:
    """Say when a schedule asks for a run."""
    if schedule.daily_at is not None:
        return f"daily at {schedule.daily_at} UTC"
    return f"after {schedule.after_changes:,} changes"


def schedules_table(schedules: Sequence[domain.Schedule]) -> Table:
    """Draw schedules of runs, one a row."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("schedule", "asks for a run", "next", "last run", "asked for", ""):
        whole = max((len(occasion(one)) for one in schedules), default=0) if column == "asks for a run" else None
        table.add_column(column, min_width=whole, no_wrap=column in ("schedule", "next", "last run", "asked for"))
    for one in schedules:
        table.add_row(
            one.id,
            occasion(one),
            "" if one.next_at is None else f"{one.next_at:%Y-%m-%d %H:%M}",
            one.last_run or "none yet",
            "" if one.last_asked_at is None else f"{one.last_asked_at:%Y-%m-%d %H:%M}",
            "" if one.publish else "not published",
        )
    return table


def deliveries_table(deliveries: Sequence[domain.Delivery]) -> Table:
    """Draw deliveries, one a row."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("delivery", "source", "came", "state", "events", "dead letters"):
        table.add_column(column, no_wrap=True, justify="right" if column in ("events", "dead letters") else "left")
    for one in deliveries:
        table.add_row(
            one.id, one.source, f"{one.received_at:%Y-%m-%d %H:%M:%S}", one.state, f"{one.events:,}",
            f"{sum(letter.replayed_in is None for letter in one.dead_letters):,}",
        )  # fmt: skip
    return table


def imports_table(imports: Sequence[domain.Import]) -> Table:
    """Draw files that were handed in, one a row."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("import", "file", "came", "state", "lines", ""):
        table.add_column(column, no_wrap=bool(column), justify="right" if column == "lines" else "left")
    for one in imports:
        progress = one.progress
        done = f" {progress.read_bytes / max(progress.total_bytes, 1):.0%}" if one.state == "running" else ""
        said = one.error.message if one.error else one.note or ("being cancelled" if one.cancelling else "")
        table.add_row(
            one.id, escape(one.name), f"{one.created_at:%Y-%m-%d %H:%M:%S}", f"{one.state}{done}",
            f"{progress.lines:,}", escape(said),
        )  # fmt: skip
    return table


def runs_table(runs: Sequence[domain.Run]) -> Table:
    """Draw runs, one a row; the one that readers see is marked."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("run", "asked for", "state", "stage", "communities", "candidates", ""):
        counted = column in ("communities", "candidates")
        whole = max((len(one.id) for one in runs), default=0) if column == "run" else None
        table.add_column(column, no_wrap=bool(column), min_width=whole, justify="right" if counted else "left")
    for one in runs:
        done = "" if one.progress is None or one.state != "running" else f" {one.progress:.0%}"
        table.add_row(
            one.id, f"{one.created_at:%Y-%m-%d %H:%M:%S}", one.state,
            f"{one.stage}{done}" if one.state == "running" else "",
            f"{one.quality.communities:,}" if one.quality else "", f"{one.quality.candidates:,}" if one.quality else "",
            "current" if one.current else escape(one.error.message) if one.error else "",
        )  # fmt: skip
    return table


def changes(found: Changes) -> Group:
    """Draw what changed between two runs: a line a community, and below it who came, who left and who moved."""
    summary = found.summary
    communities = summary.communities
    shown: list[Table | str] = [
        f"\nFrom run {found.since} to run {found.run}: "
        f"accounts {_from_to(summary.accounts)}, candidates {_from_to(summary.candidates)}; "
        f"{communities.both:,} communities in both, {communities.came:,} new, {communities.left:,} gone."
    ]
    if not summary.same_rules:
        shown.append("[yellow]The runs scored by different rules: scores may have moved because of these.[/]")
    changed = [one for one in found.communities if _changed(one)]
    if not changed:
        shown.append("Nothing changed in them.")
    for one in changed:
        counts, members = one.candidates, one.members
        status = {"both": "", "came": "  [green]new[/]", "left": "  [red]gone[/]"}[one.status]
        shown += [
            f"\n[bold]{escape(one.label)}[/]  [dim]{one.id}[/]{status}\n"
            f"Members {_from_to(one.size)}: {members.came:,} came, {members.left:,} left. Candidates "
            f"{_from_to(counts)}: {counts.came:,} came, {counts.left:,} left, {counts.moved:,} moved.",
            _changes_table(one),
        ]
    if found.total > len(found.communities):
        shown.append(f"[dim]{found.total - len(found.communities):,} more communities; --limit shows more.[/]")
    return Group(*shown)


def _changed(one: CommunityChange) -> bool:
    counts, members = one.candidates, one.members
    return one.status != "both" or any((members.came, members.left, counts.came, counts.left, counts.moved))


def _from_to(number: BeforeAndNow) -> str:
    before, now = (0 if one is None else one for one in (number.before, number.now))
    return f"{now:,}" if before == now else f"{before:,} → {now:,}"


def _changes_table(one: CommunityChange, most: int = 10) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for justify in ("left", "left", "right", "right", "left"):
        table.add_column(justify=justify, no_wrap=justify == "right")
    for came in one.came[:most]:
        table.add_row("[green]came[/]", escape(came.name), f"rank {came.rank}", f"{came.score:.1f}", "")
    for left in one.left[:most]:
        table.add_row("[red]left[/]", escape(left.name), f"rank {left.rank}", f"{left.score:.1f}", _where_now(left.now))
    for moved in one.moved[:most]:
        rank = f"rank {moved.rank}" if moved.rank == moved.rank_before else f"rank {moved.rank_before} → {moved.rank}"
        table.add_row("moved", escape(moved.name), rank, f"{moved.score_change:+.1f}", _by_parts(moved))
    counts = one.candidates
    hidden = sum(max(0, count - most) for count in (counts.came, counts.left, counts.moved))
    if hidden:
        table.add_row("", f"[dim]and {hidden:,} more[/]")
    return table


def _where_now(now: WhereNow) -> str:
    if now.reason == "elsewhere":
        if now.community is None:
            return "now without ties"
        return f"now in {now.community}" + ("" if now.rank is None else f", rank {now.rank}")
    return {"gate": f"kept out: {now.gate}", "macro": "now a macro-influencer", "below_cutoff": "below the cut-off"}[
        now.reason
    ]


def _by_parts(moved: CandidateMoved) -> str:
    """By which parts a score moved, the largest change first."""
    parts = sorted(moved.parts_millionths.items(), key=lambda one: -abs(one[1]))
    return ", ".join(f"{part} {change / domain.MILLION:+.1f}" for part, change in parts if abs(change) >= 50_000)


def note(message: str) -> None:
    """Say something beside the result, on standard error."""
    err.print(message)


def erasures_table(receipts: Sequence[domain.Erasure]) -> Table:
    """Receipts of erasures."""
    table = Table(title="Erasures", title_justify="left")
    for name in ("id", "state", "asked at", "done at", "removed"):
        table.add_column(name)
    for one in receipts:
        removed = (
            ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in one.removed.items()) or "nothing yet"
        )
        waiting = f"; waits for {', '.join(one.waiting_for)}" if one.waiting_for else ""
        times = [at.isoformat(timespec="seconds") if at else "" for at in (one.asked_at, one.done_at)]
        table.add_row(one.id, one.state, *times, removed + waiting)
    return table
