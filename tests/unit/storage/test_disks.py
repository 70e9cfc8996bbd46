"""A disk that is full, and one that cannot be written."""

import subprocess
import sys
from pathlib import Path

import pytest
from storage_parts import MODEL, get, problems

from app.domain.changes import Changes
from app.domain.errors import UserError
from app.domain.settings import Settings
from app.storage.chats import ChatStore
from app.storage.database import Database


def store_of(database: Database) -> ChatStore:
    return ChatStore(database, Changes(lambda call: call()))


def test_a_full_disk_is_told_and_changes_nothing(small_disk, reopen) -> None:
    database = reopen(small_disk.root / "chats.db")
    store = store_of(database)
    started = get(store.start_turn(None, None, "Hello", MODEL, Settings()))
    get(store.append_chunk(started.reply.id, "so far"))
    before = get(store.chat(started.chat.id))
    small_disk.fill()
    long = "x" * 300_000
    with pytest.raises(UserError, match="disk is full") as caught:
        get(store.start_turn(started.chat.id, started.reply.id, long, MODEL, Settings()))
    assert caught.value.hint
    with pytest.raises(UserError, match="disk is full"):
        get(store.append_chunk(started.reply.id, long))
    assert get(store.chat(started.chat.id)) == before
    small_disk.free()
    get(store.append_chunk(started.reply.id, " and on"))
    chat, tree = get(store.chat(started.chat.id))
    assert chat == before[0]
    assert tree.messages[started.reply.id].text == "so far and on"
    assert problems(database) == []


def test_a_new_file_waits_for_room(small_disk, reopen) -> None:
    small_disk.fill()
    store = store_of(reopen(small_disk.root / "chats.db"))
    for _attempt in range(2):
        with pytest.raises(UserError, match="disk is full"):
            get(store.start_turn(None, None, "Hello", MODEL, Settings()))
        with pytest.raises(UserError, match="disk is full"):
            get(store.chats())
    small_disk.free()
    started = get(store.start_turn(None, None, "Hello", MODEL, Settings()))
    assert get(store.chats()) == [started.chat]


@pytest.mark.parametrize("killed", [False, True])
def test_a_disk_that_cannot_be_written_can_be_read(small_disk, reopen, killed: bool) -> None:
    path = small_disk.root / "chats.db"
    program = (
        "import os, sys; from pathlib import Path; from app.storage.database import Database\n"
        "database = Database(Path(sys.argv[1]))\n"
        "database.write(lambda db: db.execute('INSERT INTO preferences VALUES (1, 2)')).result()\n"
        "os.kill(os.getpid(), 9) if sys.argv[2] == 'True' else database.close()"
    )
    subprocess.run([sys.executable, "-c", program, path, str(killed)], check=False)
    assert Path(f"{path}-wal").exists() is killed
    small_disk.allow_writing(False)
    try:
        database = reopen(path)
        assert get(database.open()) is False
        rows = database.read(lambda db: db.execute("SELECT * FROM preferences").fetchall())
        assert get(rows) == [("1", "2")]  # also when it still lay in the log
        with pytest.raises(UserError, match="not change them") as caught:
            get(database.write(lambda db: db.execute("DELETE FROM preferences")))
        assert caught.value.hint
        with pytest.raises(UserError, match="cannot open"):
            get(reopen(path.with_name("other.db")).open())
        database.close()
    finally:
        small_disk.allow_writing(True)
    assert get(reopen(path).read(lambda db: db.table("preferences").count)) == 1


def test_a_log_that_cannot_be_read_is_not_passed_over(small_disk, reopen) -> None:
    path = small_disk.root / "chats.db"
    source = reopen(path)
    get(source.write(lambda db: db.execute("INSERT INTO preferences VALUES (1, 2)")))
    copy = small_disk.root / "copy"
    copy.mkdir()
    for name in ("chats.db", "chats.db-wal"):
        (copy / name).write_bytes((small_disk.root / name).read_bytes())
    source.close()
    small_disk.allow_writing(False)
    try:
        with pytest.raises(UserError, match="cannot open"):
            get(reopen(copy / "chats.db").open())
    finally:
        small_disk.allow_writing(True)
    assert get(reopen(copy / "chats.db").read(lambda db: db.table("preferences").count)) == 1
