"""The `entourage` command: read settings, call one flow, show what it did."""

from __future__ import annotations

import asyncio
import errno
import gzip
import json
import logging
import signal
import socket
import sys
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic import SerializeAsAny, TypeAdapter, ValidationError
from rich.markup import escape

from service import __version__, console
from service.configured import settings, store_source
from service.domain import (
    OUTCOMES,
    OWN_PLATFORM,
    BacktestSpec,
    BrandCandidates,
    Candidate,
    Community,
    CommunityCandidates,
    CommunityGroup,
    Definition,
    Delivery,
    DeliveryState,
    EmbeddedConfig,
    Erasure,
    Import,
    ImportState,
    NewSchedule,
    Reader,
    Recipe,
    Retention,
    RoleName,
    Run,
    RunSpec,
    RunState,
    ScoringRules,
    SizeBand,
    Source,
    StoreAddress,
    StoreSource,
    Track,
    moment_of,
    no_progress,
)
from service.errors import (
    EXIT_LINES_REJECTED,
    BadInput,
    ConfigurationError,
    DiskFull,
    EntourageError,
    StoreUnavailable,
    UnreadableFile,
)
from service.settings import Settings

if TYPE_CHECKING:  # importing it for real would slow down every command, `--help` too
    from service.flows.exporting import ExportReport
    from service.flows.importing import FolderReport, ImportReport
    from service.flows.network_export import NetworkReport
    from service.flows.results_export import ResultsReport

app = typer.Typer(
    name="entourage",
    help="Find the micro-influencers of each community in a follower graph, and who of them could become an "
    "ambassador.\n\nThe usual order: [bold]import[/] what you know, [bold]analyze[/] the graph, then look at "
    "[bold]communities[/] and [bold]ambassadors[/], or [bold]serve[/] them over HTTP. "
    "[bold]demo[/] does all of it on a sample.",
    epilog="Exit codes: 0 done · 1 a bug · 2 wrong usage · 3 bad input · 4 not found · 5 conflict · 6 Neo4j · "
    "7 migrations · "
    "8 run failed · 9 settings · 10 done, but lines of the input were rejected · 11 the journal.\n\n"
    "Settings are environment variables that start with ENTOURAGE_; the README lists them.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
store_app = typer.Typer(help="Start, stop and look at the embedded Neo4j; let analysts read.", no_args_is_help=True)
app.add_typer(store_app, name="store")
sources_app = typer.Typer(
    help="Who may push events to POST /v1/webhooks/NAME: sources, and the secrets with which they sign.",
    no_args_is_help=True,
)
app.add_typer(sources_app, name="sources")
keys_app = typer.Typer(help="Who may ask the HTTP API what: keys, their scopes and brands.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
schedules_app = typer.Typer(
    help="Runs that a service asks for by itself: after so many changes, or once a day.", no_args_is_help=True
)
app.add_typer(schedules_app, name="schedules")
deliveries_app = typer.Typer(help="What sources pushed, and what became of it.", no_args_is_help=True)
app.add_typer(deliveries_app, name="deliveries")
imports_app = typer.Typer(
    help="Files that were handed in to POST /v1/imports, and what became of them.", no_args_is_help=True
)
app.add_typer(imports_app, name="imports")
runs_app = typer.Typer(
    help="Analyses: which there are, how one goes on, and what changed between two.", no_args_is_help=True
)
app.add_typer(runs_app, name="runs")

Lang = Annotated[console.Language, typer.Option("--lang", help="Language of sentences: en or fr.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of a table for a person.")]


def retention_of(config: Settings) -> Retention:
    """For how long settings say that things are kept."""
    return Retention(
        posts=config.keep_posts_days,
        interactions=config.keep_interactions_days,
        unfollows=config.keep_unfollows_days,
        runs=config.keep_runs_days,
    )


def given_address(config: Settings) -> StoreAddress:
    """The address a parent process handed to this child by way of the environment."""
    source = store_source(config)
    if isinstance(source, EmbeddedConfig):
        raise ConfigurationError("This is an inner command; `entourage serve` and `entourage analyze` call it.")
    return source


# --- the main job ---------------------------------------------------------------------------------------


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop after printing; do not serve the API.")] = False,
    communities: Annotated[int, typer.Option(min=1, help="How many of the largest communities to print.")] = 5,
) -> None:
    """Do the whole job on a small synthetic sample: import, analyse, print ambassadors, serve the API.

    The demo keeps its own graph, apart from yours. Running it again takes seconds and changes nothing. Its API asks for
    no keys, and so listens on loopback only.
    """
    from service.flows.asking import read_brand_candidates
    from service.flows.demo import load_demo
    from service.flows.published import read_brands, read_candidates, read_communities
    from service.flows.store import open_store
    from service.sample import VERSION

    config = settings().model_copy(update={"authentication": False, "host": "127.0.0.1"})
    folder = f"demo-{VERSION}"  # a graph for each version of the sample: they must not be mixed
    source = store_source(config, folder)
    with ExitStack() as stack:
        with console.shown_progress() as progress:
            address = stack.enter_context(open_store(source, progress))
            run = load_demo(address, config.data_dir / folder, progress, timeout_s=config.run_timeout_s)
        listed = asyncio.run(read_communities(address, run.id))
        console.out.print("[yellow]This is a synthetic sample: everybody in it was invented.[/]")
        console.out.print(console.run_summary(run))
        for community in listed[:communities]:
            show_candidates(community, asyncio.run(read_candidates(address, community.id, run.id))[:5])
        for brand in asyncio.run(read_brands(address)):
            show_brand_candidates(asyncio.run(read_brand_candidates(address, brand.key, run.id)), 3)
        if not once:
            port = config.port if port_is_free(config.host, config.port) else 0
            serve_until_stopped(config, source, address, port, journal_of(config, folder))


def show_candidates(
    community: Community, candidates: list[Candidate], lang: console.Language = "en", why: str | None = None
) -> None:
    """Print one community with its candidates, or why it has none."""
    console.out.print(console.community_title(community))
    if candidates:
        console.out.print(console.candidates_table(candidates, lang))
    else:
        console.out.print(f"[dim]No candidates: {escape(why or community.no_candidates_reason or '')}[/]")
    console.out.print()


def show_brand_candidates(found: BrandCandidates, limit: int, lang: console.Language = "en") -> None:
    """Print the two kinds of candidates of a brand apart, the best of each."""
    console.out.print(console.brand_title(found))
    for track in found.tracks:
        console.out.print(console.track_title(track))
        if track.candidates:
            console.out.print(console.brand_candidates_table(track.candidates[:limit], found.brand.key, lang))
    shown = any(track.candidates for track in found.tracks)
    console.out.print(
        "[dim]A score says how someone stands among the accounts of all respectable communities.[/]\n" if shown else ""
    )


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def journal_of(config: Settings, folder: str = "neo4j") -> Path:
    """Where deliveries for the graph in `folder` are journaled."""
    return config.data_dir / ("journal" if folder == "neo4j" else f"{folder}-journal")


def serve_until_stopped(
    config: Settings, source: StoreSource, address: StoreAddress, port: int, journal: Path, *, migrated: bool = True
) -> None:
    """Run the processes of the service until Ctrl-C or SIGTERM, saying where the API is once it answers."""
    from service.api.app import check_host
    from service.flows.serve import serve as serve_flow

    check_host(config.host, authentication=config.authentication)

    def ready(url: str) -> None:
        console.out.print(
            f"The API is at [bold]{url}[/]: try {url}/v1/communities, or {url}/docs for all of it. Ctrl-C stops it."
        )
        if config.authentication:
            console.note("It asks for keys; in another terminal `entourage keys add NAME --scope read` makes one.")
        else:
            console.note("It asks for no keys: whoever reaches this machine's loopback may do everything.")

    serve_flow(
        source,
        address,
        journal,
        host=config.host,
        port=port,
        authentication=config.authentication,
        migrated=migrated,
        ready=ready,
    )


@app.command("import")
def import_(
    path: Annotated[
        Path,
        typer.Argument(
            help="A file (CSV, TSV, NDJSON, plain edge list, GraphML, GEXF, Pajek, NodeXL; gzip or not; Parquet; "
            "- reads standard input), or a folder with a manifest.json."
        ),
    ],
    kind: Annotated[
        str | None, typer.Option(help="What its lines hold: follows if not said; `entourage schema` lists all kinds.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; only say what an import would do.")] = False,
    network: Annotated[
        str | None,
        typer.Option(help="Where the accounts live, e.g. mastodon: account keys are network:id; local if not said."),
    ] = None,
    keys: Annotated[bool, typer.Option("--keys", help="Ids in the file are whole keys, network:id.")] = False,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv, ndjson, parquet, (follows only) edgelist, or graphml, gexf, pajek, nodexl, which hold several "
            "kinds of lines; found from the file if not said.",
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", help="FIELD=COLUMN: which column holds a field that is called otherwise. Repeatable."),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", help="FIELD=VALUE: a field that has one value in the whole file. Repeatable."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="When lines were said that do not say so; if not given, when the file was written. Of a list of all "
            "followers on standard input it has to be given."
        ),
    ] = None,
    list_name: Annotated[
        str | None,
        typer.Option(
            "--list",
            metavar="NAME",
            help="The file is a list that a platform gives for one account, e.g. mastodon_following: `entourage lists` "
            "says which there are; or a mapping file of your own (.toml).",
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(help="With --list: the account that the list belongs to, written as accounts are in the list."),
    ] = None,
    follower: Annotated[
        str | None, typer.Option(help="Follows: column (name, or position from 1) of who follows.")
    ] = None,
    followee: Annotated[str | None, typer.Option(help="Follows: column of who is followed.")] = None,
    weight: Annotated[
        str | None, typer.Option(help="Follows: column of the tie's weight; without it each counts 1.")
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(help="Follows: column of the time of the follow: RFC 3339, or Unix seconds or milliseconds."),
    ] = None,
    reverse: Annotated[
        bool,
        typer.Option(
            "--reverse",
            help="Follows: a line a, b says that b follows (or shares) a: who is followed comes first.",
        ),
    ] = False,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="Follows: the first line is data, not column names.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import what you know into the graph, from a file or a folder. Importing it again changes nothing.

    A line `a b` of follows says that [bold]a follows b[/]; turn it round with --reverse. Other kinds (accounts,
    interactions, posts, brand relations, customer lists ...) have columns with names: see [bold]entourage schema[/].
    Lines that cannot be used are left out, counted, and written with their number and the reason to a report; the
    exit code is then 10.

    The first large file of follows of an empty embedded store goes through Neo4j's bulk importer, which is ten times as
    fast; Neo4j stands still meanwhile, and a service that runs takes deliveries in.

    Examples:

      entourage import follows.csv --network mastodon --time followed_at

      entourage import congress.edgelist --network twitter --reverse --weight weight

      entourage import people.csv --kind accounts --network mastodon --column handle=Username

      entourage import customers.csv --kind crm --network mastodon --set brand=aubade --set relation=customer --check

      entourage import network.graphml --network twitter --check

      entourage import following_accounts.csv --list mastodon_following --account lea@mastodon.social

      entourage import exported-folder
    """
    from service.flows.import_options import ImportOptions, file_to_import
    from service.flows.importing import import_file, import_folder, import_parts
    from service.flows.several_kinds import parts_of_file
    from service.flows.store import open_store

    config = settings()
    reports = config.data_dir / "imports"
    most_expanded = config.import_max_expanded_mb << 20
    options = ImportOptions(
        kind=kind, network=network, keys=keys, format=file_format, column=tuple(columns or ()),
        set=tuple(values or ()), as_of=as_of, follower=follower, followee=followee, weight=weight, time=time,
        reverse=reverse, no_header=no_header, list=list_name, account=account,
    )  # fmt: skip
    parts = parts_of_file(path, options, most_expanded)
    file = None if parts else file_to_import(path, options)
    report: ImportReport | FolderReport
    source = store_source(config)
    whole = loaded_as_a_whole(config, source)
    with console.shown_progress(quiet=as_json) as progress, open_store(source, progress) as address:
        if parts is not None:
            report = import_parts(address, parts, reports, progress, check=check, most_expanded=most_expanded, **whole)
            summary = console.folder_summary(report)
        elif file is None:
            report = import_folder(address, path, reports, progress, check=check, most_expanded=most_expanded, **whole)
            summary = console.folder_summary(report)
        else:
            report = import_file(address, file, reports, progress, check=check, most_expanded=most_expanded, **whole)
            summary = console.import_summary(report)
    show_import(report, summary, as_json=as_json)


def loaded_as_a_whole(config: Settings, source: StoreSource) -> dict[str, Any]:
    """What imports need so that a large first load of the embedded store goes through Neo4j's bulk importer."""
    return {"embedded": source, "graphs": config.data_dir / "graphs"} if isinstance(source, EmbeddedConfig) else {}


def show_import(report: ImportReport | FolderReport, summary: str, *, as_json: bool) -> None:
    """Print what an import did, and end with the exit code of rejected lines where there are any."""
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        console.out.print(summary)
    if report.rejected:
        raise typer.Exit(EXIT_LINES_REJECTED)


@app.command("import-neo4j")
def import_neo4j(
    mapping: Annotated[
        Path,
        typer.Argument(help="A TOML file: where the graph is, and what its labels and relationships are here."),
    ],
    check: Annotated[bool, typer.Option("--check", help="Write nothing; only say what an import would do.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import from a Neo4j graph with labels of its own, which is only read. Importing it again changes nothing.

    The mapping names address, user and database of the other graph, the environment variable that holds the password,
    and for each kind of lines a label, a relationship type or a Cypher statement with the fields that are read.
    docs/importing.md explains it. Rows that cannot be used are left out and reported; the exit code is then 10.

    Examples:

      entourage import-neo4j mapping.toml --check

      entourage import-neo4j mapping.toml
    """
    import os

    from service.flows.importing import import_parts
    from service.flows.other_graphs import parts_of_graph
    from service.flows.store import open_store

    config = settings()
    source = store_source(config)
    whole = loaded_as_a_whole(config, source)
    with (
        console.shown_progress(quiet=as_json) as progress,
        open_store(source, progress) as address,  # first: reading the other graph may take long
        parts_of_graph(mapping, os.environ, progress) as parts,
    ):
        report = import_parts(address, parts, config.data_dir / "imports", progress, check=check, **whole)
    show_import(report, console.folder_summary(report), as_json=as_json)


@app.command("export")
def export_(
    path: Annotated[
        Path,
        typer.Argument(help="Where to: a folder, not there yet or empty; or a file that ends in .graphml or .gexf."),
    ],
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="Of a folder ndjson (if not said), csv or parquet; of a file graphml or gexf."),
    ] = None,
    results: Annotated[
        bool, typer.Option("--results", help="What a run found, as tables in a folder, instead of what people brought.")
    ] = False,
    run: Annotated[
        str | None,
        typer.Option(help="With a network file or --results: the run that found it; the current one if not said."),
    ] = None,
    community: Annotated[
        str | None,
        typer.Option(help="With a network file: only members of the community of this id, and follows among them."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With a network file: replace one that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the graph into files: everything people brought, a network with results, or tables of results.

    A folder holds everything people brought, as `entourage import` reads it: imported into an empty graph it gives the
    same graph. What analyses found is not in it: analyse again, or write it with --results.

    A network file (GraphML or GEXF, for Gephi, Cytoscape, igraph or networkx) holds accounts, follows, and what a run
    found of each account; GEXF also says where and in which colour accounts are drawn. Accounts that opted out are in
    it without results. Files can be read by you only; they hold personal data.

    Examples:

      entourage export exported

      entourage export exported --format parquet

      entourage export network.gexf

      entourage export jazz.graphml --community cjqmnpx266o

      entourage export results --results --format parquet
    """
    from service.flows.export_options import ExportOptions
    from service.flows.exporting import export_folder
    from service.flows.network_export import export_network
    from service.flows.results_export import export_results
    from service.flows.store import open_store

    options = ExportOptions(path, file_format, results=results, run=run, community=community, force=force)
    network, table_format = options.formats()
    report: ExportReport | NetworkReport | ResultsReport
    with console.shown_progress(quiet=as_json) as progress, open_store(store_source(settings()), progress) as address:
        if network is not None:
            report = export_network(address, path, network, run, community, progress, force=force)
            summary = console.network_summary(report)
        elif results:
            report = export_results(address, path, table_format, run, progress)
            summary = console.results_summary(report)
        else:
            report = export_folder(address, path, table_format, progress)
            summary = console.export_summary(report)
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        console.out.print(summary)


@app.command("account-data")
def account_data(
    key: Annotated[str, typer.Argument(help="Key of the account, network:id.")],
    out: Annotated[Path | None, typer.Option(help="File to write it to; standard output if not said.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write everything that is known about one account as one JSON document, for an access request.

    What people brought is in the words of the import; what analyses found and published about it, and what the
    journal of this machine still holds, is in it, too. It names other people where they have ties to the account:
    whoever passes it on decides about their data, too. The document is whole where its last member, complete, is there;
    a file appears only when it is.
    """
    from service.flows.access_request import account_data as data_of
    from service.flows.access_request import write_account_data
    from service.flows.store import open_store

    config = settings()
    with (
        console.shown_progress(quiet=as_json or out is None) as progress,
        open_store(store_source(config), progress) as address,
    ):
        if out is None:
            for piece in data_of(address, key, journal_of(config)):
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        written = write_account_data(address, key, out, journal_of(config), progress)
    if as_json:
        print(json.dumps({"file": str(out), "bytes": written}))
    else:
        console.out.print(f"Wrote {written:,} bytes to [bold]{escape(str(out))}[/]; only you can read it.")


@app.command()
def sample(
    out: Annotated[Path, typer.Option(help="Folder to write; an earlier sample in it is replaced, nothing else.")],
    follows: Annotated[int, typer.Option(help="How many follows, up to 10 million.")] = 12_500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and size, the same bytes.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Write a synthetic graph of invented people as a folder that `entourage import` reads.

    It has communities, popularity, interactions, posts in French and English, three brands with their people,
    opted-out accounts, bought followers and trends. What was planted is in its folder truth, which is not imported.

    Example: entourage sample --follows 100000 --out sample && entourage import sample
    """
    from service.sample_files import write_sample

    with console.shown_progress(quiet=as_json) as progress:
        folder = write_sample(out, follows, seed, progress)
    if as_json:
        print(TypeAdapter(dict[str, Any]).dump_json({"folder": str(folder), "synthetic": True}).decode())
    else:
        console.out.print(
            f"Wrote a synthetic graph (nobody in it exists) to [bold]{escape(str(folder))}[/]; "
            f"import it with: entourage import {escape(str(folder))}"
        )


@app.command()
def schema(
    kind: Annotated[str | None, typer.Argument(help="One kind of lines; without it, all kinds are listed.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON Schema.")] = False,
) -> None:
    """Say which kinds of lines can be imported, and which fields each has."""
    import json

    from service.files.schemas import SCHEMAS
    from service.flows.importing import line_schemas

    if kind is not None and kind not in SCHEMAS:
        raise BadInput(f"There is no kind of lines {kind[:80]!r}; choose one of {', '.join(SCHEMAS)}.")
    chosen = list(SCHEMAS.values()) if kind is None else [SCHEMAS[kind]]
    if as_json:
        schemas = line_schemas()
        print(json.dumps(schemas if kind is None else schemas[kind], indent=2, ensure_ascii=False))
    elif kind is None:
        console.out.print(console.kinds_table(chosen))
    else:
        console.out.print(console.schema_table(chosen[0]))


@app.command()
def lists(
    name: Annotated[str | None, typer.Argument(help="One of them: its mapping file is printed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say which lists of platforms `import --list` reads, and how: by small mapping files, after which to write one.

    Example: entourage lists mastodon_following > mine.toml && entourage import a.csv --list mine.toml --account lea
    """
    from service.files.list_mapping import FOLDER, list_mapping, shipped_lists

    if name is not None:
        list_mapping(name, None)
    if as_json:
        chosen = {one: mapping for one, mapping in shipped_lists().items() if name in (None, one)}
        print(json.dumps({one: mapping.model_dump() for one, mapping in chosen.items()}, indent=2, ensure_ascii=False))
    elif name is not None:
        print((FOLDER / f"{name}.toml").read_text(encoding="utf-8"), end="")
    else:
        console.out.print(console.lists_table(shipped_lists()))


Rules = Annotated[Path | None, typer.Option(help="JSON file with cut-offs and weights to use instead of the defaults.")]


@app.command()
def analyze(
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random: the same seed, the same answer.")] = 42,
    engine: Annotated[
        str, typer.Option(help="auto, fast (compiled kernels), reference (networkx, python-louvain).")
    ] = "auto",
    rules: Rules = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(help="Write this measure of accounts to the graph; may be given several times, see `measures`."),
    ] = None,
    brand: Annotated[str | None, typer.Option(help="Key of the brand of the measure brand_pagerank.")] = None,
    start: Annotated[
        str,
        typer.Option(
            help="Id of the run whose communities to start from, so that they keep their ids; auto: the published one; "
            "cold: none."
        ),
    ] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how much memory and time it would take, roughly.")
    ] = False,
    publish: Annotated[
        bool, typer.Option("--publish/--no-publish", help="Make this the run that everybody reads.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Find communities, measure influence in each, and publish ambassador candidates.

    An analysis is a function of the graph and of what is asked: asked again of an unchanged graph, the run
    that is already published is returned. While it works, readers see the previous run. It starts from the
    communities of the published run, so that a small change of the graph changes little.
    """
    from service.flows.estimates import estimate_run
    from service.flows.runs import analyze as analyze_flow
    from service.flows.store import open_store

    config = settings()
    spec = run_spec(seed, engine, rules, measure, brand, start)
    if dry_run:
        with open_store(store_source(config)) as address:
            estimated = estimate_run(address, spec, config.run_memory_mb)
        if as_json:
            print(estimated.model_dump_json(indent=2))
        else:
            console.out.print(console.estimate_table(estimated))
        return
    with console.shown_progress(quiet=as_json) as progress, open_store(store_source(config), progress) as address:
        run, created = analyze_flow(address, spec, publish, progress, config.run_timeout_s)
    if as_json:
        print(run.model_dump_json(indent=2))
    else:
        console.out.print(console.run_summary(run, created=created))


Share = Annotated[
    float, typer.Option(help="Share of the days with interactions that are before the cut; without --cut.")
]
First = Annotated[
    list[int] | None, typer.Option(min=1, help="How many from the top count; 10 and 20 if not said. Repeatable.")
]
Undated = Annotated[
    bool,
    typer.Option("--keep-undated", help="Take follows without a time for older than the cut; not left out."),
]


@app.command()
def backtest(
    cut: Annotated[str | None, typer.Option(help="First day of the time afterwards, e.g. 2026-05-01.")] = None,
    share: Share = 0.7,
    horizon: Annotated[int | None, typer.Option(min=1, help="Days afterwards to look at; all if not said.")] = None,
    first: First = None,
    objective: Annotated[str | None, typer.Option(help="Use the weights of this objective's recipe.")] = None,
    rules: Rules = None,
    keep_undated: Undated = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 42,
    chart: Annotated[Path | None, typer.Option(help="Also draw the figures into this file, as SVG.")] = None,
    lang: Lang = "en",
    as_json: AsJson = False,
) -> None:
    """Would the score have said who is responded to? Cut the past at a day, score before it, measure after it.

    Within each respectable community, members are ranked by the ambassador score, by its parts, and by what is simple
    to count: followers, ties, PageRank, interactions so far, and chance. What each of them receives from the community
    after the cut says how well each ranking did. Nothing is published, and nobody's candidates change.

    Examples:

      entourage backtest --share 0.8 --chart backtest.svg

      entourage backtest --cut 2026-05-01 --horizon 30 --objective targeted --first 20
    """
    from service.flows.backtest import run_of_backtest
    from service.flows.backtest_chart import chart as draw
    from service.flows.requests import read_report
    from service.flows.runs import analyze as analyze_flow
    from service.flows.store import open_store

    config = settings()
    spec = backtest_spec(cut, share, horizon, first, objective, rules, keep_undated, seed)
    with console.shown_progress(quiet=as_json) as progress, open_store(store_source(config), progress) as address:
        run, _ = analyze_flow(address, run_of_backtest(spec), False, progress, config.run_timeout_s, spec)
        report = asyncio.run(read_report(address, run.id))
    if chart is not None:
        write_text(chart, draw(report, "engagement", "ndcg", None, lang))
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        console.out.print(console.backtest_report(report, lang))


@app.command()
def calibrate(
    outcome: Annotated[
        str,
        typer.Option(help="What to fit to: engagement (interactions received) or responders (new ones)."),
    ] = "engagement",
    first: First = None,
    objective: Annotated[str | None, typer.Option(help="Begin with the weights of this objective's recipe.")] = None,
    rules: Rules = None,
    keep_undated: Undated = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 42,
    lang: Lang = "en",
    as_json: AsJson = False,
) -> None:
    """Fit the weights of the score to what happened here, and keep them only where a later time agrees.

    Weights are fitted on two earlier windows of your own data and compared with the documented ones on a later window
    that had no say. They are never used by themselves: the command says how to ask with them.

    Examples:

      entourage calibrate

      entourage calibrate --objective targeted --outcome responders
    """
    from service.flows.calibrate import read_and_calibrate
    from service.flows.store import open_store

    config = settings()
    if outcome not in OUTCOMES:
        raise BadInput(f"There is no outcome {outcome[:80]!r}; there are {' and '.join(OUTCOMES)}.")
    spec = backtest_spec(None, 0.7, None, first, objective, rules, keep_undated, seed)
    if spec.lenses:
        raise BadInput(f"Weights of parts are fitted, and objective {objective} weighs lenses, too; name another one.")
    with console.shown_progress(quiet=as_json) as progress, open_store(store_source(config), progress) as address:
        kept = config.data_dir / "graphs"
        found = read_and_calibrate(address, kept, spec, outcome, objective, progress, config.run_memory_mb)
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        console.out.print(console.calibration(found, lang))


def backtest_spec(
    cut: str | None,
    share: float,
    horizon: int | None,
    first: list[int] | None,
    objective: str | None,
    rules: Path | None,
    keep_undated: bool,
    seed: int,
) -> BacktestSpec:
    """Make the specification of a back-test from what was typed.

    Raises:
        BadInput: a value is not of the schema, or the rules file cannot be read; each field is named.
    """
    from service.flows.recipes import recipe_of, weighed_by

    used = run_spec(seed, "auto", rules).rules
    given: dict[str, Any] = {"cut": cut, "share": share, "horizon_days": horizon, "seed": seed, "rules": used}
    if first:
        given["first"] = first
    if keep_undated:
        given["undated_follows"] = "keep"
    try:
        spec = BacktestSpec.model_validate(given)
    except ValidationError as error:
        raise BadInput(f"This back-test cannot be asked for: {named(error)}.") from error
    return spec if objective is None else weighed_by(recipe_of(objective), spec)


def write_text(path: Path, text: str) -> None:
    """Write a file that was named on the command line.

    Raises:
        BadInput: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from error


def named(error: ValidationError) -> str:
    """Say what is wrong with each field."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}"
        for item in error.errors(include_url=False)
    )


@app.command("measures")
def list_measures(as_json: AsJson = False) -> None:
    """List the measures of accounts over the whole network that an analysis can write to the graph."""
    from service.flows.measures import MeasureInfo, measures

    listed = measures()
    if as_json:
        print(TypeAdapter(list[MeasureInfo]).dump_json(listed, indent=2).decode())
    else:
        console.out.print(console.measures_table(listed))


def run_spec(
    seed: int,
    engine: str,
    rules: Path | None,
    measures: list[str] | None = None,
    brand: str | None = None,
    start: str = "auto",
) -> RunSpec:
    """Make the specification of a run from what was typed.

    Raises:
        BadInput: a value is not of the schema, or the rules file cannot be read; each field is named.
    """
    given: dict[str, Any] = {"seed": seed, "engine": engine, "brand": brand, "start": start}
    if measures:
        given["measures"] = measures
    try:
        if rules is not None:
            given["rules"] = ScoringRules.model_validate_json(rules.read_bytes())
        return RunSpec.model_validate(given)
    except OSError as error:
        raise UnreadableFile(f"The rules file {rules} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise BadInput(f"This run cannot be asked for: {named(error)}.") from error


@app.command()
def communities(
    run: Annotated[str | None, typer.Option(help="A kept run's id; the current run when not said.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, largest first.")] = 20,
    level: Annotated[
        int, typer.Option("--level", min=0, help="From 1 on: groups of communities that belong together.")
    ] = 0,
    defined: Annotated[bool, typer.Option("--defined", help="Those that people defined.")] = False,
    brief: Annotated[
        str | None, typer.Option(help="A text, or some words: those whose members write about it come first.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the communities of the current run, largest first; with --level, groups of them.

    With --brief, those that fit it best come first, and how many of their members say any of it.
    """
    from service.flows.asking import usable_brief
    from service.flows.published import read_communities, read_groups
    from service.flows.store import open_store

    with open_store(store_source(settings()), migrated=False) as address:
        if level and brief is not None:
            raise typer.BadParameter("--brief is about communities, not about groups of them; leave out --level.")
        if level:
            groups = asyncio.run(read_groups(address, level, run))
            total, table = len(groups), console.groups_table(groups[:limit])
            document = TypeAdapter(list[CommunityGroup]).dump_json(groups[:limit], indent=2)
        else:
            asked = None if brief is None else usable_brief(brief)
            listed = asyncio.run(read_communities(address, run, defined=defined, brief=asked))
            total, table = len(listed), console.communities_table(listed[:limit])
            document = TypeAdapter(list[SerializeAsAny[Community]]).dump_json([*listed[:limit]], indent=2)
    if as_json:
        print(document.decode())
        return
    console.out.print(table)
    if level and not total:
        console.note(f"There is no level {level}: no coarser resolution of the run brings more communities together.")
    if total > limit:
        console.note(f"{total - limit} more; --limit shows them.")


RunId = Annotated[str | None, typer.Option("--run", help="A kept run's id; the current run when not said.")]


@app.command()
def ambassadors(
    community: Annotated[
        str | None, typer.Argument(help="A community's id; without it, the largest respectable communities.")
    ] = None,
    run: RunId = None,
    brand: Annotated[
        str | None,
        typer.Option(
            help="A brand's key. With a community: affinity to it counts. Without: candidates of all communities that "
            "are something to this brand."
        ),
    ] = None,
    objective: Annotated[
        str | None, typer.Option(help="What a campaign wants: `entourage recipes` lists objectives and says why.")
    ] = None,
    topic: Annotated[str | None, typer.Option(help="A topic: relevance to it counts.")] = None,
    brief: Annotated[
        str | None,
        typer.Option(help="What is looked for, as a text in English or French, or some words: relevance to it counts."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Weights of parts that sum to 1, e.g. authority:0.4,trust:0.6; lenses are extra parts, e.g. "
            "trust:0.7,lens.context:0.3."
        ),
    ] = None,
    track: Annotated[Track | None, typer.Option(help="Only candidates of this track.")] = None,
    role: Annotated[RoleName | None, typer.Option(help="Only those with this role.")] = None,
    size_band: Annotated[SizeBand | None, typer.Option(help="Only those with an audience of this size.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Candidates shown for each community, or kind.")] = 5,
    most: Annotated[int, typer.Option(min=1, help="Communities shown when none is named.")] = 5,
    include_not_respectable: Annotated[
        bool,
        typer.Option("--include-not-respectable", help="Also of communities that fail a test of respectability."),
    ] = False,
    lang: Lang = "en",
    as_json: AsJson = False,
) -> None:
    """Print the ambassador candidates of a community, best first, each with its strongest reasons.

    With --brand and no community, print those who are something to a brand today: its employees and collaborators, and
    its customers and users. --json gives every part of every score with the ties, topics, relations and mentions in the
    graph that it rests on; [bold]entourage explain[/] shows one of them.

    Examples:

      entourage ambassadors cjqmnpx266o --objective targeted --topic jazz

      entourage ambassadors cjqmnpx266o --brief "A sourdough kit for home bakers who care for slow food"

      entourage ambassadors --brand velora --track customers_users

      entourage ambassadors cjqmnpx266o --role networker --lang fr
    """
    from service.flows.asking import asked_question, read_ambassadors, read_brand_candidates
    from service.flows.store import open_store

    of_brand = brand is not None and community is None
    if of_brand and include_not_respectable:
        raise typer.BadParameter("--brand is about all respectable communities; name a community with it.")
    question = asked_question(brand, objective, topic, weights, track, role, size_band, brief=brief, of_brand=of_brand)
    with open_store(store_source(settings()), migrated=False) as address:
        if of_brand and brand is not None:
            found_of_brand = asyncio.run(read_brand_candidates(address, brand, run, question))
            print_brand_candidates(found_of_brand, track, limit, lang, as_json=as_json)
            return
        answers = asyncio.run(
            read_ambassadors(address, community, question, run, include=include_not_respectable, most=most, limit=limit)
        )
    if as_json:
        shown = [CommunityCandidates(community=one, candidates=tuple(found)) for one, found, _ in answers]
        print(TypeAdapter(list[CommunityCandidates]).dump_json(shown, indent=2).decode())
        return
    if question.recipe is not None:
        console.out.print(f"[bold]{getattr(question.recipe.title, lang)}[/]: {getattr(question.recipe.why, lang)}\n")
    for one, found, why in answers:
        show_candidates(one, found, lang, why)


@app.command()
def influencers(
    community: Annotated[str, typer.Argument(help="A community's id.")],
    run: RunId = None,
    limit: Annotated[int, typer.Option(min=1, help="Influencers shown of each kind.")] = 10,
    lang: Lang = "en",
    as_json: AsJson = False,
) -> None:
    """Print the influencers of a community, macro and micro apart: by audience, and by score."""
    from service.flows.asking import read_influencers
    from service.flows.store import open_store

    with open_store(store_source(settings()), migrated=False) as address:
        one, macros, micros = asyncio.run(read_influencers(address, community, run, limit))
    if as_json:
        print(
            TypeAdapter(dict[str, list[Candidate]]).dump_json({"macros": macros, "micros": micros}, indent=2).decode()
        )
        return
    console.out.print(console.community_title(one))
    for title, found in (("Macro-influencers", macros), ("Micro-influencers", micros)):
        console.out.print(f"[bold]{title}[/]" if found else f"[bold]{title}[/]: [dim]none[/]")
        if found:
            console.out.print(console.candidates_table(found, lang))


@app.command()
def explain(
    key: Annotated[str, typer.Argument(help="The account's key, network:id.")],
    community: Annotated[str, typer.Option("--community", help="A community's id, of which the account is a member.")],
    run: RunId = None,
    lang: Lang = "en",
    as_json: AsJson = False,
) -> None:
    """Explain one account in one community: parts of its score, who is next to it, and what it rests on."""
    from service.flows.asking import read_explanation
    from service.flows.store import open_store

    with open_store(store_source(settings()), migrated=False) as address:
        one, found = asyncio.run(read_explanation(address, key, community, run))
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        console.out.print(console.explanation(found, one, lang))


@app.command()
def community(
    community: Annotated[str, typer.Argument(help="A community's id.")],
    run: RunId = None,
    limit: Annotated[int, typer.Option(min=1, help="Candidates and macro-influencers shown.")] = 5,
    lang: Lang = "en",
    as_json: AsJson = False,
) -> None:
    """Show one community: name, size, how sure it is, what it cares for, whom gates keep out, who is first in it."""
    from service.flows.asking import read_influencers
    from service.flows.store import open_store

    with open_store(store_source(settings()), migrated=False) as address:
        one, macros, micros = asyncio.run(read_influencers(address, community, run, limit))
    if as_json:
        found = {"community": one, "macros": macros, "micros": micros}
        print(TypeAdapter(dict[str, Any]).dump_json(found, indent=2).decode())
        return
    console.out.print(console.community_card(one))
    for title, listed in (("Ambassador candidates", micros), ("Macro-influencers", macros)):
        if listed:
            console.out.print(f"\n[bold]{title}[/]")
            console.out.print(console.candidates_table(listed, lang))


@app.command()
def account(
    key: Annotated[str, typer.Argument(help="The account's key, network:id.")],
    run: RunId = None,
    lang: Lang = "en",
    as_json: AsJson = False,
) -> None:
    """Show one account: who it is, where it stands in its communities and why, and what every lens says of it.

    [bold]entourage explain KEY --community ID[/] takes its score in one community apart.
    """
    from service.flows.account_card import read_account_card
    from service.flows.store import open_store

    with open_store(store_source(settings()), migrated=False) as address:
        read, found = asyncio.run(read_account_card(address, key, run))
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        console.out.print(console.account_card(found, read, lang))


@app.command()
def scorecard(
    key: Annotated[str, typer.Argument(help="The account's key, network:id.")],
    run: RunId = None,
    as_json: AsJson = False,
) -> None:
    """Show what every lens says of one account, what its values are made of, and how they changed.

    A lens is a known measure of influence, done again: social capital (Klout), standing (Kred) and others. Each value
    is the sum of its parts; where there is none, the reason is said.
    """
    from service.flows.lenses import read_scorecard
    from service.flows.store import open_store

    with open_store(store_source(settings()), migrated=False) as address:
        read, found = asyncio.run(read_scorecard(address, key, run))
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        console.out.print(console.scorecard(found, read))


@app.command()
def query(
    name: Annotated[str | None, typer.Argument(help="Name of the query; without it all of them are listed.")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="A parameter as NAME=VALUE; may be said several times.")
    ] = None,
    form: Annotated[
        Literal["table", "csv", "json", "browser"],
        typer.Option("--format", help="How to write rows; browser: the statement for Neo4j Browser, not asked."),
    ] = "table",
    about: Annotated[
        bool, typer.Option("--about", help="Say what a query takes and gives, with its statement, without asking it.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of standard output.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds after which Neo4j ends the query.")] = 60,
) -> None:
    """Ask the graph a question of the query library.

    Each query is a Cypher statement in [bold]cypher/explore[/], with its question, parameters and columns. It only
    reads. Lists are written with commas: --param keys=a:1,a:2.

    Examples:

      entourage query

      entourage query communities --format csv --out communities.csv

      entourage query why_candidate --about
    """
    from service.flows import explore
    from service.flows.store import open_store

    if name is None:
        console.out.print(console.queries_table(explore.explore_queries()))
        return
    found = explore.find_query(name)
    if about:
        console.out.print(console.query_card(found, explore.example_command(found)))
        return
    parameters = explore.read_parameters(found, param or [])
    if form == "browser":
        text = explore.for_browser(found, parameters) + "\n"
    else:
        with open_store(store_source(settings()), migrated=False) as address:
            answer = explore.ask(address, found, parameters, timeout)
        if form == "table" and out is None:
            console.out.print(console.rows_table([one.name for one in found.columns], answer.rows))
            console.note(f"{len(answer.rows):,} {'row' if len(answer.rows) == 1 else 'rows'}.")
            return
        text = answer.to_json() + "\n" if form == "json" else answer.to_csv()
    if out is None:
        print(text, end="")
    else:
        write_text(out, text)
        console.note(f"Wrote {out}.")


@app.command()
def recipes(lang: Lang = "en", as_json: AsJson = False) -> None:
    """List objectives: which type of influencer each asks for, by which mix of parts, why, and why not the others."""
    from service.flows.recipes import recipes as all_recipes

    listed = list(all_recipes().values())
    if as_json:
        print(TypeAdapter(list[Recipe]).dump_json(listed, indent=2).decode())
    else:
        console.out.print(console.recipes_table(listed, lang))


@app.command()
def define(
    name: Annotated[str, typer.Argument(help="What to call the community.")],
    accounts: Annotated[
        Path | None, typer.Option(help="A file with the key of an account (network:id) a line; - reads standard input.")
    ] = None,
    topic: Annotated[str | None, typer.Option(help="All who wrote or shared a post about this topic.")] = None,
    brand: Annotated[str | None, typer.Option(help="All who follow or engage with the accounts of this brand.")] = None,
) -> None:
    """Define a community yourself: by accounts, a topic, or a brand. Every later analysis scores it, too.

    Analyse afterwards to have it scored; [bold]entourage communities --defined[/] lists such communities, and
    [bold]entourage forget[/] ends it.
    """
    from service.flows.definitions import define_at
    from service.flows.store import open_store

    keys = None if accounts is None else tuple(lines_of(accounts))
    try:
        definition = Definition(name=name, accounts=keys, topic=topic, brand=brand)
    except ValidationError as error:
        raise BadInput("; ".join(one["msg"] for one in error.errors(include_url=False)) + ".") from None
    with open_store(store_source(settings())) as address:
        created = asyncio.run(define_at(address, definition))
    done = "defined" if created else "there already; it has this name now"
    console.out.print(f"Community [bold]{definition.id}[/] ({escape(name)}) is {done}. `entourage analyze` scores it.")


def lines_of(path: Path) -> list[str]:
    """Lines of a text file that are not empty; `-` is standard input.

    Raises:
        UnreadableFile: there is no such file, or it is no text.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"{path} cannot be read ({error}); give a text file with one key a line.") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


@app.command()
def forget(community: Annotated[str, typer.Argument(help="Id of a community that was defined.")]) -> None:
    """Forget a community that you defined: later analyses do not score it. Its definition is printed, to undo that."""
    from service.flows.definitions import forget_at
    from service.flows.store import open_store

    with open_store(store_source(settings()), migrated=False) as address:
        definition = asyncio.run(forget_at(address, community))
    console.out.print(f"Community {community} is forgotten. It was defined as:")
    print(definition.model_dump_json(exclude_none=True, indent=2))


@app.command()
def name(
    community: Annotated[str, typer.Argument(help="Id of a community.")],
    called: Annotated[str | None, typer.Argument(metavar="NAME", help="What to call it; without it, show it.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take its name away.")] = False,
    as_json: AsJson = False,
) -> None:
    """Name a community. The name stays with it from run to run, for everybody.

    After a split, or when others merged into it, you are asked whether the name is right: give it again to confirm it.
    """
    from service.flows.lineage import history_at, name_at
    from service.flows.store import open_store

    if remove and called is not None:
        raise typer.BadParameter("Give a name, or --remove, not both.")
    if called is not None and not 0 < len(called.strip()) <= 200:
        raise typer.BadParameter("A name has 1 to 200 characters.")
    with open_store(store_source(settings()), migrated=False) as address:
        if called is None and not remove:
            found = asyncio.run(history_at(address, community)).name
        else:
            found = asyncio.run(name_at(address, community, None if remove else (called or "").strip()))
    if as_json:
        print("null" if found is None else found.model_dump_json(indent=2))
    else:
        console.out.print(console.name_line(community, found))


@app.command()
def lineage(
    community: Annotated[str, typer.Argument(help="Id of a community.")],
    limit: Annotated[int, typer.Option(min=1, help="How many runs, the latest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The history of a community over published runs: born, continued, merged, split, ended."""
    from service.flows.lineage import history_at
    from service.flows.store import open_store

    with open_store(store_source(settings()), migrated=False) as address:
        found = asyncio.run(history_at(address, community))
    if as_json:
        print(found.model_copy(update={"steps": found.steps[:limit]}).model_dump_json(indent=2))
        return
    console.out.print(console.name_line(community, found.name))
    console.out.print(console.lineage_table(found.steps[:limit]))
    if found.ended is not None:
        console.note(console.end_line(found.ended))
    if len(found.steps) > limit:
        console.note(f"{len(found.steps) - limit} earlier runs; --limit shows them.")


def print_brand_candidates(
    found: BrandCandidates, track: Track | None, limit: int, lang: console.Language, *, as_json: bool
) -> None:
    """Print what was found for a brand, of one kind or both."""
    chosen = tuple(one for one in found.tracks if track in (None, one.track))
    if as_json:
        cut = tuple(one.model_copy(update={"candidates": one.candidates[:limit]}) for one in chosen)
        print(found.model_copy(update={"tracks": cut}).model_dump_json(indent=2))
    else:
        show_brand_candidates(found.model_copy(update={"tracks": chosen}), limit, lang)


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; loopback only where the API asks for no keys.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Serve the HTTP API, take in events, and work off requested runs, until Ctrl-C.

    Starts and watches the processes of the service: the embedded Neo4j (unless ENTOURAGE_NEO4J_URI names a
    server), the API, the writer that puts what sources push into the graph, and the engine that runs each analysis in
    a process of its own. While a server of your own does not answer, deliveries are taken in and wait for it.
    """
    from service.flows.store import open_store

    config = settings()
    config = config.model_copy(
        update={name: value for name, value in (("host", host), ("port", port)) if value is not None}
    )
    source = store_source(config)
    with ExitStack() as stack:
        migrated = True
        with console.shown_progress() as progress:
            try:
                address = stack.enter_context(open_store(source, progress))
            except StoreUnavailable:
                if isinstance(source, EmbeddedConfig):
                    raise
                address, migrated = source, False
        serve_until_stopped(config, source, address, config.port, journal_of(config), migrated=migrated)


@app.command()
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be applied.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the schema of the graph up to date."""
    from service.flows.store import migrate_store

    with console.shown_progress(quiet=as_json) as progress:
        report = migrate_store(store_source(settings()), progress, dry_run=dry_run)
    if as_json:
        print(TypeAdapter(type(report)).dump_json(report, indent=2).decode())
    else:
        console.out.print(console.migration_summary(report, dry_run=dry_run))


@app.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing; only count what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first; needed where nobody can be asked.")] = False,
    as_of: Annotated[
        str | None,
        typer.Option(help="Count ages from this time instead of now: to rehearse, mostly with --dry-run."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Remove posts, interactions, unfollows and old analyses that are older than settings say they are kept.

    ENTOURAGE_KEEP_POSTS_DAYS, ENTOURAGE_KEEP_INTERACTIONS_DAYS, ENTOURAGE_KEEP_UNFOLLOWS_DAYS and
    ENTOURAGE_KEEP_RUNS_DAYS say for how many days; what is not said is kept for ever. What is removed does not come
    back, so look first with --dry-run. A service does this by itself once a day. It can be stopped at any moment, and
    done again.
    """
    from service.flows.import_options import moment
    from service.flows.retention import PruneReport
    from service.flows.retention import prune as prune_graph
    from service.flows.store import open_store

    config = settings()
    retention = retention_of(config)
    if as_of is None:
        now = datetime.now(UTC)
    else:
        try:
            now = moment_of(moment("--as-of", as_of))
            retention.cutoffs(now)
        except (ValueError, OverflowError):
            raise BadInput("--as-of: this time is too far away to count days from.") from None
    if not retention.anything:
        if as_json:
            print(PruneReport(as_of=now, dry_run=dry_run, kinds=(), seconds=0.0).model_dump_json(indent=2))
        else:
            console.out.print(
                "Everything is kept for ever: nothing was removed. Set ENTOURAGE_KEEP_POSTS_DAYS, "
                "ENTOURAGE_KEEP_INTERACTIONS_DAYS, ENTOURAGE_KEEP_UNFOLLOWS_DAYS or ENTOURAGE_KEEP_RUNS_DAYS to a "
                "number of days."
            )
        return
    asking = not dry_run and not yes
    if asking and (as_json or not sys.stdin.isatty()):
        raise BadInput("What is removed does not come back: look with --dry-run, then say --yes.")
    with ExitStack() as stack:
        with console.shown_progress(quiet=as_json) as progress:
            address = stack.enter_context(open_store(store_source(config), progress))
        if asking:
            console.out.print(console.prune_summary(prune_graph(address, retention, now, no_progress, dry_run=True)))
            if not typer.confirm("Remove all of it? It does not come back."):
                console.out.print("Nothing was removed.")
                return
        with console.shown_progress(quiet=as_json) as progress:
            report = prune_graph(address, retention, now, progress, dry_run=dry_run)
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        console.out.print(console.prune_summary(report))


# --- the embedded Neo4j ---------------------------------------------------------------------------------


def own_server() -> EmbeddedConfig:
    """The embedded server of these settings."""
    source = store_source(settings())
    if not isinstance(source, EmbeddedConfig):
        raise ConfigurationError("ENTOURAGE_NEO4J_URI names a server of your own; unset it to use the embedded Neo4j.")
    return source


@store_app.command("start")
def store_start(as_json: AsJson = False) -> None:
    """Start the embedded Neo4j and leave it running, so that other commands need not start it."""
    from service.store import embedded

    config = own_server()
    with console.shown_progress(quiet=as_json) as progress:
        embedded.start(config, progress)
    store_status(as_json)


@store_app.command("stop")
def store_stop() -> None:
    """Stop the embedded Neo4j gracefully; refused while another command uses it."""
    from service.store import embedded

    stopped = embedded.stop(own_server())
    console.out.print("Neo4j is stopped." if stopped else "Neo4j was not running.")


@store_app.command("status")
def store_status(as_json: AsJson = False) -> None:
    """Say whether the embedded Neo4j runs, where, and how to open it in a Cypher shell or notebook."""
    from service.store import embedded

    status = embedded.status(own_server())
    if as_json:
        print(TypeAdapter(type(status)).dump_json(status, indent=2).decode())
    else:
        console.out.print(console.store_summary(status))


@store_app.command("analyst")
def store_analyst(
    reset: Annotated[bool, typer.Option("--reset", help="Give the user a new password.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the user.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a user of Neo4j that can only read, `analyst`; its password is printed this once.

    Neo4j Enterprise and Aura have such users. The Community edition, which the embedded Neo4j is, has not: there
    nothing is made, and docs/read-only.md says what keeps analysts from changing the graph.
    """
    from service.flows.analyst import USER, give_analyst, remove_analyst
    from service.flows.store import open_store

    if reset and remove:
        raise typer.BadParameter("Give --reset or --remove, not both.")
    with open_store(store_source(settings()), migrated=False) as address:
        if remove:
            removed = remove_analyst(address)
        else:
            password = give_analyst(address, reset=reset)
    if remove and as_json:
        print(json.dumps({"user": USER, "removed": removed}))
    elif remove:
        console.out.print(f"The user {USER} was removed." if removed else f"There was no user {USER}.")
    elif as_json:
        print(json.dumps({"user": USER, "password": password, "uri": address.uri, "database": address.database}))
    else:
        console.out.print(f"[bold]{USER}[/] can read database {address.database} at {address.uri}.")
        console.out.print("The password, shown this once:\n")
        print(password)


# --- sources and deliveries -----------------------------------------------------------------------------

SourceName = Annotated[str, typer.Argument(help="Name of the source.")]
MappingOption = Annotated[
    Path | None, typer.Option("--mapping", help="For the platform mapped: a TOML file; docs/platforms/mapping.md.")
]
SecretFile = Annotated[
    Path | None,
    typer.Option(help="A file that holds the secret which the platform gave, - to type or pipe it; else one is drawn."),
]


@sources_app.command("add")
def sources_add(
    name: Annotated[str, typer.Argument(help="What to call it: a-z, 0-9, _, . and -.")],
    network: Annotated[
        str | None,
        typer.Option(help="Where the accounts live that its events name, e.g. mastodon; without, ids are network:id."),
    ] = None,
    platform: Annotated[
        str, typer.Option(help="Whose deliveries it pushes, as they are; `entourage sources platforms` lists them.")
    ] = OWN_PLATFORM,
    mapping: MappingOption = None,
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a source, and print the secret with which it signs. It is shown this once, and kept sealed.

    What it pushes to POST /v1/webhooks/NAME are events as docs/webhooks.md describes them, or with --platform what that
    platform sends. A platform that draws the secret itself is told by --secret-file, of which nothing is printed.

    Examples:

      entourage sources add shop --network mastodon

      entourage sources add twitch --platform twitch

      entourage sources add x --platform x --secret-file consumer-secret.txt

      entourage sources add forum --platform mapped --mapping forum.toml --network forum
    """
    from service.flows.seals import sealer
    from service.flows.sources import add_source
    from service.flows.store import open_store

    config = settings()
    given, document = given_secret(secret_file), kept_mapping(mapping)
    with open_store(store_source(config)) as address:
        source, secret = add_source(
            address, journal_of(config), sealer(config.secrets_key, config.data_dir), name, network,
            platform=platform, mapping=document, secret=given,
        )  # fmt: skip
    show_secret(source, secret, as_json=as_json, given=given is not None)
    if source.platform == "mapped" and source.network is None:
        console.note("Without --network, what its mapping calls an id has to be a whole key, network:id.")
    if source.platform == "x" and given is None:
        console.note("For the webhooks of X make a source with --secret-file; this one takes its stream, forwarded.")


@sources_app.command("rotate")
def sources_rotate(
    name: SourceName,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="End the secrets before it now, as when one has leaked.")
    ] = False,
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a source a new secret. The one before stays valid until the next rotation."""
    from service.flows.seals import sealer
    from service.flows.sources import rotate_source
    from service.flows.store import open_store

    config = settings()
    given = given_secret(secret_file)
    with open_store(store_source(config)) as address:
        source, secret = rotate_source(
            address, journal_of(config), sealer(config.secrets_key, config.data_dir), name, at_once=at_once,
            secret=given,
        )  # fmt: skip
    show_secret(source, secret, as_json=as_json, given=given is not None)


@sources_app.command("platforms")
def sources_platforms(as_json: AsJson = False) -> None:
    """List the platforms whose deliveries are read as they are, and what of each."""
    from service.flows.reading import platforms

    found = platforms()
    if as_json:
        shown = [{name: getattr(one, name) for name in ("name", "about", "network", "gives_secret")} for one in found]
        print(json.dumps(shown, indent=2))
        return
    console.out.print(console.platforms_table(found))
    console.note("docs/platforms.md leads to a page for each, with what to set up there.")


@sources_app.command("map")
def sources_map(
    name: SourceName,
    mapping: Annotated[Path, typer.Argument(help="The mapping, a TOML file; docs/platforms/mapping.md explains it.")],
) -> None:
    """Let a source of the platform mapped be read by another mapping.

    What was taken in before is read as it was; dead letters that are replayed are read by the new one.
    """
    from service.flows.sources import map_source
    from service.flows.store import open_store

    config = settings()
    document = str(kept_mapping(mapping))
    with open_store(store_source(config)) as address:
        map_source(address, journal_of(config), name, document)
    console.out.print(f"Source {escape(name)} is read by {escape(str(mapping))} from now on.")


@sources_app.command("try")
def sources_try(
    example: Annotated[
        str, typer.Argument(metavar="FILE", help="Something the platform sends, as JSON; - reads what is pasted.")
    ],
    platform: Annotated[
        str | None, typer.Option(help="Whose it is; mapped if there is a mapping, events of Entourage if not.")
    ] = None,
    mapping: MappingOption = None,
    network: Annotated[
        str | None, typer.Option(help="Where its accounts live, as for `entourage sources add`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what would become of something that a platform sends. Nothing is kept, and no database is needed.

    Of each thing in it: the events that it becomes, or why it is ignored or cannot be used; the exit code is then 10.

    Examples:

      entourage sources try --mapping forum.toml --network forum example.json

      entourage sources try --platform twitch -
    """
    from service.flows.trying import try_example

    document = kept_mapping(mapping)
    named = platform or (OWN_PLATFORM if mapping is None else "mapped")
    tried = try_example(Reader(named, document), network, bytes_of(example))
    if as_json:
        print(tried.model_dump_json(indent=2))
    else:
        console.show_tried(tried)
    if tried.rejected:
        raise typer.Exit(10)


@sources_app.command("push")
def sources_push(
    name: SourceName,
    lines: Annotated[
        str,
        typer.Argument(metavar="FILE", help="NDJSON, each line one thing that the source pushes; - reads a stream."),
    ],
    url: Annotated[str, typer.Option(help="Where the service is.")] = "http://127.0.0.1:8000",
    secret_file: Annotated[
        Path | None,
        typer.Option(help="Holds the source's secret; needed where the service is on another machine. - reads it."),
    ] = None,
    patience: Annotated[
        float | None,
        typer.Option(
            min=0, help="Seconds for which a delivery is sent again that is not taken; without end if not said."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Push lines to a running service: a file, or what comes from a platform that has a stream and no webhooks.

    They are sent up to 500 at a time, a second after they come at the latest, and again until they are taken. Pushing
    the same file again changes nothing. Lines that cannot be used are counted, and kept as dead letters by the service;
    the exit code is then 10.

    Examples:

      entourage sources push bluesky day.ndjson

      websocat 'wss://jetstream2.us-east.bsky.network/subscribe?wantedCollections=app.bsky.graph.follow' |
      entourage sources push bluesky -
    """
    from service.flows.pushing import Pushed, push
    from service.flows.sources import secret_of

    config = settings()
    if lines == "-" and str(secret_file) == "-":
        raise BadInput("Lines and secret cannot both come by standard input; put the secret into a file.")
    secret = given_secret(secret_file)
    if secret is None:
        from service.flows.seals import sealer

        secret = secret_of(journal_of(config), sealer(config.secrets_key, config.data_dir), name)
    pushed = Pushed()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with opened_lines(lines) as opened, console.shown_progress(quiet=as_json) as progress:
        try:
            at_latest = 1.0 if lines == "-" else None
            for pushed in push(opened, f"{url.rstrip('/')}/v1/webhooks/{name}", secret, note=console.note,
                               at_latest=at_latest, patience=patience):  # fmt: skip
                progress("push", pushed.lines, None)
        except KeyboardInterrupt:  # how a stream is ended
            console.note("Stopped; lines that were not sent yet are not counted.")
    if as_json:
        print(pushed.model_dump_json(indent=2))
    else:
        console.out.print(console.pushed_line(pushed))
    if pushed.rejected or pushed.unreadable:
        raise typer.Exit(10)


def kept_mapping(path: Path | None) -> str | None:
    """Read a mapping of a webhook as it is kept."""
    if path is None:
        return None
    from service.flows.reading import mapping_of

    return mapping_of(bytes_of(str(path)), str(path))


def given_secret(path: Path | None) -> str | None:
    """Read the secret that a platform gave; `-` reads standard input, without showing what is typed."""
    if path is None:
        return None
    if str(path) == "-":
        import getpass

        return (getpass.getpass("Secret: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    try:
        return path.read_bytes()[:4096].decode("utf-8", "replace").strip()
    except OSError as error:
        raise BadInput(f"The file {path} with the secret cannot be read: {error.strerror}.") from error


def bytes_of(path: str) -> bytes:
    """Read a file, or standard input for `-`."""
    if path == "-":
        if sys.stdin.isatty():
            console.note("Paste the JSON, then press Ctrl-D.")
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error


@contextmanager
def opened_lines(path: str) -> Iterator[Iterable[bytes]]:
    """Open a file of lines, packed with gzip or not, or standard input for `-`."""
    from service.flows.pushing import lines_of

    if path == "-":
        yield lines_of(sys.stdin.fileno())
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - what reading it raises is not about opening it
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    with file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            yield gzip.GzipFile(fileobj=file) if packed else file
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BadInput(f"{path} is not gzip to its end ({error}); what came before that was pushed.") from error


@sources_app.command("list")
def sources_list(as_json: AsJson = False) -> None:
    """List sources, and when their secrets were last used."""
    from service.flows.sources import list_sources
    from service.flows.store import open_store

    with open_store(store_source(settings())) as address:
        listed = list_sources(address)
    if as_json:
        shown = [one.model_dump(mode="json", exclude={"secrets": {"__all__": {"sealed"}}}) for one in listed]
        print(json.dumps(shown, indent=2))
    elif listed:
        console.out.print(console.sources_table(listed))
    else:
        console.note("There is no source yet; `entourage sources add NAME` makes one.")


@sources_app.command("disable")
def sources_disable(name: SourceName) -> None:
    """Take nothing from a source any more; `enable` undoes it."""
    switch(name, disabled=True)
    console.out.print(f"Source {name} is disabled; `entourage sources enable {name}` lets it push again.")


@sources_app.command("enable")
def sources_enable(name: SourceName) -> None:
    """Let a source push again, with the secrets it has."""
    switch(name, disabled=False)
    console.out.print(f"Source {name} may push.")


def switch(name: str, *, disabled: bool) -> None:
    """Disable or enable a source."""
    from service.flows.sources import switch_source
    from service.flows.store import open_store

    config = settings()
    with open_store(store_source(config)) as address:
        switch_source(address, journal_of(config), name, disabled=disabled)


def show_secret(source: Source, secret: str, *, as_json: bool, given: bool) -> None:
    """Print a new secret, which is not shown again; one that was given is not shown at all."""
    if as_json:
        shown = {} if given else {"secret": secret}
        print(
            json.dumps({"name": source.name, "network": source.network, "platform": source.platform, **shown}, indent=2)
        )
        return
    if given:
        console.out.print(f"Source [bold]{source.name}[/] has the secret that was given.")
    else:
        console.out.print(f"The secret of [bold]{source.name}[/], shown this once:\n")
        print(secret)
    if source.platform == OWN_PLATFORM:
        console.out.print(f"\nSign deliveries with it, and send them to POST /v1/webhooks/{source.name}.")
    else:
        page = "mapping" if source.platform == "mapped" else source.platform
        console.out.print(
            f"\nDeliveries go to POST /v1/webhooks/{source.name}; docs/platforms/{page}.md says what to set up."
        )


# --- keys of the API ------------------------------------------------------------------------------------


@keys_app.command("add")
def keys_add(
    name: Annotated[str, typer.Argument(help="Who it is for, e.g. 'Dashboard'.")],
    scope: Annotated[
        list[str],
        typer.Option(
            help="What it may do; repeat for several. read: what runs published. ingest: deliveries and their replay. "
            "run: ask for runs, by hand or by schedule, define communities. admin: all of it, sources and keys."
        ),
    ],
    brand: Annotated[
        list[str] | None, typer.Option(help="Key of a brand it may see; repeat for several, leave out for all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key of the HTTP API, and print it. It is shown this once: kept is a digest of it.

    A running service knows it at once. Send it as `Authorization: Bearer ent_...`.
    """
    from service.flows.keys import add_key
    from service.flows.store import open_store

    config = settings()
    with open_store(store_source(config)) as address:
        key, secret = add_key(address, journal_of(config), name, scope, brand)
    if as_json:
        print(json.dumps({**key.model_dump(mode="json", exclude={"sha256"}), "secret": secret}, indent=2))
        return
    console.out.print(f"The key of [bold]{escape(name)}[/], shown this once:\n")
    print(secret)
    console.out.print(f"\nSend it as Authorization: Bearer; `entourage keys revoke {key.id}` ends it.")


@keys_app.command("list")
def keys_list(as_json: AsJson = False) -> None:
    """List keys, what they may do, and when they were last used."""
    from service.flows.keys import list_keys
    from service.flows.store import open_store

    with open_store(store_source(settings())) as address:
        listed = list_keys(address)
    if as_json:
        print(json.dumps([one.model_dump(mode="json", exclude={"sha256"}) for one in listed], indent=2))
    elif listed:
        console.out.print(console.keys_table(listed))
    else:
        console.note("There is no key yet; `entourage keys add NAME --scope read` makes one.")


@keys_app.command("revoke")
def keys_revoke(key: Annotated[str, typer.Argument(help="Id of the key: the characters after ent_.")]) -> None:
    """Let a key do nothing any more, for ever: on this machine at once, on others within seconds."""
    from service.flows.keys import revoke_key
    from service.flows.store import open_store

    config = settings()
    with open_store(store_source(config)) as address:
        revoked = revoke_key(address, journal_of(config), key)
    console.out.print(f"The key {revoked.id} of {escape(revoked.name)} is revoked.")


# --- schedules of runs ------------------------------------------------------------------------------------


@schedules_app.command("add")
def schedules_add(
    after_changes: Annotated[
        int | None,
        typer.Option(
            help="Ask when so many follows, interactions, posts and reposts changed since the graph that the current "
            "run saw."
        ),
    ] = None,
    daily_at: Annotated[str | None, typer.Option(help="Ask once a day at this time, HH:MM in UTC.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random: the same seed, the same answer.")] = 42,
    engine: Annotated[str, typer.Option(help="auto, fast or reference, as of analyze.")] = "auto",
    rules: Rules = None,
    measure: Annotated[
        list[str] | None, typer.Option(help="Write this measure of accounts to the graph; see `measures`. Repeatable.")
    ] = None,
    brand: Annotated[str | None, typer.Option(help="Key of the brand of the measure brand_pagerank.")] = None,
    publish: Annotated[
        bool, typer.Option("--publish/--no-publish", help="Make its runs those that everybody reads.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Have the service ask for a run by itself: say --after-changes or --daily-at.

    Schedules are kept in the graph, and every service over it ([bold]entourage serve[/]) looks after them: about every
    five seconds, while it has no run to carry out. However many services there are, each occasion gives one run. A day
    on which no service ran at that minute is made up for by the next that runs; an unchanged graph is not analysed
    again. A run that failed is not repeated at once: the next one comes after as many further changes, or the next day.

    Made twice, a schedule is one. To change it, remove it and make another.

    Examples:

      entourage schedules add --after-changes 1000

      entourage schedules add --daily-at 03:00 --measure betweenness
    """
    from service.flows.schedules import add_schedule_at
    from service.flows.store import open_store

    spec = run_spec(seed, engine, rules, measure, brand)
    try:
        said = NewSchedule(after_changes=after_changes, daily_at=daily_at, publish=publish, spec=spec)
    except ValidationError as error:
        wrong = named(error).removeprefix("file: ")
        raise BadInput(
            f"This schedule cannot be made: {wrong}; say --after-changes 1000 or --daily-at 03:00."
        ) from None
    with open_store(store_source(settings())) as address:
        schedule, created = asyncio.run(add_schedule_at(address, said))
    if as_json:
        print(schedule.model_dump_json(indent=2, exclude_unset=True))
    else:
        done = "is made" if created else "is there already"
        console.out.print(
            f"Schedule [bold]{schedule.id}[/] {done}: a run {console.occasion(schedule)}. `entourage serve` asks for "
            f"it; `entourage schedules remove {schedule.id}` ends it."
        )


@schedules_app.command("list")
def schedules_list(as_json: AsJson = False) -> None:
    """List schedules of runs, what each last asked for, and when it is due."""
    from service.flows.schedules import schedules_at
    from service.flows.store import open_store

    with open_store(store_source(settings())) as address:
        listed = asyncio.run(schedules_at(address))
    if as_json:
        print(json.dumps([one.model_dump(mode="json", exclude_unset=True) for one in listed], indent=2))
    elif listed:
        console.out.print(console.schedules_table(listed))
    else:
        console.note("There is no schedule yet; `entourage schedules add --daily-at 03:00` makes one.")


@schedules_app.command("remove")
def schedules_remove(
    schedule: Annotated[str, typer.Argument(help="Id of the schedule, as `entourage schedules list` shows it.")],
) -> None:
    """End a schedule. Runs that it asked for stay; what it said is printed, to undo that."""
    from service.flows.schedules import remove_schedule_at
    from service.flows.store import open_store

    with open_store(store_source(settings())) as address:
        said = asyncio.run(remove_schedule_at(address, schedule))
    console.out.print(f"Schedule {schedule} is removed. It said:")
    print(said.model_dump_json(indent=2, exclude_unset=True))


# --- privacy --------------------------------------------------------------------------------------------


KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Key of the account, network:id.")]


@app.command()
def erase(
    key: Annotated[
        str | None,
        typer.Argument(metavar="KEY", help="Key of the account, network:id; without, all that asked to be erased."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant: it cannot be undone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase an account, for ever: it is hidden at once, then removed from the graph and from all that is kept.

    Removed are its ties, posts, interactions, relations and memberships, what the journal holds of it, graphs that are
    kept between analyses, its lines in reports of rejected lines, and its name in what was published, in evidence and
    reasons of others, too. A digest under a secret key stays, so that late events and imports do not bring it back. The
    receipt counts what was removed.

    Where a service is running, its writer does the work; else this command does. Cut off, it goes on when it is begun
    again.

    Examples:

      entourage erase mastodon:42

      entourage erase --yes
    """
    from service.flows.erasing import Places, about_account, note_erasure, receipt_of
    from service.flows.store import open_store
    from service.flows.writing import erase_now

    config = settings()
    journal = journal_of(config)
    places = Places(config.data_dir / "graphs", config.data_dir / "imports")
    with ExitStack() as stack:
        with console.shown_progress(quiet=as_json) as progress:
            address = stack.enter_context(open_store(store_source(config), progress))
        erasure = None
        if key is not None:
            about = about_account(address, key)
            if about is not None and not yes:
                followers, following, posts = about
                asked = f"Erase {key} ({followers:,} followers, {following:,} followed, {posts:,} posts) for ever?"
                if not sys.stdin.isatty():
                    raise BadInput(f"{asked} Say --yes where nobody can be asked.")
                typer.confirm(asked, abort=True, err=True)
            erasure = note_erasure(address, journal, key)
        with console.shown_progress(quiet=as_json) as progress:
            erase_now(address, journal, places, progress, erasure)
        if erasure is None:
            console.note("What could be done is done; `entourage erasures` lists receipts.")
            return
        receipt = receipt_of(address, erasure)
    if as_json:
        print(receipt.model_dump_json(indent=2))
    else:
        console.out.print(console.erasures_table([receipt]))
    if receipt.state != "done":
        console.note("It is hidden, and gone from the graph. A running service ends it when all imports are done.")


@app.command()
def erasures(
    limit: Annotated[int, typer.Option(min=1, help="How many, those asked for last first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List receipts of erasures: what was removed, and when. They do not say of whom."""
    from service.flows.erasing import list_erasures
    from service.flows.store import open_store

    with open_store(store_source(settings())) as address:
        found = list_erasures(address, limit)
    if as_json:
        print(TypeAdapter(list[Erasure]).dump_json(found, indent=2).decode())
    else:
        console.out.print(console.erasures_table(found))


@app.command("opt-out")
def opt_out_(
    key: KeyArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Take an earlier wish back.")] = False,
) -> None:
    """Let an account opt out: it stays in the graph, and is never a candidate. --undo takes that back.

    It holds at once for all that was published, and for every analysis from then on.
    """
    from service.flows.erasing import opt_out
    from service.flows.store import open_store

    with open_store(store_source(settings())) as address:
        opt_out(address, key, not undo)
    console.out.print(f"{escape(key)} {'is in again' if undo else 'has opted out'}, from now on.")


@deliveries_app.command("list")
def deliveries_list(
    state: Annotated[DeliveryState | None, typer.Option(help="Only those in this state.")] = None,
    source: Annotated[str | None, typer.Option(help="Only those of this source.")] = None,
    dead_letters: Annotated[
        bool, typer.Option("--dead-letters", help="Only those with dead letters that were not replayed.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, latest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List deliveries that this machine took, latest first."""
    from service.journal.journal import Journal

    with Journal(journal_of(settings())) as journal:
        found = journal.deliveries(state, source, None, limit, with_dead_letters=dead_letters)
    if as_json:
        print(TypeAdapter(list[Delivery]).dump_json(found, indent=2).decode())
    else:
        console.out.print(console.deliveries_table(found))


@deliveries_app.command("show")
def deliveries_show(delivery: Annotated[str, typer.Argument(help="Id of the delivery.")]) -> None:
    """Print one delivery, with its dead letters and why they are."""
    from service.journal.journal import Journal

    with Journal(journal_of(settings())) as journal:
        print(journal.delivery(delivery).model_dump_json(indent=2))


@deliveries_app.command("replay")
def deliveries_replay(
    delivery: Annotated[str | None, typer.Argument(help="Id of the delivery; or say --source.")] = None,
    source: Annotated[str | None, typer.Option(help="All dead letters of this source.")] = None,
) -> None:
    """Try dead letters again, of a delivery or a source; the writer of a running service applies them.

    They are read as their source is read now: by another mapping, if it has one.
    """
    from service.flows.receiving import replay
    from service.journal.journal import Journal

    if (delivery is None) == (source is None):
        raise BadInput("Say which delivery, or --source NAME for all dead letters of a source.")
    with Journal(journal_of(settings())) as journal:
        chosen = [delivery] if delivery is not None else journal.dead_deliveries(0, 2**63 - 1, source)
        again = replay(journal, chosen)
    if not again:
        console.note("There are no dead letters that were not replayed already.")
    elif len(again) == 1:
        console.out.print(f"{again[0].events:,} events are journaled again, as delivery {again[0].id}.")
    else:
        events = sum(one.events for one in again)
        console.out.print(f"{events:,} events are journaled again, as {len(again):,} deliveries.")


# --- imports over HTTP ------------------------------------------------------------------------------------

ImportArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the import.")]


@imports_app.command("list")
def imports_list(
    state: Annotated[ImportState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, latest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List files that were handed in to this machine to be imported, latest first."""
    from service.journal.imports import Imports
    from service.journal.journal import Journal

    with Journal(journal_of(settings())) as journal:
        found = Imports(journal).latest(state, None, limit)
    if as_json:
        print(TypeAdapter(list[Import]).dump_json(found, indent=2).decode())
    elif found:
        console.out.print(console.imports_table(found))
    else:
        console.note("There is no such import; POST /v1/imports takes files in.")


@imports_app.command("show")
def imports_show(import_id: ImportArgument) -> None:
    """Print one import: how its file is read, its state, what it did or why it failed."""
    from service.journal.imports import Imports
    from service.journal.journal import Journal

    with Journal(journal_of(settings())) as journal:
        print(Imports(journal).get(import_id).model_dump_json(indent=2))


@imports_app.command("cancel")
def imports_cancel(import_id: ImportArgument, as_json: AsJson = False) -> None:
    """Cancel an import that waits, or is being carried out; that one ends after the batch under way.

    What was in the graph before stays there; importing the whole file later is safe.
    """
    from service.journal.imports import Imports
    from service.journal.journal import Journal

    with Journal(journal_of(settings())) as journal:
        one = Imports(journal).cancel(import_id)
    if as_json:
        print(one.model_dump_json(indent=2))
    elif one.state == "cancelled":
        console.out.print(f"Import {one.id} is cancelled. {escape(one.error.message if one.error else '')}")
    else:
        console.out.print(f"Import {one.id} is being cancelled; it ends after the batch under way.")


@imports_app.command("watch")
def imports_watch(import_id: ImportArgument, as_json: AsJson = False) -> None:
    """Show how far an import has come until it ends; Ctrl-C stops watching, not the import.

    The exit code is 10 where lines were left out, as of [bold]entourage import[/].
    """
    from service.flows.imports import watch_import

    with console.shown_progress(quiet=as_json) as progress:
        report = watch_import(journal_of(settings()), import_id, progress)
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        console.out.print(console.import_summary(report))
    if report.rejected:
        raise typer.Exit(EXIT_LINES_REJECTED)


@imports_app.command("rejects")
def imports_rejects(import_id: ImportArgument) -> None:
    """Print the lines that an import left out: one JSON object each, with number, reason and beginning."""
    from service.flows.imports import rejects_of, whole_lines
    from service.journal.imports import Imports
    from service.journal.journal import Journal

    with Journal(journal_of(settings())) as journal:
        path = rejects_of(Imports(journal), import_id)
    for lines in whole_lines(path):
        print(lines.decode("ascii"), end="")


# --- runs -----------------------------------------------------------------------------------------------

RunArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the run.")]


@runs_app.command("cancel")
def runs_cancel(run: RunArgument, as_json: AsJson = False) -> None:
    """Cancel an analysis or a back-test that is queued or running; a running one ends within seconds.

    What it had written is removed; readers go on seeing the run that is published.
    """
    from service.flows.runs import cancel
    from service.flows.store import open_store

    with open_store(store_source(settings())) as address:
        cancelled = cancel(address, run)
    if as_json:
        print(cancelled.model_dump_json(indent=2))
    elif cancelled.state == "cancelled":
        console.out.print(f"Run {cancelled.id} is cancelled.")
    else:
        console.out.print(f"Run {cancelled.id} is being cancelled; its process ends within seconds.")


@runs_app.command("list")
def runs_list(
    state: Annotated[RunState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, those asked for last first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs that were asked for, the last first; back-tests are not among them."""
    from service.flows.store import open_store
    from service.flows.watching import read_latest_runs

    with open_store(store_source(settings())) as address:
        found = asyncio.run(read_latest_runs(address, state, limit))
    if as_json:
        print(TypeAdapter(list[Run]).dump_json(found, indent=2).decode())
    elif found:
        console.out.print(console.runs_table(found))
    else:
        console.note("There is no such run; `entourage analyze` makes one.")


@runs_app.command("show")
def runs_show(run: RunArgument) -> None:
    """Print one run: what it was asked, its state, what it found or why it failed."""
    from service.flows.store import open_store
    from service.flows.watching import read_one_run

    with open_store(store_source(settings())) as address:
        print(asyncio.run(read_one_run(address, run)).model_dump_json(indent=2))


@runs_app.command("watch")
def runs_watch(run: RunArgument, as_json: AsJson = False) -> None:
    """Show how far a run has come until it ends; Ctrl-C stops watching, not the run."""
    from service.flows.store import open_store
    from service.flows.watching import watch_to_the_end

    with console.shown_progress(quiet=as_json) as progress, open_store(store_source(settings()), progress) as address:
        ended = asyncio.run(watch_to_the_end(address, run, progress))
    if as_json:
        print(ended.model_dump_json(indent=2))
    else:
        console.out.print(console.run_summary(ended))


@runs_app.command("changes")
def runs_changes(
    run: RunArgument,
    since: Annotated[
        str | None, typer.Option(help="The earlier run; if not said, the published one that finished last before.")
    ] = None,
    community: Annotated[str | None, typer.Option(help="Only this community.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many communities, the largest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two runs: who came, who left, whose score moved and by which part."""
    from service.flows.differences import read_changes
    from service.flows.store import open_store

    with open_store(store_source(settings())) as address:
        found = asyncio.run(read_changes(address, run, since, community, limit))
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        console.out.print(console.changes(found))


# --- inner commands: the processes of the service ----------------------------------------------------------


@app.command("_api", hidden=True)
def inner_api(
    host: Annotated[str, typer.Option()],
    port: Annotated[int, typer.Option()],
    journal: Annotated[Path, typer.Option()],
    authentication: Annotated[bool, typer.Option()] = True,
    loading: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Serve the HTTP API in this process."""
    from service.api.app import run_api
    from service.flows.processes import end_with_parent

    end_with_parent()
    config = settings().model_copy(update={"host": host, "port": port, "authentication": authentication})
    run_api(config, journal, loading)


@app.command("_writer", hidden=True)
def inner_writer(journal: Annotated[Path, typer.Option()]) -> None:
    """Put what is journaled into the graph."""
    from service.flows.erasing import Places
    from service.flows.processes import end_with_parent
    from service.flows.writing import writer_loop

    end_with_parent()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    config = settings()
    writer_loop(given_address(config), journal, stop, Places(config.data_dir / "graphs", config.data_dir / "imports"))


@app.command("_importer", hidden=True)
def inner_importer(
    journal: Annotated[Path, typer.Option()],
    home: Annotated[Path | None, typer.Option()] = None,
    cache_dir: Annotated[Path | None, typer.Option()] = None,
    neo4j_version: Annotated[str | None, typer.Option()] = None,
    neo4j_port: Annotated[int, typer.Option()] = 7687,
    heap_mb: Annotated[int | None, typer.Option()] = None,
    page_cache_mb: Annotated[int | None, typer.Option()] = None,
) -> None:
    """Import files that were handed in, one at a time; of an embedded Neo4j it is said how it is run."""
    from service.flows.importer import importer_loop
    from service.flows.processes import end_with_parent

    end_with_parent()
    config = settings()
    embedded = (
        None
        if home is None or cache_dir is None
        else EmbeddedConfig(home, cache_dir, neo4j_version, neo4j_port, heap_mb, page_cache_mb)
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    importer_loop(
        given_address(config),
        journal,
        stop,
        most_expanded=config.import_max_expanded_mb << 20,
        embedded=embedded,
        graphs=config.data_dir / "graphs",
    )


@app.command("_engine", hidden=True)
def inner_engine() -> None:
    """Work off requested runs, one at a time."""
    from service.flows.processes import end_with_parent
    from service.flows.runs import engine_loop

    end_with_parent()
    config = settings()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    engine_loop(given_address(config), stop, config.run_timeout_s, retention_of(config))


@app.command("_run", hidden=True)
def inner_run(run_id: str, token: int) -> None:
    """Carry out one run that was claimed, under the token of that claim."""
    from service.flows.analyze import execute
    from service.flows.processes import end_with_parent

    end_with_parent()
    read = settings()
    execute(
        given_address(read),
        run_id,
        read.data_dir / "graphs",
        most_mb=read.run_memory_mb,
        token=token,
        runs_kept=read.runs_kept,
    )


def version(asked: bool) -> None:
    """Print the version and end."""
    if asked:
        print(f"entourage {__version__}")
        raise typer.Exit


@app.callback()
def common(
    _version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Options before the command."""


def main() -> None:
    """Run the command; an error we foresaw ends it with one sentence and its exit code, without a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("neo4j").setLevel(logging.ERROR)  # it tells of every retry; we tell of what comes of them
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what we hold is let go in order
    try:
        app()
    except EntourageError as error:
        # A terminal breaks long lines by itself; a path with a line end in it could not be copied.
        console.err.print(f"[red]{error.title}[/]: {escape(error.message)} [dim]({error.code})[/]", soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output went away, e.g. `| head`
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        console.err.print("[red]Disk full[/]: there is no room left to write to. [dim](disk_full)[/]")
        sys.exit(DiskFull.exit_code)


if __name__ == "__main__":
    main()
