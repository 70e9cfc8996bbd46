"""Backups that are made by themselves, and the check after an end that was none."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.backup import Reason
from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import ModelIdentity, Status
from app.domain.errors import UserError
from app.domain.settings import Settings
from app.services import backups as backups_module
from app.services.backups import Backups
from app.storage.chats import ChatStore
from app.storage.database import Database

LEFT_OPEN = """
import os, sys
from pathlib import Path
from app.storage.database import Database
database = Database(Path(sys.argv[1]))
database.write(lambda db: db.execute("UPDATE chats SET pinned = 1").rowcount).result()
database.read(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()).result()
os.kill(os.getpid(), 9)
"""


class Parts:
    def __init__(self, home: Path) -> None:
        self.path = home / "chats.db"
        self.database = Database(self.path)
        self.published: list[Changed] = []
        self.told: list[str] = []
        changes = Changes(lambda call: call())
        changes.subscribe(self.published.append)
        self.store = ChatStore(self.database, changes)
        self.backups = Backups(
            self.database, self.store.undo, changes, lambda error: self.told.append(str(error))
        )

    def say(self, text: str) -> int:
        started = self.store.start_turn(None, None, text, ModelIdentity("M"), Settings()).result(10)
        self.store.finish(started.reply.id, f"{text}!", Status.COMPLETE, None, "").result(10)
        return started.chat.id

    def kinds(self) -> set[Kind]:
        return {each.kind for each in self.published}

    def close(self) -> None:
        self.backups.close()
        self.database.close()


@pytest.fixture
def start(tmp_path: Path):
    made: list[Parts] = []

    def start_again() -> Parts:
        made.append(Parts(tmp_path))
        return made[-1]

    yield start_again
    for parts in made:
        parts.close()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def damage(path: Path, page: int) -> None:
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(content)


def test_one_is_made_soon_after_the_start_and_no_second_one(start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backups_module, "_FIRST_SECONDS", 0.01)
    monkeypatch.setattr(backups_module, "_SECONDS", 0.02)
    empty = start()
    empty.backups.begin()
    time.sleep(0.1)
    assert empty.backups.listed().result(10) == []  # there is nothing to lose yet
    empty.close()
    parts = start()
    parts.say("Hello")
    parts.backups.begin()
    wait_for(lambda: parts.backups.listed().result(10))
    time.sleep(0.1)
    (made,) = parts.backups.listed().result(10)
    assert (made.reason, made.chats) == (Reason.DAILY, 1)
    assert parts.told == []


def test_after_a_good_end_nothing_is_checked(start, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Path] = []
    monkeypatch.setattr(
        backups_module.checks, "quick_check", lambda path, mode="": checked.append(path) or ()
    )
    first = start()
    first.say("Hello")
    first.backups.begin()
    first.close()
    assert checked == []
    second = start()
    second.backups.begin()
    second.backups.listed().result(10)
    second.close()
    assert checked == []


@pytest.mark.skipif(sys.platform == "win32", reason="nobody is killed like this there")
def test_after_a_kill_the_file_is_checked_and_its_backup_offered(start, tmp_path: Path) -> None:
    first = start()
    first.say("Hello")
    made = first.backups.make().result(10)
    first.say("More")
    sql = "SELECT rootpage FROM sqlite_master WHERE name = 'downloads'"
    page = first.database.read(lambda db: db.execute(sql).fetchone()[0]).result(10)
    first.close()
    subprocess.run([sys.executable, "-c", LEFT_OPEN, tmp_path / "chats.db"], check=False)
    assert (tmp_path / "chats.db-wal").exists()
    sound = start()
    sound.backups.begin()
    sound.backups.listed().result(10)
    assert sound.database.ended_badly
    assert not sound.database.is_damaged
    sound.close()

    subprocess.run([sys.executable, "-c", LEFT_OPEN, tmp_path / "chats.db"], check=False)
    damage(tmp_path / "chats.db", page)
    parts = start()
    parts.backups.begin()
    wait_for(lambda: Kind.DAMAGE in parts.kinds())
    assert parts.database.is_damaged
    assert parts.backups.offer is not None
    assert (parts.backups.offer.backup, parts.backups.offer.lost) == (made, 2)
    assert {chat.title for chat in parts.store.chats().result(10)} == {"Hello", "More"}
    with pytest.raises(UserError, match="does not change them"):
        parts.say("And on")
    with pytest.raises(UserError, match="no backup of them is made"):
        parts.backups.make().result(10)
    restored = parts.backups.restore(made).result(10)
    assert (restored.before / "chats.db").exists()
    assert Kind.RESTORED in parts.kinds()
    assert parts.backups.offer is None
    assert [chat.title for chat in parts.store.chats().result(10)] == ["Hello"]
    parts.say("And on")


def test_what_was_prepared_by_a_killed_process_goes(start, tmp_path: Path) -> None:
    parts = start()
    parts.say("Hello")
    (tmp_path / "chats.db-restoring").write_bytes(b"half")
    (tmp_path / "chats.db-restoring-journal").write_bytes(b"half")
    parts.backups.begin()
    wait_for(lambda: not list(tmp_path.glob("*restoring*")))


def test_a_full_disk_is_told_once(start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backups_module, "_FIRST_SECONDS", 0.01)
    monkeypatch.setattr(backups_module, "_SECONDS", 0.01)
    parts = start()
    parts.say("Hello")
    parts.backups.folder.write_text("a file is in the way")
    parts.backups.begin()
    wait_for(lambda: parts.told)
    time.sleep(0.1)
    assert len(parts.told) == 1
    assert "could not be made" in parts.told[0]
    parts.backups.folder.unlink()
    wait_for(lambda: parts.backups.listed().result(10))
