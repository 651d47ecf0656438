"""What settings say, as values that flows take: for the command and for notebooks."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pydantic import SecretStr, ValidationError

from service.domain import EmbeddedConfig, StoreAddress, StoreSource
from service.errors import ConfigurationError
from service.settings import Settings


def settings(folder: Path | None = None) -> Settings:
    """Read the settings.

    Args:
        folder: where a `.env` file is looked for, and if it has none, above it; None: in the working directory alone.

    Raises:
        ConfigurationError: a variable has a value that cannot be used; its name is given, its value is not.
    """
    try:
        if folder is None:
            return Settings()
        files = (above / ".env" for above in (folder, *folder.parents))
        return Settings(_env_file=next((file for file in files if file.is_file()), None))
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
        erasure_keys=partial(erasure_keys, config.secrets_key, config.data_dir),
    )


def store_source(config: Settings, folder: str = "neo4j") -> StoreSource:
    """Where the graph is: the server that settings name, or the embedded one."""
    if config.neo4j_uri is None:
        return embedded_config(config, folder)
    if config.neo4j_password is None:
        raise ConfigurationError("ENTOURAGE_NEO4J_URI is set; set ENTOURAGE_NEO4J_PASSWORD as well.")
    return store_address(config)


def store_address(config: Settings) -> StoreAddress:
    """The server that settings name, for a process that starts none."""
    if config.neo4j_uri is None or config.neo4j_password is None:
        raise ConfigurationError("Set ENTOURAGE_NEO4J_URI and ENTOURAGE_NEO4J_PASSWORD, or run `entourage serve`.")
    return StoreAddress(
        config.neo4j_uri,
        config.neo4j_user,
        config.neo4j_password,
        config.neo4j_database,
        erasure_keys=partial(erasure_keys, config.secrets_key, config.data_dir),
    )


def erasure_keys(given: SecretStr | None, data_dir: Path) -> tuple[bytes, ...]:
    """The secrets under which erased accounts are recognised; read when they are needed first."""
    from service.flows.seals import erasure_keys as read

    return read(given, data_dir)
