"""Sources: who may push events. They are kept in the graph, and a copy in the journal of each machine."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

from service.adapters import Adapter
from service.adapters.standard_webhooks import is_secret, is_standard, new_secret
from service.domain import OWN_PLATFORM, Reader, Source, SourceSecret, StoreAddress
from service.errors import BadInput
from service.flows.reading import adapter_for, check_network, reader_of
from service.flows.seals import Sealer
from service.journal.journal import Journal
from service.store.driver import Store
from service.store.sources import change_source, create_source, not_found, note_uses, read_sources

LIVE_SECRETS = 2
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def add_source(
    address: StoreAddress,
    journal: Path,
    sealer: Sealer,
    name: str,
    network: str | None,
    *,
    platform: str = OWN_PLATFORM,
    mapping: str | None = None,
    secret: str | None = None,
) -> tuple[Source, str]:
    """Make a source with its first secret; returns it with the secret, which is never shown again.

    Args:
        address: the graph.
        journal: the journal's folder.
        sealer: seals the secret.
        name: of the source.
        network: where accounts live that do not say so; without, where those of the platform do.
        platform: whose adapter reads what it pushes.
        mapping: what the adapter reads by, as JSON, where it needs that.
        secret: that which the platform gave; without, one is drawn.

    Raises:
        BadInput: the name, network, platform, mapping or secret cannot be used.
        SourceExists: there is one of this name.
    """
    if not _NAME.fullmatch(name):
        raise BadInput("The name of a source is 1 to 64 of the characters a-z, 0-9, _, . and -.")
    check_network(network)
    adapter = adapter_for(Reader(platform, mapping))
    kept, shown = _new_secret(sealer, secret, adapter)
    source = Source(
        name=name,
        network=adapter.network if network is None else network,
        platform=platform,
        mapping=mapping,
        created_at=kept.created_at,
        secrets=(kept,),
    )
    with Store(address) as store:
        create_source(store, source)
        _copy(store, journal)
    return source, shown


def rotate_source(
    address: StoreAddress, journal: Path, sealer: Sealer, name: str, *, at_once: bool = False, secret: str | None = None
) -> tuple[Source, str]:
    """Give a source a new secret. The one before stays live until the next rotation, unless `at_once`.

    Raises:
        BadInput: the secret, which the platform gave, cannot be used; or there is none, and the platform gives them.
        SourceNotFound: there is none of this name.
    """
    with Store(address) as store:
        source = _find(store, name)
        adapter = adapter_for(reader_of(source))
        if adapter.gives_secret and secret is None and not is_standard(sealer.opened(source.secrets[0].sealed)):
            raise BadInput(
                f"The secrets of {name} are given by its platform, which would not know one that is drawn; give the "
                "new one, with --secret-file or as `secret`."
            )
        kept, shown = _new_secret(sealer, secret, adapter)
        live = () if at_once else source.secrets[: LIVE_SECRETS - 1]
        source = source.model_copy(update={"secrets": (kept, *live)})
        change_source(store, source)
        _copy(store, journal)
    return source, shown


def switch_source(address: StoreAddress, journal: Path, name: str, *, disabled: bool) -> Source:
    """Let a source push no more, or again; its secrets stay. Raises SourceNotFound."""
    with Store(address) as store:
        source = _find(store, name).model_copy(update={"disabled": disabled})
        change_source(store, source)
        _copy(store, journal)
    return source


def list_sources(address: StoreAddress) -> list[Source]:
    """Return all sources, by name."""
    with Store(address) as store:
        return read_sources(store)


def secret_of(folder: Path, sealer: Sealer, name: str) -> str:
    """Return the latest secret of a source with which Standard Webhooks can be signed, from the journal's copy.

    Raises:
        SourceNotFound: there is none of this name.
        BadInput: all its secrets are those of its platform.
    """
    with Journal(folder) as journal:
        document = journal.sources().get(name)
    if document is None:
        raise not_found(name)
    opened = [sealer.opened(one.sealed) for one in Source.model_validate_json(document).secrets]
    secret = next(filter(is_standard, opened), None)
    if secret is None:
        raise BadInput(
            f"The secrets of {name} are its platform's, with which nobody else can sign; make a source without "
            "--secret-file for what is pushed from here."
        )
    return secret


def synchronise(store: Store, journal: Journal) -> None:
    """Bring the journal's copy of the sources up to date, and tell the graph when secrets were last used."""
    used = journal.take_used()
    if used:
        note_uses(store, used)
    journal.keep_sources(lambda: {one.name: one.model_dump_json() for one in read_sources(store)})


def _find(store: Store, name: str) -> Source:
    for source in read_sources(store):
        if source.name == name:
            return source
    raise not_found(name)


def map_source(address: StoreAddress, journal: Path, name: str, mapping: str) -> Source:
    """Let a source be read by another mapping from now on; what is journaled already is read as before.

    Raises:
        BadInput: the mapping cannot be used, or the platform of the source needs none.
        SourceNotFound: there is none of this name.
    """
    with Store(address) as store:
        source = _find(store, name)
        adapter_for(Reader(source.platform, mapping))
        source = source.model_copy(update={"mapping": mapping})
        change_source(store, source)
        _copy(store, journal)
    return source


def _new_secret(sealer: Sealer, given: str | None, adapter: Adapter) -> tuple[SourceSecret, str]:
    if given is not None and not is_secret(given):
        raise BadInput(
            "The secret is not 8 to 200 printable ASCII characters without spaces; give it as the platform shows it."
        )
    if given is not None and not adapter.signs_itself and not is_standard(given):
        raise BadInput(
            f"Deliveries of {adapter.name} are signed as Standard Webhooks says, whose secrets are whsec_ and base64; "
            "leave the secret out to have one drawn."
        )
    shown = new_secret() if given is None else given
    now = datetime.now(UTC)
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    return SourceSecret(id=secrets.token_hex(4), sealed=sealer.sealed(shown), created_at=now), shown


def _copy(store: Store, folder: Path) -> None:
    with Journal(folder) as journal:
        synchronise(store, journal)
