"""`fireside history`: what is listed, put in order, deleted, brought back and erased from a terminal."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.changes import Changes
from app.domain.chat import ModelIdentity, Status
from app.domain.settings import Settings
from app.main import main
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.folders import Folders

CANARY = "xyzzyplugh"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folders = Folders.at(tmp_path / "home")
    folders.create()
    database = Database(folders.database)
    store = ChatStore(database, Changes(lambda call: call()))
    for title in ("One", "Two", f"Three {CANARY}"):
        started = store.start_turn(None, None, title, ModelIdentity("M"), Settings()).result(10)
        store.finish(started.reply.id, f"About {title}", Status.COMPLETE, None, "").result(10)
    database.close()
    return tmp_path / "home"


@pytest.fixture
def fireside(home: Path, capsys, monkeypatch) -> Callable[..., str]:
    monkeypatch.setenv("FIRESIDE_HOME", str(home))

    def run(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(["history", *words]) == code
        out, err = capsys.readouterr()
        return err if code else out

    return run


def titles(fireside, *words: str) -> list[str]:
    return [chat["title"] for chat in json.loads(fireside(*words, "--json"))]


def test_chats_are_put_in_order(fireside):
    (moved,) = json.loads(fireside("move", "1", "--to", "Work", "--json"))
    assert (moved["id"], moved["folder"]) == (1, "Work")
    assert "2 chats were moved" in fireside("move", "2", "1", "2", "--to", "work")
    assert titles(fireside, "--folder", "WORK") == ["Two", "One"]
    fireside("move", "1", "--out")
    assert titles(fireside, "--folder", "Work") == ["Two"]
    assert "tags of 2 chats" in fireside("tag", "1", "2", "--add", "idea", "--add", "#天空")
    fireside("tag", "2", "--remove", "Idea", "--add", "later")
    assert titles(fireside, "--tag", "idea") == ["One"]
    assert titles(fireside, "--tag", "天空") == ["Two", "One"]
    assert "Two" in fireside("--folder", "Work")
    assert "#later" in fireside()
    assert "1 chat was pinned" in fireside("pin", "1")
    assert titles(fireside)[0] == "One"
    fireside("unpin", "1")
    assert "archive now" in fireside("archive", "3")
    assert titles(fireside) == ["Two", "One"]
    assert titles(fireside, "--archived") == [f"Three {CANARY}"]
    fireside("unarchive", "3")
    fireside("rename", "3", " A new\ttitle ")
    assert titles(fireside, "--sort", "title") == ["A new title", "One", "Two"]
    assert titles(fireside, "--sort", "newest") == ["A new title", "Two", "One"]


def test_deleted_chats_are_listed_and_come_back(fireside):
    assert "for 30 days" in fireside("delete", "1", "3")
    assert titles(fireside) == ["Two"]
    assert titles(fireside, "--deleted") == [f"Three {CANARY}", "One"]
    assert "30 days left" in fireside("--deleted")
    assert "1 chat is back" in fireside("restore", "1")
    assert titles(fireside) == ["Two", "One"]


def test_what_is_erased_is_in_no_file(fireside, home, monkeypatch):
    fireside("delete", "1", "3")
    assert "Add --yes" in fireside("erase", "3", code=3)
    assert "Only deleted chats" in fireside("erase", "2", "3", "--yes", code=3)
    assert "Name the chats" in fireside("erase", code=3)
    assert json.loads(fireside("erase", "3", "--yes", "--json")) == {"chats": [3], "messages": []}
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    assert "Nothing was erased" in fireside("erase", "--all", code=3)
    monkeypatch.setattr("builtins.input", lambda question: "Y")
    told = fireside("erase", "--all")
    assert "“One”" in told
    assert "gone for good" in told
    assert "Nothing was deleted" in fireside("erase", "--all", "--yes")
    assert titles(fireside, "--deleted") == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["pin", "1", "7", "8"], "There are no chats 7, 8"),
        (["rename", "9", "x"], "There is no chat 9"),
        (["delete", "1", "9"], "There is no chat 9"),
        (["restore", "1"], "There is no chat 1"),
        (["--folder", "Nowhere"], "no folder “Nowhere”"),
        (["tag", "1"], "--add NAME"),
        (["tag", "1", "--add", " "], "A tag needs a name"),
        (["move", "1", "--to", " "], "A folder needs a name"),
    ],
)
def test_what_is_not_there_is_said_and_nothing_changes(fireside, words, told):
    before = fireside("--json")
    assert told in fireside(*words, code=3)
    assert fireside("--json") == before
