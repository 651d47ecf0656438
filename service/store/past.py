"""What the graph holds of the time before a day, beside what a snapshot holds by time."""

from __future__ import annotations

import numpy as np

from service.domain import DAY_MS, Past, Progress, ReadText
from service.store.driver import Store
from service.store.snapshots import VALUES_A_ROW, TopicGatherer, WordGatherer, no_reading


def read_past(
    store: Store, before_day: int, with_undated: bool, progress: Progress, read_text: ReadText = no_reading
) -> Past:
    """Read follows and topics of accounts that are older than a day.

    Nothing is locked: what is written meanwhile about the time before may be in it or not.

    Args:
        store: the graph.
        before_day: first day that is not of that time, in days since 1970 UTC.
        with_undated: whether follows without a time are taken for older.
        progress: told of stage `past`.
        read_text: reads topics of posts of which none were stated.

    Raises:
        StoreError: Neo4j did not answer.
    """
    parameters = {"before": DAY_MS * before_day, "step": VALUES_A_ROW, "undated": with_undated}
    source, target = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    topics = TopicGatherer()
    words = WordGatherer(read_text, topics)
    followed_at = topics_at = -1
    follows_without_time = posts_without_time = 0
    progress("past", 0, 3)
    for row in store.stream("past/follows", **parameters):
        source.append(np.array(row["source"], dtype=np.int64))
        target.append(np.array(row["target"], dtype=np.int64))
        followed_at = max(followed_at, row["latest"])
        follows_without_time += row["without_time"]
    progress("past", 1, 3)
    for row in store.stream("past/topics", before=parameters["before"], step=VALUES_A_ROW):
        topics.add([{**dict(row), "latest": row["last"]}])
        topics_at = max(topics_at, row["latest"])
        posts_without_time += row["without_time"]
    progress("past", 2, 3)
    for row in store.stream("past/texts", before=parameters["before"], step=VALUES_A_ROW):
        words.add([dict(row)])
        topics_at = max(topics_at, max(row["at"], default=-1))
    progress("past", 3, 3)
    return Past(
        before_day=before_day,
        source=np.concatenate(source),
        target=np.concatenate(target),
        followed_at=followed_at,
        topics=topics.columns(),
        topics_at=topics_at,
        follows_without_time=follows_without_time,
        posts_without_time=posts_without_time,
        with_undated=with_undated,
    )
