"""Reasons as sentences, in English and French, each made from the numbers that it states.

Percentages are rounded down, so that they never claim too much.
"""

from __future__ import annotations

import math
from datetime import date

from service.domain import (
    BrandRelation,
    BrandStanding,
    LensName,
    Reason,
    RelationName,
    Role,
    Said,
    SignName,
    lens_part,
)

# Not strftime: its names depend on the locale.
_MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
}  # fmt: skip

_RELATIONS: dict[RelationName, tuple[str, str]] = {
    "employee": ("Employee", "Membre du personnel"),
    "collaborator": ("Collaborator", "Partenaire"),
    "customer": ("Customer", "Client"),
    "user": ("User", "Utilisateur"),
}


_LENSES: dict[LensName, tuple[str, str]] = {
    "social_capital": ("social capital", "le capital social"),
    "standing": ("standing in the community", "le rang dans la communauté"),
    "authority": ("authority in topics", "l'autorité sur ses thèmes"),
    "market": ("price", "le cours"),
    "audience": ("active audience", "l'audience active"),
    "profile": ("profile", "le profil"),
    "context": ("influence in context", "l'influence en contexte"),
}


def lens_reason(lens: LensName, value: float, ahead: int, compared: int) -> Reason:
    """Say where an account stands by a lens.

    Args:
        lens: which one.
        value: the account's.
        ahead: how many of those compared have a higher value.
        compared: how many are compared, the account included.
    """
    name, nom = _LENSES[lens]
    if compared == 1:
        en, fr = "nobody else is compared", "aucun autre compte n'est comparé"
    elif ahead == 0:
        en = f"none of the {compared:,} accounts compared is higher"
        fr = f"aucun des {number(compared)} comptes comparés n'est plus haut"
    else:
        en = f"number {ahead + 1:,} of the {compared:,} accounts compared"
        fr = f"n° {number(ahead + 1)} des {number(compared)} comptes comparés"
    return Reason(
        about=lens_part(lens),
        en=f"By {name} ({value:,.1f}): {en}.",
        fr=f"Selon {nom} ({_decimal(value, 1)}) : {fr}.",
    )


def authority_reason(below: int, equal: int, others: int, followers: int, engaging: int) -> Reason:
    """Say how many of the accounts compared are listened to less than this one, and who listens to it.

    Args:
        below, equal: how many of the others have less authority, and as much.
        others: how many others are compared.
        followers: members who follow the account.
        engaging: members who only engage with it.
    """
    en = f"{_en(followers, 'member')} {'follows' if followers == 1 else 'follow'} this account"
    fr = f"{_fr(followers, 'membre')} {'suit' if followers < 2 else 'suivent'} ce compte"
    if engaging:
        en += f", and {engaging:,} more {'engages' if engaging == 1 else 'engage'} with it"
        fr += f", et {number(engaging)} de plus {'réagit' if engaging == 1 else 'réagissent'}"
    if 0 < below == others > 1:
        en = f"Listened to more than any of the {others:,} other accounts compared; {en}."
        fr = f"Plus écouté que chacun des {number(others)} autres comptes comparés ; {fr}."
    elif below:
        en = f"Listened to more than {_of(below, others, 'other account', 'other accounts', ' compared')}; {en}."
        fr = f"Plus écouté que {_parmi(below, others, 'autre compte comparé', 'autres comptes comparés')} ; {fr}."
    elif equal:
        en = f"Listened to as much as {_of(equal, others, 'other account', 'other accounts', ' compared')}; {en}."
        fr = f"Aussi écouté que {_parmi(equal, others, 'autre compte comparé', 'autres comptes comparés')} ; {fr}."
    else:
        en, fr = f"{en}.", f"{fr}."
    return Reason(about="authority", en=en, fr=fr)


def reach_reason(direct: int, reached: int, others: int) -> Reason:
    """Say how many of the other members hear of the account directly, and by way of one other member."""
    whom, qui = (
        _of(reached, others, "other member", "other members"),
        _parmi(reached, others, "autre membre", "autres membres"),
    )
    if reached == direct:
        return Reason(about="reach", en=f"Reaches {whom} directly.", fr=f"Touche directement {qui}.")
    return Reason(
        about="reach",
        en=f"Reaches {whom} within two steps: {direct:,} directly and {reached - direct:,} through "
        f"{'that one' if direct == 1 else 'them'}.",
        fr=f"Touche en deux étapes {qui} : {number(direct)} directement et {number(reached - direct)} par "
        f"{'ce membre' if direct == 1 else 'leur intermédiaire'}.",
    )


def resonance_reason(received: int, people: int, responding: int, days: int, mean: float) -> Reason:
    """Say how many responses came from the community, from how many people, beside the community's rate.

    Args:
        received: interactions received from members in the window.
        people: members who follow or engage.
        responding: members who engaged.
        days: days of the window that are known.
        mean: interactions per person and day in the community.
    """
    if received == 0:
        return Reason(
            about="resonance",
            en=f"No response from the community in {_en(days, 'day')} is known; the community's average stands for it "
            f"({100 * mean * days:.1f} for each 100 followers).",
            fr=f"Aucune réaction de la communauté connue en {_fr(days, 'jour')} ; la moyenne de la communauté en tient "
            f"lieu ({_decimal(100 * mean * days, 1)} pour 100 abonnés).",
        )
    rate, usual = 100 * received / people, 100 * mean * days
    return Reason(
        about="resonance",
        en=f"Got {_en(received, 'response')} from {_en(responding, 'member')} in {_en(days, 'day')}: {rate:.1f} for "
        f"each 100 who follow or engage, where the community's average is {usual:.1f}.",
        fr=f"A reçu {_fr(received, 'réaction')} de {_fr(responding, 'membre')} en {_fr(days, 'jour')} : "
        f"{_decimal(rate, 1)} pour 100 personnes qui suivent ou réagissent, contre {_decimal(usual, 1)} en moyenne "
        "dans la communauté.",
    )


def trust_reason(followers: int, back: int, exchanging: int | None, ties: int, weeks: int, mean: float) -> Reason:
    """Say how many ties go both ways, and with how many there were exchanges lately.

    Args:
        followers: of the account inside the community; `back`: how many of them it follows back.
        exchanging: with how many of its `ties` one engaged with the other in the last `weeks`; None where not known.
        ties: members who follow or engage.
        weeks: how many weeks count.
        mean: the community's average.
    """
    if back:
        ways = "this tie goes" if back == 1 else "these ties go"
        en = f"Follows back {_of(back, followers, 'follower', 'followers', ' in this community')}, so {ways} both ways"
        fr = (
            f"Suit en retour {_parmi(back, followers, 'abonné', 'abonnés', ' de cette communauté')} : "
            f"{'ce lien va' if back == 1 else 'ces liens vont'} dans les deux sens"
        )
    elif followers:
        whom = "the only follower" if followers == 1 else f"any of the {followers:,} followers"
        qui = "son seul abonné" if followers == 1 else f"aucun de ses {number(followers)} abonnés"
        en, fr = f"Does not follow back {whom} in this community", f"Ne suit en retour {qui} dans cette communauté"
        if followers == 1:
            fr = "Ne suit pas en retour son seul abonné dans cette communauté"
    else:
        en, fr = "0 members of this community follow this account", "0 membre de cette communauté suit ce compte"
    if exchanging:
        whom = _of(exchanging, ties, "member who listens", "members who listen")
        en += f"; exchanges with {whom} in the last {weeks} weeks"
        fr += (
            f" ; échange avec {_parmi(exchanging, ties, 'membre qui écoute', 'membres qui écoutent')} au cours des "
            f"{weeks} dernières semaines"
        )
    elif not back:
        en += f"; trust rests on the community's average alone ({mean:.2f})"
        fr += f" ; la confiance repose sur la seule moyenne de la communauté ({_decimal(mean, 2)})"
    return Reason(about="trust", en=f"{en}.", fr=f"{fr}.")


def relevance_reason(about: int, posts: int, topics: tuple[str, ...]) -> Reason:
    """Say how many of an account's posts about topics are about those of a community, or of a question."""
    named = topics[:3]
    en = " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else named[0]
    fr = " et ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else named[0]
    verb, verbe = ("is", "porte") if about == 1 else ("are", "portent")
    return Reason(
        about="relevance",
        en=f"{_majuscule(_of(about, posts, 'post on topics', 'posts on topics'))} {verb} about {en}.",
        fr=f"{_majuscule(_parmi(about, posts, 'publication thématique', 'publications thématiques', f=True))} {verbe} "
        f"sur {fr}.",
    )


def brief_reason(words: list[tuple[str, int]], asked: int) -> Reason:
    """Say which words of a brief an account's posts say, strongest first, each with its number of posts.

    Args:
        words: at least one.
        asked: how many words the brief has.
    """
    first, *others = words[:3]
    en = f"“{first[0]}” in {_en(first[1], 'post')}"
    fr = f"« {first[0]} » dans {_fr(first[1], 'publication')}"
    for word, posts in others:
        en += f", “{word}” in {posts:,}"
        fr += f", « {word} » dans {number(posts)}"
    return Reason(
        about="relevance",
        en=f"Says {_of(len(words), asked, 'word', 'words')} of the brief: {en}.",
        fr=f"Dit {_parmi(len(words), asked, 'mot', 'mots')} du brief : {fr}.",
    )


def relation_reason(relation: BrandRelation, strength: float) -> Reason:
    """Say what an account is to a brand, and how strongly that counts: `Employee of Maison Aubade since March 2023`."""
    name = relation.brand_name or relation.brand
    english, french = _RELATIONS[relation.relation]
    en = f"{english if relation.active else 'Former ' + english.lower()} of {name}"
    fr = f"{french if relation.active else 'Ancien lien : ' + french.lower()} de {name}"
    if relation.since:
        en += f" since {_month(relation, 'en')}" if not relation.until else f" from {_month(relation, 'en')}"
        fr += f" depuis {_month(relation, 'fr')}"
    if relation.until:
        until = relation.until
        en += f" until {_MONTHS['en'][until.month - 1]} {until.year}"
        fr += f" jusqu'en {_MONTHS['fr'][until.month - 1]} {until.year}"
    return Reason(
        about="relation",
        brand=relation.brand,
        en=f"{en} (counts {strength:.2f} of 1).",
        fr=f"{fr} (compte pour {_decimal(strength, 2)} sur 1).",
    )


def mention_reason(standing: BrandStanding, days: int) -> Reason:
    """Say what an account said of a brand, and what they did with each other, in the window."""
    name = standing.brand_name or standing.brand
    said = standing.favourable + standing.unfavourable + standing.other_mentions
    en = f"Mentioned {name} {_en(said, 'time')} in {days} days"
    fr = f"A mentionné {name} {number(said)} fois en {days} jours"
    if said:
        en += f", {standing.favourable:,} of them favourably ({standing.favourable_unpaid:,} not paid for)"
        fr += f", dont {number(standing.favourable)} en bien ({number(standing.favourable_unpaid)} sans rémunération)"
        if standing.unfavourable:
            en += f" and {standing.unfavourable:,} unfavourably"
            fr += f" et {number(standing.unfavourable)} en mal"
    if standing.exchanges:
        en += f"; {_en(standing.exchanges, 'exchange')} with its accounts"
        fr += f" ; {_fr(standing.exchanges, 'échange')} avec ses comptes"
    return Reason(about="brand", brand=standing.brand, en=f"{en}.", fr=f"{fr}.")


def role_reason(role: Role) -> Reason:
    """Say why an account has a role."""
    of = {one.measure: one for one in role.measures}

    def value(name: str) -> float:
        return of[name].value

    def least(name: str) -> float:
        return of[name].threshold or 0.0

    if role.role == "networker":
        en = (
            f"Networker: its ties spread over communities with a participation of {value('participation'):.2f} (from "
            f"{least('participation'):.2f} on), and it follows back {_percent(value('reciprocity'))}% of its followers."
        )
        fr = (
            f"Connecteur : ses liens s'étendent sur plusieurs communautés, participation de "
            f"{_decimal(value('participation'), 2)} (à partir de {_decimal(least('participation'), 2)}), et il suit en "
            f"retour {_percent(value('reciprocity'))} % de ses abonnés."
        )
    elif role.role == "broadcaster":
        en = (
            f"Broadcaster: {_percent(value('passed_on_share'))}% of {value('posts'):,.0f} posts pass on links or posts "
            f"of others, and it was reposted {value('reposts_received'):,.0f} times."
        )
        fr = (
            f"Diffuseur : {_percent(value('passed_on_share'))} % de ses {number(int(value('posts')))} publications "
            f"relaient des liens ou d'autres publications, et il a été relayé "
            f"{number(int(value('reposts_received')))} fois."
        )
    elif role.role == "heavy_user":
        en = (
            f"Heavy user: active on {value('active_days'):,.0f} days; the most active start at "
            f"{least('active_days'):,.0f}."
        )
        fr = (
            f"Utilisateur assidu : actif {number(int(value('active_days')))} jours ; les plus actifs commencent à "
            f"{number(int(least('active_days')))}."
        )
    elif role.role == "opinion_leader":
        en = f"Opinion leader: authority of {value('authority'):.2g}, among the first from {least('authority'):.2g} on."
        fr = (
            f"Leader d'opinion : autorité de {_significant(value('authority'))}, parmi les premiers à partir de "
            f"{_significant(least('authority'))}."
        )
    elif role.role == "specialist":
        en = (
            f"Specialist: {value('topic_posts'):,.0f} posts on few topics ({value('topic_entropy_bits'):.2f} bits, "
            f"specialists have at most {least('topic_entropy_bits'):.2f})."
        )
        fr = (
            f"Spécialiste : {number(int(value('topic_posts')))} publications sur peu de sujets "
            f"({_decimal(value('topic_entropy_bits'), 2)} bits, au plus {_decimal(least('topic_entropy_bits'), 2)} "
            "pour un spécialiste)."
        )
    elif role.role == "trend_discoverer":
        en = (
            f"Trend discoverer: of {value('topics_that_spread'):,.0f} topics that spread, took half up among the first "
            f"{-_percent(-value('median_place'))}% (chance of that: {value('p_value'):.3f})."
        )
        fr = (
            f"Découvreur de tendances : sur {number(int(value('topics_that_spread')))} sujets qui se sont répandus, en "
            f"a adopté la moitié parmi les {-_percent(-value('median_place'))} % premiers (probabilité due au hasard : "
            f"{_decimal(value('p_value'), 3)})."
        )
    else:
        en = f"Celebrity: an audience of {value('audience'):,.0f} accounts, without another role."
        fr = f"Célébrité : une audience de {number(int(value('audience')))} comptes, sans autre rôle."
    if role.emerging:
        en, fr = f"Emerging {en[0].lower()}{en[1:]}", f"Émergent – {fr[0].lower()}{fr[1:]}"
    return Reason(about=role.role, en=en, fr=fr)


def audience_reason(reported: int | None, followers: int) -> Reason:
    """Say how large an audience is, and who says so."""
    if reported is not None:
        return Reason(
            about="audience",
            en=f"Followed by {reported:,} accounts, as its network reports; {followers:,} of them are in this graph.",
            fr=f"Suivi par {number(reported)} comptes, selon son réseau ; {number(followers)} sont dans ce graphe.",
        )
    return Reason(
        about="audience",
        en=f"Followed by {_en(followers, 'account')} in this graph.",
        fr=f"Suivi par {_fr(followers, 'compte')} dans ce graphe.",
    )


def number(value: int) -> str:
    """Write a whole number as in French: groups of three digits with narrow spaces between."""
    return f"{value:,}".replace(",", "\u202f")


def _percent(share: float) -> int:
    """A share in percent, rounded down; what differs from a whole number only by a rounding error is that number."""
    return math.floor(round(100 * share, 6))


def _decimal(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}".replace(",", "\u202f").replace(".", ",")


def _significant(value: float) -> str:
    return f"{value:.2g}".replace(".", ",")


def _month(relation: BrandRelation, language: str) -> str:
    since = relation.since
    assert since is not None  # noqa: S101 - asked for only where it is
    return f"{_MONTHS[language][since.month - 1]} {since.year}"


def _majuscule(text: str) -> str:
    return text[0].upper() + text[1:]


def _en(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _fr(count: int, noun: str) -> str:
    return f"{number(count)} {noun}" if count < 2 else f"{number(count)} {noun}s"


def _of(some: int, whole: int, noun: str, plural: str, after: str = "") -> str:
    """Say how many of how many: `the only other member`, `all 12 other members`, `3 of the 12 other members (25%)`."""
    if some == whole:
        return f"the only {noun}{after}" if whole == 1 else f"all {whole:,} {plural}{after}"
    percent = 100 * some // whole
    return f"{some:,} of the {whole:,} {plural}{after}" + (f" ({percent}%)" if percent else "")


def _parmi(some: int, whole: int, noun: str, plural: str, after: str = "", *, f: bool = False) -> str:
    """Say the same in French: `le seul autre membre`, `les 12 autres membres`, `3 des 12 autres membres (25 %)`."""
    if some == whole:
        return (
            f"{'la seule' if f else 'le seul'} {noun}{after}" if whole == 1 else f"les {number(whole)} {plural}{after}"
        )
    percent = 100 * some // whole
    return f"{number(some)} des {number(whole)} {plural}{after}" + (f" ({percent} %)" if percent else "")


def _burst_sentence(left_out: int, total: int) -> Said:
    """Say how many of all interactions received from the community came in bursts and count nothing."""
    one = left_out == 1
    whom = _of(left_out, total, "interaction", "interactions", " received")
    qui = _parmi(left_out, total, "interaction reçue", "interactions reçues", f=True)
    return Said(
        en=f"{_majuscule(whom)} came in bursts, many from one account on one day: "
        f"{'it counts' if one else 'they count'} nothing.",
        fr=f"{_majuscule(qui)} {'vient' if one else 'viennent'} par rafales, beaucoup d'un même compte le même jour : "
        f"{'elle ne compte' if one else 'elles ne comptent'} pas.",
    )


def sign_sentence(sign: SignName, count: int, total: int, left_out: int, day: date | None = None) -> Said:
    """Say what a sign of manipulation rests on, and what it costs.

    Args:
        sign: which one.
        count: followers, or of a burst interactions, that carry it.
        total: all followers in the graph, of a burst of follows those of whom is known since when; or all interactions
            received from the community.
        left_out: how many of `count` count nothing.
        day: of the burst of follows.
    """
    if sign == "burst":
        return _burst_sentence(left_out, total)
    one = count == 1
    whom, qui = _of(count, total, "follower", "followers"), _parmi(count, total, "abonné", "abonnés")
    if sign == "empty_followers":
        en = f"{whom} {'is' if one else 'are'} empty: never seen to do anything but follow"
        fr = f"{qui} {'est un compte vide' if one else 'sont des comptes vides'} : on n'en connaît que des abonnements"
    elif sign == "follow_ring":
        en = f"{whom} {'is' if one else 'are'} of a ring whose accounts follow each other and never exchange a word"
        fr = f"{qui} {'est' if one else 'sont'} d'un cercle dont les comptes se suivent sans jamais échanger un mot"
    elif sign == "follow_burst" and day is not None:
        en = f"{whom} came on one day, {day.day} {_MONTHS['en'][day.month - 1]} {day.year}"
        fr = f"{qui} {'est arrivé' if one else 'sont arrivés'} en un jour, le {day.day} "
        fr += f"{_MONTHS['fr'][day.month - 1]} {day.year}"
    else:
        en = f"{whom} {'has' if one else 'have'} a bio that many accounts have word for word"
        fr = f"{qui} {'a' if one else 'ont'} une bio que beaucoup de comptes ont mot pour mot"
    return Said(
        en=f"{_majuscule(en)}. {_cost(count, left_out)[0]}", fr=f"{_majuscule(fr)}. {_cost(count, left_out)[1]}"
    )


def _cost(count: int, left_out: int) -> tuple[str, str]:
    """What followers with a sign cost, in English and French."""
    if left_out == count:
        return (
            ("It counts nothing.", "Il ne compte pas.")
            if count == 1
            else ("They count nothing.", "Ils ne comptent pas.")
        )
    if left_out == 0:
        return "They count as others do.", "Ils comptent comme les autres."
    verb, verbe = ("counts", "ne compte") if left_out == 1 else ("count", "ne comptent")
    return f"Of these {left_out:,} {verb} nothing.", f"Parmi eux, {number(left_out)} {verbe} pas."
