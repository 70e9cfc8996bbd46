"""Transactions, threads, checkpoints and what a person is told when the file cannot be used."""

import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pysqlite3
import pytest
from storage_parts import MODEL, get

from app.domain.chat import Status
from app.domain.errors import UserError
from app.domain.settings import Settings
from app.storage import database as database_module
from app.storage.database import Database


def keys(database: Database) -> list[str]:
    return get(database.read(lambda db: [row[0] for row in db.execute("SELECT key FROM preferences")]))


def insert(key: str) -> Callable:
    return lambda db: db.table("preferences").insert({"key": key, "value": "1"})


def test_importing_the_storage_imports_no_driver() -> None:
    program = (
        "import sys; import app.storage.chats, app.storage.preferences, app.storage.folders\n"
        "print(sorted({'sqlite3', 'pysqlite3', 'sqlite_utils', 'numpy', 'psutil'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_only_the_owner_may_read_the_files(database: Database, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        get(database.write(insert("one")))
        files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert files == {"chats.db": 0o600, "chats.db-wal": 0o600, "chats.db-shm": 0o600}


def test_what_raises_leaves_nothing_behind(database: Database) -> None:
    def half(db) -> None:
        insert("one")(db)
        with suppress(ZeroDivisionError), db.atomic():
            insert("inner")(db)
            raise ZeroDivisionError
        db.table("preferences").insert_all({"key": f"many{i}", "value": "1"} for i in range(300))
        assert db.conn.in_transaction
        raise LookupError

    with pytest.raises(LookupError):
        get(database.write(half))
    assert keys(database) == []
    get(database.write(insert("two")))
    assert keys(database) == ["two"]


def test_one_write_is_one_transaction(database: Database) -> None:
    def counted(db) -> list[str]:
        statements: list[str] = []
        db.conn.set_trace_callback(statements.append)
        insert("one")(db)
        db.table("preferences").upsert({"key": "one", "value": "2"}, pk="key")
        db.executescript("UPDATE preferences SET value = '3'; UPDATE preferences SET value = '4';")
        assert list(db.query("SELECT value FROM preferences")) == [{"value": "4"}]
        return statements

    statements = get(database.write(counted))
    words = [statement.split()[0].upper().rstrip(";") for statement in statements]
    assert words.count("COMMIT") == 1  # the one after `counted` has returned
    assert words[-1] == "COMMIT"
    assert "BEGIN" not in words


def test_a_commit_by_the_function_itself_is_a_bug(database: Database) -> None:
    with pytest.raises(Exception, match="no transaction is active"):
        get(database.write(lambda db: db.commit()))


def test_only_durable_writes_wait_for_the_disk(database: Database) -> None:
    def synchronous(db) -> tuple[int, int]:
        return tuple(db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "fullfsync"))

    normal, full = (1, 0), (2, 1)
    flags = (False, True, True, False)
    found = [get(database.write(synchronous, durable=durable)) for durable in flags]
    assert found == [full if durable else normal for durable in flags]


def test_the_connections_are_set_for_safety(database: Database) -> None:
    names = (
        "journal_mode",
        "foreign_keys",
        "trusted_schema",
        "cell_size_check",
        "mmap_size",
        "secure_delete",
    )

    def settings(db) -> list[object]:
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert get(database.write(settings))[:5] == ["wal", 1, 0, 1, 0]
    assert get(database.write(settings))[5] == 2  # FAST
    assert get(database.read(settings))[:5] == ["wal", 1, 0, 1, 0]
    for run in (database.write, database.read):
        assert get(run(lambda db: db.execute("PRAGMA busy_timeout").fetchone()[0])) == 5000
        assert get(run(lambda db: db.execute("PRAGMA checkpoint_fullfsync").fetchone()[0])) == 1


def test_a_reader_cannot_write(database: Database) -> None:
    get(database.write(insert("one")))
    with pytest.raises(UserError, match="not change"):
        get(database.read(lambda db: db.execute("DELETE FROM preferences")))
    assert keys(database) == ["one"]


def test_a_reader_sees_one_state(database: Database) -> None:
    get(database.write(insert("one")))
    entered, written = threading.Event(), threading.Event()

    def twice(db) -> list[int]:
        def count() -> int:
            return db.execute("SELECT count(*) FROM preferences").fetchone()[0]

        first = count()
        entered.set()
        assert written.wait(10)
        return [first, count()]

    reading = database.read(twice)
    assert entered.wait(10)
    get(database.write(insert("two")))
    written.set()
    assert get(reading) == [1, 1]
    assert keys(database) == ["one", "two"]


def test_committed_is_called_between_the_commit_and_the_future(database: Database) -> None:
    seen = []

    def committed(result: object) -> None:
        seen.append((result, writing.done(), keys(database)))

    gate = threading.Event()
    database.write(lambda db: gate.wait(10))
    writing = database.write(lambda db: (insert("one")(db), "result")[1], committed=committed)
    gate.set()
    assert get(writing) == "result"
    assert seen == [("result", False, ["one"])]

    def fail(db) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        get(database.write(fail, committed=committed))
    assert len(seen) == 1


def test_closing_does_what_is_queued_and_empties_the_log(database: Database, tmp_path: Path, reopen) -> None:
    gate = threading.Event()
    database.write(lambda db: gate.wait(10))
    for i in range(20):
        database.write(insert(f"key{i}"))
    gate.set()
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == ["chats.db"]
    assert len(keys(reopen(tmp_path / "chats.db"))) == 20


def test_deleted_text_leaves_the_disk(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_CHECKPOINT_SECONDS", 0.1)
    get(database.write(insert("secret-canary")))
    get(database.write(lambda db: db.execute("DELETE FROM preferences")))
    log = tmp_path / "chats.db-wal"
    deadline = time.monotonic() + 10
    while log.stat().st_size and time.monotonic() < deadline:
        time.sleep(0.02)
    for path in tmp_path.iterdir():
        assert b"secret-canary" not in path.read_bytes()
    get(database.write(insert("two")))
    assert keys(database) == ["two"]


def test_another_process_may_hold_the_file_for_a_while(database: Database, reopen, tmp_path: Path) -> None:
    other = reopen(tmp_path / "chats.db")
    get(database.open())
    get(other.open())
    holding = threading.Event()

    def hold(db) -> None:
        insert("one")(db)
        holding.set()
        time.sleep(0.3)

    first = database.write(hold)
    assert holding.wait(10)
    get(other.write(insert("two")))
    assert first.done()
    assert keys(database) == ["one", "two"]


def test_a_file_that_stays_locked_is_told(database: Database, reopen, tmp_path: Path) -> None:
    other = reopen(tmp_path / "chats.db")
    get(database.open())
    get(other.write(lambda db: db.execute("PRAGMA busy_timeout=50").fetchone()))
    holding, gate = threading.Event(), threading.Event()
    database.write(lambda db: (holding.set(), gate.wait(10)))
    assert holding.wait(10)
    with pytest.raises(UserError, match="Another program") as caught:
        get(other.write(insert("one")))
    assert caught.value.hint
    gate.set()
    get(other.write(insert("two")))
    assert keys(database) == ["two"]


@pytest.mark.parametrize("content", [b"not a database, only text\n" * 400, os.urandom(9000)])
def test_a_file_that_is_no_database_is_told_and_left(tmp_path: Path, reopen, content: bytes) -> None:
    path = tmp_path / "chats.db"
    path.write_bytes(content)
    database = reopen(path)
    for future in (database.read(len), database.write(len), database.open()):
        with pytest.raises(UserError, match="damaged") as caught:
            get(future)
        assert caught.value.hint
    database.close()
    assert path.read_bytes() == content


def test_a_damaged_page_is_told(database: Database, tmp_path: Path, reopen) -> None:
    get(database.write(lambda db: [insert(f"{i}" * 100)(db) for i in range(500)]))
    database.close()
    path = tmp_path / "chats.db"
    content = bytearray(path.read_bytes())
    for page in range(8, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        keys(reopen(path))


def test_a_folder_that_is_missing_is_told(tmp_path: Path, reopen) -> None:
    with pytest.raises(UserError, match="cannot open your chats") as caught:
        get(reopen(tmp_path / "missing" / "chats.db").open())
    assert caught.value.hint
    with pytest.raises(UserError, match="cannot open your chats"):
        get(reopen(tmp_path / "chats.db", read_only=True).open())
    assert list(tmp_path.iterdir()) == []


def test_a_bug_is_raised_as_it_is(database: Database) -> None:
    for sql in ("SELECT * FROM nowhere", "INSERT INTO preferences (key) VALUES ('no value')"):
        with pytest.raises(Exception, match=r"no such table|NOT NULL") as caught:
            get(database.write(lambda db, sql=sql: db.execute(sql)))
        assert not isinstance(caught.value, UserError)


def test_opened_for_reading_only_nothing_is_written(database: Database, tmp_path: Path, reopen) -> None:
    get(database.write(insert("one")))
    reader = reopen(tmp_path / "chats.db", read_only=True)
    assert get(reader.open()) is False
    assert keys(reader) == ["one"]
    with pytest.raises(UserError, match="not change"):
        get(reader.write(insert("two")))
    get(database.write(insert("three")))
    assert keys(reader) == ["one", "three"]


def test_a_new_file_that_another_process_is_making_too_is_waited_for(database: Database, tmp_path) -> None:
    other = pysqlite3.connect(tmp_path / "chats.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # SQLite does not wait by itself for this one
    opening = database.open()
    time.sleep(0.2)
    assert not opening.done()
    other.close()
    assert get(opening) is True


def log_size(tmp_path: Path) -> int:
    return (tmp_path / "chats.db-wal").stat().st_size


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_a_long_log_is_emptied_at_once(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_CHECKPOINT_SECONDS", 60)
    row = {"chat_id": 1, "role": "user", "status": "complete", "created_at": 1.0, "text": "x" * 900_000}
    get(database.write(lambda db: db.table("chats").insert({"created_at": 1.0, "updated_at": 1.0}).last_pk))
    for _number in range(4):
        get(database.write(lambda db: db.table("messages").insert(row).last_pk))
    get(database.open())  # what was queued is done
    assert log_size(tmp_path) > 3_600_000
    get(database.write(lambda db: db.table("messages").insert(row).last_pk))
    get(database.open())
    assert log_size(tmp_path) == 0
    assert get(database.write(lambda db: db.execute("PRAGMA wal_autocheckpoint").fetchone()[0])) == 0


def test_what_is_done_at_leisure_leaves_no_long_log(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_CHECKPOINT_SECONDS", 0.05)
    sizes: list[int] = []

    def work(db) -> bool:
        sizes.append(log_size(tmp_path))
        db.table("preferences").insert({"key": str(len(sizes)), "value": "x" * 1_000_000})
        return len(sizes) < 12

    database.at_leisure(work)
    get(database.open())
    wait_for(lambda: len(sizes) == 12)
    assert max(sizes) < 6_000_000
    wait_for(lambda: log_size(tmp_path) == 0)


def test_a_log_that_somebody_reads_is_emptied_afterwards(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_CHECKPOINT_SECONDS", 0.05)
    get(database.write(insert("one")))
    entered, gate = threading.Event(), threading.Event()
    reading = database.read(
        lambda db: (db.execute("SELECT * FROM preferences").fetchone(), entered.set(), gate.wait(10))
    )
    assert entered.wait(10)
    get(database.write(lambda db: db.execute("DELETE FROM preferences").rowcount))
    time.sleep(0.2)
    assert log_size(tmp_path) > 0
    gate.set()
    get(reading)
    wait_for(lambda: log_size(tmp_path) == 0)


def test_what_is_said_and_what_is_answered_wait_for_the_disk(store, database: Database) -> None:
    statements: list[str] = []
    get(database.write(lambda db: db.conn.set_trace_callback(statements.append)))

    def synchronous() -> list[str]:
        found = [each.rsplit("=", 1)[1] for each in statements if each.startswith("PRAGMA synchronous=")]
        statements.clear()
        return found

    started = get(store.start_turn(None, None, "Hello", MODEL, Settings()))
    assert synchronous() == ["FULL"]
    get(store.append_chunk(started.reply.id, "Hi"))
    assert synchronous() == ["NORMAL"]
    get(store.finish(started.reply.id, "Hi", Status.COMPLETE, None, ""))
    assert synchronous() == ["FULL"]


def damage(path: Path) -> bytes:
    """Overwrite the heads of the last pages."""
    content = bytearray(path.read_bytes())
    for page in range(len(content) // 4096 - 20, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)
    return bytes(content)


def test_a_damaged_file_is_only_read_until_it_is_whole_again(
    database: Database, tmp_path: Path, reopen
) -> None:
    path = tmp_path / "chats.db"
    get(database.write(lambda db: [insert(f"{i}" * 100)(db) for i in range(500)]))
    whole = Path(tmp_path / "whole")
    database.close()
    whole.write_bytes(path.read_bytes())
    damaged = damage(path)
    second = reopen(path)
    told: list[str] = []
    second.when_damaged(lambda: told.append("damaged"))
    with pytest.raises(UserError, match="damaged"):
        keys(second)
    assert told == ["damaged"]
    assert second.is_damaged
    with pytest.raises(UserError, match="does not change them") as caught:
        get(second.write(insert("more")))
    assert "restore" in caught.value.hint
    assert get(second.read(lambda db: db.execute("SELECT count(*) FROM chats").fetchone()[0])) == 0
    second.close()
    assert path.read_bytes() == damaged

    third = reopen(path)  # known from the first moment on
    assert get(third.open()) is False
    assert third.is_damaged
    third.close()
    assert path.read_bytes() == damaged

    path.write_bytes(whole.read_bytes())  # somebody brought it back
    fourth = reopen(path)
    assert get(fourth.open()) is True
    assert len(keys(fourth)) == 500
    assert sorted(each.name for each in tmp_path.glob("chats.db*")) == [
        "chats.db",
        "chats.db-shm",
        "chats.db-wal",
    ]
