"""Mastodon and what else speaks ActivityPub: activities, as they arrive in an inbox.

Formats: https://www.w3.org/TR/activitypub/, https://www.w3.org/TR/activitystreams-vocabulary/, and what Mastodon makes
of them: https://docs.joinmastodon.org/spec/activitypub/, app/lib/activitypub/activity/ of its source.

Whoever forwards an activity has verified that its actor sent it. Nobody has verified what is embedded in it, so that an
actor is believed of its own follows and of those who follow it no more, never of who follows it.
"""

from __future__ import annotations

import re
from typing import Any

from service.adapters import Adapter, Event, Unusable, member, needed

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


class Mastodon(Adapter):
    """Activities of ActivityPub say who follows whom, who no longer does, and who is gone."""

    name = "mastodon"
    about = "Follows, ends of follows, blocks and deleted accounts, as activities of ActivityPub."
    network = "mastodon"

    def events(self, item: Any) -> list[Event]:
        """Read an activity: Follow, Undo, Reject, Block and Delete; others say nothing that is read.

        Raises:
            Unusable: it is none, or leaves open who follows whom.
        """
        if not isinstance(item, dict):
            raise Unusable("bad_event", "The activity is not a JSON object.")
        needed(item, "type")
        read = next((_READ[one] for one in _types(item) if one in _READ), None)
        return [] if read is None else read(item)


def _follow(activity: Event) -> list[Event]:
    follower = _uri(activity, "actor")
    return [
        _event(
            "follow.created",
            activity,
            follower=follower,
            followee=_uri(activity, "object"),
            record=_record(follower, activity),
        )
    ]


def _undo(activity: Event) -> list[Event]:
    actor, undone = _uri(activity, "actor"), _one(needed(activity, "object"))
    types = _types(undone)
    if "Follow" in types:
        _same(actor, undone, "actor")
        record = _record(actor, undone)
        if record is None or member(undone, "object") is not None:
            return [_event("follow.deleted", activity, follower=actor, followee=_uri(undone, "object"), record=record)]
    elif "Accept" in types:  # of a follow: the actor takes back that it is followed
        _same(actor, undone, "actor")
        return _no_longer_followed(activity, actor, _one(needed(undone, "object")))
    elif types:
        return []
    else:  # only an id, of a Follow or of something else: the end of a follow that never was changes nothing
        record = _record(actor, {"id": undone} if isinstance(undone, str) else undone)
        if record is None:
            raise Unusable("missing_field", "There is no object.id: nobody can tell what is undone.")
    return [_event("follow.deleted", activity, record=record)]


def _reject(activity: Event) -> list[Event]:
    return _no_longer_followed(activity, _uri(activity, "actor"), _one(needed(activity, "object")))


def _no_longer_followed(activity: Event, followee: str, follow: Any) -> list[Event]:
    """Read the end of a follow that the one who is followed brings about.

    The id of the Follow is not used: it is what the followee says it is, and could be that of another follow.
    """
    types = _types(follow)
    if not types:
        raise Unusable(
            "unnamed_follower",
            "This names a Follow by its id alone, which says nothing of who follows; forward it with the Follow in it.",
        )
    if "Follow" not in types:
        return []
    _same(followee, follow, "object")
    return [_event("follow.deleted", activity, follower=_uri(follow, "actor"), followee=followee)]


def _block(activity: Event) -> list[Event]:
    """Who blocks somebody follows them no more, nor is followed by them: so Mastodon does on either side."""
    actor, blocked = _uri(activity, "actor"), _uri(activity, "object")
    return [
        _event("follow.deleted", activity, follower=one, followee=other)
        for one, other in ((actor, blocked), (blocked, actor))
    ]


def _delete(activity: Event) -> list[Event]:
    """An actor that deletes itself is an account that is gone for good; what else is deleted is a post."""
    actor = _uri(activity, "actor")
    return [_event("account.deleted", activity, account=actor)] if _uri(activity, "object") == actor else []


_READ = {"Follow": _follow, "Undo": _undo, "Reject": _reject, "Block": _block, "Delete": _delete}


def _event(kind: str, activity: Event, **data: str | None) -> Event:
    """Make an event of ours; its time is `published` where there is one, which Mastodon does not write on these."""
    event: Event = {"type": kind, "data": {name: value for name, value in data.items() if value is not None}}
    published = activity.get("published")
    if published is not None:
        if not isinstance(published, str):
            raise Unusable("bad_time", "The field published is not a time such as 2024-05-01T12:00:00Z.")
        event["timestamp"] = published
    return event


def _record(actor: str, activity: Any) -> str | None:
    """Return the id of an actor's own follow; None where it has none, as activities may.

    The actor is part of it, without white space, so that nobody ends somebody else's follow by naming its id.
    """
    given = member(activity, "id")
    if given is None:
        return None
    if not isinstance(given, str):
        raise Unusable("bad_id", "The id of the activity is not text.")
    return f"{actor} {given.strip()}" if given.strip() else None


def _uri(of: Any, name: str) -> str:
    """Return the URI of an actor or object: given as such, as an object with an id, or as a list of one of these.

    Raises:
        Unusable: it is not there, or none.
    """
    value = _one(needed(of, name))
    found = member(value, "id") if isinstance(value, dict) else value
    if not isinstance(found, str) or not _URI.fullmatch(found):
        raise Unusable("bad_id", f"The {name} is no URI, nor an object whose id is one.")
    return found


def _same(actor: str, of: Any, name: str) -> None:
    """Check that who sent an activity is the one it is about, where what is embedded in it says so.

    Raises:
        Unusable: it is about others.
    """
    if member(of, name) is not None and _uri(of, name) != actor:
        raise Unusable("foreign_follow", f"The {name} of what is embedded is another than the actor who sends this.")


def _one(value: Any) -> Any:
    """Return what is in a list of one thing: in JSON-LD they are the same."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _types(of: Any) -> list[str]:
    value = member(of, "type")
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


ADAPTER = Mastodon()
