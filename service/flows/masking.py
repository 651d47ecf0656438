"""What answers may not name: accounts that opted out since a run, and those that are to be erased.

A run names nobody who had opted out when it was made. Who did so later is left out of what it published as it is read:
documents about such an account, evidence that names it, lists that hold its key; in sentences and labels something else
stands for its name. An erasure rewrites what is kept by the same rules; where documents are found by their place in a
list, one without a name stays behind (`domain.ERASED`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from pydantic_core import from_json, to_json

from service.domain import ERASED, Frozen, HiddenAccount, account_name
from service.records import MENTION, mention_of

NAMES_SEARCHED = 64
"""With so many hidden accounts or fewer, bytes are searched for them before they are taken apart."""

OWN = ("key", "account", "follower", "followee", "author")
"""Members by which a document says whose it is, or whom it rests on."""

SOMEBODY = {"fr": "quelqu’un"}
"""What stands for a name, by the language that a member is called after; in all others `someone`."""

Document = TypeVar("Document", bound=Frozen)

_LABEL = re.compile(r"\baround (.+)$", re.DOTALL)
_WORD = re.compile(r"[\w@:/.+-]+")
"""What may be a key in a text, with what ends a sentence after it."""

_KEY_FIRST = b'{"key":"'
ERASED_MARK = b'"key":' + to_json(ERASED)
"""How a published document of an account that was erased says so."""


@dataclass(frozen=True)
class Mask:
    """Accounts that may not be named, and `epoch`, which differs whenever they or what is kept of runs change.

    `posts` are keys of posts that are gone, where documents are rewritten for good.
    """

    hidden: tuple[HiddenAccount, ...] = ()
    epoch: str = ""
    posts: frozenset[str] = frozenset()

    @cached_property
    def keys(self) -> frozenset[str]:
        """Their keys."""
        return frozenset(one.key for one in self.hidden)

    @cached_property
    def erasing(self) -> Mask:
        """The mask of those that are to be erased: for every question they are as good as gone."""
        return Mask(tuple(one for one in self.hidden if one.version is None), self.epoch)

    def at(self, version: int | None) -> Mask:
        """The mask of a run over the graph at a version: without those that it named nowhere by itself."""
        if version is None or not self.hidden:
            return self
        since = tuple(one for one in self.hidden if one.version is None or one.version > version)
        return self if len(since) == len(self.hidden) else Mask(since, self.epoch)

    def without(self, key: str) -> Mask:
        """The mask for who asks about one account by its key, which may then be named."""
        if key not in self.keys:
            return self
        return Mask(tuple(one for one in self.hidden if one.key != key), self.epoch)

    @cached_property
    def _names(self) -> dict[str, str]:
        """What the accounts are called in labels and lists of names, and by their keys."""
        return {name: one.key for one in self.hidden for name in (one.key, account_name(one.key, one.handle or ""))}

    @cached_property
    def _listed(self) -> frozenset[str]:
        """What the accounts are called in lists; an id without its network may be any word there."""
        return frozenset(name for name, key in self._names.items() if name == key or name.startswith("@"))

    @cached_property
    def _handles(self) -> frozenset[str]:
        return frozenset(mention_of(one.handle) for one in self.hidden if one.handle)

    @cached_property
    def _needles(self) -> list[bytes]:
        return [to_json(name)[1:-1].lower() for name in (*self._names, *self.posts)]

    def shown(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return the documents that are not about a hidden or an erased account."""
        left = [line for line in lines if ERASED_MARK not in line]
        if not self.hidden:
            return left
        return [line for line in left if _key_of(line) not in self.keys]

    def hides(self, key: str) -> bool:
        """Whether an account, or one that was erased, may not be shown."""
        return key == ERASED or key in self.keys

    def cleaned(self, document: bytes) -> bytes:
        """Return JSON without what names a hidden account; `null` for a document about one."""
        if not self.hidden or not self._concerns(document):
            return document
        [cleaned] = self._cleaned([from_json(document)]) or [None]
        return to_json(cleaned)

    def with_handles_of(self, content: bytes) -> Mask:
        """The mask with the handles by which lines that are about its accounts know them."""
        known = {(one.key, one.handle) for one in self.hidden}
        lines = [from_json(line) for line in content.split(b"\n")[:-1] if _key_of(line) in self.keys]
        new = {(line["key"], line["handle"]) for line in lines if line.get("handle")} - known
        if not new:
            return self
        return replace(self, hidden=(*self.hidden, *(HiddenAccount(key, handle, None) for key, handle in sorted(new))))

    def unnamed(self, document: Document) -> Document:
        """Return a document without what names a hidden account."""
        said = document.model_dump_json().encode()
        return document if (cleaned := self.cleaned(said)) is said else document.model_validate_json(cleaned)

    def unnamed_text(self, text: str) -> str:
        """Return a sentence or label in which something else stands for names of hidden accounts."""
        return self._unnamed(text, "someone") if self._concerns(_bytes(text)) else text

    def erased_lines(self, content: bytes) -> bytes:
        """Return published lines without these accounts, as many as before: those about one keep their place."""
        if not self._concerns(content):
            return content
        lines = [self._in_its_place(line) if self._concerns(line) else line for line in content.split(b"\n")[:-1]]
        return b"".join(line + b"\n" for line in lines)

    def erased_text(self, text: str) -> str:
        """Return a text that is kept without these accounts: a name of people, a label, JSON, a key in a list."""
        if not self._concerns(_bytes(text)):
            return text
        if text.startswith(("{", "[")):
            try:
                return to_json(self._cleaned(from_json(text))).decode()
            except ValueError:  # it only looks like JSON
                pass
        return ERASED if text in self.keys else self._unnamed(text, "someone")

    def _concerns(self, content: bytes) -> bool:
        """Whether bytes may name one of the accounts, as runs and people write keys and handles."""
        if len(self._needles) > NAMES_SEARCHED:
            return True
        folded = content.lower()
        return any(needle in folded for needle in self._needles)

    def _own(self, document: dict[str, Any]) -> bool:
        return any(document.get(name) in self.keys for name in OWN if isinstance(document.get(name), str))

    def _cleaned(self, value: Any, language: str = "") -> Any:
        if isinstance(value, list):
            left = [one for one in value if not self._left_out(one)]
            return ["" if isinstance(one, str) and one in self.posts else self._cleaned(one, language) for one in left]
        if isinstance(value, dict):
            return {
                name: None if self._gone(one) else self._member(name, one, "topic" in value and "brand" in value)
                for name, one in value.items()
                if name not in self.keys
            }
        return self._unnamed(value, SOMEBODY.get(language, "someone")) if isinstance(value, str) else value

    def _gone(self, one: Any) -> bool:
        return (isinstance(one, dict) and self._own(one)) or (isinstance(one, str) and one in self.posts)

    def _member(self, name: str, one: Any, defining: bool) -> Any:
        cleaned = self._cleaned(one, name)
        # A community that people define has at least one account; one that is not there is passed over.
        return [ERASED] if name == "accounts" and defining and one and cleaned == [] else cleaned

    def _left_out(self, one: Any) -> bool:
        return (isinstance(one, dict) and self._own(one)) or (isinstance(one, str) and one in self._listed)

    def _unnamed(self, text: str, somebody: str) -> str:
        """A text in which something else stands for names: in labels, and where they are mentioned by handle or key."""
        if text in self.keys:
            return ERASED
        text = MENTION.sub(lambda found: somebody if mention_of(found[1]) in self._handles else found[0], text)
        text = _WORD.sub(lambda found: self._instead(found[0], somebody), text)
        if label := _LABEL.search(text):
            names = [self._word(name, somebody) for name in re.split(r"(, | and )", label[1])]
            text = text[: label.start(1)] + "".join(names)
        return text

    def _instead(self, word: str, somebody: str) -> str:
        bare = word.rstrip(".:")
        return somebody + word[len(bare) :] if bare in self.keys else word

    def _word(self, name: str, somebody: str) -> str:
        return somebody if name in self._names else name

    def _in_its_place(self, line: bytes) -> bytes:
        """A published line without these accounts; one about such an account only keeps what does not name it."""
        document = from_json(line)
        if isinstance(document, dict) and isinstance(document.get("key"), str) and document["key"] in self.keys:
            bare = {name: _emptied(value) for name, value in document.items()}
            if "handle" in bare:
                bare["handle"] = None
            if "name" in bare:
                bare["name"] = ""
            return to_json({**bare, "key": ERASED})
        return to_json(self._cleaned(document))


def _bytes(text: str) -> bytes:
    """A text as bytes, also where it holds half characters, as JSON of others may."""
    return text.encode(errors="surrogatepass")


def _key_of(line: bytes) -> str | None:
    """The key of the account that a published document is about: its first member; None of other documents."""
    if not line.startswith(_KEY_FIRST):
        return None
    end = line.index(b'"', len(_KEY_FIRST))
    while line[end - 1] == ord("\\"):  # rare: it is parsed rightly below, or the document is left alone
        end = line.index(b'"', end + 1)
    key = from_json(line[len(_KEY_FIRST) - 1 : end + 1])
    return key if isinstance(key, str) else None


def _emptied(value: Any) -> Any:
    """What stays of a member of an erased account's document: numbers, and words of a fixed set."""
    if isinstance(value, list):
        if value and all(isinstance(one, dict) and "part" in one for one in value):
            return [{**one, "evidence": []} for one in value]
        return []
    return {} if isinstance(value, dict) and not _NUMBERS.issuperset(map(type, value.values())) else value


_NUMBERS = frozenset({int, float})
