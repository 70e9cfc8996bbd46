"""Backups: made while others write, found whole, kept, and brought back all or nothing."""

import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pysqlite3
import pytest
import sqlite_utils
from storage_parts import MODEL, STATS, get, problems

from app.domain.backup import Reason
from app.domain.changes import Changes
from app.domain.chat import Status
from app.domain.errors import UserError
from app.domain.settings import Settings
from app.storage import backups
from app.storage.backups import KEPT, copy_database, is_due, make_backup, newest_whole
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.migrations import STEPS, migrations
from app.storage.preferences import PreferenceStore
from app.storage.restoring import prospect, restore


def say(store: ChatStore, text: str, chat_id: int | None = None) -> int:
    started = get(store.start_turn(chat_id, None, text, MODEL, Settings()))
    get(store.finish(started.reply.id, f"{text}!", Status.COMPLETE, STATS, ""))
    return started.chat.id


def titles(store: ChatStore) -> set[str]:
    return {chat.title for chat in get(store.chats())}


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(seconds, tz)

    monkeypatch.setattr(backups, "datetime", Clock)
    monkeypatch.setattr(backups.time, "time", lambda: seconds)


def test_a_backup_has_what_was_committed_and_only_the_owner_may_read_it(
    store: ChatStore, database: Database, tmp_path: Path
) -> None:
    say(store, "Hello")
    before = os.umask(0)
    try:
        made = make_backup(tmp_path / "chats.db", Reason.ASKED)
    finally:
        os.umask(before)
    assert (made.number, made.reason, made.chats, made.messages, made.last_message) == (
        1,
        Reason.ASKED,
        1,
        2,
        2,
    )
    assert made.size == made.path.stat().st_size
    assert [each.name for each in made.path.parent.iterdir()] == [made.path.name]
    if sys.platform != "win32":
        assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(made.path.parent.stat().st_mode) == 0o700
    assert re.fullmatch(r"000001-\d{8}T\d{6}Z-asked\.db", made.path.name)
    assert backups.backups(tmp_path / "chats.db") == [made]


def test_nobody_waits_for_a_backup(store: ChatStore, database: Database, tmp_path: Path, monkeypatch) -> None:
    started = get(store.start_turn(None, None, "Hello", MODEL, Settings()))
    copied, gate = threading.Event(), threading.Event()
    original = backups._copy

    def copy_slowly(*paths: Path) -> tuple[int, int, int]:
        result = original(*paths)
        copied.set()
        assert gate.wait(10)
        return result

    monkeypatch.setattr(backups, "_copy", copy_slowly)
    making = threading.Thread(target=make_backup, args=(tmp_path / "chats.db", Reason.DAILY))
    making.start()
    assert copied.wait(10)
    get(store.append_chunk(started.reply.id, "written meanwhile"))
    get(store.finish(started.reply.id, "written meanwhile", Status.COMPLETE, STATS, ""))
    assert backups.backups(tmp_path / "chats.db") == []  # it counts when it has been looked at
    gate.set()
    making.join()
    assert len(backups.backups(tmp_path / "chats.db")) == 1


def test_one_a_day_whatever_the_clock_says(store: ChatStore, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "chats.db"
    say(store, "Hello")
    day, now = 86400.0, 1_800_000_000.0
    assert is_due(path)
    for step, due in ((0, True), (day / 2, False), (day / 2, True), (3600, False), (-7200, False),
                      (-10 * day, True), (3600, False), (-3600, False), (400 * day, True), (1, False),
                      (-400 * day, True), (1, False)):  # fmt: skip
        now += step
        set_clock(monkeypatch, now)
        assert is_due(path) is due
        if due:
            newest = make_backup(path, Reason.DAILY)
            assert backups.backups(path)[0] == newest
    assert [each.number for each in backups.backups(path)] == [5, 4, 3, 2, 1]


def test_seven_are_kept_and_none_of_another_day_gives_way_to_many_of_one(
    store: ChatStore, tmp_path: Path, monkeypatch
) -> None:
    path = tmp_path / "chats.db"
    say(store, "Hello")
    for number in range(9):
        set_clock(monkeypatch, 1_800_000_000 + number * 86400)
        make_backup(path, Reason.DAILY)
    assert [each.number for each in backups.backups(path)] == [9, 8, 7, 6, 5, 4, 3]
    for _again in range(3):
        make_backup(path, Reason.IMPORT)
    assert [each.number for each in backups.backups(path)] == [12, 8, 7, 6, 5, 4, 3]
    assert len(list((tmp_path / "backups").iterdir())) == KEPT


def test_what_a_killed_process_left_goes_and_what_is_foreign_stays(store: ChatStore, tmp_path: Path) -> None:
    say(store, "Hello")
    folder = tmp_path / "backups"
    folder.mkdir()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (folder / f"000007-20261124T140200Z-daily.db.{ended.pid}.part").write_bytes(b"half")
    (folder / f"000008-20261124T140200Z-daily.db.{os.getppid()}.part").write_bytes(b"half")
    (folder / "my notes.txt").write_text("mine")
    (folder / "000009-20261399T140200Z-daily.db").write_bytes(b"no date")
    made = make_backup(tmp_path / "chats.db", Reason.DAILY)
    assert made.number == 1
    left = {each.name for each in folder.iterdir()} - {made.path.name}
    alive = f"000008-20261124T140200Z-daily.db.{os.getppid()}.part"
    assert left == {alive, "my notes.txt", "000009-20261399T140200Z-daily.db"}


def test_a_backup_that_has_been_damaged_is_passed_over(
    store: ChatStore, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "chats.db"
    say(store, "Hello")
    first, second, third = (make_backup(path, Reason.DAILY) for _each in range(3))
    third.path.write_bytes(b"no database any more" * 400)
    content = bytearray(second.path.read_bytes())
    content[-4096 * 6 :] = b"\xff" * 4096 * 6
    second.path.write_bytes(content)
    assert [each.number for each in backups.backups(path)] == [2, 1]
    assert newest_whole(path) == first
    with pytest.raises(UserError, match="damaged"):
        restore(database, second)
    assert len(backups.backups(path)) == 2  # nothing was begun


def test_restoring_keeps_what_was_there_and_what_is_set(
    store: ChatStore, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "chats.db"
    kept = PreferenceStore(database)
    get(kept.set("language", "old"))
    first = say(store, "First")
    get(store.update_chat(first, draft="unsent"))
    backup = make_backup(path, Reason.DAILY)
    get(kept.set("language", "new"))
    say(store, "Second")
    say(store, "Third")
    assert prospect(path, backup).lost == 4
    reading = database.read(lambda db: db.execute("SELECT count(*) FROM chats").fetchone()[0])
    restored = restore(database, backup)
    assert get(reading) == 3
    assert titles(store) == {"First"}
    assert get(store.chat(first))[0].draft == "unsent"
    assert get(kept.get("language")) == "new"
    before, oldest = backups.backups(path)
    assert (before.path, before.reason, before.chats) == (restored.before, Reason.RESTORE, 3)
    assert oldest == backup
    say(store, "Fourth")
    assert problems(database) == []
    restore(database, before)
    assert titles(store) == {"First", "Second", "Third"}
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "backups",
        "chats.db",
        "chats.db-shm",
        "chats.db-wal",
    ]


def test_another_process_sees_what_was_restored(
    store: ChatStore, database: Database, tmp_path: Path, reopen
) -> None:
    path = tmp_path / "chats.db"
    say(store, "First")
    backup = make_backup(path, Reason.DAILY)
    say(store, "Second")
    other = ChatStore(reopen(path), Changes(lambda call: call()))
    assert titles(other) == {"First", "Second"}
    restore(database, backup)
    assert titles(other) == {"First"}
    say(other, "Third")
    assert titles(store) == {"First", "Third"}


def test_nothing_is_restored_under_an_answer_that_is_being_written(
    store: ChatStore, database: Database, tmp_path: Path
) -> None:
    say(store, "First")
    backup = make_backup(tmp_path / "chats.db", Reason.DAILY)
    get(store.start_turn(None, None, "Second", MODEL, Settings()))
    with pytest.raises(UserError, match="still being written"):
        restore(database, backup)
    assert titles(store) == {"First", "Second"}


def test_a_damaged_file_is_kept_and_replaced(
    store: ChatStore, database: Database, tmp_path: Path, reopen
) -> None:
    path = tmp_path / "chats.db"
    say(store, "First")
    backup = make_backup(path, Reason.DAILY)
    say(store, "Second")
    database.close()
    content = b"\xff" * path.stat().st_size
    path.write_bytes(content)
    again = reopen(path)
    with pytest.raises(UserError, match="damaged"):
        get(again.open())
    assert again.is_damaged
    assert prospect(path, backup).lost is None
    restored = restore(again, backup)
    assert (restored.before / "chats.db").read_bytes() == content
    assert not again.is_damaged
    fresh = ChatStore(again, Changes(lambda call: call()))
    assert titles(fresh) == {"First"}
    say(fresh, "Third")
    assert problems(again) == []


def test_an_older_schema_is_backed_up_before_it_changes_and_can_be_restored(tmp_path: Path, reopen) -> None:
    path = tmp_path / "chats.db"
    old = sqlite_utils.Database(pysqlite3.connect(path))
    migrations.apply(old, stop_before=STEPS[2].__name__)
    old.table("chats").insert({"created_at": 1.0, "updated_at": 1.0, "title": "Old"})
    old.close()
    content = path.read_bytes()
    database = reopen(path)
    store = ChatStore(database, Changes(lambda call: call()))
    assert titles(store) == {"Old"}
    (backup,) = backups.backups(path)
    assert (backup.reason, backup.chats) == (Reason.UPDATE, 1)
    copy = pysqlite3.connect(backup.path)
    assert copy.execute("SELECT name FROM _sqlite_migrations").fetchall() == [
        (each.__name__,) for each in STEPS[:2]
    ]
    copy.close()
    assert len(content) == backup.size
    say(store, "New")
    restore(database, backup)
    assert titles(store) == {"Old"}
    say(store, "New")
    database.close()
    get(reopen(path).open())
    assert len(backups.backups(path)) == 2  # nothing to bring up to date, nothing to copy


def test_a_full_disk_leaves_no_half_backup(small_disk, reopen) -> None:
    path = small_disk.root / "chats.db"
    database = reopen(path)
    store = ChatStore(database, Changes(lambda call: call()))
    say(store, "First")
    first = make_backup(path, Reason.DAILY)
    say(store, "Second")
    small_disk.fill()
    with pytest.raises(UserError, match=r"could not be made: .*([Nn]o space|full)") as caught:
        make_backup(path, Reason.DAILY)
    assert caught.value.hint
    with pytest.raises(UserError):
        restore(database, first)
    assert backups.backups(path) == [first]
    small_disk.free()
    assert titles(store) == {"First", "Second"}
    assert sorted(each.name for each in small_disk.root.iterdir()) == [
        "backups", "chats.db", "chats.db-shm", "chats.db-wal"
    ]  # fmt: skip
    restore(database, first)
    assert titles(store) == {"First"}


def test_nothing_is_restored_where_nothing_can_be_written(small_disk, reopen) -> None:
    path = small_disk.root / "chats.db"
    first = reopen(path)
    say(ChatStore(first, Changes(lambda call: call())), "First")
    backup = make_backup(path, Reason.DAILY)
    first.close()
    small_disk.allow_writing(False)
    try:
        with pytest.raises(UserError, match="write-protected"):
            restore(reopen(path), backup)
        with pytest.raises(UserError, match="could not be made"):
            make_backup(path, Reason.DAILY)
    finally:
        small_disk.allow_writing(True)


def test_a_copy_in_a_file_of_ones_own(store: ChatStore, tmp_path: Path) -> None:
    say(store, "Hello")
    made = copy_database(tmp_path / "chats.db", tmp_path / "mine.db")
    assert (made.path, made.chats) == (tmp_path / "mine.db", 1)
    with pytest.raises(UserError, match="could not be made"):
        copy_database(tmp_path / "chats.db", tmp_path / "nowhere" / "mine.db")
    assert backups.read_backup(shutil.copy(made.path, tmp_path / "other.db")).messages == 2
    (tmp_path / "text.db").write_text("no database")
    assert backups.read_backup(tmp_path / "text.db") is None


def test_names_are_in_the_order_in_which_they_were_made(store: ChatStore, tmp_path: Path) -> None:
    say(store, "Hello")
    made = [make_backup(tmp_path / "chats.db", Reason.DAILY) for _each in range(2)]
    assert [each.number for each in made] == [1, 2]
    assert abs(made[0].made_at - datetime.now(UTC).timestamp()) < 60
