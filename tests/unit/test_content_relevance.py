"""What words of accounts count for briefs: the formula, word by word in plain Python."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.analytics.graph import build_graph
from service.content.relevance import K1, MOST_COUNTED, B, word_index
from service.content.words import forms
from service.domain import Graph, WordIndex
from tests.unit.analytics_graphs import columns, words_of

WORDS = ["pain", "levain", "velo", "jazz", "été"]
TOPICS = ["slow food", "pain", "vélo", "logiciel-libre"]
ACCOUNTS = [f"x:{i}" for i in range(7)]

said = st.dictionaries(
    st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(WORDS)), st.sampled_from([1, 2, 5, 150]), max_size=20
)
about = st.dictionaries(
    st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(TOPICS)), st.sampled_from([1, 3]), max_size=8
)


Counts = dict[tuple[str, str], int]


def graph_of(words: Counts, topics: Counts, opted_out: set[str], shuffle: int | None = None) -> Graph:
    snapshot = columns(
        [], ACCOUNTS, topics=[(a, t, n) for (a, t), n in topics.items()], opted_out=opted_out, shuffle=shuffle
    )
    number = dict(zip(snapshot.accounts.key, snapshot.accounts.n.tolist(), strict=True))
    return build_graph(replace(snapshot, words=words_of([(a, w, n, "p", 1) for (a, w), n in words.items()], number)))


def weights_in(index: WordIndex | None) -> dict[tuple[str, str], float]:
    if index is None:
        return {}
    return {
        (ACCOUNTS[i], index.names[int(index.idx[e])]): float(index.weight[e])
        for i in range(len(ACCOUNTS))
        for e in range(int(index.ptr[i]), int(index.ptr[i + 1]))
    }


@settings(deadline=None, max_examples=60)
@given(said, about, st.sets(st.sampled_from(ACCOUNTS), max_size=3), st.integers(0, 5))
def test_weights_are_those_of_the_formula(words: Counts, topics: Counts, opted_out: set[str], shuffle: int) -> None:
    counts: dict[str, Counter[str]] = {}
    for (account, word), posts in words.items():
        counts.setdefault(account, Counter())[word] += posts
    for (account, topic), posts in topics.items():
        for form in {form for word in topic.replace("-", " ").split() for form in forms(word)}:
            counts.setdefault(account, Counter())[form] += posts
    documents = {
        account: {word: min(count, MOST_COUNTED) for word, count in of.items()}
        for account, of in counts.items()
        if account not in opted_out
    }
    expected = {}
    mean = sum(sum(of.values()) for of in documents.values()) / max(len(documents), 1)
    for account, of in documents.items():
        for word, f in of.items():
            having = sum(word in other for other in documents.values())
            idf = math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
            expected[account, word] = idf * f / (f + K1 * (1 - B + B * sum(of.values()) / mean))
    found = weights_in(word_index(graph_of(words, topics, opted_out)))
    assert found.keys() == expected.keys()
    assert list(found.values()) == pytest.approx([expected[pair] for pair in found])
    again = word_index(graph_of(words, topics, opted_out, shuffle))
    assert weights_in(again) == found, "order and numbers of what was read do not matter, to the last digit"


def test_nobody_says_anything() -> None:
    assert word_index(graph_of({}, {}, set())) is None
    assert word_index(graph_of({("x:1", "pain"): 3}, {}, {"x:1"})) is None


def test_words_of_topics() -> None:
    index = word_index(graph_of({}, {("x:1", "slow food"): 2, ("x:2", "pain"): 1}, set()))
    assert index is not None
    names = list(index.names)
    of = [
        {names[k] for k in index.topic_idx[index.topic_ptr[t] : index.topic_ptr[t + 1]].tolist()} for t in range(2)
    ]  # topics go by name
    assert of == [set(forms("pain")), {*forms("slow"), *forms("food")}]
    assert index.weight.dtype == np.float64
