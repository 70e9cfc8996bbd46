"""From every schema there was to the one there is, and no further."""

from pathlib import Path

import pysqlite3
import pytest
import sqlite_utils
from frozen_databases import FOLDER, load
from storage_parts import MODEL, get, problems

from app.domain.changes import Changes
from app.domain.errors import UserError
from app.domain.settings import Settings
from app.storage.backups import backups
from app.storage.chats import ChatStore
from app.storage.checks import examine
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


def content(path: Path) -> dict[str, dict[str, list]]:
    """Return all that is in the tables, by column; but not what is made of it."""
    db = sqlite_utils.Database(pysqlite3.connect(path))
    found = {
        table: {column: [] for column in db.table(table).columns_dict}
        for table in db.table_names()
        if not table.startswith(("search", "_sqlite", "digests"))
    }
    for table, columns in found.items():
        for row in db.table(table).rows_where(order_by="1, 2"):
            for column, values in columns.items():
                values.append(row[column])
    db.close()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_frozen_database_keeps_every_word(tmp_path: Path, reopen, name: str) -> None:
    path = tmp_path / "chats.db"
    load(name, path)
    before = content(path)
    database = reopen(path)
    store = ChatStore(database, Changes(lambda call: call()))
    titles = [chat.title for chat in get(store.chats())]
    assert titles == ["A tale 故事", ""]
    after = content(path)
    # What answers so far tell of a model is taken over into a table of its own.
    for table, columns in before.items():
        assert {column: after[table][column] for column in columns} == columns
    assert get(store.recover()) == [6]
    chat, tree = get(store.chat(1))
    assert [message.text[:4] for message in tree.path(chat.tip_id)] == ["Tell", "Once"]
    assert get(store.chat(3))[1].messages[6].text == "so far"
    assert problems(database) == []
    assert examine(path).is_well
    made = backups(path)
    assert [each.messages for each in made] == [6] * (name != NAMES[-1])
    database.close()
    if made:
        assert content(made[0].path) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_released_step_never_changes(tmp_path: Path, name: str) -> None:
    """Where this fails, add a step; run frozen_databases.py for one that was never released."""
    assert (FOLDER / f"{name}.sql").exists()
    load(name, tmp_path / "frozen.db")
    later = NAMES[NAMES.index(name) + 1 :]
    db = sqlite_utils.Database(pysqlite3.connect(tmp_path / "made.db"))
    migrations.apply(db, **({"stop_before": later[0]} if later else {}))
    db.close()
    assert schema(tmp_path / "frozen.db") == schema(tmp_path / "made.db")
