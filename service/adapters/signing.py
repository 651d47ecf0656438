"""Signatures that are an HMAC-SHA256 whose key is the text of the secret, as several platforms have them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping


def signature(secret: str, message: bytes, spell: Callable[[bytes], str]) -> str:
    """Return the signature of a message: `sha256=` and the digest, spelled as the platform does."""
    return "sha256=" + spell(hmac.digest(secret.encode(), message, hashlib.sha256))


def signer(given: str, message: bytes, secrets: Mapping[str, str], spell: Callable[[bytes], str]) -> str | None:
    """Return the id of the secret with which a message was signed; None where it is none of these.

    Args:
        given: the signature that came with it: any text.
        message: the bytes that were signed.
        secrets: live secrets by id.
        spell: how the platform spells a digest, such as hexadecimal.
    """
    for secret_id, secret in secrets.items():
        right = signature(secret, message, spell)
        if hmac.compare_digest(right.encode(), given.encode(errors="replace")):
            return secret_id
    return None
