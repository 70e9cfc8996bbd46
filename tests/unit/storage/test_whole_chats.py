"""What goes out of one database as JSON and into another is the same."""

import json
from collections.abc import Iterator

import jsonschema
import pytest
from any_chats import renumbered, whole_chats
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_parts import MODEL, STATS, get, problems

from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import Chat, Message, Role, Status
from app.domain.chat_file import Unreadable, from_object, to_object
from app.domain.errors import UserError
from app.domain.settings import Settings
from app.domain.whole_chat import WholeChat, marks
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.undo import UndoLog
from app.storage.whole_chats import WholeChats
from app.ui.assets import asset

SCHEMA = jsonschema.Draft202012Validator(
    json.loads(asset("formats/fireside-chat-1.schema.json").read_text(encoding="utf-8"))
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(tmp_path_factory.mktemp("whole") / "chats.db")
    yield database
    database.close()


def whole_store_of(database: Database, changes: Changes) -> tuple[WholeChats, UndoLog]:
    undo = UndoLog(database, changes)
    return WholeChats(database, changes, undo), undo


@pytest.fixture
def whole_store(database: Database) -> WholeChats:
    return whole_store_of(database, Changes(lambda call: call()))[0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(whole_chats(), min_size=1, max_size=3))
def test_any_tree_goes_out_and_comes_in_equal(shared: Database, wanted: list[WholeChat]) -> None:
    store, _undo = whole_store_of(shared, Changes(lambda call: call()))
    ids = get(store.insert(wanted))
    get(store.show())
    for chat_id, whole in zip(ids, wanted, strict=True):
        kept = get(store.read(chat_id))
        assert renumbered(kept) == renumbered(whole)
        written = json.dumps(to_object(kept), ensure_ascii=False)
        SCHEMA.validate(json.loads(written))
        back = from_object(json.loads(written))
        assert renumbered(back) == renumbered(whole)
        (again,) = get(store.insert([back]))
        get(store.show())
        assert renumbered(get(store.read(again))) == renumbered(whole)
    assert problems(shared) == []


def test_what_is_deleted_stays_behind_and_what_is_being_written_is_interrupted(
    store: ChatStore, database: Database, whole_store: WholeChats
) -> None:
    started = get(store.start_turn(None, None, "Hello", MODEL, Settings()))
    chat_id, asked = started.chat.id, started.path[-1].id
    get(store.append_chunk(started.reply.id, "Half of"))
    other = get(store.start_reply(chat_id, asked, MODEL, Settings()))
    get(store.finish(other.reply.id, "Gone", Status.COMPLETE, STATS, ""))
    get(
        database.write(
            lambda db: db.execute("UPDATE messages SET deleted_at = 1 WHERE text = 'Gone'").rowcount
        )
    )
    whole = get(whole_store.read(chat_id))
    assert [(m.text, m.status) for m in whole.messages] == [
        ("Hello", Status.COMPLETE),
        ("Half of", Status.INTERRUPTED),
    ]
    assert whole.chat.tip_id == started.reply.id
    get(store.delete_chat(chat_id))
    assert get(whole_store.ids()) == []
    assert get(whole_store.beginnings()) == {}
    with pytest.raises(UserError):
        get(whole_store.read(chat_id))


GOOD = WholeChat(Chat(1, "Good", tags=("火",)), (Message(1, 1, None, Role.USER, "Hi"),), folder="Work")


def test_all_of_a_batch_or_none_and_nobody_sees_it_before_all_is_there(database: Database) -> None:
    told: list[Changed] = []
    changes = Changes(lambda call: call())
    changes.subscribe(told.append)
    store, undo = whole_store_of(database, changes)
    bad = WholeChat(Chat(1, "Bad", created_at=None), ())
    with pytest.raises(Exception, match="NOT NULL"):
        get(store.insert([GOOD, bad]))
    assert get(store.left_behind()) == []
    ids = [*get(store.insert([GOOD])), *get(store.insert([GOOD]))]
    assert (get(store.ids()), get(store.left_behind()), told) == ([], ids, [])
    assert get(store.show()) == ids
    assert get(store.left_behind()) == []
    assert get(store.read(ids[0])).folder == "Work"
    assert get(database.read(lambda db: db.execute("SELECT count(*) FROM folders").fetchone())) == (1,)
    assert told == [Changed(Kind.FOLDERS), Changed(Kind.CHATS, tuple(ids)), Changed(Kind.UNDO)]
    get(undo.undo())
    assert get(store.ids()) == []
    get(undo.redo())
    assert sorted(get(store.ids())) == ids


def test_what_was_left_behind_is_erased(database: Database) -> None:
    store, _undo = whole_store_of(database, Changes(lambda call: call()))
    (shown,) = get(store.insert([GOOD]))
    get(store.show())
    get(store.insert([GOOD, GOOD]))
    get(database.write(lambda db: db.execute("UPDATE preferences SET key = 'arriving:99999999:1'").rowcount))
    left = get(store.left_behind())
    get(store.erase([*left, shown]))
    assert (get(store.left_behind()), get(store.ids())) == ([], [shown])
    assert get(database.read(lambda db: db.execute("SELECT count(*) FROM chats").fetchone())) == (1,)
    assert problems(database) == []


def test_a_conversation_is_known_by_what_was_said() -> None:
    said = [Message(1, 1, None, Role.USER, "Hi "), Message(2, 1, 1, Role.ASSISTANT, "Yes", model=MODEL)]
    same = [Message(7, 9, None, Role.USER, "Hi"), Message(8, 9, 7, Role.ASSISTANT, "Yes", created_at=5.0)]
    longer = [*same, Message(9, 9, 8, Role.USER, "And?")]
    other = [Message(1, 1, None, Role.USER, "Yes"), Message(2, 1, 1, Role.ASSISTANT, "Hi")]
    assert marks(said) == marks(same) == marks(longer)[:2]
    assert not set(marks(said)) & set(marks(other))


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"format": "other"},
        {"messages": {}},
        {"messages": [5]},
        {"messages": [{"id": 1, "parent": 1, "role": "user", "text": ""}]},
        {"messages": [{"id": 1, "parent": 9, "role": "user", "text": ""}]},
        {"messages": [{"id": 1, "parent": None, "role": "user", "text": ""}] * 2},
        {"messages": [{"id": "1", "parent": None, "role": "user", "text": ""}]},
        {"messages": [{"id": 1, "parent": None, "role": "nobody", "text": ""}]},
        {"messages": [{"id": 1, "parent": None, "role": "user", "text": ["a"]}]},
        {"summaries": [{"id": 1, "until": 4, "text": ""}]},
    ],
)
def test_what_is_not_a_chat_is_refused_with_a_sentence(change: dict) -> None:
    with pytest.raises(Unreadable, match=r"\.$"):
        from_object({"format": "fireside-chat", "version": 1, "messages": [], **change})


def test_what_makes_no_sense_beside_the_words_is_left_out() -> None:
    message = {
        "id": 1,
        "parent": None,
        "role": "assistant",
        "text": "Words",
        "status": "writing",
        "created_at": float("nan"),
        "model": "x",
        "settings": {"temperature": "hot", "grammar": 5},
        "stats": {"stop_reason": "end", "prompt_tokens": "many"},
        "probabilities": [[1, 2, float("inf"), []]],
        "pinned": "yes",
        "seen_from": 99,
    }
    values = {
        "format": "fireside-chat",
        "version": 1,
        "title": 5,
        "tip": 8,
        "tags": [1, " b ", "b"],
        "context": -1,
    }
    whole = from_object({**values, "messages": [message]})
    assert whole.messages == (Message(1, 1, None, Role.ASSISTANT, "Words", Status.INTERRUPTED),)
    assert (whole.chat.title, whole.chat.tip_id, whole.chat.tags, whole.chat.context) == ("", 1, ("b",), None)
    assert whole.probabilities == {}
