"""Options of `entourage export`: what is to be written, in which format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from service.errors import BadInput
from service.files.networks import NETWORK_FORMATS, NetworkFormat
from service.files.tables import FILE_FORMATS, FileFormat


@dataclass(frozen=True)
class ExportOptions:
    """The options as they were typed."""

    path: Path
    format: str | None
    results: bool
    run: str | None
    community: str | None
    force: bool

    def formats(self) -> tuple[NetworkFormat | None, FileFormat]:
        """Return the format of a network file, None where a folder is to be written; and that of files in a folder.

        A format that is said decides; without one, the ending of the path does.

        Raises:
            BadInput: there is no such format, or options do not go together.
        """
        ending = self.path.suffix.lower().removeprefix(".")
        said = (
            (ending if ending in NETWORK_FORMATS else FILE_FORMATS[0]) if self.format is None else self.format.lower()
        )
        network = next((one for one in NETWORK_FORMATS if one == said), None)
        table = next((one for one in FILE_FORMATS if one == said), None)
        if network is None and table is None:
            known = ", ".join([*FILE_FORMATS, *NETWORK_FORMATS])
            raise BadInput(f"There is no format {said[:80]!r} of exports; choose one of {known}.")
        if network is not None and self.results:
            raise BadInput(
                "--results writes tables into a folder: name a folder, and ndjson, csv or parquet as --format."
            )
        if network is None and (self.community is not None or self.force):
            raise BadInput("--community and --force are for network files: name one that ends in .graphml or .gexf.")
        if network is None and not self.results and self.run is not None:
            raise BadInput("--run is for network files and --results; what people brought is of no run.")
        return network, table or FILE_FORMATS[0]
