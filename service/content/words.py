"""What a text says: the topics it names, and its words, in English and French; other languages as far as they go.

Topics are hashtags, and sites that links lead to; words are what is left of text, hashtags and the readable part of
links when what every text says is taken away (stop words) and endings are cut (Snowball stemmers). Where
nobody stated the language, the one whose stop words are more is taken; without any, words stay as they are written.
Accents do not count. Nothing is translated: a brief in one language finds those who write in it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple

import snowballstemmer

from service.domain import Content, folded_topic

LONGEST_WORD = 40
"""Longer runs of letters are no words: codes, and languages that are written without spaces."""

LONGEST_TEXT = 20_000
"""Characters of a text that are read."""

_CARRIERS = """
    amzn.to bit.ly buff.ly cutt.ly dlvr.it fb.me goo.gl ift.tt is.gd lnkd.in msft.it ow.ly pin.it t.co t.ly t.me
    tinyurl.com trib.al wp.me youtu.be
    bsky.app facebook.com google.com instagram.com linkedin.com pinterest.com reddit.com telegram.me threads.net
    tiktok.com twitch.tv twitter.com vimeo.com whatsapp.com x.com youtube.com
"""
CARRIERS = frozenset(_CARRIERS.split())
"""Sites that say nothing about what is behind a link: shorteners, and platforms where everything is."""

Language = Literal["en", "fr"]
_STEMMERS = {"en": snowballstemmer.stemmer("english"), "fr": snowballstemmer.stemmer("french")}

_LINK = re.compile(r"(?:https?://|www\.)(?P<host>[^\s/?#:]+)(?::\d+)?(?P<path>[^\s?#]*)[^\s]*", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]*@[\w.-]+")
_HASHTAG = re.compile(r"(?<![\w#&])#(\w*[^\W\d_]\w*)")
_HUMP = re.compile(r"(?<=[^\W\d_A-ZÀ-Þ])(?=[A-ZÀ-Þ])")
_WORD = re.compile(r"[^\W_]+")


_WRITTEN_IN_PATHS = "amp asp aspx com htm html http https index jpeg jpg pdf php png www"
_IN_PATHS = frozenset(_WRITTEN_IN_PATHS.split())
"""What stands in links and says nothing."""


@lru_cache(maxsize=200_000)
def _folded(word: str) -> str:
    """A word without accents, in lower case."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one))


_ENGLISH = """
    a about above after again against all also always am an and any are aren as at be because been before being below
    between both but by can cannot could couldn did didn do does doesn doing don down during each either else ever every
    few for from further get gets getting got had hadn has hasn have haven having he her here hers herself him himself
    his how however i if in into is isn it its itself just least less let like ll made make makes many may maybe me
    might mightn more most much must mustn my myself neither never no nor not now of off often on once one only onto or
    other others our ours ourselves out over own perhaps quite rather re really same shall shan she should shouldn since
    so some still such than that the their theirs them themselves then there these they this those though through thus
    till to too toward towards under until up upon us ve very was wasn we were weren what whatever when where whether
    which while who whoever whom whose why will with within without won would wouldn yet you your yours yourself
    yourselves
"""
_FRENCH = """
    a ai aie aient ainsi ait alors apres as assez au aucun aucune aucuns aucunes aujourd aura aurai aurais aurait auront
    aussi autant autre autres aux avaient avais avait avant avec avez aviez avions avoir avons ayant beaucoup bien ca
    car ce ceci cela celle celles celui ces cet cette ceux chacun chacune chaque chez ci combien comme comment contre d
    dans de deja depuis des desormais deux devant doit doivent donc dont du durant elle elles en encore enfin ensuite
    entre envers environ es est et etaient etais etait etant ete etes etions etre eu eue eues eurent eus eut eux faire
    fais faisait faisant fait faites faut font fut furent hors hui ici il ils j je jusqu jusque l la laquelle le lequel
    les lesquelles lesquels leur leurs lors lorsqu lorsque lui ma mais malgre me meme memes mes mien mienne moi moins
    mon n ne ni non nos notre nous on ont or ou outre par parce parfois parmi pas pendant peu peut peuvent peux plupart
    plus plusieurs plutot pour pourquoi pourtant pres presque puis puisqu puisque qu quand quant que quel quelle quelles
    quelqu quelque quelques quels qui quoi rien s sa sans sauf se selon sera serai serais serait seront ses seulement si
    sien sienne sinon soi soient sois soit sommes son sont sous souvent suis sur t ta tandis tant te tel telle telles
    tellement tels tes toi ton toujours tous tout toute toutes tres trop tu un une va vais vers via voici voila vont vos
    votre vous vu y
"""
_WRITTEN_EVERYWHERE = "dm lol mdr omg pls plz rt stp svp thx via"

STOP_WORDS: dict[Language, frozenset[str]] = {
    "en": frozenset(_ENGLISH.split()),
    "fr": frozenset(_FRENCH.split()),
}
"""Words that say nothing of what a text is about, without accents; also what is left of them where an apostrophe is
taken for a space."""

_STOPS = STOP_WORDS["en"] | STOP_WORDS["fr"] | frozenset(_WRITTEN_EVERYWHERE.split())


def read_text(text: str, language: str = "") -> Content:
    """Read what a text says.

    Args:
        text: of which the first LONGEST_TEXT characters are read.
        language: such as `fr` or `en-GB`; empty where nobody stated it.
    """
    written = text[:LONGEST_TEXT]
    topics: dict[str, None] = {}
    readable: list[str] = []
    for link in _LINK.finditer(written):
        site = _site(link["host"])
        if site:
            topics[site] = None
        readable += [word for word in _WORD.findall(link["path"]) if word.casefold() not in _IN_PATHS]
    written = _ADDRESS.sub(" ", _LINK.sub(" ", written))
    for tag in _HASHTAG.findall(written):
        topics[folded_topic(tag)] = None
        readable.append(tag)
    words = _WORD.findall(_HUMP.sub(" ", written)) + readable
    stated = language[:2].lower()
    spoken: Language | None = "fr" if stated == "fr" else "en" if stated == "en" else None
    if not stated:
        spoken = language_of(words)
    found = dict.fromkeys(stem for word in words if (stem := stemmed(word, spoken)))
    return Content(tuple(topics), tuple(found))


def language_of(words: list[str]) -> Language | None:
    """Say whether words are English or French, by which stop words are more; None where that cannot be told."""
    folded = [_folded(word) for word in words]
    english, french = (sum(word in STOP_WORDS[one] for word in folded) for one in ("en", "fr"))
    return None if english == french else "en" if english > french else "fr"


@lru_cache(maxsize=200_000)
def stemmed(word: str, language: Language | None) -> str:
    """Return a word without its ending and accents; empty where it says nothing, or is none."""
    folded = _folded(word)
    if not 2 <= len(folded) <= LONGEST_WORD or folded in _STOPS or not any(map(str.isalpha, folded)):
        return ""
    return _folded(_STEMMERS[language].stemWord(word.casefold())) if language else folded


def forms(word: str) -> tuple[str, ...]:
    """Return the forms in which texts of any language hold a word, as `read_text` gives them; none of a stop word."""
    return tuple(dict.fromkeys(form for one in (None, "en", "fr") if (form := stemmed(word, one))))


class Brief(NamedTuple):
    """A text that says what is looked for, and its words, each once, in their order, with their forms."""

    text: str
    words: tuple[tuple[str, tuple[str, ...]], ...]


def read_brief(text: str) -> Brief:
    """Read a brief, or a query of some words.

    A word stands as it was written first, in lower case; of words with a form in common the first stands for all.
    """
    written = _ADDRESS.sub(" ", _LINK.sub(" ", text[:LONGEST_TEXT]))
    words: dict[str, tuple[str, ...]] = {}
    known: set[str] = set()
    for word in _WORD.findall(written):
        of = forms(word)
        if of and known.isdisjoint(of):
            words[word.casefold()] = of
            known.update(of)
    return Brief(text, tuple(words.items()))


def _site(host: str) -> str:
    """The site of a host, without what stands before it by custom; empty where it says nothing of the content."""
    name = host.casefold().rstrip(".,;!)»\"'")
    for prefix in ("www.", "m.", "mobile."):
        name = name.removeprefix(prefix)
    known = any(name == one or name.endswith(f".{one}") for one in CARRIERS)
    return "" if known or not re.fullmatch(r"[\w-]+(\.[\w-]+)+", name) or name.replace(".", "").isdigit() else name
