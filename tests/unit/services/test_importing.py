"""First a preview, then all of it or nothing: also when the process is killed in between."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import foreign_chats as foreign
import pytest
from foreign_chats import BEGAN

from app.domain.changes import Changes
from app.domain.chat_file import to_object
from app.domain.errors import UserError
from app.services.importing import Importing, nothing_found
from app.storage.database import Database
from app.storage.undo import UndoLog
from app.storage.whole_chats import WholeChats

PROCESS = Path(__file__).with_name("importing_process.py")
KILLS = 2


@dataclass
class Stage:
    database: Database
    store: WholeChats
    undo: UndoLog
    importing: Importing


def stage_at(path: Path) -> Stage:
    database = Database(path)
    changes = Changes(lambda call: call())
    undo = UndoLog(database, changes)
    store = WholeChats(database, changes, undo)
    return Stage(database, store, undo, Importing(store))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = stage_at(tmp_path / "chats.db")
    yield made
    made.importing.close()
    made.database.close()


def get(future: "Future[Any]") -> Any:
    return future.result(timeout=30)


def counts(database: Database) -> dict[str, int]:
    tables = ("chats", "messages", "summaries", "chat_tags", "probabilities")
    return get(
        database.read(
            lambda db: {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
        )
    )


def many(path: Path, count: int) -> Path:
    """Write so many chats of eight messages."""
    turns = [
        {"from": who, "value": f"{who} {place} " + "word " * 20}
        for place in range(4)
        for who in ("human", "gpt")
    ]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            first = {"from": "human", "value": f"Question {number}"}
            file.write(json.dumps({"conversations": [first, *turns[1:]]}) + "\n")
    return path


def test_a_preview_changes_nothing_and_the_import_does_what_it_said(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    chats = [foreign.chatgpt(), foreign.chatgpt("Again"), foreign.chatgpt("Two", "Coffee?"), {"mapping": {}}]
    path.write_text(json.dumps(chats), encoding="utf-8")
    seen = get(stage.importing.preview([path]).future)
    assert (seen.sources, seen.chats, seen.messages, seen.versions) == ({"ChatGPT": 2}, 2, 10, 2)
    assert (seen.known, seen.titles, seen.first, seen.last) == (1, ["Tea", "Two"], BEGAN, BEGAN)
    assert [each.reason for each in seen.left_out] == ["It has no messages."]
    assert counts(stage.database)["chats"] == 0
    running = stage.importing.commit([path])
    came = get(running.future)
    assert (came.chats, came.messages, came.known, running.done) == (2, 10, 1, 1.0)
    assert sorted(came.ids) == sorted(get(stage.store.ids()))
    again = get(stage.importing.preview([path]).future)
    assert (again.chats, again.known) == (0, 3)
    assert "already" in nothing_found(again).message
    get(stage.undo.undo())
    assert get(stage.store.ids()) == []
    assert get(stage.importing.preview([path]).future).chats == 2  # in the trash is not here


def test_a_chat_that_went_on_here_is_known_and_one_that_went_on_there_is_new(
    stage: Stage, tmp_path: Path
) -> None:
    short, long = foreign.sharegpt(), foreign.sharegpt()
    long["conversations"] = [*long["conversations"], {"from": "human", "value": "Thanks!"}]
    before, after = tmp_path / "before.jsonl", tmp_path / "after.jsonl"
    before.write_text(json.dumps(short), encoding="utf-8")
    after.write_text(json.dumps(long), encoding="utf-8")
    get(stage.importing.commit([before]).future)
    assert get(stage.importing.preview([after]).future).chats == 1
    get(stage.importing.commit([after]).future)
    found = get(stage.importing.preview([before, after]).future)
    assert (found.chats, found.known) == (0, 2)


def test_our_own_file_comes_back_equal_through_the_service(stage: Stage, tmp_path: Path) -> None:
    source, out = tmp_path / "lms.json", tmp_path / "own.jsonl"
    source.write_text(json.dumps(foreign.lm_studio()), encoding="utf-8")
    (first,) = get(stage.importing.commit([source]).future).ids
    whole = get(stage.store.read(first))
    out.write_text(json.dumps(to_object(whole)), encoding="utf-8")
    get(stage.undo.undo())
    (second,) = get(stage.importing.commit([out]).future).ids
    assert (
        get(stage.store.read(second)).chat.title,
        [m.text for m in get(stage.store.read(second)).messages],
    ) == (whole.chat.title, [m.text for m in whole.messages])


def test_what_was_stopped_leaves_nothing(stage: Stage, tmp_path: Path) -> None:
    path = many(tmp_path / "many.jsonl", 2000)
    running = stage.importing.commit([path])
    while running.count < 600:
        time.sleep(0.001)
    running.stop()
    with pytest.raises(CancelledError):
        get(running.future)
    get(stage.importing.preview([tmp_path / "none"]).future)  # the thread is through with the other
    assert set(counts(stage.database).values()) == {0}


def test_a_failure_leaves_nothing_and_is_told(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = many(tmp_path / "many.jsonl", 600)
    insert, calls = stage.store.insert, []

    def full(chats: Any) -> Any:
        calls.append(len(chats))
        if len(calls) == 2:
            failed: Future[list[int]] = Future()
            failed.set_exception(UserError("Your disk is full."))
            return failed
        return insert(chats)

    monkeypatch.setattr(stage.store, "insert", full)
    with pytest.raises(UserError, match="full"):
        get(stage.importing.commit([path]).future)
    assert counts(stage.database)["messages"] == 0


def test_a_backup_comes_first_where_anything_comes(stage: Stage, tmp_path: Path) -> None:
    made = []

    def fail() -> Future[None]:
        made.append(counts(stage.database)["chats"])
        failed: Future[None] = Future()
        failed.set_exception(UserError("No room for a backup."))
        return failed

    importing = Importing(stage.store, fail)
    get(importing.commit([tmp_path / "none"]).future)
    assert made == []
    for count in (3, 900):
        with pytest.raises(UserError, match="backup"):
            get(importing.commit([many(tmp_path / "many.jsonl", count)]).future)
    importing.close()
    assert made == [0, 0]
    assert counts(stage.database)["chats"] == 0


def test_nothing_there(stage: Stage, tmp_path: Path) -> None:
    found = get(stage.importing.commit([tmp_path]).future)
    assert "no chats" in nothing_found(found).message
    assert (found.chats, found.ids, stage.undo.next_undo) == (0, (), None)


def test_killed_in_the_middle_all_or_nothing(tmp_path: Path) -> None:
    path, home = many(tmp_path / "many.jsonl", 900), tmp_path / "chats.db"
    random.seed(7)
    ends = set()
    for _kill in range(KILLS):
        command = [sys.executable, PROCESS, home, path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "open\n"
            time.sleep(random.uniform(0.05, 0.6))
            process.kill()
            done = "done\n" in process.stdout
        stage = stage_at(home)
        shown = len(get(stage.store.ids()))
        assert shown == (900 if shown else 0)
        assert shown or not done
        ends.add(bool(shown))
        stage.importing.begin()
        get(stage.importing.preview([tmp_path / "none"]).future)
        assert counts(stage.database)["chats"] == shown
        get(stage.undo.forget())
        if shown:
            get(stage.database.write(lambda db: db.execute("DELETE FROM chats").rowcount))
        stage.importing.close()
        stage.database.close()
    assert False in ends
