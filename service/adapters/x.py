"""X: who follows whom, as its Activity API tells it by webhook (https://docs.x.com/x-api/activity/event-payloads).

Follow events of the older Account Activity API are read, too, and what a forwarder reads from the stream of the
Activity API, where it signs that as Standard Webhooks says.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from service.adapters import Adapter, Delivered, Event, Unusable, member, needed
from service.adapters.profiles import (
    BIO_CHARACTERS,
    LOCATION_CHARACTERS,
    NAME_CHARACTERS,
    event,
    followers,
    handle,
    text,
    time,
    upserted,
)
from service.adapters.signing import signature, signer
from service.errors import BadInput, SignatureInvalid

SIGNATURE = "x-twitter-webhooks-signature"
ACTIVITIES = {"follow.follow": "follow.created", "follow.unfollow": "follow.deleted"}
ACCOUNT_ACTIVITIES = {"follow": "follow.created", "unfollow": "follow.deleted"}
_ID = re.compile(r"[!-~]{1,255}")
_TOKEN = re.compile(rb"[A-Za-z0-9_.+/=-]{1,512}")
"""What is signed for whoever asks. No object or array of JSON looks like that, so that no event can be forged by it."""


class X(Adapter):
    """Deliveries are signed with the consumer secret of the app; so are challenges, which anybody may ask."""

    name = "x"
    about = "X Activity API: follow.follow and follow.unfollow, by webhook or through a forwarder of its stream."
    network = "x"
    gives_secret = True
    signs_itself = True
    asks = ("crc_token",)
    answered = 200

    def delivered(self, headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str], now: float) -> Delivered:
        """Find out whether X sent this: by its own signature, or that of a forwarder. X signs no time.

        Raises:
            SignatureInvalid: the signature is missing or wrong, or one that anybody could have asked for.
        """
        if "webhook-signature" in headers:
            return super().delivered(headers, body, secrets, now)
        given = headers.get(SIGNATURE, "")
        if not given:
            raise SignatureInvalid(f"The header {SIGNATURE} is missing; X sends it with each event.")
        secret = signer(given, body, secrets, _base64)
        if secret is None:
            raise SignatureInvalid(
                f"The header {SIGNATURE} is not right; give this source the consumer secret of the app, and let "
                "nothing between X and here change the body."
            )
        if _TOKEN.fullmatch(body):
            raise SignatureInvalid("The body is no event but a text that may have been signed as a challenge.")
        return Delivered(_delivery_id(body), secret, same_body=False)

    def challenged(self, query: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
        """Answer a challenge-response check (https://docs.x.com/x-api/webhooks/quickstart).

        Raises:
            BadInput: there is no token, or one that is not signed because it could be something else.
        """
        token = query.get("crc_token", "").encode(errors="replace")
        if not _TOKEN.fullmatch(token):
            raise BadInput("There is no crc_token of 1 to 512 letters, digits and the characters - _ . + / = to sign.")
        return {"response_token": signature(next(iter(secrets.values())), token, _base64)}

    def events(self, item: Any) -> list[Event]:
        """Read `{"data": {"event_type": ..., "payload": ...}}`, or `{"follow_events": [...]}`.

        Raises:
            Unusable: it is neither, or one of the two accounts is missing.
        """
        if not isinstance(item, dict):
            raise Unusable("bad_event", "The event is not a JSON object.")
        if "data" not in item:
            return _account_activities(item)
        kind = needed(item, "data", "event_type")
        if not isinstance(kind, str):
            raise Unusable("unknown_type", "The data.event_type is no text.")
        return _said(ACTIVITIES[kind], item, ("data", "payload"), None) if kind in ACTIVITIES else []


def _account_activities(item: dict[str, Any]) -> list[Event]:
    """What the Account Activity API says (https://docs.x.com/x-api/account-activity/introduction), with times."""
    if not any(name.endswith(("_events", "_event")) or name == "replay_job_status" for name in item):
        raise Unusable("missing_field", "There is neither data nor follow_events.")
    activities = item.get("follow_events", [])
    if not isinstance(activities, list):
        raise Unusable("bad_event", "The field follow_events is no array.")
    said = []
    for one in activities:
        kind = needed(one, "type")
        if not isinstance(kind, str) or kind not in ACCOUNT_ACTIVITIES:
            raise Unusable("unknown_type", "The type of one of the follow_events is neither follow nor unfollow.")
        said += _said(ACCOUNT_ACTIVITIES[kind], one, (), member(one, "created_timestamp"))
    return said


def _said(kind: str, of: Any, path: tuple[str, ...], at: Any) -> list[Event]:
    """The follow or its end, and what is said of both accounts."""
    source, target = _user(of, *path, "source"), _user(of, *path, "target")
    said = [event(kind, {"follower": _account(source), "followee": _account(target)}, at)]
    for user in (source, target):
        said += upserted(_account(user), _profile(user), at)
    return said


def _user(of: Any, *path: str) -> dict[str, Any]:
    """The user that is told of: in `data` as event payloads are documented, or at once as in the Account Activity API.

    Raises:
        Unusable: it is not there.
    """
    for user in (member(of, *path, "data"), member(of, *path)):
        if isinstance(user, dict) and _account(user) not in (None, ""):
            return user
    where = ".".join((*path, "data", "id") if "payload" in path else (*path, "id"))
    raise Unusable("missing_field", f"There is no {where}; the account may be suspended or deleted.")


def _account(user: dict[str, Any]) -> Any:
    """The id of a user. Where it is there as text and as a number, the number may have lost digits."""
    as_text = user.get("id_str")
    return as_text if isinstance(as_text, str) and as_text else user.get("id")


def _profile(user: dict[str, Any]) -> dict[str, Any]:
    """What is said of a user, under the names of the X API v2, or of the Account Activity API."""
    count = member(user, "public_metrics", "followers_count")
    return {
        "handle": handle(user.get("username")) or handle(user.get("screen_name")),
        "name": text(user.get("name"), NAME_CHARACTERS),
        "bio": text(user.get("description"), BIO_CHARACTERS),
        "location": text(user.get("location"), LOCATION_CHARACTERS),
        "created_at": time(user.get("created_at")),
        "followers": followers(user.get("followers_count") if count is None else count),
    }


def _delivery_id(body: bytes) -> str:
    """The id that X gave an event, else one that is the same for the same body."""
    try:
        given = member(json.loads(body.decode()), "data", "event_uuid")
    except (ValueError, RecursionError):
        given = None
    if isinstance(given, str) and _ID.fullmatch(given):
        return given
    return "sha256-" + hashlib.sha256(body).hexdigest()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


ADAPTER = X()
