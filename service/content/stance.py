"""What a post says of a brand, where nobody stated it: favourable, unfavourable, or not to be told.

A lexicon of English and French decides, by the sentences that name the brand (all of the text where none does). It
would rather say nothing than something wrong:

- A word of praise or blame counts; a negation shortly before it (in French around the verb) turns it round, and a
  negated word of blame ("not bad", "pas mal") says little: it counts for neither.
- Praise and blame together, a question, or a sign of irony (a tag such as #irony or /s, a word of praise in quotation
  marks, "thanks" or "bravo" beside blame) make it unsure.
- Without any such word, or in another language, nothing is known.

Words are folded: lower case, without accents. A star says that more letters may follow.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

LANGUAGES = ("en", "fr")
"""Languages that the lexicon knows; a post that is said to be in another one is not read."""

PRAISE = """
    love loved loves loving adore* amazing awesome excellent excellente excellents fantastic fantastique* great greatest
    superb superbe* wonderful brilliant* perfect perfectly parfait* impeccable* flawless outstanding delightful
    recommend recommended recommends recommande* reliable fiable* trustworthy favorite favourite prefere* best
    meilleur* happy satisfied satisfait* heureux heureuse content contente contents contentes ravi ravie ravis
    impressed impressive impressionn* bluffant* bluffe beautiful magnifique* genial* top chouette canon incroyable
    incredible merveill* delicieu* delicious comfy comfortable confortable* worth smooth kudos bravo thanks
    merci thank felicitations congrats congratulations enchante* conquis conquise fan efficace* efficient helpful
    serviable* sympathique* aime aimons aiment adorons nickel
"""
BLAME = """
    hate hated hates awful terrible horrible horribl* worst worse pire* bad badly poor poorly mauvais mauvaise mauvaises
    nul nulle nuls nulles useless inutile* broken casse* defective defectueu* faulty disappoint* decu decue decus
    decues decevant* deception avoid evite* evitez scam arnaque* fraud rip-off ripoff overpriced expensive rubbish
    garbage trash crap shit merde junk daube disgusting degout* ashamed honte honteu* scandal* unacceptable
    inacceptable* inadmissible* pathetic pitoyable* lamentable* refund rembours* complaint plainte reclamation broke
    leak* annoying agacant* penible* ridiculous ridicule* unreliable boycott* regret* deteste* furieu* furious angry
    colere catastroph* desastr* disaster nightmare cauchemar late retard* delayed unusable inutilisable*
    lousy mediocre* incompetent* rude malpoli* lied mensong* menteu* ruined fail failed fails failure
"""
NEGATION = """
    not no never hardly neither nor without cannot ne n pas jamais aucun aucune sans ni
"""
IRONY = re.compile(r"#(?:irony|ironie|sarcasm|sarcasme|not)\b|(?:^|\s)/s\b|yeah right|ben voyons|mais bien sur")
PRAISE_SIGNS, BLAME_SIGNS = frozenset("❤😍🥰👍👏🎉💚💙🤩😊"), frozenset("😡🤬👎💩😠🤮😤")
REACH = 3
"""A negation counts for the next so many words."""


@dataclass(frozen=True)
class Stance:
    """What a text says of a brand. `value` is 1, -1, or None where it cannot be told; `words` are what it rests on.

    `unsure` says that there were such words, and that they contradict each other or may not be meant.
    """

    value: int | None
    words: tuple[str, ...] = ()
    unsure: bool = False


def read_stance(text: str, names: Iterable[str]) -> Stance:
    """Read what a text says of a brand.

    Args:
        text: of a post.
        names: what the brand is called: its name, its key.
    """
    wanted = [run for name in names if (run := " ".join(_words(name)))]
    sentences = [one for one in re.split(r"(?<=[.!?…])\s+|\n+", text) if one.strip()]
    about = [one for one in sentences if any(f" {name} " in f" {' '.join(_words(one))} " for name in wanted)]
    about = about or sentences
    praise: list[str] = []
    blame: list[str] = []
    for sentence in about:
        if sentence.rstrip().endswith("?"):
            continue  # a question asks; it does not say
        _weigh(sentence, wanted, praise, blame)
    words = tuple(dict.fromkeys([*praise, *blame]))
    if not words:
        return Stance(None)
    quoted = any(_is(word, _PRAISE) for part in re.findall(r"[\"“«'](.{1,40}?)[\"”»']", text) for word in _words(part))
    if (praise and blame) or _ironic(text) or quoted:
        return Stance(None, words, unsure=True)
    return Stance(1 if praise else -1, words)


def _weigh(sentence: str, names: list[str], praise: list[str], blame: list[str]) -> None:
    """Add what a sentence praises and blames by."""
    own = {word for name in names for word in name.split()}  # a brand may be called Love or Top
    left = 0  # words for which a negation still counts
    for word in _words(sentence):
        if _is(word, _NEGATION):
            left = REACH
            continue
        good, bad = word not in own and _is(word, _PRAISE), word not in own and _is(word, _BLAME)
        if good:
            (blame if left else praise).append(word)
        elif bad and not left:
            blame.append(word)
        left = 0 if good or bad else max(left - 1, 0)
    praise += [sign for sign in sentence if sign in PRAISE_SIGNS]
    blame += [sign for sign in sentence if sign in BLAME_SIGNS]


def _ironic(text: str) -> bool:
    return IRONY.search(_folded(text)) is not None


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one))


def _words(text: str) -> list[str]:
    """Words of a text, folded; `n't` is a negation, what is run together by an apostrophe is two words."""
    said = re.sub(r"n['’]t\b", " not", _folded(text))
    return re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", said)


def _lexicon(entries: str) -> tuple[frozenset[str], tuple[str, ...]]:
    listed = entries.split()
    return frozenset(one for one in listed if "*" not in one), tuple(one[:-1] for one in listed if one.endswith("*"))


_PRAISE, _BLAME, _NEGATION = _lexicon(PRAISE), _lexicon(BLAME), _lexicon(NEGATION)


def _is(word: str, lexicon: tuple[frozenset[str], tuple[str, ...]]) -> bool:
    whole, stems = lexicon
    return word in whole or word.startswith(stems)
