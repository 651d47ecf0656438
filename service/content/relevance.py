"""How much what accounts say counts for a brief: BM25 over accounts, by the library bm25s.

The document of an account is the words of all posts that it wrote or shared, once for each post, and once more the
words of the topics that these are about. Who has said more than others in all needs more of a word, and the more
accounts say a word, the less it counts:

    weight(i, w) = ln(1 + (N − n_w + ½)/(n_w + ½)) · f_iw / (f_iw + k₁·(1 − b + b·|i|/mean |·|)),  k₁ = 1.5, b = 0.75

N accounts with any words, n_w of them with w, f_iw of i with w, |i| words of i (Robertson and Zaragoza 2009, "The
Probabilistic Relevance Framework", in the form of Lucene).
"""

from __future__ import annotations

import logging

import numpy as np

from service.content.words import forms
from service.domain import Float64, Graph, Int32, Int64, Texts, WordIndex

K1, B = 1.5, 0.75

MOST_COUNTED = 100
"""Posts of an account beyond these count no more for a word: by then a word counts all it can."""


def word_index(graph: Graph) -> WordIndex | None:
    """Weigh the words of all accounts; None where nobody says anything. Who has opted out is not in it."""
    of_topics = [tuple(dict.fromkeys(form for word in name.split() for form in forms(word))) for name in _topics(graph)]
    names = sorted({*graph.word_names, *(form for words in of_topics for form in words)})
    place = {name: k for k, name in enumerate(names)}
    of_words = np.array([place[name] for name in graph.word_names], dtype=np.int64)
    topic_ptr = np.cumsum([0, *map(len, of_topics)], dtype=np.int64)
    topic_idx = np.array([place[form] for words in of_topics for form in words], dtype=np.int32)

    account, word, posts = _said(graph, of_words, topic_ptr, topic_idx)
    heard = ~graph.opted_out[account]
    account, word, posts = account[heard], word[heard], posts[heard]
    if not len(word):
        return None
    pair, entry = np.unique(account * len(names) + word, return_inverse=True)
    count = np.minimum(np.bincount(entry, weights=posts), MOST_COUNTED).astype(np.int64)
    ptr = np.searchsorted(pair, np.arange(graph.n + 1, dtype=np.int64) * len(names))
    idx = (pair % len(names)).astype(np.int32)
    return WordIndex(
        names=Texts.of(names),
        ptr=ptr.astype(np.int64),
        idx=idx,
        weight=_weights(ptr, idx, count, len(names)),
        topic_ptr=topic_ptr,
        topic_idx=topic_idx,
    )


def _topics(graph: Graph) -> list[str]:
    """Topics as words: also what is run together by other signs than spaces."""
    return ["".join(one if one.isalnum() else " " for one in name) for name in graph.topic_names]


def _said(graph: Graph, of_words: Int64, topic_ptr: Int64, topic_idx: Int32) -> tuple[Int64, Int64, Int64]:
    """Who said which word in how many posts: those of texts, then those of topics."""
    account = np.repeat(np.arange(graph.n, dtype=np.int64), np.diff(graph.word_ptr))
    topical = np.repeat(np.arange(graph.n, dtype=np.int64), np.diff(graph.topic_ptr))
    each = np.diff(topic_ptr)[graph.topic_idx]
    first = np.repeat(topic_ptr[graph.topic_idx] - (np.cumsum(each) - each), each)
    words = topic_idx[first + np.arange(int(each.sum()), dtype=np.int64)].astype(np.int64)
    return (
        np.concatenate([account, np.repeat(topical, each)]),
        np.concatenate([of_words[graph.word_idx], words]),
        np.concatenate([graph.word_posts.astype(np.int64), np.repeat(graph.topic_posts.astype(np.int64), each)]),
    )


def _weights(ptr: Int64, idx: Int32, count: Int64, words: int) -> Float64:
    """Weights of bm25s of each entry; accounts without words are no documents."""
    from bm25s import BM25  # it takes half a second, for which runs without words need not wait

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to say everything
    rows = np.flatnonzero(np.diff(ptr))
    documents = [np.repeat(idx[ptr[i] : ptr[i + 1]], count[ptr[i] : ptr[i + 1]]) for i in rows.tolist()]
    index = BM25(k1=K1, b=B, method="lucene", dtype="float64")
    index.index((documents, {word: word for word in range(words)}), create_empty_token=False, show_progress=False)
    column = np.repeat(np.arange(words, dtype=np.int64), np.diff(index.scores["indptr"]))
    order = np.lexsort((column, index.scores["indices"]))  # from words with accounts to accounts with words
    weight: Float64 = index.scores["data"][order]
    return weight
