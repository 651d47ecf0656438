"""Signatures of deliveries as Standard Webhooks 1.0 has them (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping

from service.errors import SignatureInvalid

TOLERANCE_SECONDS = 300
"""How far `webhook-timestamp` may be from the clock."""

PREFIX = "whsec_"
SECRET_BYTES = 32
_ID = re.compile(r"[!-~]{1,255}")
_SECRET = re.compile(r"[!-~]{8,200}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def new_secret() -> str:
    """Draw a secret, as the Standard Webhooks libraries take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Whether a text can be a secret with which a platform signs in its own way."""
    return _SECRET.fullmatch(text) is not None


def is_standard(text: str) -> bool:
    """Whether a text is a secret as Standard Webhooks has them: `whsec_` and base64."""
    return text.startswith(PREFIX) and bool(_decoded(text.removeprefix(PREFIX)))


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
        if not is_standard(secret):  # a platform gave it, which signs in a way of its own
            continue
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
