"""Whatever is done can be undone, row by row, and done again."""

import pytest
from storage_parts import MODEL, STATS, get

from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import Status
from app.domain.errors import UserError
from app.domain.settings import Settings
from app.domain.undo import Act
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.undo import MOST_STEPS

TABLES = ("chats", "messages", "summaries", "folders", "chat_tags")


def rows(database: Database) -> dict[str, list[tuple]]:
    def read(db) -> dict[str, list[tuple]]:
        return {name: db.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in TABLES}

    return get(database.read(read))


def shown(store: ChatStore) -> list:
    return [get(store.chat(chat.id)) for chat in get(store.chats())]


def say(store: ChatStore, text: str, chat_id=None, parent_id=None, answer: str = "yes"):
    started = get(store.start_turn(chat_id, parent_id, text, MODEL, Settings()))
    get(store.finish(started.reply.id, answer, Status.COMPLETE, STATS, ""))
    return started


def test_a_title_comes_back_and_goes_again(store: ChatStore, database: Database) -> None:
    chat_id = say(store, "Hello").chat.id
    before = rows(database)
    get(store.update_chat(chat_id, title="Other"))
    after = rows(database)
    assert (store.undo.next_undo, store.undo.next_redo) == (Act.RENAME, None)
    undone = get(store.undo.undo())
    assert (undone.act, undone.chats) == (Act.RENAME, (chat_id,))
    assert rows(database) == before
    assert (store.undo.next_undo, store.undo.next_redo) == (Act.SEND, Act.RENAME)
    assert get(store.undo.redo()).act is Act.RENAME
    assert rows(database) == after
    assert get(store.undo.redo()) is None


def test_what_changes_nothing_is_no_step(store: ChatStore, database: Database) -> None:
    chat_id = say(store, "Hello").chat.id
    get(store.update_chat(chat_id, title="Hello"))
    get(store.update_chat(chat_id, draft="unsent"))
    with pytest.raises(UserError):
        get(store.update_chat(99, title="Nobody"))
    assert store.undo.next_undo is Act.SEND


def test_a_new_step_ends_what_could_be_done_again(store: ChatStore) -> None:
    chat_id = say(store, "Hello").chat.id
    get(store.update_chat(chat_id, title="Other"))
    get(store.undo.undo())
    get(store.update_chat(chat_id, pinned=True))
    assert (store.undo.next_undo, store.undo.next_redo) == (Act.PIN, None)
    assert get(store.undo.redo()) is None


def test_an_undone_answer_rests_and_comes_back_with_all_it_said(store: ChatStore, database: Database) -> None:
    first = say(store, "Hello")
    before = shown(store)
    again = get(store.start_reply(first.chat.id, first.path[0].id, MODEL, Settings()))
    with pytest.raises(UserError, match="still being written"):
        get(store.undo.undo())
    get(store.finish(again.reply.id, "another", Status.COMPLETE, STATS, ""))
    after = rows(database)
    get(store.undo.undo())
    assert shown(store) == before
    get(store.undo.redo())
    assert rows(database) == after


def test_a_new_chat_rests_with_its_messages(store: ChatStore) -> None:
    chat_id = say(store, "Hello").chat.id
    get(store.update_chat(chat_id, title="Other"))
    get(store.undo.undo())
    get(store.undo.undo())
    assert get(store.chats()) == []
    get(store.restore_chat(chat_id))
    assert len(get(store.chat(chat_id))[1].messages) == 2


def test_an_answer_that_was_carried_on_is_as_short_as_before(store: ChatStore, database: Database) -> None:
    first = get(store.start_turn(None, None, "Count", MODEL, Settings()))
    get(store.finish(first.reply.id, "1 2", Status.STOPPED, STATS, "", reasoning="hm"))
    before = rows(database)
    get(store.resume_reply(first.reply.id, MODEL, Settings()))
    get(store.finish(first.reply.id, "1 2 3 4", Status.COMPLETE, STATS, "", reasoning="hm"))
    after = rows(database)
    assert get(store.undo.undo()).act is Act.CONTINUE
    restored = rows(database)
    assert restored["messages"] == before["messages"]
    get(store.undo.redo())
    assert rows(database) == after


def test_what_was_written_since_by_others_stays(store: ChatStore) -> None:
    chat_id = say(store, "Hello").chat.id
    get(store.update_chat(chat_id, pinned=True))
    get(store.update_chat(chat_id, draft="unsent"))
    get(store.name_chat(chat_id, "A greeting", instead_of="Hello"))
    get(store.undo.undo())
    (chat,) = get(store.chats())
    assert (chat.pinned, chat.draft, chat.title) == (False, "unsent", "A greeting")


def test_everything_that_was_touched_is_told(database: Database) -> None:
    changes, told = Changes(lambda call: call()), []
    store = ChatStore(database, changes)
    chat_id = say(store, "Hello").chat.id
    changes.subscribe(told.append)
    get(store.undo.undo())
    assert told == [Changed(Kind.CHATS, (chat_id,)), Changed(Kind.UNDO)]


def test_texts_of_any_bytes_come_back(store: ChatStore, database: Database) -> None:
    chat_id = say(store, "Hello").chat.id
    for title in ("a\0b", "'); DROP TABLE chats; --", "天空", "x" * 100_000):
        get(store.update_chat(chat_id, title=title))
    for title in ("天空", "'); DROP TABLE chats; --", "a\0b", "Hello"):
        get(store.undo.undo())
        assert get(store.chats())[0].title == title


def test_steps_beyond_the_most_are_forgotten(store: ChatStore, database: Database) -> None:
    chat_id = say(store, "Hello").chat.id
    for number in range(MOST_STEPS + 5):
        store.update_chat(chat_id, title=str(number))
    taken = 0
    while get(store.undo.undo()):
        taken += 1
    assert taken == MOST_STEPS
    assert get(store.chats())[0].title == "4"


def test_nothing_is_left_of_forgotten_steps(store: ChatStore, database: Database) -> None:
    chat_id = say(store, "Hello").chat.id
    get(store.update_chat(chat_id, title="Other"))
    get(store.undo.undo())
    get(store.undo.forget())
    assert (store.undo.next_undo, store.undo.next_redo) == (None, None)

    def left(db) -> int:
        names = [f"undo_{name}" for name in TABLES] + ["undo_log", "undo_steps", "undo_now", "undo_new"]
        return sum(db.execute(f"SELECT count(*) FROM temp.{name}").fetchone()[0] for name in names)

    assert get(database.write(left)) == 0


def test_a_step_that_fails_leaves_no_trace(store: ChatStore, database: Database) -> None:
    chat_id = say(store, "Hello").chat.id
    before = rows(database)

    def fail(db) -> None:
        db.execute("UPDATE chats SET title = 'half' WHERE id = ?", [chat_id])
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        get(store.undo.write(Act.RENAME, fail))
    assert rows(database) == before
    assert store.undo.next_undo is Act.SEND
    get(store.update_chat(chat_id, title="Other"))
    get(store.undo.undo())
    assert rows(database) == before
