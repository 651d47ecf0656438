"""What a caller may see who is to see some brands only: answers without what they say of others.

Documents of published runs name a brand in a few ways: a member `brand` (relations, evidence, standings, detractors,
definitions), the `subject` of a community that is defined by one, and sentences about relations. Whatever names a brand
that may not be seen is left out, wherever in a document it stands.
"""

from __future__ import annotations

from typing import Any

from service.domain import BRAND_TRACKS, Run

Sees = frozenset[str] | None
"""Keys of the brands that may be seen; None for all."""


def may_see(sees: Sees, brand: object) -> bool:
    """Whether a brand may be seen; what is no brand (None) may."""
    return sees is None or brand is None or brand in sees


def limited(document: Any, sees: frozenset[str]) -> Any:
    """Return a JSON document without what it says of brands that may not be seen.

    In lists such items are left out, members become null. The `track` of a candidate that comes from its relations to
    any brand comes from those that are left.
    """
    if isinstance(document, list):
        return [limited(one, sees) for one in document if not _hidden(one, sees)]
    if not isinstance(document, dict):
        return document
    shown: dict[str, Any] = {name: None if _hidden(one, sees) else limited(one, sees) for name, one in document.items()}
    if "relations" in shown and "track" in shown and shown.get("brand") is None:
        tracks = {one["track"] for one in shown["relations"] if one["active"]}
        shown["track"] = next((track for track in BRAND_TRACKS if track in tracks), "open")
    return shown


def limited_run(run: Run, sees: Sees) -> Run:
    """Return a run without the brands in its specification that may not be seen, nor an error that may name one."""
    if sees is None:
        return run
    changes: dict[str, Any] = {"communities": tuple(one for one in run.spec.communities if may_see(sees, one.brand))}
    if not may_see(sees, run.spec.brand):
        changes["brand"] = None
    hidden = "brand" in changes or changes["communities"] != run.spec.communities
    spec = run.spec.model_copy(update=changes)
    return run.model_copy(update={"spec": spec, "error": None} if hidden else {"spec": spec})


def _hidden(one: Any, sees: frozenset[str]) -> bool:
    if not isinstance(one, dict):
        return False
    if one.get("about") in ("relation", "brand") and one.get("brand") is None:
        return True  # a sentence of an earlier version, which does not say whose brand it speaks of
    brand = one.get("subject") if one.get("kind") == "brand" else one.get("brand")
    return isinstance(brand, str) and brand not in sees
