"""From every schema there was to the one there is, and no further."""

from pathlib import Path

import pysqlite3
import pytest
import sqlite_utils
from storage_parts import MODEL, get, problems

from app.domain.changes import Changes
from app.domain.errors import UserError
from app.domain.settings import Settings
from app.storage.chats import ChatStore
from app.storage.migrations import STEPS, migrations

NAMES = [step.__name__ for step in STEPS]


def schema(path: Path) -> list[tuple[str, str]]:
    connection = pysqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    connection.close()
    return rows


def old_database(path: Path, stop_before: str, *, rows: bool) -> None:
    db = sqlite_utils.Database(pysqlite3.connect(path))
    migrations.apply(db, stop_before=stop_before)
    if rows:
        db.table("chats").insert({"created_at": 1.0, "updated_at": 1.0, "title": "Old"})
        db.table("messages").insert(
            {"chat_id": 1, "role": "user", "status": "complete", "created_at": 1.0, "text": "hi"}
        )
    db.close()


def test_steps_are_numbered_in_order() -> None:
    assert [int(name[1:5]) for name in NAMES] == list(range(1, len(NAMES) + 1))


def test_an_empty_file_gets_the_whole_schema(database, tmp_path: Path) -> None:
    get(database.open())
    assert problems(database) == []
    names = {name for name, _sql in schema(tmp_path / "chats.db")}
    assert {"chats", "messages", "chunks", "preferences", "messages_by_chat", "messages_by_parent"} <= names


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("stop_before", NAMES[1:])
def test_an_older_schema_is_brought_up_to_date(
    tmp_path: Path, reopen, database, stop_before: str, rows: bool
) -> None:
    old = tmp_path / "old.db"
    old_database(old, stop_before, rows=rows)
    database_of_old = reopen(old)
    store = ChatStore(database_of_old, Changes(lambda call: call()))
    assert [chat.title for chat in get(store.chats())] == ["Old"] * rows
    if rows:
        assert get(store.chat(1))[1].messages[1].text == "hi"
    get(store.start_turn(None, None, "New", MODEL, Settings()))
    assert problems(database_of_old) == []
    get(database.open())
    assert schema(old) == schema(tmp_path / "chats.db")


def test_a_step_that_fails_changes_nothing(tmp_path: Path, reopen) -> None:
    path = tmp_path / "chats.db"
    connection = pysqlite3.connect(path)
    connection.execute("CREATE TABLE preferences (other TEXT)")  # in the way of the second step
    connection.close()
    before = schema(path)
    with pytest.raises(Exception, match="already exists"):
        get(reopen(path).open())
    assert schema(path) == before


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_schema_is_refused(tmp_path: Path, reopen, read_only: bool) -> None:
    path = tmp_path / "chats.db"
    newer = {"migration_set": "fireside", "name": "m9999_later", "applied_at": "2030-01-01"}
    first = reopen(path)
    get(first.write(lambda db: db.table("_sqlite_migrations").insert(newer)))
    first.close()
    before = path.read_bytes()
    database = reopen(path, read_only=read_only)
    for future in (database.open(), database.read(len), database.write(len)):
        with pytest.raises(UserError, match="newer version of Fireside") as caught:
            get(future)
        assert caught.value.hint
    database.close()
    assert path.read_bytes() == before


def test_an_older_schema_that_cannot_be_changed_is_told(tmp_path: Path, reopen) -> None:
    path = tmp_path / "chats.db"
    old_database(path, NAMES[-1], rows=True)
    with pytest.raises(UserError, match="older version of Fireside") as caught:
        get(reopen(path, read_only=True).open())
    assert caught.value.hint
