"""What is erased is forgotten by the engine, too, in memory and on disk."""

import json
from pathlib import Path

import pytest
from scripted_engine import ScriptedEngine

from app.domain.changes import Changes
from app.domain.chat import ModelIdentity, Status
from app.domain.model import EngineStatus
from app.domain.settings import Settings
from app.domain.trash import Erased, Trash
from app.domain.trash_words import erase_question, rest_words
from app.services.snapshots import Snapshots
from app.services.trash import TrashCan
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.folders import Folders

DAY = 86_400.0


@pytest.fixture
def store(tmp_path: Path):
    database = Database(tmp_path / "chats.db")
    yield ChatStore(database, Changes(lambda call: call()))
    database.close()


@pytest.fixture
def can(store, tmp_path: Path):
    snapshots = Snapshots(Folders.at(tmp_path))
    yield TrashCan(store, ScriptedEngine(Changes(lambda call: call())), snapshots)
    snapshots.close()


def say(store: ChatStore, text: str, chat_id=None, parent_id=None):
    started = store.start_turn(chat_id, parent_id, text, ModelIdentity("M"), Settings()).result(10)
    store.finish(started.reply.id, text, Status.COMPLETE, None, "").result(10)
    return started


def snapshot(home: Path, chat_id: int) -> list[Path]:
    folder = Folders.at(home).data / "snapshots"
    folder.mkdir(exist_ok=True)
    state, description = folder / f"{chat_id}.state", folder / f"{chat_id}.json"
    state.write_bytes(b"\0" * 64)
    description.write_text(json.dumps({"chat": chat_id}))
    return [state, description]


@pytest.mark.parametrize("loaded", [False, True])
def test_nothing_that_was_read_is_kept(store, can, tmp_path: Path, loaded: bool) -> None:
    gone, cut, kept = say(store, "gone"), say(store, "cut"), say(store, "kept")
    files = {started.chat.id: snapshot(tmp_path, started.chat.id) for started in (gone, cut, kept)}
    forgotten: list[int] = []
    can._engine.forget = forgotten.append
    if loaded:
        can._engine.status = EngineStatus(model=Path("m.gguf"))
    store.organiser.delete([gone.chat.id]).result(10)
    store.trees.delete_message(cut.reply.id).result(10)
    assert can.any().result(10)
    erased = can.erase([gone.chat.id], [cut.reply.id]).result(60)
    assert erased == Erased((gone.chat.id,), (cut.reply.id,), (cut.chat.id,))
    there = {chat_id: [path.exists() for path in paths] for chat_id, paths in files.items()}
    assert there == {gone.chat.id: [False] * 2, cut.chat.id: [False] * 2, kept.chat.id: [True] * 2}
    assert forgotten == ([gone.chat.id, cut.chat.id] if loaded else [])
    assert not can.any().result(10)


def test_with_nothing_erased_nothing_is_forgotten(store, can, tmp_path: Path) -> None:
    kept = say(store, "kept")
    files = snapshot(tmp_path, kept.chat.id)
    assert can.erase([kept.chat.id], [kept.reply.id]).result(10) == Erased()
    assert can.expire().result(10) == Erased()
    assert all(path.exists() for path in files)
    assert can.read().result(10) == Trash()


def test_the_question_names_what_goes_and_what_stays(store, can) -> None:
    chats = [say(store, f"chat {number}").chat.id for number in range(8)]
    kept = say(store, "kept")
    store.organiser.delete(chats).result(10)
    store.trees.delete_branch(kept.path[-1].id).result(10)
    can.backups = lambda: ["one", "two"]
    question = erase_question(can.read().result(10))
    assert "“chat 7”" in question.text
    assert "4 more" in question.text
    assert "2 backups may still hold it: one, two." in question.details
    few = erase_question(Trash((), can.read().result(10).messages))
    assert few.text.endswith("2 messages from “kept”")
    assert "backup" not in few.details


def test_how_long_it_rests() -> None:
    now = 1_000_000_000.0
    words = [rest_words(now - days * DAY, now) for days in (-5, 0, 0.5, 1, 29, 29.5, 30, 99)]
    assert words == [
        *("30 days left", "30 days left", "30 days left", "29 days left"),
        *("1 day left", "1 day left", "0 days left", "0 days left"),
    ]
