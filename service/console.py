"""What the command shows people: progress of long work, tables of communities and candidates."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from service import domain

if TYPE_CHECKING:  # importing them for real would slow down every command, `--help` too
    from service.files.schemas import Schema
    from service.flows.exporting import ExportReport
    from service.flows.importing import FolderReport, ImportReport
    from service.flows.measures import MeasureInfo
    from service.store.embedded import EmbeddedStatus
    from service.store.migrations import MigrationReport


WIDE = 140
"""From so many columns on, tables keep long words in one line."""


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


def communities_table(communities: Sequence[domain.Community]) -> Table:
    """Draw communities, one a row."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, side in (
        ("id", "left"),
        ("label", "left"),
        ("size", "right"),
        ("candidates", "right"),
        ("follows inside", "right"),
        ("reciprocity", "right"),
        ("respectable", "left"),
    ):
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    for community in communities:
        failed = ", ".join(test.test for test in community.tests if test.passed is False)
        table.add_row(
            community.id,
            escape(community.label),
            f"{community.size:,}",
            f"{community.candidates:,}",
            f"{community.follows_inside:,}",
            f"{community.reciprocity:.0%}",
            "yes" if community.respectable else f"no: {failed}",
        )
    return table


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


def candidates_table(candidates: Sequence[domain.Candidate]) -> Table:
    """Draw candidates in order of rank with their two strongest reasons, and what they are to brands if anything."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name, right in (("", True), ("account", False), ("score", True), ("type", False), ("track", False)):
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    relations = [active_relations(candidate) for candidate in candidates]
    if any(relations):
        table.add_column("relations", overflow="fold", max_width=out.width // 5)
    table.add_column("strongest reasons", overflow="fold", ratio=1)
    for candidate, related in zip(candidates, relations, strict=True):
        table.add_row(
            f"{candidate.rank}",
            escape(candidate.name),
            f"{candidate.score:.1f}",
            candidate.type,
            _breakable(candidate.track),
            *([escape(related)] if any(relations) else []),
            escape("\n".join(candidate.reasons[:2])),
        )
    return table


def active_relations(candidate: domain.Candidate, brand: str | None = None) -> str:
    """Say what a candidate is to brands today, `brand` first: `employee and user of Aubade; customer of Nordlys`."""
    active = [relation for relation in candidate.relations if relation.active]
    active.sort(key=lambda relation: relation.brand != brand)
    of_brand: dict[tuple[str, str], dict[str, None]] = {}
    for one in active:
        of_brand.setdefault((one.brand, one.brand_name or one.brand), {})[one.relation] = None
    return "; ".join(f"{' and '.join(relations)} of {name}" for (_, name), relations in of_brand.items())


def _breakable(track: str) -> str:
    """A track in one line, or two where the terminal is narrow: reasons need the room."""
    return track if out.width >= WIDE else track.replace("_", "_\n")


def brand_title(found: domain.BrandCandidates) -> str:
    """One line that names a brand: name and key."""
    brand = found.brand
    return f"[bold]{escape(brand.name or brand.key)}[/]  [dim]brand {escape(brand.key)}[/]"


def track_title(track: domain.TrackCandidates) -> str:
    """One line above the candidates of one track of a brand: what they are to it, and how many there are."""
    kind = {"employees_collaborators": "Employees and collaborators", "customers_users": "Customers and users"}
    return f"{kind[track.track]}: {track.total:,} {'candidate' if track.total == 1 else 'candidates'}"


def brand_candidates_table(candidates: Sequence[domain.BrandCandidate], brand: str) -> Table:
    """Draw candidates of one track of a brand with the communities they come from."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name, right in (("", True), ("account", False), ("score", True)):
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for name in ("community", "relations"):
        table.add_column(name, overflow="fold", max_width=out.width * 2 // 9)
    table.add_column("strongest reasons", overflow="fold", ratio=1)
    for place, one in enumerate(candidates, 1):
        table.add_row(
            f"{place}",
            escape(one.candidate.name),
            f"{one.candidate.score:.1f}",
            escape(one.community_label),
            escape(active_relations(one.candidate, brand)),
            escape("\n".join(one.candidate.reasons[:2])),
        )
    return table


def measures_table(measures: Sequence[MeasureInfo]) -> Table:
    """List measures of accounts."""
    table = Table("measure", "what it says", "time grows with", "made by default", box=None, padding=(0, 2, 0, 0))
    for one in measures:
        table.add_row(one.name, one.meaning, one.cost, "yes" if one.default else "no")
    return table


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
    said += "".join(f", {count:,} new {thing}" for thing, count in report.also_created.items()) + "."
    if report.check and not title:
        said += " Nothing was written."
    if report.ignored:
        said += f"\n[dim]Columns not read: {escape(', '.join(report.ignored[:20]))[:400]}[/]"
    if report.rejected:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.rejected.items())
        said += f"\n[yellow]Left out: {reasons}[/]; line numbers and reasons are in {escape(str(report.report))}"
    return said


def export_summary(report: ExportReport) -> str:
    """Say what an export wrote."""
    lines = ", ".join(f"{count:,} {kind}" for kind, count in report.lines.items())
    said = f"Wrote the graph at version {report.version} to [bold]{escape(str(report.folder))}[/]: {lines}."
    if report.changed_meanwhile:
        said += "\n[yellow]The graph changed meanwhile: some of it is newer. Export again for one moment of it.[/]"
    return said


def kinds_table(schemas: Sequence[Schema]) -> Table:
    """Draw the kinds of lines that can be imported."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("kind", no_wrap=True)
    table.add_column("what its lines hold", overflow="fold", ratio=1)
    for schema in schemas:
        table.add_row(schema.kind, escape(schema.about))
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


def note(message: str) -> None:
    """Say something beside the result, on standard error."""
    err.print(message)
