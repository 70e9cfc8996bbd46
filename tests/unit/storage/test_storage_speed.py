"""How long the store takes in a chat of 2,000 messages; printed, not asserted."""

import statistics
import time
from collections.abc import Callable

import pytest
from storage_parts import MODEL, STATS, get

from app.domain.chat import Status
from app.domain.settings import Settings

pytestmark = pytest.mark.perf

WORDS = "The quick brown fox jumps over the lazy dog. " * 20


def measured(name: str, call: Callable[[], object], times: int = 40) -> None:
    taken = []
    for _time in range(times):
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1000)
    p95 = statistics.quantiles(taken, n=20)[-1]
    print(f"{name}: median {statistics.median(taken):.2f} ms, p95 {p95:.2f} ms, max {max(taken):.2f} ms")


def test_a_long_chat(store) -> None:
    chat_id = parent_id = None
    for _turn in range(1000):
        started = get(store.start_turn(chat_id, parent_id, WORDS[:200], MODEL, Settings()))
        chat_id, parent_id = started.chat.id, started.reply.id
        get(store.finish(parent_id, WORDS, Status.COMPLETE, STATS, ""))
    print()
    measured("open 2,000 messages", lambda: get(store.chat(chat_id)))
    measured("read 2 changed ones", lambda: get(store.changed(chat_id, (1999, 2000))))
    measured("start a reply", lambda: get(store.start_reply(chat_id, 1999, MODEL, Settings())))
    measured("append a chunk", lambda: get(store.append_chunk(parent_id, "word ")), 500)
    measured("finish", lambda: get(store.finish(parent_id, WORDS, Status.COMPLETE, STATS, "")))
    measured("keep a draft", lambda: get(store.update_chat(chat_id, draft=WORDS)))
    measured("look for what was left", lambda: get(store.recover()))
