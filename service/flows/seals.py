"""The seal under which secrets of sources are kept."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from service.errors import ConfigurationError


class Sealer:
    """Seals secrets with a key (Fernet: AES-128-CBC and HMAC-SHA256) and opens them again."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take keys, each 32 bytes as URL-safe base64: the first seals, any of them opens.

        Raises:
            ConfigurationError: one is no such key.
        """
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys])
        except (ValueError, binascii.Error):
            raise ConfigurationError(
                "ENTOURAGE_SECRETS_KEY is no key, or several with commas between them: each is 32 bytes as URL-safe "
                "base64, as `openssl rand -base64 32 | tr +/ -_` prints."
            ) from None

    def sealed(self, secret: str) -> str:
        """Seal a secret."""
        return self._fernet.encrypt(secret.encode()).decode()

    def opened(self, sealed: str) -> str:
        """Open a sealed secret.

        Raises:
            ConfigurationError: it was sealed with another key.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise ConfigurationError(
                "A secret of a source was sealed with another key; set ENTOURAGE_SECRETS_KEY to that of the machine "
                "that made it, or give the source a new secret."
            ) from None


def sealer(given: SecretStr | None, data_dir: Path) -> Sealer:
    """Return the sealer of this machine: with the keys of its settings, or else with one it keeps in `data_dir`.

    Raises:
        ConfigurationError: there is no key, and none can be kept.
    """
    return Sealer(_secret_keys(given, data_dir))


@cache
def erasure_keys(given: SecretStr | None, data_dir: Path) -> tuple[bytes, ...]:
    """Return the secrets under which erased accounts are recognised: made of the same keys as those that seal.

    Raises:
        ConfigurationError: there is no key, one is no such key, or none can be kept.
    """
    keys = _secret_keys(given, data_dir)
    Sealer(keys)
    return tuple(hmac.digest(base64.urlsafe_b64decode(key.strip()), b"erased accounts", "sha256") for key in keys)


def _secret_keys(given: SecretStr | None, data_dir: Path) -> list[str]:
    if given is not None:
        return given.get_secret_value().split(",")
    path = data_dir / "secrets.key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            partial = path.with_name(f"{path.name}.{os.getpid()}")
            with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(Fernet.generate_key().decode())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(partial, path)  # fails where another process was first
            except FileExistsError:
                pass
            finally:
                partial.unlink()
        return [path.read_text(encoding="ascii")]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The key that seals secrets cannot be kept in {path} ({error}); make it writable, or set "
            "ENTOURAGE_SECRETS_KEY."
        ) from None
