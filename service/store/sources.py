"""Sources as kept in the graph: who may push events, and with which secrets. A secret is kept sealed only."""

from __future__ import annotations

from service.domain import OWN_PLATFORM, SecretUse, Source, SourceSecret, moment_of
from service.errors import SourceExists, SourceNotFound
from service.store.driver import Row, Store


def read_sources(store: Store) -> list[Source]:
    """Return all sources, by name."""
    return [_source(row) for row in store.read("sources/all")]


def create_source(store: Store, source: Source) -> None:
    """Keep a new source. Raises SourceExists where there is one of this name."""
    [row] = store.write(
        "sources/create", name=source.name, network=source.network, mapping=source.mapping,
        platform=None if source.platform == OWN_PLATFORM else source.platform, **_secrets(source),
    )  # fmt: skip
    if not row["created"]:
        raise SourceExists(
            f"There is a source {source.name} already; `entourage sources rotate {source.name}` gives it a new secret."
        )


def change_source(store: Store, source: Source) -> None:
    """Replace secrets, mapping and state of a source. Raises SourceNotFound."""
    if not store.write(
        "sources/change", name=source.name, mapping=source.mapping, disabled=source.disabled, **_secrets(source)
    ):
        raise not_found(source.name)


def note_uses(store: Store, uses: list[SecretUse]) -> None:
    """Note when secrets were last used."""
    store.write(
        "sources/used",
        names=[use.source for use in uses],
        secrets=[use.secret for use in uses],
        times=[use.at for use in uses],
    )


def not_found(name: str) -> SourceNotFound:
    """Return the error that says that there is no such source."""
    return SourceNotFound(f"There is no source {name[:80]}; `entourage sources list` lists them.")


def _secrets(source: Source) -> dict[str, list[object]]:
    return {
        "ids": [one.id for one in source.secrets],
        "sealed": [one.sealed for one in source.secrets],
        "created": [round(one.created_at.timestamp() * 1000) for one in source.secrets],
    }


def _source(row: Row) -> Source:
    return Source(
        name=row["name"],
        network=row["network"],
        platform=row["platform"] or OWN_PLATFORM,
        mapping=row["mapping"],
        disabled=row["disabled"],
        created_at=moment_of(row["created_at"]),
        secrets=tuple(
            SourceSecret(
                id=one["id"],
                sealed=one["sealed"],
                created_at=moment_of(one["created_at"]),
                last_used_at=None if one["last_used_at"] is None else moment_of(one["last_used_at"]),
            )
            for one in sorted(row["secrets"], key=lambda one: one["place"])
        ),
    )
