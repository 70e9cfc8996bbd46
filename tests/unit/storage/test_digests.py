"""The sha256 of each finished message follows whatever writes, and tells what was changed behind its back."""

from hashlib import sha256
from pathlib import Path

import pysqlite3
import pytest
from storage_parts import MODEL, STATS, get, problems

from app.domain.chat import Status
from app.domain.settings import Settings
from app.storage import digests
from app.storage.chats import ChatStore
from app.storage.checks import examine
from app.storage.database import Database


def stored(database: Database) -> dict[int, bytes]:
    return dict(
        get(database.read(lambda db: db.execute("SELECT message_id, sha256 FROM digests").fetchall()))
    )


def of(text: str, reasoning: str = "") -> bytes:
    return sha256(f"{text}\0{reasoning}".encode()).digest()


def behind_its_back(path: Path, sql: str) -> None:
    connection = pysqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TRIGGER IF EXISTS search_updated")
    connection.execute(sql)
    connection.close()


def test_a_digest_is_written_with_the_message(store: ChatStore, database: Database) -> None:
    started = get(store.start_turn(None, None, "Frage 问题", MODEL, Settings()))
    asked, reply = started.path[-1].id, started.reply.id
    assert stored(database) == {asked: of("Frage 问题")}  # an answer has none while it is being written
    get(store.append_chunk(reply, "An answer", reasoning="hm"))
    get(store.finish(reply, "An answer", Status.STOPPED, STATS, "", reasoning="hm"))
    assert stored(database)[reply] == of("An answer", "hm")
    get(store.resume_reply(reply, MODEL, Settings()))
    assert set(stored(database)) == {asked}
    get(store.finish(reply, "An answer, and more", Status.COMPLETE, STATS, ""))
    assert stored(database)[reply] == of("An answer, and more")
    branch = get(store.trees.branch(reply))
    copy = get(store.chat(branch))[1].messages
    assert {stored(database)[each] for each in copy} == {of("Frage 问题"), of("An answer, and more")}
    get(database.write(lambda db: db.execute("DELETE FROM chats WHERE id = ?", [branch]).rowcount))
    assert not set(copy) & set(stored(database))
    assert problems(database) == []


def test_undo_and_what_fails_leave_it_right(store: ChatStore, database: Database) -> None:
    started = get(store.start_turn(None, None, "One", MODEL, Settings()))
    get(store.finish(started.reply.id, "Two", Status.STOPPED, STATS, ""))
    before = stored(database)
    get(store.resume_reply(started.reply.id, MODEL, Settings()))
    get(store.finish(started.reply.id, "Two and three", Status.COMPLETE, STATS, ""))
    get(store.undo.undo())
    assert get(store.chat(started.chat.id))[1].messages[started.reply.id].text == "Two"
    assert stored(database) == before

    def fail(db) -> None:
        db.execute("UPDATE messages SET text = 'other'")
        raise LookupError

    with pytest.raises(LookupError):
        get(database.write(fail))
    assert stored(database) == before


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE messages SET text = 'Two.' WHERE id = 2",
        "UPDATE messages SET reasoning = 'hm' WHERE id = 2",
        "UPDATE messages SET text = CAST(x'54ff6f' AS TEXT) WHERE id = 2",  # no UTF-8
    ],
)
def test_a_changed_text_is_told_and_hides_nothing(
    store: ChatStore, database: Database, tmp_path: Path, sql: str
) -> None:
    started = get(store.start_turn(None, None, "One", MODEL, Settings()))
    get(store.finish(started.reply.id, "Two", Status.COMPLETE, STATS, ""))
    assert get(database.read(lambda db: digests.look(db, 0))) == digests.Look(2, ())
    assert examine(tmp_path / "chats.db").is_well
    behind_its_back(tmp_path / "chats.db", sql)
    assert get(database.read(lambda db: digests.look(db, 0))) == digests.Look(2, (2,))
    assert get(database.read(lambda db: digests.look(db, 2))) == digests.Look(None, ())
    assert get(database.write(lambda db: [digests.mark(db, each) for each in (1, 2, 2)])) == [
        False,
        True,
        False,
    ]
    assert get(database.read(lambda db: digests.look(db, 0))).wrong == ()  # told once
    assert len(get(store.chat(1))[1].messages) == 2
    findings = examine(tmp_path / "chats.db")
    assert findings.changed == ((2, "One"),)
    assert findings.to_json()["ok"] is False
    get(
        database.write(
            lambda db: db.execute("UPDATE messages SET text = 'Two', reasoning = '' WHERE id = 2").rowcount
        )
    )
    assert examine(tmp_path / "chats.db").is_well


def test_a_look_is_bounded(store: ChatStore, database: Database) -> None:
    get(store.start_turn(None, None, "One", MODEL, Settings()))
    row = {"chat_id": 1, "role": "user", "status": "complete", "created_at": 1.0}
    many = [{**row, "text": "x" * 300_000}] * 5 + [{**row, "text": "y"}] * 400
    get(database.write(lambda db: db.table("messages").insert_all(many)))
    after, looks = 0, []
    while after is not None:
        found = get(database.read(lambda db, after=after: digests.look(db, after)))
        assert found.wrong == ()
        after = found.last
        looks.append(after)
    assert looks[0] == 6  # the question, and four long ones
    assert looks[-1] is None
    assert len(looks) == 4


def test_what_belongs_to_nothing_is_told(store: ChatStore, database: Database, tmp_path: Path) -> None:
    started = get(store.start_turn(None, None, "One", MODEL, Settings()))
    get(store.finish(started.reply.id, "Two", Status.COMPLETE, STATS, ""))
    behind_its_back(
        tmp_path / "chats.db", "INSERT INTO chunks (message_id, number, text) VALUES (2, 1, 'left')"
    )
    behind_its_back(tmp_path / "chats.db", "UPDATE messages SET chat_id = 9 WHERE id = 1")
    assert examine(tmp_path / "chats.db").orphans == {"messages": 1, "chunks": 1}
