"""A connection of a notebook to the graph: questions as DataFrames, the snapshot, measures of one's own."""

from __future__ import annotations

import atexit
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from pydantic import ValidationError

from service.configured import settings, store_source
from service.domain import (
    BacktestReport,
    BacktestSpec,
    Candidate,
    Graph,
    OwnMeasure,
    RunSpec,
    StoreAddress,
    no_progress,
)
from service.errors import InvalidRequest
from service.flows.explore import ask, ask_statement, explore_queries, find_query, with_defaults
from service.flows.store import open_store
from service.flows.waiting import finished
from service.notebook.frames import frame, told_types
from service.sample import VERSION

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

    from service.analytics.graph import FollowArrays

M = TypeVar("M", RunSpec, BacktestSpec)

TIMEOUT_S = 60.0
"""Seconds after which Neo4j ends a question of a notebook, unless told otherwise."""


def connect(*, sample: bool = False) -> Connection:
    """Connect to the graph that settings name: a server, or the embedded one, which is started where it does not run.

    Args:
        sample: connect to the graph of `entourage demo` instead: a synthetic sample in which everybody was invented. It
            is imported and analysed where it is not there yet, which takes some seconds.

    Raises:
        ConfigurationError: settings cannot be used.
        StoreError: Neo4j cannot be started or reached.
        Conflict: settings name a server which holds other accounts, which the sample must not be mixed with.
    """
    # Kernels run in the folder of their notebook.
    config = settings(Path.cwd())
    folder = f"demo-{VERSION}" if sample else "neo4j"
    with ExitStack() as stack:
        address = stack.enter_context(open_store(store_source(config, folder)))
        if sample:
            from service.flows.demo import load_demo

            load_demo(address, config.data_dir / folder, no_progress, timeout_s=config.run_timeout_s)
        connection = Connection(
            address, kept=config.data_dir / "graphs", run_timeout_s=config.run_timeout_s, closing=stack.pop_all()
        )
    atexit.register(connection.close)
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        # Else what is registered is not done when a container stops, and an embedded server goes on alone.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return connection


class Connection:
    """A graph, as notebooks ask it. What asks only reads, but for what says that it writes. A context manager.

    Attributes:
        address: the graph; it is migrated.
    """

    def __init__(self, address: StoreAddress, *, kept: Path, run_timeout_s: float, closing: ExitStack) -> None:
        self.address = address
        self._kept = kept
        self._run_timeout_s = run_timeout_s
        self._closing = closing

    def __repr__(self) -> str:
        return f"Connection to {self.address.database} at {self.address.uri}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the graph; an embedded server stops when nobody uses it any more."""
        self._closing.close()
        atexit.unregister(self.close)

    def served(self) -> str:
        """Id of the run that readers see, and queries ask.

        Raises:
            NothingPublished: there is none yet.
        """
        from service.flows.published import read_served

        return finished(read_served(self.address)).id

    # --- questions ----------------------------------------------------------------------------------------

    def queries(self) -> pd.DataFrame:
        """The query library: name, question, group, parameters (those that have to be given first) and cost."""
        rows = [
            {
                "name": name,
                "question": one.answers,
                "group": one.group,
                "parameters": ", ".join(
                    f"{p.name}={one.defaults[p.name]}" if p.name in one.defaults else p.name for p in one.parameters
                ),
                "cost": one.cost,
            }
            for name, one in explore_queries().items()
        ]
        return frame(rows, dict.fromkeys(("name", "question", "group", "parameters", "cost"), "STRING"))

    def query(self, name: str, /, *, timeout_s: float = TIMEOUT_S, **parameters: Any) -> pd.DataFrame:
        """Ask a question of the query library, as `entourage query` does.

        Args:
            name: of the query; `queries()` lists them.
            timeout_s: seconds after which Neo4j ends it.
            parameters: of the query; those that have a default may be left out.

        Returns:
            A row for each row, a column for each column with the dtype that it declares (see `frames.DTYPES`).

        Raises:
            QueryNotFound: there is none of this name.
            InvalidRequest: a parameter is missing or not known.
            StoreTimedOut: it took longer than `timeout_s`.
        """
        query = find_query(name)
        answer = ask(self.address, query, with_defaults(query, parameters), timeout_s)
        return frame(answer.rows, {one.name: one.type for one in query.columns})

    def cypher(self, text: str, /, *, timeout_s: float = TIMEOUT_S, **parameters: Any) -> pd.DataFrame:
        """Ask a statement of your own; Neo4j refuses it where it writes. Dtypes are told from the values.

        Raises:
            StoreRefused: it is no statement that Neo4j understands, or it writes.
            StoreTimedOut: it took longer than `timeout_s`.
        """
        columns, rows = ask_statement(self.address, text, parameters, timeout_s)
        return frame(rows, told_types(rows, columns))

    def candidates(
        self,
        community: str | None = None,
        *,
        brand: str | None = None,
        objective: str | None = None,
        topic: str | None = None,
        weights: Mapping[str, float] | None = None,
        each: int = 5,
        communities: int = 5,
        lang: Literal["en", "fr"] = "en",
    ) -> pd.DataFrame:
        """Ambassador candidates as the service answers: of a community, or of the largest respectable ones.

        Args:
            community: id of one; None: the largest.
            brand: key of a brand: affinity is measured to it, and `track` is that of this brand.
            objective: name of a recipe, `entourage recipes` lists them.
            topic: relevance is measured to it.
            weights: of parts and lenses, such as `{"trust": 0.7, "lens.context": 0.3}`; they sum to 1.
            each: candidates of each community; communities: how many of these.
            lang: of the reasons.

        Returns:
            A row for each candidate, best first within its community: who it is, rank with its interval, score, the
            points of each part (`trust_points`; together they are the score), and the strongest reason.

        Raises:
            InvalidRequest, CommunityNotFound, BrandNotFound, NothingPublished: what is asked for is not there.
        """
        from service.flows.asking import asked_question, read_ambassadors

        mix = None if weights is None else ",".join(f"{part}:{weight}" for part, weight in weights.items())
        question = asked_question(brand, objective, topic, mix, None, None, None)
        named = community is not None  # respectable or not
        answers = finished(
            read_ambassadors(self.address, community, question, None, most=communities, limit=each, include=named)
        )
        return _candidates([one for _, candidates, _ in answers for one in candidates], lang)

    def brand_candidates(
        self, brand: str, *, objective: str | None = None, each: int = 10, lang: Literal["en", "fr"] = "en"
    ) -> pd.DataFrame:
        """Candidates that are something to a brand, across communities: its two tracks, best first in each.

        Returns:
            As `candidates`; scores compare within all of it.
        """
        from service.flows.asking import asked_question, read_brand_candidates

        question = asked_question(brand, objective, None, None, None, None, None, of_brand=True)
        found = finished(read_brand_candidates(self.address, brand, None, question))
        return _candidates([one.candidate for track in found.tracks for one in track.candidates[:each]], lang)

    def explain(self, community: str, key: str) -> dict[str, Any]:
        """Explain one account in one community: its document with parts and evidence, and who is next to it.

        Raises:
            CommunityNotFound, AccountNotFound, NothingPublished: what is asked for is not there.
        """
        from service.flows.asking import read_explanation

        _, found = finished(read_explanation(self.address, key, community, None))
        return found

    # --- the snapshot -------------------------------------------------------------------------------------

    def snapshot(self) -> Graph:
        """Read the graph as arrays, as analyses do: what changed since it was read last, by whomever."""
        from service.flows.snapshots import read_graph_at

        return read_graph_at(self.address, self._kept, no_progress)

    def to_networkx(self) -> nx.DiGraph[str]:
        """All active follows as a networkx graph; see `analytics.graph.to_networkx`."""
        from service.analytics.graph import to_networkx

        return to_networkx(self.snapshot())

    def to_arrays(self) -> FollowArrays:
        """All active follows as NumPy arrays; see `analytics.graph.FollowArrays`."""
        from service.analytics.graph import to_arrays

        return to_arrays(self.snapshot())

    # --- what writes --------------------------------------------------------------------------------------

    def write_measure(
        self, name: str, values: Mapping[str, float], *, meaning: str, graph_version: int | None = None
    ) -> OwnMeasure:
        """Write a measure of your own to the graph, instead of one that you wrote under this name before.

        `query("own_measure", measure=name)` ranks by it; in the graph it is
        `(:Account)-[:MEASURED {value}]->(:OwnMeasure {name})`.

        Args:
            name: lower-case letters, digits and underscores.
            values: by account key: a dict, or a Series with keys as its index.
            meaning: what is measured, for whoever finds it there.
            graph_version: of the snapshot that it was computed on (`arrays.version`, or `network.graph["version"]`);
                None: the one of now.

        Raises:
            InvalidRequest: name or a value cannot be used, or an account has two.
            AccountNotFound: a key is not in the graph; nothing was written.
        """
        from service.flows.own_measures import keep_own_measure

        return keep_own_measure(self.address, name, values.items(), meaning=meaning, graph_version=graph_version)

    def own_measures(self) -> pd.DataFrame:
        """Measures that were written so, by name."""
        from service.flows.own_measures import own_measures

        types = {"name": "STRING", "meaning": "STRING", "graph_version": "INTEGER"}
        types |= {"written_at": "ZONED DATETIME", "accounts": "INTEGER"}
        return frame([one.model_dump() for one in own_measures(self.address)], types)

    def remove_measure(self, name: str) -> None:
        """Remove a measure that was written so, with all its values.

        Raises:
            OwnMeasureNotFound: there is none of this name.
        """
        from service.flows.own_measures import forget_own_measure

        forget_own_measure(self.address, name)

    def analyze(self, *, publish: bool = False, **spec: Any) -> str:
        """Analyse the graph, and return the id of the run; readers see it only with `publish`.

        Args:
            publish: whether readers of the service see it when it is done.
            spec: fields of a run's specification, such as `seed=7` or `rules={"resolutions": [2.0]}`.

        Raises:
            InvalidRequest: a field cannot be used.
            RunFailed, EmptyGraph: there is no result.
        """
        from service.flows.runs import analyze

        asked = _valid(RunSpec, spec)
        run, _ = analyze(self.address, asked, publish, no_progress, self._run_timeout_s)
        return run.id

    def backtest(self, **spec: Any) -> BacktestReport:
        """Ask whether scores from before a day would have said who is responded to afterwards; nothing is published.

        Args:
            spec: fields of a back-test's specification, such as `share=0.8` or `cut="2026-05-01"`.

        Raises:
            NothingToTest: there is nothing before or after the cut to measure.
        """
        from service.flows.backtest import run_of_backtest
        from service.flows.requests import read_report
        from service.flows.runs import analyze

        asked = _valid(BacktestSpec, spec)
        run, _ = analyze(self.address, run_of_backtest(asked), False, no_progress, self._run_timeout_s, asked)
        return finished(read_report(self.address, run.id))


def _candidates(found: Sequence[Candidate], lang: Literal["en", "fr"]) -> pd.DataFrame:
    types = {
        "community": "STRING", "rank": "INTEGER", "rank_low": "INTEGER", "rank_high": "INTEGER", "account": "STRING",
        "handle": "STRING", "score": "FLOAT", "track": "STRING", "roles": "LIST<STRING>", "size_band": "STRING",
        "followers": "INTEGER", "followers_in_community": "INTEGER",
    }  # fmt: skip
    parts = {f"{part.part}_points": "FLOAT" for one in found for part in one.parts}
    rows = []
    for one in found:
        rows.append(
            {
                **{name: getattr(one, name, None) for name in types},
                **dict.fromkeys(parts),
                "account": one.key,
                "rank_low": one.rank_interval.low if one.rank_interval else None,
                "rank_high": one.rank_interval.high if one.rank_interval else None,
                "roles": [role.role for role in one.roles],
                **{f"{part.part}_points": part.points for part in one.parts},
                "reason": getattr(one.reasons[0], lang) if one.reasons else None,
            }
        )
    return frame(rows, {**types, **parts, "reason": "STRING"})


def _valid(model: type[M], given: dict[str, Any]) -> M:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False))
        raise InvalidRequest(f"This cannot be asked for: {wrong}.") from None
