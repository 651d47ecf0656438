"""A folder that is imported in one command: its `manifest.json` says which files it has and how to read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, ValidationError

from service.domain import Frozen
from service.errors import UnreadableFile
from service.files.follows import FollowFile
from service.files.records import RecordFile
from service.files.schemas import SCHEMAS

MANIFEST = "manifest.json"
MAX_BYTES = 1 << 20

Column = Annotated[str, Field(min_length=1, max_length=200)]


class ListedFile(Frozen):
    """One file of a folder."""

    file: str = Field(min_length=1, description="Name of the file, below the folder.")
    kind: str = Field(description=f"Which schema its lines follow: {', '.join(SCHEMAS)}.")
    format: Literal["csv", "ndjson", "edgelist", "parquet", "graphml", "gexf", "pajek", "nodexl"] | None = Field(
        default=None,
        description="Found from the file when not said; edgelist for follows only. graphml, gexf, pajek and nodexl, "
        "which hold several kinds of lines, are found only when said.",
    )
    network: str | None = Field(default=None, description="Where its ids are from; that of the folder when not said.")
    columns: dict[str, Column] = Field(default={}, description="Field by field, the column that holds it.")
    values: dict[str, str] = Field(default={}, description="Fields that have one value in the whole file.")
    as_of: AwareDatetime | None = Field(default=None, description="When lines were said that do not say so.")
    reverse: bool = Field(default=False, description="For follows: who is followed comes first.")


class Manifest(Frozen):
    """What `manifest.json` holds. Files are imported by kind, accounts first, whatever their order here."""

    entourage_import: Literal[1] = Field(description="Version of this format.")
    description: str = Field(default="", max_length=2_000, description="Shown when the folder is imported.")
    synthetic: bool = Field(default=False, description="Whether everything in it was invented.")
    network: str | None = Field(default="local", description="Where ids are from; null: they are keys, network:id.")
    as_of: AwareDatetime | None = Field(
        default=None, description="When lines were said that do not say so; else when each file was last written."
    )
    files: tuple[ListedFile, ...] = Field(min_length=1, description="The files.")


def is_folder(path: Path) -> bool:
    """Whether a path is a folder, or the manifest of one."""
    return path.is_dir() or path.name == MANIFEST


def read_manifest(path: Path) -> Manifest:
    """Read the manifest of a folder; `path` is the folder, or its manifest.

    Raises:
        UnreadableFile: there is none, or it is not of the form described here; each wrong field is named.
    """
    path = path / MANIFEST if path.is_dir() else path
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UnreadableFile(
            f"{path.parent} has no {MANIFEST}, which says what its files hold; import the files one by one, or write "
            'one such as {"entourage_import": 1, "files": [{"file": "follows.csv", "kind": "follows"}]}.'
        ) from None
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > MAX_BYTES:
        raise UnreadableFile(f"{path} is larger than {MAX_BYTES:,} bytes; a manifest only lists files.")
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise UnreadableFile(f"{path} cannot be used: {wrong}.") from None
    return manifest


def listed_files(folder: Path, manifest: Manifest) -> list[FollowFile | RecordFile]:
    """Return the files of a folder in the order in which they are imported, and how each is read.

    Raises:
        BadInput: a kind, field, network or format does not exist.
        UnreadableFile: a file is not there, or not below the folder.
    """
    root = folder if folder.is_dir() else folder.parent
    order = list(SCHEMAS)
    files = [(_listed(root, manifest, one), one.kind) for one in manifest.files]
    return [file for file, kind in sorted(files, key=lambda one: order.index(one[1]))]


def _listed(root: Path, manifest: Manifest, listed: ListedFile) -> FollowFile | RecordFile:
    path = root / listed.file
    try:
        below = path.resolve().is_relative_to(root.resolve())
        there = path.is_file()
    except (OSError, ValueError, RuntimeError):  # NUL in a name, links in a circle
        below = there = False
    if not below or not there:
        raise UnreadableFile(f"{listed.file!r}, listed in {root / MANIFEST}, is not a file in this folder.")
    network = manifest.network if listed.network is None else listed.network
    if listed.kind != "follows":
        as_of = listed.as_of or manifest.as_of
        return RecordFile(
            path,
            listed.kind,
            format=listed.format,
            network=network,
            columns=listed.columns,
            values=listed.values,
            as_of=None if as_of is None else int(as_of.timestamp() * 1000),
        )
    return follow_file(path, listed.columns, format=listed.format, network=network, reverse=listed.reverse)


def follow_file(path: Path, columns: dict[str, str], **options: object) -> FollowFile:
    """Return a file of follows whose columns are named as the schema names them.

    Raises:
        UnreadableFile: a field does not exist.
    """
    fields = SCHEMAS["follows"].fields
    for name in columns:
        if name not in fields:
            raise UnreadableFile(f"Lines of follows have no field {name!r}; they have {', '.join(fields)}.")
    return FollowFile(
        path,
        follower_column=columns.get("follower"),
        followee_column=columns.get("followee"),
        weight_column=columns.get("weight"),
        time_column=columns.get("at"),
        schema_names=True,
        **options,  # type: ignore[arg-type]
    )
