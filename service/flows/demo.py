"""The demo: the main job on a small synthetic sample."""

from __future__ import annotations

from pathlib import Path

from service.domain import Progress, Run, RunSpec, StoreAddress
from service.errors import Conflict
from service.flows.importing import import_folder
from service.flows.runs import analyze
from service.sample import NETWORK
from service.sample_files import write_sample
from service.store.driver import Store


def load_demo(address: StoreAddress, folder: Path, progress: Progress, *, timeout_s: float) -> Run:
    """Import the sample, analyse it and publish the run; done again, it changes nothing.

    Args:
        address: the graph; it may hold nothing but the sample.
        folder: where the sample's files and reports are written.
        progress: told of each stage.
        timeout_s: longest time the analysis may take, in seconds.

    Raises:
        Conflict: the graph holds other accounts, which the sample must not be mixed with.
        RunFailed: the analysis ended without a result.
    """
    with Store(address) as store:
        if store.read("accounts/any_of_other_network", network=NETWORK):
            raise Conflict(
                "This graph holds accounts of your own, and the demo's sample must not be mixed with them; "
                "unset ENTOURAGE_NEO4J_URI to run the demo in a graph of its own."
            )
    sample = write_sample(folder / "sample")
    import_folder(address, sample, folder / "imports", progress)
    run, _ = analyze(address, RunSpec(), True, progress, timeout_s)
    return run
