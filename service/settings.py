"""Settings, read from the environment (prefix `ENTOURAGE_`) or a `.env` file in the working directory.

Only `service.configured`, for commands and notebooks, and `service.api.app` read them; everything below is handed
values.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict


def _xdg(variable: str, fallback: str) -> Path:
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / fallback) / "entourage"


NEO4J_SCHEMES = frozenset({"bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"})


class Settings(BaseSettings):
    """All settings of the service. Frozen: they are read once, when a process starts."""

    model_config = SettingsConfigDict(
        env_prefix="ENTOURAGE_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = Field(
        default_factory=lambda: _xdg("XDG_DATA_HOME", ".local/share"),
        description="Where the embedded Neo4j keeps its data; import reports and graphs kept between analyses, too.",
    )
    cache_dir: Path = Field(
        default_factory=lambda: _xdg("XDG_CACHE_HOME", ".cache"),
        description="What can be deleted and comes back: Neo4j's jars.",
    )
    neo4j_uri: str | None = Field(
        default=None,
        description="Use this Neo4j server instead of the embedded one, e.g. `neo4j://db.example:7687`.",
    )
    neo4j_user: str = Field(default="neo4j", description="User of the server named by `ENTOURAGE_NEO4J_URI`.")
    neo4j_password: SecretStr | None = Field(
        default=None, description="Password of the server named by `ENTOURAGE_NEO4J_URI`."
    )
    neo4j_database: str = Field(default="neo4j", description="Database on the server.")
    neo4j_version: str | None = Field(
        default=None,
        description="Version of the embedded Neo4j: `2026.05.0` when unset; the 5.26 LTS line also runs.",
    )
    neo4j_port: int = Field(
        default=7687,
        ge=1,
        le=65535,
        description="Bolt port the embedded Neo4j tries first; another free one is chosen when it is taken.",
    )
    neo4j_heap_mb: int | None = Field(
        default=None,
        ge=256,
        description="Heap of the embedded Neo4j; set from the machine's memory when unset.",
    )
    neo4j_page_cache_mb: int | None = Field(
        default=None, ge=64, description="Page cache of the embedded Neo4j; set likewise when unset."
    )
    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port the API listens on; 0 takes a free one.")
    authentication: bool = Field(
        default=True,
        description="Whether the API asks for keys (`entourage keys add`). Without, it is open to whoever reaches it, "
        "and listens on loopback only.",
    )
    max_body_bytes: int = Field(default=1_048_576, ge=1024, description="Largest request body accepted.")
    secrets_key: SecretStr | None = Field(
        default=None,
        description="Key that seals the secrets of sources, and under which erased accounts are recognised: 32 bytes "
        "as URL-safe base64. With several, separated by commas, the first seals and any of them opens. When unset, one "
        "is kept in the data directory; the same is needed on all machines that share a database.",
    )
    journal_max_mb: int = Field(
        default=1024, ge=1, description="Deliveries that may wait for the graph, in MiB; beyond that, 429."
    )
    journal_min_free_mb: int = Field(
        default=256, ge=0, description="Room that stays free where deliveries are journaled, in MiB; below that, 503."
    )
    import_max_mb: int = Field(
        default=4096, ge=1, description="Largest file that POST /v1/imports takes, in MiB; beyond that, 413."
    )
    import_max_expanded_mb: int = Field(
        default=65536,
        ge=1,
        description="What a file packed with gzip, or a Parquet file, may expand to when it is imported, in MiB.",
    )
    run_timeout_s: int = Field(
        default=3600, ge=1, description="An analysis that takes longer is ended and marked failed."
    )

    runs_kept: int = Field(
        default=30, ge=1, description="What so many of the latest analyses published is kept; older is removed."
    )
    keep_posts_days: int | None = Field(
        default=None, ge=1, le=36_500, description="Posts older than so many days are removed; unset, none is."
    )
    keep_interactions_days: int | None = Field(
        default=None, ge=1, le=36_500, description="Likewise interactions, and responses to posts."
    )
    keep_unfollows_days: int | None = Field(
        default=None, ge=1, le=36_500, description="Likewise follows that ended, and endorsements that were withdrawn."
    )
    keep_runs_days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="Likewise what analyses published, but for the one that is read; ENTOURAGE_RUNS_KEPT holds, too.",
    )
    run_memory_mb: int | None = Field(
        default=None,
        ge=1,
        description="Memory an analysis may use at most, in MiB; all that is free when unset. Larger ones are refused.",
    )

    @field_validator("neo4j_uri")
    @classmethod
    def _only_an_address(cls, uri: str | None) -> str | None:
        """Refuse what the driver cannot use, and what could hold a secret: messages name the address."""
        wrong = None if uri is None else _wrong_with(uri)
        if wrong is not None:
            raise PydanticCustomError(
                "neo4j_uri",
                f"{wrong}; write it like neo4j://db.example:7687; user and password belong in ENTOURAGE_NEO4J_USER and "
                "ENTOURAGE_NEO4J_PASSWORD",
            )
        return uri


def _wrong_with(uri: str) -> str | None:
    """Say what is wrong with the address of a Neo4j server, in words that hold nothing of it."""
    try:
        parts = urlsplit(uri)
        host, _ = (parts.hostname or "").encode("idna"), parts.port
    except ValueError:  # its message holds the address
        return "this is not an address of a host and a port"
    if parts.scheme not in NEO4J_SCHEMES:
        return "the scheme must be bolt or neo4j, as it is or with +s or +ssc"
    # Looked for in all of it: such a part may be empty, or stand where it is not parsed as one.
    if any(mark in uri for mark in "@?#") or parts.path not in ("", "/"):
        return "an address has a scheme, a host and a port, and nothing else"
    if not host:
        return "the host is missing"
    if not uri.isprintable() or " " in uri:
        return "an address has no white space in it"
    return None
