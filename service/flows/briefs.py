"""How much of what candidates write and share is what a brief is about: array work over the words that a run published.

A brief's word counts for an account in the form of it that counts most; what words count adds up.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from pydantic_core import from_json

from service.analytics.packing import unpacked
from service.analytics.rounding import significant
from service.content.words import Brief
from service.domain import CommunityFit, Float64


@dataclass(frozen=True)
class CommunityWords:
    """The words that accounts of a community say, as a run published them.

    Attributes:
        base: how many accounts are compared.
        words: of each word the line of the part.
        candidates: the lines of the candidates, in the order of their ranks.
    """

    base: int
    words: dict[str, bytes]
    candidates: Sequence[bytes]

    @classmethod
    def of(cls, lines: Sequence[bytes]) -> CommunityWords:
        """Take the part `words/<id>` apart; without lines, nobody says anything."""
        if not lines:
            return cls(0, {}, ())
        head = from_json(lines[0])
        # A line begins with its word; parsing all of it would take many times as long.
        own = lines[1 : head["words"] + 1]
        words = {from_json(line[len('{"word":') : line.index(b',"places":')]): line for line in own}
        return cls(head["base"], words, lines[head["words"] + 1 :])

    def counts(self, brief: Brief) -> Float64:
        """What each word of a brief counts for each account of the base: float64[words, base]."""
        return np.stack([self._counts(forms) for _, forms in brief.words])

    def _counts(self, forms: tuple[str, ...]) -> Float64:
        """What a word counts for each account of the base, in the form that counts most: float64[base]."""
        most = np.zeros(self.base)
        for form in forms:
            if form in self.words:
                line = from_json(self.words[form])
                places = np.frombuffer(base64.b64decode(line["places"]), dtype="<i4")
                weights = unpacked(line["weights"])
                most[places] = np.maximum(most[places], weights)
        return most


class SaidWord(NamedTuple):
    """A word of a brief as an account says it: what it counts, in how many posts at least, and the latest of these."""

    word: str
    counts: float
    posts: int
    post: str
    latest: int


@dataclass(frozen=True)
class BriefMeasure:
    """A brief measured against candidates and everybody they are compared with.

    Attributes:
        brief: what is looked for.
        accounts: of each word of the brief, how many of those compared say it.
        base: float64, relevance of those of the base who say any of it, ascending.
        raw: float64[k], relevance of the candidates.
        counts: float64[words, k], what each word counts for each candidate.
        said: length k, what each of them says, `domain.CandidateWords` as JSON; empty where the run published none.
    """

    brief: Brief
    accounts: tuple[int, ...]
    base: Float64
    raw: Float64
    counts: Float64
    said: list[bytes]

    def strongest(self, i: int, most: int) -> list[SaidWord]:
        """The words that count most for candidate i, at most so many; of equal ones those first that the brief has."""
        words = self.counts[:, i]
        order = [w for w in np.argsort(-words, kind="stable").tolist() if words[w] > 0][:most]
        known: dict[str, tuple[int, str, int]] = from_json(self.said[i])["words"] if order else {}
        found = []
        for w in order:
            word, forms = self.brief.words[w]
            of = [known[form] for form in forms if form in known]
            latest = max(of, key=lambda one: (one[2], one[1]), default=(0, "", -1))
            found.append(SaidWord(word, float(words[w]), max((one[0] for one in of), default=0), latest[1], latest[2]))
        return found

    def described(self) -> dict[str, Any]:
        """The brief as it was understood: its words, and how many of those compared say each of them."""
        words = zip(self.brief.words, self.accounts, strict=True)
        return {"text": self.brief.text, "words": [{"word": one, "accounts": said} for (one, _), said in words]}


def fit_of(brief: Brief, words: CommunityWords) -> CommunityFit:
    """How well a community fits a brief."""
    relevance = words.counts(brief).sum(axis=0)
    accounts, size = int(np.count_nonzero(relevance)), max(words.base, 1)
    mean, share = significant(np.array([relevance.sum() / size, accounts / size])).tolist()
    return CommunityFit(relevance=mean, accounts=accounts, share=share)


def unmeasured(brief: Brief) -> dict[str, Any]:
    """A brief as it was understood, where nobody was compared."""
    return {"text": brief.text, "words": [{"word": word, "accounts": None} for word, _ in brief.words]}


def measure_brief(brief: Brief, communities: Sequence[CommunityWords], candidates: int) -> BriefMeasure:
    """Measure a brief against the candidates of communities, in their order, and their bases together."""
    accounts = np.zeros(len(brief.words), dtype=np.int64)
    bases, counts = [np.zeros(0)], [np.zeros((len(brief.words), 0))]
    said: list[bytes] = []
    for of in communities:
        found = of.counts(brief)
        accounts += np.count_nonzero(found, axis=1)
        places = [from_json(line)["place"] for line in of.candidates]
        bases.append(significant(found.sum(axis=0)))
        counts.append(found[:, places])
        said += of.candidates
    of_candidates = np.concatenate(counts, axis=1)
    if not said:  # the run has published nothing of what anybody says
        of_candidates, said = np.zeros((len(brief.words), candidates)), [b""] * candidates
    base = np.concatenate(bases)
    return BriefMeasure(
        brief=brief,
        accounts=tuple(accounts.tolist()),
        base=np.sort(base[base > 0]),
        raw=significant(of_candidates.sum(axis=0)),
        counts=of_candidates,
        said=said,
    )
