"""What is learned of a model from its answers: it outlives them, and follows the file."""

import json
from dataclasses import replace
from pathlib import Path

import pysqlite3
import pytest
import sqlite_utils
from storage_parts import MODEL, STATS, get

from app.domain.changes import Changes
from app.domain.chat import Status
from app.domain.settings import Settings
from app.storage.chats import ChatStore
from app.storage.migrations import migrations
from app.storage.uses import UseStore, use_of

FAST = replace(STATS, prompt_tokens=300, reused_tokens=100, generated_tokens=101, decode_seconds=2.0,
               prefill_seconds=0.5)  # fmt: skip
SHA256 = "ab" * 32


@pytest.fixture
def store(database) -> ChatStore:
    return ChatStore(database, Changes(lambda call: call()))


@pytest.fixture
def uses(database) -> UseStore:
    return UseStore(database)


def answer(store: ChatStore, stats, model=MODEL, status: Status = Status.COMPLETE) -> int:
    started = get(store.start_turn(None, None, "hi", model, Settings()))
    get(store.finish(started.reply.id, "hello", status, stats, ""))
    return started.chat.id


def test_an_answer_tells_when_and_how_fast(store, uses):
    before = started = get(store.start_turn(None, None, "hi", MODEL, Settings()))
    assert get(uses.all()) == {}
    get(store.finish(started.reply.id, "hello", Status.COMPLETE, FAST, ""))
    found = use_of(get(uses.all()), Path(MODEL.path), SHA256)
    assert found is not None
    assert (found.writing, found.reading) == (pytest.approx(50), pytest.approx(400))
    assert found.used_at >= before.reply.created_at


def test_it_outlives_the_chat(store, uses, database):
    chat = answer(store, FAST)
    get(store.delete_chat(chat))
    get(database.write(lambda db: db.execute("DELETE FROM chats WHERE id = ?", [chat]) and None))
    assert get(database.read(lambda db: db.execute("SELECT count(*) FROM messages").fetchone()[0])) == 0
    assert get(uses.all())[MODEL.path].writing == pytest.approx(50)


def test_newer_answers_weigh_more_and_long_ones_too(store, uses):
    answer(store, FAST)
    for _ in range(12):
        answer(store, replace(FAST, decode_seconds=4.0))
    assert get(uses.all())[MODEL.path].writing == pytest.approx(25, rel=0.03)
    answer(store, replace(FAST, generated_tokens=2, decode_seconds=1.0))  # a slow word is hardly a measure
    assert get(uses.all())[MODEL.path].writing == pytest.approx(25, rel=0.1)


@pytest.mark.parametrize(
    "stats", [None, replace(FAST, generated_tokens=0), replace(FAST, generated_tokens=0, decode_seconds=0.0)]
)
def test_what_was_never_written_is_no_use(store, uses, stats):
    answer(store, stats, status=Status.FAILED if stats is None else Status.STOPPED)
    assert get(uses.all()) == {}


def test_one_token_and_a_short_prompt_say_nothing_of_speed(store, uses):
    answer(store, replace(FAST, generated_tokens=1, prompt_tokens=110))
    assert get(uses.all())[MODEL.path].writing == 0
    assert get(uses.all())[MODEL.path].reading == 0


def test_the_file_is_known_by_its_sha256_once_that_is_known(store, uses):
    answer(store, FAST, replace(MODEL, sha256=SHA256, path="/old/place.gguf"))
    answer(store, replace(FAST, decode_seconds=4.0))
    get(store.fill_sha256(MODEL.path, SHA256))
    assert list(get(uses.all())) == [SHA256]
    found = use_of(get(uses.all()), Path("/new/place.gguf"), SHA256)
    assert found is not None
    assert 25 < found.writing < 50


def test_another_file_in_the_same_place_begins_anew(store, uses):
    answer(store, FAST, replace(MODEL, sha256=SHA256))
    assert use_of(get(uses.all()), Path(MODEL.path), "cd" * 32) is None


def test_answers_of_an_older_fireside_are_taken_over(tmp_path: Path, reopen):
    path = tmp_path / "old.db"
    db = sqlite_utils.Database(pysqlite3.connect(path))
    migrations.apply(db, stop_before="m0005_model_uses")
    db.table("chats").insert({"created_at": 1.0, "updated_at": 1.0})
    stats = [
        json.dumps(FAST.to_json()),
        json.dumps({**FAST.to_json(), "decode_seconds": 6.0}),
        "{",
        "[]",
        None,
    ]
    for number, each in enumerate(stats):
        row = {"chat_id": 1, "role": "assistant", "status": "complete", "created_at": 10.0 + number,
               "model_path": MODEL.path, "model_sha256": SHA256, "stats": each}  # fmt: skip
        db.table("messages").insert(row)
    db.close()
    old = get(UseStore(reopen(path)).all())
    assert old[SHA256].writing == pytest.approx(200 / 8)
    assert old[SHA256].reading == pytest.approx(400)
    assert old[SHA256].used_at == 11.0
