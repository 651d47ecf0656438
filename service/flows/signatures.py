"""Signatures of deliveries (Standard Webhooks 1.0), and the seal under which secrets are kept."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from service.errors import ConfigurationError, SignatureInvalid

TOLERANCE_SECONDS = 300
"""How far `webhook-timestamp` may be from the clock."""

PREFIX = "whsec_"
SECRET_BYTES = 32
_ID = re.compile(r"[!-~]{1,255}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def new_secret() -> str:
    """Draw a secret, as the Standard Webhooks libraries take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a delivery: HMAC-SHA256 over `id.timestamp.body`, as `v1,` and base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(_signature(key, webhook_id, str(timestamp), body)).decode()


def verified(headers: Mapping[str, str], body: bytes, known: Mapping[str, str], now: float) -> tuple[str, str]:
    """Return the id of a delivery, and that of the secret with which it was signed.

    Args:
        headers: by name in lower case; `webhook-id`, `webhook-timestamp`, `webhook-signature` count.
        body: the body as it was sent.
        known: live secrets by id.
        now: the time, in seconds since 1970 UTC.

    Raises:
        SignatureInvalid: a header is missing or malformed, the time is too far off, or no signature is right.
    """
    webhook_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    for name, value in (("webhook-id", webhook_id), ("webhook-timestamp", timestamp), ("webhook-signature", given)):
        if not value:
            raise SignatureInvalid(f"The header {name} is missing; sign deliveries as Standard Webhooks says.")
    if not _ID.fullmatch(webhook_id):
        raise SignatureInvalid("The header webhook-id is not 1 to 255 printable ASCII characters without spaces.")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureInvalid("The header webhook-timestamp is not a time in whole seconds since 1970 UTC.")
    if abs(int(timestamp) - now) > TOLERANCE_SECONDS:
        raise SignatureInvalid(
            f"The header webhook-timestamp is more than {TOLERANCE_SECONDS // 60} minutes off; sign each attempt anew, "
            "and set the clock."
        )
    signatures = [_decoded(one[3:]) for one in given.split(" ") if one.startswith("v1,")]
    for secret_id, secret in known.items():
        right = _signature(base64.b64decode(secret.removeprefix(PREFIX)), webhook_id, timestamp, body)
        if any(hmac.compare_digest(right, one) for one in signatures):
            return webhook_id, secret_id
    raise SignatureInvalid(
        "No signature is right; sign the bytes `webhook-id.webhook-timestamp.body` with a live secret of this source, "
        "and send the body unchanged."
    )


def _signature(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> bytes:
    return hmac.digest(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256)


def _decoded(text: str) -> bytes:
    """What base64 says; nothing where it is none, which no signature equals."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


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
