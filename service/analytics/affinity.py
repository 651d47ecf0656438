"""How accounts stand with brands: affinity and what it rests on, exchanges, advocates and detractors.

All of it is about one account and one brand, at the time `as_of` of the graph; nobody is compared with anybody.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from service.analytics.brands import ms_of, relations_of, time_of, track_of
from service.analytics.graph import entries_of, lengths
from service.analytics.rounding import DIGITS
from service.analytics.sentences import mention_reason, relation_reason
from service.analytics.ties import Window
from service.domain import (
    DAY_MS,
    BrandBasis,
    BrandRelation,
    BrandStanding,
    Complaint,
    Detractor,
    Graph,
    MentionEvidence,
    RelationEvidence,
    ScoringRules,
    account_name,
)


@dataclass
class _Mention:
    """One mention of a brand."""

    post: str
    at: int
    stance: int
    paid: int
    answered: bool
    read: bool


@dataclass
class _Contact:
    """Interactions between an account and the brand's own accounts in the window."""

    exchanges: int = 0
    last_day: int | None = None
    replied_day: int | None = None
    """The last day on which the brand replied to the account or mentioned it."""


@dataclass
class BrandTies:
    """What all accounts of a graph have to do with brands, by account, then brand (both as positions).

    Who neither is something to a brand, nor mentioned it, nor had an exchange with it, is not there.
    """

    relations: dict[int, dict[int, list[BrandRelation]]] = field(default_factory=dict)
    mentions: dict[int, dict[int, list[_Mention]]] = field(default_factory=dict)
    contacts: dict[int, dict[int, _Contact]] = field(default_factory=dict)

    def brands_of(self, account: int) -> list[int]:
        """Brands that an account has to do with, ascending."""
        of = (self.relations, self.mentions, self.contacts)
        return sorted({brand for one in of for brand in one.get(account, ())})


def brand_ties(graph: Graph, window: Window) -> BrandTies:
    """Gather what accounts have to do with brands; brands' own accounts have nothing to do with brands here."""
    ties = BrandTies()
    own = graph.brand_account
    position = {key: brand for brand, key in enumerate(graph.brand_keys)}
    for i in np.unique(graph.relation_account).tolist():
        if own[i]:
            continue
        of: dict[int, list[BrandRelation]] = {}
        for relation in relations_of(graph, i):
            of.setdefault(position[relation.brand], []).append(relation)
        ties.relations[i] = of
    posts = list(graph.mention_post)
    for i in np.flatnonzero(np.diff(graph.mention_ptr) > 0).tolist():
        if own[i]:
            continue
        for e in range(int(graph.mention_ptr[i]), int(graph.mention_ptr[i + 1])):
            said = _Mention(
                posts[e],
                int(graph.mention_at[e]),
                int(graph.mention_stance[e]),
                int(graph.mention_paid[e]),
                bool(graph.mention_answered[e]),
                bool(graph.mention_read[e]),
            )
            ties.mentions.setdefault(i, {}).setdefault(int(graph.mention_brand[e]), []).append(said)
    _add_contacts(ties, graph, window)
    return ties


def _add_contacts(ties: BrandTies, graph: Graph, window: Window) -> None:
    """Add interactions in the window between people's accounts and brands' own accounts, both ways."""
    if len(graph.own_account) == 0:
        return
    first = window.last_day - len(window.decay) + 1
    own = graph.brand_account
    brands: dict[int, list[int]] = {}
    for account, brand in zip(graph.own_account.tolist(), graph.own_brand.tolist(), strict=True):
        brands.setdefault(account, []).append(brand)
    to_own = np.flatnonzero(own[graph.engaged_idx])
    by = np.searchsorted(graph.engaged_ptr, to_own, side="right") - 1
    by_own = np.unique(graph.own_account)
    from_own = entries_of(graph.engaged_ptr, by_own)
    sides = (
        (to_own, by, graph.engaged_idx[to_own], False),
        (from_own, graph.engaged_idx[from_own], np.repeat(by_own, lengths(graph.engaged_ptr, by_own)), True),
    )
    for entries, person, account, answering in sides:
        day = graph.engaged_day[entries]
        counts = graph.engaged_counts[graph.engaged_code[entries]]
        kept = ~own[person] & (day >= first) & (day <= window.last_day) & (counts.sum(axis=1) > 0)
        for i, j, on, done in zip(
            person[kept].tolist(), account[kept].tolist(), day[kept].tolist(), counts[kept].tolist(), strict=True
        ):
            for brand in brands[j]:
                contact = ties.contacts.setdefault(i, {}).setdefault(brand, _Contact())
                contact.exchanges += sum(done)
                contact.last_day = on if contact.last_day is None else max(on, contact.last_day)
                if answering and done[1] + done[2] > 0:
                    contact.replied_day = on if contact.replied_day is None else max(on, contact.replied_day)


def brand_basis(graph: Graph, ties: BrandTies, window: Window, i: int, brand: int, rules: ScoringRules) -> BrandBasis:
    """Say how account i stands with a brand it has to do with (both as positions).

    Affinity is 1 − (1 − r)(1 − m). r is that of the best relation: of those that had begun, with 2^(−days since its
    end / 180). m = 1 − exp(−P / 3), P the sum of 2^(−age in days / 90) over mentions that are favourable, not known to
    be paid, and of a known time.
    """
    key = graph.brand_keys[brand]
    relations = ties.relations.get(i, {}).get(brand, [])
    mentions = ties.mentions.get(i, {}).get(brand, [])
    contact = ties.contacts.get(i, {}).get(brand, _Contact())
    now = graph.as_of

    held = [(relation_strength(relation, now, rules), relation) for relation in relations]
    strengths = sorted((strength for strength, _ in held), reverse=True)
    r = strengths[0] if strengths else 0.0
    worth = [(_mention_worth(one, now, rules), one) for one in mentions]
    p = math.fsum(weight for weight, _ in worth)
    m = 1 - math.exp(-p / rules.mention_scale)
    affinity = _round(1 - (1 - r) * (1 - m))

    evidence: list[RelationEvidence | MentionEvidence] = []
    for strength, relation in held:
        # Without it the next best stands: of two that are equally good neither is missed.
        rest = strengths.copy()
        rest.remove(strength)
        lost = (1 - m) * (r - (rest[0] if rest and strength == r else 0.0 if strength == r else r))
        if lost > 0:
            evidence.append(
                RelationEvidence(
                    account=graph.keys[i], brand=key, relation=relation.relation, since=relation.since,
                    until=relation.until, contribution=_round(lost), share=_round(lost / affinity),
                )
            )  # fmt: skip
    for weight, said in worth:
        lost = (1 - r) * (math.exp(-(p - weight) / rules.mention_scale) - math.exp(-p / rules.mention_scale))
        if weight > 0 and lost > 0:
            evidence.append(
                MentionEvidence(
                    account=graph.keys[i], brand=key, post=said.post, at=time_of(said.at), read=said.read,
                    contribution=_round(lost), share=_round(lost / affinity),
                )
            )  # fmt: skip
    evidence.sort(key=lambda one: (-one.contribution, one.kind == "mention", getattr(one, "post", "")))

    first_day = window.last_day - len(window.decay) + 1
    lately = [one for one in mentions if one.at != -1 and first_day <= one.at // DAY_MS <= window.last_day]
    favourable = [one for one in lately if one.stance == 1]
    unpaid = [one for one in favourable if one.paid != 1]
    unfavourable = [one for one in lately if one.stance == -1]
    answered = [one for one in lately if _answered(one, contact)]
    detractor = len(unfavourable) >= rules.detractor_mentions and len(unfavourable) > len(favourable)
    days = [one.at // DAY_MS for one in lately] + ([] if contact.last_day is None else [contact.last_day])
    name = graph.brand_names[brand]
    standing = BrandStanding(
        brand=key,
        brand_name=name,
        track=track_of(relations),
        relations=tuple(relations),
        relation_strength=_round(r),
        mention_strength=_round(m),
        affinity=affinity,
        favourable_unpaid=len(unpaid),
        favourable=len(favourable),
        unfavourable=len(unfavourable),
        other_mentions=len(lately) - len(favourable) - len(unfavourable),
        exchanges=contact.exchanges,
        answered_share=_round(len(answered) / len(lately)) if lately else None,
        last_contact=_date(max(days)) if days else None,
        spoken_well=any(one.stance == 1 for one in mentions),
        advocate=bool(unpaid) and not detractor,
        detractor=detractor,
    )
    reasons = [relation_reason(relation, strength) for strength, relation in held if strength > 0]
    if favourable or unfavourable or contact.exchanges:
        reasons.append(mention_reason(standing, rules.window_days))
    return BrandBasis(standing=standing, evidence=tuple(evidence[: rules.evidence_items]), reasons=tuple(reasons))


def detractors(
    graph: Graph, ties: BrandTies, window: Window, communities: list[str | None], rules: ScoringRules
) -> list[Detractor]:
    """List who speaks against a brand: by brand, then most unfavourable mentions first, then key.

    Args:
        graph: n accounts.
        ties: what they have to do with brands.
        window: days that count.
        communities: length n, id of each account's community.
        rules: cut-offs.
    """
    followers = np.diff(graph.in_ptr)
    found = []
    for i, of in ties.mentions.items():
        if graph.opted_out[i]:
            continue
        for brand, mentions in of.items():
            if sum(one.stance == -1 for one in mentions) < rules.detractor_mentions:
                continue
            standing = brand_basis(graph, ties, window, i, brand, rules).standing
            if not standing.detractor:
                continue
            contact = ties.contacts.get(i, {}).get(brand, _Contact())
            first_day = window.last_day - len(window.decay) + 1
            complaints = sorted(
                (
                    one
                    for one in of[brand]
                    if one.stance == -1 and one.at != -1 and first_day <= one.at // DAY_MS <= window.last_day
                ),
                key=lambda one: (-one.at, one.post),
            )
            listed = tuple(
                Complaint(post=one.post, at=time_of(one.at), answered=_answered(one, contact), read=one.read)
                for one in complaints
            )
            key, handle = graph.keys[i], graph.handles[i]
            found.append(
                Detractor(
                    key=key, handle=handle or None, name=account_name(key, handle), community=communities[i],
                    brand=standing.brand, followers=int(followers[i]), favourable=standing.favourable,
                    unfavourable=standing.unfavourable, unanswered=sum(not one.answered for one in listed),
                    complaints=listed,
                )
            )  # fmt: skip
    return sorted(found, key=lambda one: (one.brand, -one.unfavourable, one.key))


def relation_strength(relation: BrandRelation, now: int | None, rules: ScoringRules) -> float:
    """What a relation to a brand counts at the time `now`: in full while it lasts, less and less after its end."""
    strength: float = getattr(rules.relation, relation.relation)
    if relation.active:
        return strength
    if now is None or relation.until is None or (relation.since is not None and ms_of(relation.since) > now):
        return 0.0  # it has not begun
    return float(strength * 0.5 ** ((now - ms_of(relation.until)) / DAY_MS / rules.relation_half_life_days))


def _mention_worth(said: _Mention, now: int | None, rules: ScoringRules) -> float:
    if said.stance != 1 or said.paid == 1 or said.at == -1 or now is None:
        return 0.0
    # Of the last day only its first moment is known to `as_of`: what was said later that day is as new as can be.
    return float(0.5 ** (max(now - said.at, 0) / DAY_MS / rules.mention_half_life_days))


def _answered(said: _Mention, contact: _Contact) -> bool:
    later = contact.replied_day is not None and said.at != -1 and contact.replied_day >= said.at // DAY_MS
    return said.answered or later


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)


def _round(value: float) -> float:
    """Round one value as `significant` does: arrays of one are slower."""
    return float(f"{value:.{DIGITS}g}")
