"""Every message is found by its words, in any language, and nothing that is gone."""

import random
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_parts import MODEL, STATS, get, problems

from app.domain.chat import ModelIdentity, Role, Status
from app.domain.search import Query
from app.domain.settings import Settings
from app.storage import search_index
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.search import SearchStore

ENGLISH = ["the", "of", "river", "stone", "quiet", "lantern", "maple", "copper", "winter", "garden"]
HAN = "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可"
PUNCTUATION = ["，", "。", "！", "\n", "、"]
PLANTED = ["蘑", "鲸鱼", "图书管理", "gyroscope", "amber falcon"]


@pytest.fixture
def search(database: Database) -> SearchStore:
    return SearchStore(database)


def insert(database: Database, texts: list[str], **columns: Any) -> list[int]:
    """Write messages of one chat past everything that the app does."""
    row = {"role": "user", "status": "complete", "created_at": 0.0, **columns}

    def write(db: Any) -> list[int]:
        chat = db.table("chats").insert({"created_at": 0, "updated_at": 0, "title": "Chat"}).last_pk
        return [db.table("messages").insert({**row, "chat_id": chat, "text": text}).last_pk for text in texts]

    ids: list[int] = get(database.write(write))
    return ids


def found(search: SearchStore, text: str, most: int = 10_000, **filters: Any) -> list[int]:
    return sorted(hit.message_id for hit in get(search.find(Query(text, **filters), most)).hits)


def settle(database: Database) -> None:
    while get(database.write(search_index.work_off)):
        pass


def prose(chance: random.Random, length: int) -> str:
    """Return English, Chinese, or both, with punctuation in between."""
    parts = []
    for _ in range(length):
        kind = chance.random()
        if kind < 0.5:
            parts.append(
                " ".join(chance.choices(ENGLISH, k=chance.randint(1, 6))) + chance.choice([".", ",", ";"])
            )
        else:
            parts.append("".join(chance.choices(HAN, k=chance.randint(1, 9))) + chance.choice(PUNCTUATION))
    return "".join(parts)


def test_all_that_was_planted_is_found_and_nothing_else(database: Database, search: SearchStore) -> None:
    chance = random.Random(20261124)
    texts = []
    for _ in range(600):
        parts = [prose(chance, chance.randint(1, 4)) for _ in range(3)]
        if chance.random() < 0.3:
            planted = chance.choice(PLANTED)
            parts.insert(1, planted if planted > "~" else f" {planted} ")
        texts.append("".join(parts))
    texts += [
        "鲸，鱼",
        "图书 管理",
        "gyroscopes",
        "amber, falcon",
        "amber falconry",
        "Amber\nFALCON",
        "Gyroscope",
    ]
    ids = insert(database, texts)
    settle(database)
    for word in [*PLANTED, *HAN, "人我", "在有", "river", "quiet lantern", "stone river stone"]:
        if word > "~":
            wanted = re.compile(word)
        else:
            wanted = re.compile(rf"(?a:\b){word}(?a:\b)".replace(" ", r"[\W_]+"), re.IGNORECASE)
        scanned = [number for number, text in zip(ids, texts, strict=True) if wanted.search(text)]
        assert found(search, f'"{word}"') == scanned, word
        assert scanned or word not in PLANTED
    both = [number for number, text in zip(ids, texts, strict=True) if "river" in text and "人" in text]
    assert found(search, "river 人") == both


@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("Die Straße nach Köln", ["koln", "KÖLN", "stra", "nach köln"]),
        ("naïve cafe\u0301", ["naive", "café", "cafe"]),
        ("学校で日本語を勉強する", ["日本語", "で日", "勉強"]),
        ("학교에서 공부해요", ["학교", "교에", "공부"]),
        ("アイスとＡＢＣ", ["アイス", "abc", "ＡＢＣ"]),
        ("ภาษาไทยง่าย", ["ไทย", "ภาษา"]),
        ("Привет, как дела", ["привет", "как дел"]),
        ("std::vector<int> foo_bar.baz()", ["vector", "foo_bar", "std::vec", "foo_bar.baz"]),
        ("用Python写代码", ["python", "用python", "python写", "用 Python 写"]),
        ("𠀀是汉字", ["𠀀", "𠀀是"]),
    ],
)
def test_any_language_is_found(database: Database, search: SearchStore, text: str, finds: list[str]) -> None:
    (number,) = insert(database, [text])
    for words in finds:
        hits = get(search.find(Query(words))).hits
        assert [hit.message_id for hit in hits] == [number], words
        assert hits[0].snippet.marks, words


def test_the_last_word_may_go_on_unless_a_space_follows(database: Database, search: SearchStore) -> None:
    cat, catalogue, small = insert(database, ["a cat", "a catalogue", "c"])
    assert found(search, "cat") == [cat, catalogue]
    assert found(search, "cat ") == found(search, '"cat"') == [cat]
    assert found(search, "cat a") == [cat]
    assert found(search, "c") == [cat, catalogue, small]
    assert found(search, "c ") == found(search, "++ c++") == [small]
    assert found(search, "++") == found(search, "") == found(search, '"') == []


def test_a_letter_is_a_word_of_its_own_in_a_long_history(
    database: Database, search: SearchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.search._MANY", {1: 3})
    (small,) = insert(database, ["b"])
    assert found(search, "b") == [small]
    cat, _rest, lone = insert(database, ["a cat", "a catalogue", "c"])
    assert found(search, "c") == [lone]
    assert found(search, "ca")[0] == cat


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40) | st.text('"*()^:-+ aAND字\ue000\x00', max_size=30))
def test_nothing_that_is_typed_fails(shared_search: SearchStore, text: str) -> None:
    for code in (False, True):
        get(shared_search.find(Query(text, code=code)))


@pytest.fixture(scope="module")
def shared_search(tmp_path_factory: pytest.TempPathFactory) -> Any:
    database = Database(tmp_path_factory.mktemp("search") / "chats.db")
    insert(database, ["a AND b", "字 near 字", "x\x00y"])
    yield SearchStore(database)
    database.close()


def test_what_was_just_said_is_found_and_what_is_being_written_is_not(
    store: ChatStore, search: SearchStore
) -> None:
    started = get(store.start_turn(None, None, "Where is the lighthouse?", MODEL, Settings()))
    asked = started.path[-1].id
    assert found(search, "lighthouse") == [asked]
    store.append_chunk(started.reply.id, "On the lighthouse rock")
    assert found(search, "lighthouse") == [asked]
    get(store.finish(started.reply.id, "On the lighthouse rock.", Status.STOPPED, STATS, ""))
    assert found(search, "lighthouse rock") == [started.reply.id]
    get(store.resume_reply(started.reply.id, MODEL, Settings()))
    assert found(search, "rock") == []
    get(store.finish(started.reply.id, "On a cliff.", Status.COMPLETE, STATS, ""))
    assert found(search, "rock") == []
    assert found(search, "cliff") == [started.reply.id]


def test_no_search_finds_what_was_deleted(database: Database, store: ChatStore, search: SearchStore) -> None:
    started = get(store.start_turn(None, None, "A secret harbour", MODEL, Settings()))
    get(store.finish(started.reply.id, "The harbour is closed.", Status.COMPLETE, STATS, ""))
    both = [started.path[-1].id, started.reply.id]
    assert found(search, "harbour") == both
    get(store.delete_chat(started.chat.id))
    assert found(search, "harbour") == []
    get(store.restore_chat(started.chat.id))
    assert found(search, "harbour") == both
    sql = "UPDATE messages SET deleted_at = ? WHERE id = ?"
    get(database.write(lambda db: db.execute(sql, [1.0, both[0]]).rowcount))
    assert found(search, "harbour") == both[1:]
    get(database.write(lambda db: db.execute(sql, [None, both[0]]).rowcount))
    assert found(search, "harbour") == both


def test_words_of_what_is_gone_leave_the_file(
    database: Database, search: SearchStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.database._CHECKPOINT_SECONDS", 0.1)
    ids = insert(database, [f"word{n} " * 5 for n in range(400)] + ["thequickcanary sings"])
    assert found(search, "thequickcanary") == ids[-1:]
    assert b"thequickcanary" in whole_file(tmp_path)
    get(database.write(lambda db: db.execute("DELETE FROM messages WHERE id = ?", [ids[-1]]).rowcount))
    assert found(search, "thequickcanary") == []
    until = time.monotonic() + 5
    while b"canary" in whole_file(tmp_path) and time.monotonic() < until:
        time.sleep(0.05)
    assert b"canary" not in whole_file(tmp_path)
    assert found(search, "word399") == ids[-2:-1]
    assert problems(database) == []


def whole_file(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("chats.db*"))


def test_a_history_from_before_is_indexed_at_leisure(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.database._CHECKPOINT_SECONDS", 0.1)
    ids = insert(database, [f"old{n} 旧事" for n in range(1500)])
    search = SearchStore(database)
    first = get(search.find(Query("旧事")))
    assert {hit.message_id for hit in first.hits} <= set(ids[-256:])
    assert first.hits
    until = time.monotonic() + 5
    while get(database.read(search_index.count_waiting)) and time.monotonic() < until:
        time.sleep(0.02)
    assert found(search, "旧事") == ids
    assert found(search, "old7 ") == [ids[7]]


def test_filters(database: Database, store: ChatStore, search: SearchStore) -> None:
    other = ModelIdentity("Other", "", "/o.gguf")
    first = get(store.start_turn(None, None, "A kettle", MODEL, Settings()))
    get(store.finish(first.reply.id, "kettle:\n```python\nkettle()\n```", Status.COMPLETE, STATS, ""))
    second = get(store.start_turn(None, None, "Another kettle", other, Settings()))
    get(store.finish(second.reply.id, "No kettle", Status.COMPLETE, STATS, ""))
    asked, answered = first.path[-1].id, first.reply.id
    asked2, answered2 = second.path[-1].id, second.reply.id

    def arrange(db: Any) -> None:
        folder = db.table("folders").insert({"name": "Kitchen", "created_at": 0}).last_pk
        db.execute("UPDATE chats SET folder_id = ? WHERE id = ?", [folder, first.chat.id])
        db.table("chat_tags").insert({"chat_id": second.chat.id, "name": "tea"})
        db.execute("UPDATE messages SET created_at = id * 100.0")

    get(database.write(arrange))
    everything = found(search, "kettle")
    assert everything == [asked, answered, asked2, answered2]
    assert found(search, "kettle", role=Role.USER) == [asked, asked2]
    assert found(search, "kettle", model="Other") == [answered2]
    assert found(search, "kettle", code=True) == [answered]
    assert found(search, "kettle", chat_id=second.chat.id) == [asked2, answered2]
    assert found(search, "kettle", folder_id=1) == [asked, answered]
    assert found(search, "kettle", folder_id=2) == []
    assert found(search, "kettle", tag="tea") == [asked2, answered2]
    assert found(search, "kettle", since=answered * 100.0, until=answered2 * 100.0) == [answered, asked2]
    assert found(search, "kettle", tag="tea", role=Role.ASSISTANT) == [answered2]
    assert get(search.models()) == ["Other", MODEL.name]
    newest = get(search.find(Query("kettle"), 3))
    assert [hit.message_id for hit in newest.hits] == [answered2, asked2, answered]
    assert newest.more


def test_a_damaged_index_is_made_anew(
    database: Database, search: SearchStore, tmp_path: Path, reopen: Any
) -> None:
    ids = insert(database, ["a buoy", "no other"])
    assert found(search, "buoy") == ids[:1]
    sql = "UPDATE search_data SET block = x'00000001ff0000010101ff' WHERE id = 10"
    get(database.write(lambda db: db.execute(sql).rowcount))
    database.close()
    again = reopen(tmp_path / "chats.db")
    assert found(SearchStore(again), "buoy") == ids[:1]
    assert problems(again) == []


def test_a_search_that_nobody_waits_for_any_more_is_not_made(database: Database, search: SearchStore) -> None:
    insert(database, ["slow"])
    held = database.read(lambda db: time.sleep(0.2))
    outdated, wanted = search.find(Query("sl")), search.find(Query("slow"))
    assert outdated.cancel()
    assert len(get(wanted).hits) == 1
    get(held)


def test_a_file_that_cannot_be_written_is_searched_as_it_is(
    database: Database, search: SearchStore, tmp_path: Path, reopen: Any
) -> None:
    ids = insert(database, ["an anchor"])
    assert found(search, "anchor") == ids
    insert(database, ["another anchor"])
    database.close()
    read_only = SearchStore(reopen(tmp_path / "chats.db", read_only=True))
    assert found(read_only, "anchor") == ids
