"""The `entourage` command: read settings, call one flow, show what it did."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape

from service import __version__, console
from service.domain import (
    Candidate,
    Community,
    CommunityCandidates,
    EmbeddedConfig,
    RunSpec,
    ScoringRules,
    StoreAddress,
    StoreSource,
)
from service.errors import (
    EXIT_LINES_REJECTED,
    BadInput,
    CommunityNotFound,
    ConfigurationError,
    EntourageError,
    UnreadableFile,
)
from service.settings import Settings

app = typer.Typer(
    name="entourage",
    help="Find the micro-influencers of each community in a follower graph, and who of them could become an "
    "ambassador.\n\nThe usual order: [bold]import[/] follows, [bold]analyze[/] the graph, then look at "
    "[bold]communities[/] and [bold]ambassadors[/], or [bold]serve[/] them over HTTP. "
    "[bold]demo[/] does all of it on a sample.",
    epilog="Exit codes: 0 done · 1 a bug · 2 wrong usage · 3 bad input · 4 not found · 5 conflict · 6 Neo4j · "
    "7 migrations · 8 run failed · 9 settings · 10 done, but lines of the input were rejected.\n\n"
    "Settings are environment variables that start with ENTOURAGE_; the README lists them.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
store_app = typer.Typer(help="Start, stop and look at the embedded Neo4j.", no_args_is_help=True)
app.add_typer(store_app, name="store")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of a table for a person.")]


def settings() -> Settings:
    """Read the settings.

    Raises:
        ConfigurationError: a variable has a value that cannot be used; its name is given, its value is not.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"ENTOURAGE_{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(f"Settings cannot be used: {wrong}.") from None


def embedded_config(config: Settings, folder: str = "neo4j") -> EmbeddedConfig:
    """How the embedded Neo4j is run under these settings; its data is in `folder` of the data directory."""
    return EmbeddedConfig(
        home=config.data_dir / folder,
        cache_dir=config.cache_dir,
        version=config.neo4j_version,
        port=config.neo4j_port,
        heap_mb=config.neo4j_heap_mb,
        page_cache_mb=config.neo4j_page_cache_mb,
    )


def store_source(config: Settings, folder: str = "neo4j") -> StoreSource:
    """Where the graph is: the server that settings name, or the embedded one."""
    if config.neo4j_uri is None:
        return embedded_config(config, folder)
    if config.neo4j_password is None:
        raise ConfigurationError("ENTOURAGE_NEO4J_URI is set; set ENTOURAGE_NEO4J_PASSWORD as well.")
    return StoreAddress(config.neo4j_uri, config.neo4j_user, config.neo4j_password, config.neo4j_database)


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

    The demo keeps its own graph, apart from yours. Running it again takes seconds and changes nothing.
    """
    from service.flows.demo import load_demo
    from service.flows.published import read_candidates, read_communities
    from service.flows.store import open_store

    config = settings()
    source = store_source(config, "demo")
    with ExitStack() as stack:
        with console.shown_progress() as progress:
            address = stack.enter_context(open_store(source, progress))
            run = load_demo(address, config.data_dir / "demo", progress, timeout_s=config.run_timeout_s)
        listed = asyncio.run(read_communities(address, run.id))
        console.out.print(console.run_summary(run))
        for community in listed[:communities]:
            show_candidates(community, asyncio.run(read_candidates(address, community.id, run.id))[:5])
        if not once:
            port = config.port if port_is_free(config.host, config.port) else 0
            serve_until_stopped(config, source, address, port)


def show_candidates(community: Community, candidates: list[Candidate]) -> None:
    """Print one community with its candidates, or why it has none."""
    console.out.print(console.community_title(community))
    if candidates:
        console.out.print(console.candidates_table(candidates))
    else:
        console.out.print(f"[dim]No candidates: {community.no_candidates_reason}[/]")
    console.out.print()


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def serve_until_stopped(config: Settings, source: StoreSource, address: StoreAddress, port: int) -> None:
    """Run the processes of the service until Ctrl-C or SIGTERM, saying where the API is once it answers."""
    from service.api.app import check_host
    from service.flows.serve import serve as serve_flow

    check_host(config.host, trust_network=config.trust_network)

    def ready(url: str) -> None:
        console.out.print(
            f"The API is at [bold]{url}[/]: try {url}/v1/communities, or {url}/docs for all of it. Ctrl-C stops it."
        )

    serve_flow(source, address, host=config.host, port=port, ready=ready)


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV, TSV, NDJSON or plain edge list, gzip or not; - reads standard input.")
    ],
    network: Annotated[
        str, typer.Option(help="Where the accounts live, e.g. mastodon; account keys are network:id.")
    ] = "local",
    file_format: Annotated[
        str | None, typer.Option("--format", help="csv, ndjson or edgelist; found from the file when not said.")
    ] = None,
    follower: Annotated[str | None, typer.Option(help="Column (name, or position from 1) of who follows.")] = None,
    followee: Annotated[str | None, typer.Option(help="Column of who is followed.")] = None,
    weight: Annotated[str | None, typer.Option(help="Column of the tie's weight; without it each counts 1.")] = None,
    time: Annotated[
        str | None, typer.Option(help="Column of the time of the follow: RFC 3339, or Unix seconds or milliseconds.")
    ] = None,
    reverse: Annotated[
        bool,
        typer.Option("--reverse", help="A line a, b says that b follows (or shares) a: who is followed comes first."),
    ] = False,
    no_header: Annotated[bool, typer.Option("--no-header", help="The first line is data, not column names.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import follows from a file into the graph. Importing it again changes nothing.

    A line `a b` says that [bold]a follows b[/]; turn it round with --reverse. Lines that cannot be used are
    left out, counted, and written with their number and the reason to a report; the exit code is then 10.

    Examples:

      entourage import follows.csv --network mastodon --time followed_at

      entourage import congress.edgelist --network twitter --reverse --weight weight
    """
    from service.files.follows import FollowFile
    from service.flows.importing import import_follows
    from service.flows.store import open_store

    config = settings()
    follows = FollowFile(
        path=file,
        format=file_format,
        network=network,
        follower_column=follower,
        followee_column=followee,
        weight_column=weight,
        time_column=time,
        reverse=reverse,
        has_header=False if no_header else None,
    )
    with console.shown_progress(quiet=as_json) as progress, open_store(store_source(config), progress) as address:
        report = import_follows(address, follows, config.data_dir / "imports", progress)
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        console.out.print(console.import_summary(report))
    if report.rejected:
        raise typer.Exit(EXIT_LINES_REJECTED)


@app.command()
def analyze(
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random: the same seed, the same answer.")] = 42,
    engine: Annotated[str, typer.Option(help="auto or reference (networkx with python-louvain).")] = "auto",
    rules: Annotated[
        Path | None, typer.Option(help="JSON file with cut-offs and weights to use instead of the defaults.")
    ] = None,
    publish: Annotated[
        bool, typer.Option("--publish/--no-publish", help="Make this the run that everybody reads.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Find communities, measure influence in each, and publish ambassador candidates.

    An analysis is a function of the graph and of what is asked: asked again of an unchanged graph, the run
    that is already published is returned. While it works, readers see the previous run.
    """
    from service.flows.runs import analyze as analyze_flow
    from service.flows.store import open_store

    config = settings()
    spec = run_spec(seed, engine, rules)
    with console.shown_progress(quiet=as_json) as progress, open_store(store_source(config), progress) as address:
        run, created = analyze_flow(address, spec, publish, progress, config.run_timeout_s)
    if as_json:
        print(run.model_dump_json(indent=2))
    else:
        console.out.print(console.run_summary(run, created=created))


def run_spec(seed: int, engine: str, rules: Path | None) -> RunSpec:
    """Make the specification of a run from what was typed.

    Raises:
        BadInput: a value is not of the schema, or the rules file cannot be read; each field is named.
    """
    given: dict[str, Any] = {"seed": seed, "engine": engine}
    try:
        if rules is not None:
            given["rules"] = ScoringRules.model_validate_json(rules.read_bytes())
        return RunSpec.model_validate(given)
    except OSError as error:
        raise UnreadableFile(f"The rules file {rules} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}"
            for item in error.errors(include_url=False)
        )
        raise BadInput(f"This run cannot be asked for: {wrong}.") from error


@app.command()
def communities(
    run: Annotated[str | None, typer.Option(help="A kept run's id; the current run when not said.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, largest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the communities of the current run, largest first."""
    from service.flows.published import read_communities
    from service.flows.store import open_store

    with open_store(store_source(settings()), migrated=False) as address:
        listed = asyncio.run(read_communities(address, run))
    if as_json:
        print(TypeAdapter(list[Community]).dump_json(listed[:limit], indent=2).decode())
    else:
        console.out.print(console.communities_table(listed[:limit]))
        if len(listed) > limit:
            console.note(f"{len(listed) - limit} more; --limit shows them.")


@app.command()
def ambassadors(
    community: Annotated[
        str | None, typer.Argument(help="A community's id; without it, the largest respectable communities.")
    ] = None,
    run: Annotated[str | None, typer.Option(help="A kept run's id; the current run when not said.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Candidates shown for each community.")] = 5,
    most: Annotated[int, typer.Option(min=1, help="Communities shown when none is named.")] = 5,
    include_not_respectable: Annotated[
        bool,
        typer.Option("--include-not-respectable", help="Also of communities that fail a test of respectability."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the ambassador candidates of a community, best first, each with its strongest reasons.

    --json gives every part of every score with its evidence: the follows in the graph that it rests on.
    """
    from service.flows.published import read_candidates, read_communities
    from service.flows.store import open_store

    with open_store(store_source(settings()), migrated=False) as address:
        listed = asyncio.run(read_communities(address, run))
        if community is not None:
            chosen = [one for one in listed if one.id == community]
            if not chosen:
                raise CommunityNotFound(f"There is no community {community}; `entourage communities` lists them.")
        else:
            chosen = [one for one in listed if one.respectable or include_not_respectable][:most]
        shown = [
            (
                one,
                asyncio.run(read_candidates(address, one.id, run))[:limit]
                if one.respectable or include_not_respectable
                else [],
            )
            for one in chosen
        ]
    if as_json:
        print(
            TypeAdapter(list[CommunityCandidates])
            .dump_json([CommunityCandidates(community=one, candidates=tuple(found)) for one, found in shown], indent=2)
            .decode()
        )
    else:
        for one, found in shown:
            show_candidates(one, found)


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; loopback unless the network is trusted.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Serve the HTTP API and work off requested runs, until Ctrl-C.

    Starts and watches the processes of the service: the embedded Neo4j (unless ENTOURAGE_NEO4J_URI names a
    server), the API, and the engine that runs each analysis in a process of its own.
    """
    from service.flows.store import open_store

    config = settings()
    config = config.model_copy(
        update={name: value for name, value in (("host", host), ("port", port)) if value is not None}
    )
    source = store_source(config)
    with ExitStack() as stack:
        with console.shown_progress() as progress:
            address = stack.enter_context(open_store(source, progress))
        serve_until_stopped(config, source, address, config.port)


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


# --- inner commands: the processes of the service ----------------------------------------------------------


@app.command("_api", hidden=True)
def inner_api(host: Annotated[str, typer.Option()], port: Annotated[int, typer.Option()]) -> None:
    """Serve the HTTP API in this process."""
    from service.api.app import run_api
    from service.flows.processes import end_with_parent

    end_with_parent()
    run_api(settings().model_copy(update={"host": host, "port": port}))


@app.command("_engine", hidden=True)
def inner_engine() -> None:
    """Work off requested runs, one at a time."""
    from service.flows.processes import end_with_parent
    from service.flows.runs import engine_loop

    end_with_parent()
    config = settings()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    engine_loop(given_address(config), stop, config.run_timeout_s)


@app.command("_run", hidden=True)
def inner_run(run_id: str) -> None:
    """Carry out one run that was claimed."""
    from service.flows.analyze import execute
    from service.flows.processes import end_with_parent

    end_with_parent()
    execute(given_address(settings()), run_id)


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
        console.err.print(f"[red]{error.title}[/]: {escape(error.message)} [dim]({error.code})[/]")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output went away, e.g. `| head`
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
