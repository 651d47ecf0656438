"""Twitch EventSub: who follows whom, as Twitch tells it by webhook (https://dev.twitch.tv/docs/eventsub/).

Messages that a forwarder reads from a WebSocket or a conduit are read, too, where it signs them as Standard Webhooks
says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from service.adapters import Adapter, Delivered, Event, Unusable, member, needed
from service.adapters.profiles import NAME_CHARACTERS, event, handle, seconds, text, upserted
from service.adapters.signing import signer
from service.errors import BadInput, SignatureInvalid

TOLERANCE_SECONDS = 600
"""Older messages are refused, as Twitch asks for: https://dev.twitch.tv/docs/eventsub/handling-webhook-events/."""

HEADERS = "twitch-eventsub-message-"
CHALLENGE = "webhook_callback_verification"
SESSION = ("session_welcome", "session_keepalive", "session_reconnect")
"""Messages of a WebSocket about itself."""

_ID = re.compile(r"[!-~]{1,255}")
_CHALLENGE = re.compile(r"[ -~]{1,1024}")
_WORD = re.compile(r"[!-~]{1,80}")


class Twitch(Adapter):
    """Deliveries are signed over id, time and body; the type of a message is not signed, so that it decides little."""

    name = "twitch"
    about = "Twitch EventSub: channel.follow, by webhook or through a forwarder."
    network = "twitch"
    signs_itself = True

    def delivered(self, headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str], now: float) -> Delivered:
        """Find out whether Twitch sent this: by its own signature, or that of a forwarder.

        Raises:
            SignatureInvalid: a header is missing or malformed, the message is too old, or the signature is wrong.
            BadInput: Twitch asks who we are, but there is no challenge that could be answered.
        """
        if "webhook-signature" in headers:
            return super().delivered(headers, body, secrets, now)
        message, sent, kind, given = (_header(headers, one) for one in ("id", "timestamp", "type", "signature"))
        if not _ID.fullmatch(message):
            raise SignatureInvalid(f"The header {HEADERS}id is not 1 to 255 printable ASCII characters without spaces.")
        # Id, time and body are signed without anything between them: only as the time has one form do they stay apart.
        sent_at = seconds(sent)
        if sent_at is None:
            raise SignatureInvalid(
                f"The header {HEADERS}timestamp is not a time such as 2025-03-01T12:00:00.123456789Z."
            )
        if now - sent_at > TOLERANCE_SECONDS:
            raise SignatureInvalid(
                f"The header {HEADERS}timestamp is more than {TOLERANCE_SECONDS // 60} minutes ago; set the clock."
            )
        secret = signer(given, message.encode() + sent.encode() + body, secrets, bytes.hex)
        if secret is None:
            raise SignatureInvalid(
                f"The header {HEADERS}signature is not right; subscribe with a live secret of this source, and let "
                "nothing between Twitch and here change the body."
            )
        answer = _challenge(body) if kind == CHALLENGE else None
        return Delivered(message, secret, answer, same_body=False)

    def asked(self, body: bytes) -> str | None:
        """Return the challenge, where the subscription still waits for its answer."""
        try:
            waits = member(json.loads(body.decode()), "subscription", "status") == f"{CHALLENGE}_pending"
            return _challenge(body) if waits else None
        except (ValueError, RecursionError, BadInput):
            return None

    def events(self, item: Any) -> list[Event]:
        """Read a message: `{"subscription": ..., "event": ...}`; on a WebSocket that is its `payload`.

        Raises:
            Unusable: Twitch ended the subscription, or something that should be there is not.
        """
        message = item
        if member(item, "metadata") is not None:
            if member(item, "metadata", "message_type") in SESSION:
                return []
            message = member(item, "payload")
        kind = needed(message, "subscription", "type")
        what = member(message, "event")
        if what is None and kind != "channel.follow" and member(message, "subscription", "status") == "enabled":
            return []  # of other types, whose events may come several at once
        if what is None:
            raise _without_event(kind, member(message, "subscription", "status"))
        return _followed(what) if kind == "channel.follow" else []


def _followed(follow: Any) -> list[Event]:
    """What a `channel.follow` says; the names are those of that time, so that later ones stand."""
    if not isinstance(follow, dict):
        raise Unusable("bad_event", "The field event is not a JSON object.")
    follower, followee, at = needed(follow, "user_id"), needed(follow, "broadcaster_user_id"), follow.get("followed_at")
    said = [event("follow.created", {"follower": follower, "followee": followee}, at)]
    for account, role in ((follower, "user"), (followee, "broadcaster_user")):
        profile = {
            "handle": handle(follow.get(f"{role}_login")),
            "name": text(follow.get(f"{role}_name"), NAME_CHARACTERS),
        }
        said += upserted(account, profile, at)
    return said


def _without_event(kind: Any, status: Any) -> Unusable:
    if status is None or status == "enabled":
        return Unusable("missing_field", "There is no event.")
    return Unusable(
        "revoked",
        f"Twitch has ended the subscription to {_word(kind)}: its status is {_word(status)}. Mend what that says, then "
        "subscribe again; what happens until then is not sent.",
    )


def _word(value: Any) -> str:
    """What Twitch calls something, as sentences can hold it."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "something unknown"


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(HEADERS + name, "")
    if not value:
        raise SignatureInvalid(f"The header {HEADERS}{name} is missing; Twitch sends it with each message.")
    return value


def _challenge(body: bytes) -> str:
    """What Twitch wants to be answered when it asks who we are."""
    try:
        challenge = member(json.loads(body.decode()), "challenge")
    except (ValueError, RecursionError):
        challenge = None
    if not isinstance(challenge, str) or not _CHALLENGE.fullmatch(challenge):
        raise BadInput("There is no challenge in the body that could be answered: 1 to 1,024 printable characters.")
    return challenge


ADAPTER = Twitch()
