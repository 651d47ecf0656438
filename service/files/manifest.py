"""A folder that is imported in one command: its `manifest.json` says which files it has and how to read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from service.domain import Frozen
from service.errors import UnreadableFile
from service.files.account_lists import ListFile
from service.files.follows import FollowFile
from service.files.list_mapping import list_mapping, shipped_lists
from service.files.records import RecordFile
from service.files.schemas import SCHEMAS
from service.forms import said_of

MANIFEST = "manifest.json"
MAX_BYTES = 1 << 20

Column = Annotated[str, Field(min_length=1, max_length=200)]


class ListedFile(Frozen):
    """One file of a folder."""

    file: str = Field(min_length=1, description="Name of the file, below the folder.")
    kind: str = Field(
        default="", description=f"Which schema its lines follow: {', '.join(SCHEMAS)}. Of a list it is not said."
    )
    list: str | None = Field(
        default=None,
        description="It is a list of accounts that belongs to one account, of this kind; or a mapping "
        "below the folder says how it is read.",
    )
    account: str | None = Field(default=None, description="Of a list, the account that it belongs to.")
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

    @model_validator(mode="after")
    def _kind_or_list(self) -> Self:
        if (self.list is None) != (self.account is None):
            raise ValueError("say list and account together")
        if (self.list is None) == (not self.kind):
            raise ValueError("say one of kind and list")
        if self.list is not None and (self.format or self.columns or self.values or self.reverse):
            raise ValueError("format, columns, values and reverse cannot be said of a list: its mapping says that")
        return self


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
        raise UnreadableFile(f"{path} cannot be used: {said_of(error)}.") from None
    return manifest


def listed_files(folder: Path, manifest: Manifest) -> list[FollowFile | RecordFile | ListFile]:
    """Return the files of a folder in the order in which they are imported, and how each is read.

    Raises:
        BadInput: a kind, field, network or format does not exist.
        UnreadableFile: a file is not there, or not below the folder.
    """
    root = folder if folder.is_dir() else folder.parent
    order = list(SCHEMAS)
    files = [(_listed(root, manifest, one), one.kind or ListFile.kind) for one in manifest.files]
    return [file for file, kind in sorted(files, key=lambda one: order.index(one[1]))]


def _listed(root: Path, manifest: Manifest, listed: ListedFile) -> FollowFile | RecordFile | ListFile:
    path = _below(root, listed.file)
    network = manifest.network if listed.network is None else listed.network
    as_of = listed.as_of or manifest.as_of
    said = None if as_of is None else int(as_of.timestamp() * 1000)
    if listed.list is not None:
        assert listed.account is not None  # noqa: S101 - the two are said together
        own = None if listed.list in shipped_lists() else _below(root, listed.list)
        mapping = list_mapping(listed.list, own)
        return ListFile(path, mapping, listed.list, listed.account, network=listed.network, as_of=said)
    if listed.kind != "follows":
        return RecordFile(
            path,
            listed.kind,
            format=listed.format,
            network=network,
            columns=listed.columns,
            values=listed.values,
            as_of=said,
        )
    return follow_file(path, listed.columns, format=listed.format, network=network, reverse=listed.reverse)


def _below(root: Path, name: str) -> Path:
    """Return a file that the manifest names. Raises UnreadableFile where it is not there, or not below the folder."""
    path = root / name
    try:
        below = path.resolve().is_relative_to(root.resolve())
        there = path.is_file()
    except (OSError, ValueError, RuntimeError):  # NUL in a name, links in a circle
        below = there = False
    if not below or not there:
        raise UnreadableFile(f"{name!r}, listed in {root / MANIFEST}, is not a file in this folder.")
    return path


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
