"""Messages that were changed behind the database's back are found, told, and mended where a backup can."""

import threading
import time
from pathlib import Path

import pysqlite3
import pytest

from app.domain.backup import Reason
from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import ModelIdentity, Status
from app.domain.settings import Settings
from app.services import scrub as scrub_module
from app.services.scrub import Scrub
from app.storage import digests
from app.storage.backups import make_backup
from app.storage.chats import ChatStore
from app.storage.checks import examine
from app.storage.database import Database
from app.storage.preferences import PreferenceStore


class Parts:
    def __init__(self, home: Path) -> None:
        self.path = home / "chats.db"
        self.database = Database(self.path)
        self.published: list[Changed] = []
        changes = Changes(lambda call: call())
        changes.subscribe(self.published.append)
        self.store = ChatStore(self.database, changes)
        self.kept = PreferenceStore(self.database)
        self.told: list[str] = []
        self.busy = False
        self.scrub = Scrub(
            self.database, self.kept, changes, lambda: self.busy, lambda error: self.told.append(str(error))
        )

    def say(self, text: str) -> int:
        started = self.store.start_turn(None, None, text, ModelIdentity("M"), Settings()).result(10)
        done = self.store.finish(started.reply.id, f"{text}!", Status.COMPLETE, None, "", reasoning="Hm, 嗯.")
        done.result(10)
        return started.reply.id

    def change(self, message_id: int, text: str = "other") -> None:
        connection = pysqlite3.connect(self.path, isolation_level=None)
        connection.execute("UPDATE messages SET text = ? WHERE id = ?", [text, message_id])
        connection.close()

    def text(self, message_id: int) -> str:
        sql = "SELECT text FROM messages WHERE id = ?"
        return self.database.read(lambda db: db.execute(sql, [message_id]).fetchone()[0]).result(10)


@pytest.fixture
def parts(tmp_path: Path):
    made = Parts(tmp_path)
    yield made
    made.scrub.close()
    made.database.close()


def test_a_changed_message_is_mended_from_the_newest_backup_that_has_it(parts: Parts) -> None:
    first = parts.say("One")
    make_backup(parts.path, Reason.DAILY)
    second = parts.say("Two")
    make_backup(parts.path, Reason.DAILY)
    parts.change(first)
    make_backup(parts.path, Reason.DAILY)  # has what is wrong, too
    parts.change(second)
    parts.published.clear()
    parts.scrub.look_through()
    assert (parts.text(first), parts.text(second)) == ("One!", "Two!")
    assert [each.split(" had changed")[0] for each in parts.told] == [
        "A message in “One”", "A message in “Two”"
    ]  # fmt: skip
    assert [each for each in parts.published if each.kind is Kind.MESSAGES] == [
        Changed(Kind.MESSAGES, (first,)), Changed(Kind.MESSAGES, (second,))
    ]  # fmt: skip
    assert examine(parts.path).is_well


def test_what_no_backup_has_is_told_once_and_stays(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = parts.say("One")
    parts.change(changed)
    monkeypatch.setattr(scrub_module, "_WEEK", 0)
    parts.scrub.look_through()
    parts.scrub.look_through()
    assert len(parts.told) == 1
    assert "no backup has it as it was" in parts.told[0]
    assert parts.text(changed) == "other"
    assert [each for each, _title in examine(parts.path).changed] == [changed]


def test_it_goes_on_where_it_was_and_begins_anew_after_a_week(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [parts.say(f"Number {number}") for number in range(6)]
    monkeypatch.setattr(digests, "_MOST_ROWS", 2)
    monkeypatch.setattr(scrub_module, "_REMEMBERED", 1)
    looked: list[int] = []
    original = digests.look

    def look(db, after: int) -> digests.Look:
        looked.append(after)
        if len(looked) == 3:
            parts.scrub._ended.set()  # Fireside is closed
        return original(db, after)

    monkeypatch.setattr(scrub_module.digests, "look", look)
    parts.scrub.look_through()
    assert looked == [0, 2, 4]
    parts.scrub._ended.clear()
    parts.scrub.look_through()
    assert looked == [0, 2, 4, 6, 8, 10, 12]
    assert ids[-1] == 12
    parts.scrub.look_through()
    assert len(looked) == 7
    now = time.time()
    monkeypatch.setattr(scrub_module.time, "time", lambda: now - 8 * 86400)
    parts.scrub.look_through()  # a clock that was set back stops nothing
    assert looked[7:] == [0, 2, 4, 6, 8, 10, 12]


def test_nothing_is_read_while_an_answer_is_on_its_way(parts: Parts, monkeypatch) -> None:
    monkeypatch.setattr(scrub_module, "_FIRST_SECONDS", 0.01)
    monkeypatch.setattr(scrub_module, "_SECONDS", 0.01)
    changed = parts.say("One")
    parts.change(changed)
    parts.busy = True
    parts.scrub.begin()
    time.sleep(0.15)
    assert parts.told == []
    parts.busy = False
    deadline = time.monotonic() + 10
    while not parts.told and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(parts.told) == 1
    parts.scrub.close()
    assert "scrub" not in {thread.name for thread in threading.enumerate()}
