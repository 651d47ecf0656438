"""Files that hold several kinds of lines at once: which kinds, and how each is read."""

from __future__ import annotations

from pathlib import Path

from service.errors import BadInput, NothingImported
from service.files.graph_files import GRAPH_FORMATS, OPTED_OUT, Survey, graph_format, survey_graph
from service.flows.import_options import FOR_FOLLOWS, FOR_OTHERS, ImportOptions, file_to_import
from service.flows.importing import Parts

_CALLED = {"graphml": "GraphML", "gexf": "GEXF", "pajek": "Pajek"}


def parts_of_file(path: Path, options: ImportOptions, most_expanded: int | None) -> Parts | None:
    """Return the kinds of lines that a file holds, and how each is read; None where it holds one, or one is asked for.

    What was said of columns holds for accounts, what was said of weights, times and direction for follows.

    Raises:
        BadInput: options that do not go together, or with what the file says of itself.
        UnreadableFile: the file cannot be read.
        NothingImported: there is nothing in it.
    """
    file_format = options.format or graph_format(path)
    if options.kind is not None or file_format not in GRAPH_FORMATS:
        return None
    survey = survey_graph(path, file_format, most_expanded=most_expanded)
    if survey.keys and options.network is not None:
        raise BadInput(f"The ids of {path} are whole keys, as it says itself; leave out --network.")
    kinds = ["accounts"] if survey.nodes else []
    kinds += ["follows"] if survey.edges else []
    kinds += ["opt_outs"] if any(one.strip().lower() == OPTED_OUT for one in survey.columns("nodes")) else []
    if not kinds:
        raise NothingImported(f"{path} has neither nodes nor edges; there is nothing to import.")
    files = [file for kind in kinds if (file := file_to_import(path, _said_of(kind, file_format, options))) is not None]
    return Parts(str(path), _described(file_format, survey), files)


def _said_of(kind: str, file_format: str, options: ImportOptions) -> ImportOptions:
    """The options that concern a kind."""
    others = {*(FOR_OTHERS if kind == "follows" else FOR_FOLLOWS)}
    if kind == "opt_outs":  # what was said of columns is said of accounts
        others |= {"column", "set"}
    said = options.model_dump(exclude=others)
    return ImportOptions.model_validate({**said, "kind": kind, "format": file_format})


def _described(file_format: str, survey: Survey) -> str:
    said = f"{_CALLED[file_format]}: {survey.nodes:,} nodes and {survey.edges:,} edges."
    if survey.undirected:
        said += f" {survey.undirected:,} of the edges have no direction: each is two follows, one each way."
    return said + (" Its ids are whole keys, as it says itself." if survey.keys else "")
