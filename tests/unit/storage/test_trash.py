"""What is deleted rests, comes back, goes by itself after its time, or at once without leaving a byte."""

import time
from pathlib import Path

import pytest
from storage_parts import MODEL, STATS, get, problems

from app.domain.changes import Changed, Kind
from app.domain.chat import Status
from app.domain.generation import Choice, Chosen
from app.domain.settings import Settings
from app.domain.trash import DAYS, Erased
from app.storage import digests, trash
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.search import SearchStore

DAY = 24 * 60 * 60.0
CANARY = "xyzzyplugh"


def say(store: ChatStore, text: str, chat_id=None, parent_id=None):
    started = get(store.start_turn(chat_id, parent_id, text, MODEL, Settings()))
    get(store.finish(started.reply.id, f"about {text}", Status.COMPLETE, STATS, ""))
    return started


def found(folder: Path, words: str = CANARY) -> list[str]:
    """Return the files below `folder` that hold the words, whole or as the parts a search knows."""
    return [path.name for path in folder.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]


def set_deleted(database: Database, table: str, row_id: int, when: float) -> None:
    sql = f"UPDATE {table} SET deleted_at = ? WHERE id = ?"
    get(database.write(lambda db: db.execute(sql, [when, row_id]) and None))


def test_the_trash_lists_chats_and_messages(store: ChatStore) -> None:
    kept, gone, older = say(store, "kept"), say(store, "gone"), say(store, "older")
    more = say(store, "more", kept.chat.id, kept.reply.id)
    get(store.organiser.delete([older.chat.id]))
    get(store.organiser.delete([gone.chat.id]))
    get(store.trees.delete_branch(more.path[-1].id))
    get(store.trees.delete_message(kept.reply.id))
    read = get(store.trash.read())
    assert [chat.title for chat in read.chats] == ["gone", "older"]
    assert [[message.text for message in each.messages] for each in read.messages] == [
        ["about kept"],
        ["more", "about more"],
    ]
    assert {each.chat.title for each in read.messages} == {"kept"}
    get(store.organiser.restore([gone.chat.id, older.chat.id]))
    get(store.trees.restore([message.id for message in read.messages[1].messages]))
    get(store.trees.restore([kept.reply.id]))
    assert not get(store.trash.read())
    chat, tree = get(store.chat(kept.chat.id))
    assert [message.text for message in tree.path(chat.tip_id)] == [
        "kept",
        "about kept",
        "more",
        "about more",
    ]


def test_only_what_is_deleted_is_erased(store: ChatStore, database: Database, published: list) -> None:
    kept, gone = say(store, "kept"), say(store, "gone")
    more = say(store, "more", kept.chat.id, kept.reply.id)
    last = say(store, "last", kept.chat.id, more.reply.id)
    get(store.organiser.delete([gone.chat.id]))
    for message_id in (kept.reply.id, more.path[-1].id):
        get(store.trees.delete_message(message_id))
    published.clear()
    asked = [kept.chat.id, gone.chat.id, 99], [kept.reply.id, more.path[-1].id, last.reply.id, 99]
    erased = get(store.trash.erase(*asked))
    assert erased == Erased((gone.chat.id,), (more.path[-1].id, kept.reply.id), (kept.chat.id,))
    assert published == [Changed(Kind.CHATS, (gone.chat.id,)), Changed(Kind.TREES, (kept.chat.id,))]
    assert problems(database) == []
    chat, tree = get(store.chat(kept.chat.id))
    assert [message.text for message in tree.path(chat.tip_id)] == [
        "kept",
        "about more",
        "last",
        "about last",
    ]
    assert get(store.undo.undo()) is None  # it could bring back what is gone


def test_no_byte_is_left_of_what_is_erased(store: ChatStore, database: Database, tmp_path: Path) -> None:
    search = SearchStore(database)
    others = [say(store, f"other {number}") for number in range(30)]
    for number in range(30):  # short ones, which SQLite moves about, and long ones, which fill pages
        chat = others[number].chat.id
        text = f"{CANARY} {number} " * (1 if number % 3 else 900)
        started = get(store.start_turn(chat, others[number].reply.id, text, MODEL, Settings()))
        chosen = [Chosen(Choice(1, CANARY, -0.5), (Choice(2, CANARY, -1.0),))]
        get(store.append_chunk(started.reply.id, CANARY * 3, reasoning=CANARY, chosen=chosen))
        get(store.finish(started.reply.id, text, Status.COMPLETE, STATS, CANARY, reasoning=CANARY))
        get(store.summaries.add(chat, started.reply.id, f"{CANARY} in short"))
        if number % 2:
            get(store.trees.delete_branch(started.path[-1].id))
        else:
            get(store.update_chat(chat, title=f"{CANARY}!", draft=CANARY, system_prompt=CANARY))
            get(store.organiser.tag([chat], CANARY))
            get(store.organiser.delete([chat]))
    while get(database.write(lambda db: db.execute("SELECT count(*) FROM search_queue").fetchone()[0])):
        get(database.write(trash.work_off))
    get(store.undo.undo())
    get(store.undo.redo())
    assert found(tmp_path)
    gone = get(store.trash.read())
    messages = [message.id for each in gone.messages for message in each.messages]
    get(store.trash.erase([chat.id for chat in gone.chats], messages))
    assert found(tmp_path) == []
    assert found(tmp_path, CANARY[:6]) == []
    assert {path.name.removeprefix("chats.db") for path in tmp_path.iterdir()} <= {"", "-wal", "-shm"}
    assert problems(database) == []
    assert len(get(store.chats())) == 15
    assert search is not None


def test_all_goes_on_after_an_erasure(store: ChatStore, database: Database) -> None:
    gone, kept = say(store, "gone"), say(store, "kept")
    get(store.organiser.delete([gone.chat.id]))
    get(store.trash.erase([gone.chat.id], []))
    more = say(store, "more", kept.chat.id, kept.reply.id)
    again = get(store.resume_reply(stopped(store, more.reply.id), MODEL, Settings()))
    get(store.finish(again.reply.id, "more and more", Status.COMPLETE, STATS, ""))
    get(store.undo.undo())
    chat, tree = get(store.chat(kept.chat.id))
    assert [message.text for message in tree.path(chat.tip_id)][-2:] == ["more", "about more"]
    sql = "SELECT count(*) FROM messages LEFT JOIN digests ON message_id = id WHERE sha256 IS NULL"
    assert get(database.read(lambda db: db.execute(sql).fetchone()[0])) == 0
    assert get(database.read(lambda db: digests.look(db, 0))).wrong == ()
    assert problems(database) == []


def stopped(store: ChatStore, message_id: int) -> int:
    get(store.finish(message_id, "about more", Status.STOPPED, STATS, ""))
    return message_id


def test_what_has_rested_long_enough_goes(store: ChatStore, database: Database) -> None:
    kept, old, new = say(store, "kept"), say(store, "old"), say(store, "new")
    get(store.organiser.delete([old.chat.id, new.chat.id]))
    get(store.trees.delete_message(kept.reply.id))
    assert get(store.trash.expire()) == Erased()
    now = time.time()
    set_deleted(database, "chats", old.chat.id, now - DAYS * DAY - 60)
    set_deleted(database, "chats", new.chat.id, now - DAYS * DAY + 60)
    set_deleted(database, "messages", kept.reply.id, now - DAYS * DAY - 60)
    assert get(store.trash.expire()) == Erased((old.chat.id,), (kept.reply.id,), (kept.chat.id,))
    assert [chat.title for chat in get(store.trash.read()).chats] == ["new"]


@pytest.mark.parametrize("what", ["chat", "message"])
def test_a_clock_that_was_wrong_empties_nothing(store: ChatStore, monkeypatch, what: str) -> None:
    first = say(store, "first")
    right = time.time()
    monkeypatch.setattr(time, "time", lambda: 1000.0)  # 1970: the battery was empty
    if what == "chat":
        get(store.organiser.delete([first.chat.id]))
    else:
        get(store.trees.delete_message(first.reply.id))
    assert get(store.trash.expire()) == Erased()
    monkeypatch.setattr(time, "time", lambda: right + (DAYS - 1) * DAY)
    assert get(store.trash.expire()) == Erased()
    monkeypatch.setattr(time, "time", lambda: right + (DAYS + 1) * DAY)
    assert get(store.trash.expire()) != Erased()
