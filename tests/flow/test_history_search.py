"""`fireside history search`: what was said is found from a terminal."""

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

TURNS = [
    ("Where do whales sleep?", "Whales **sleep** near the surface, half a brain at a time.", "Small"),
    ("鲸鱼在哪里睡觉？", "鲸鱼在水面附近睡觉。", "Small"),
    ("Write code", "```python\nprint('whales')\n```", "Large"),
]


@pytest.fixture
def fireside(tmp_path: Path, capsys, monkeypatch) -> Callable[..., str]:
    folders = Folders.at(tmp_path / "home")
    folders.create()
    database = Database(folders.database)
    store = ChatStore(database, Changes(lambda call: call()))
    for asked, answered, model in TURNS:
        started = store.start_turn(None, None, asked, ModelIdentity(model), Settings()).result(10)
        store.finish(started.reply.id, answered, Status.COMPLETE, None, "").result(10)
    folder = store.organiser.new_folder("Sea", [1]).result(10)
    assert folder.id
    store.organiser.tag([2], "animals").result(10)
    database.close()
    monkeypatch.setenv("FIRESIDE_HOME", str(tmp_path / "home"))

    def run(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(["history", "search", *words]) == code
        out, err = capsys.readouterr()
        return err if code else out

    return run


def found(fireside, *words: str) -> list[int]:
    return [message["id"] for message in json.loads(fireside(*words, "--json"))["messages"]]


def test_messages_are_found_by_their_words(fireside):
    assert found(fireside, "whales") == [6, 2, 1]
    assert found(fireside, "whales", "sleep") == [2, 1]
    assert found(fireside, "鲸鱼") == [4, 3]
    assert found(fireside, "whales", "--code") == [6]
    assert found(fireside, "whales", "--model", "Small") == [2]
    assert found(fireside, "whales", "--role", "user") == [1]
    assert found(fireside, "whales", "--folder", "sea") == [2, 1]
    assert found(fireside, "睡觉", "--tag", "#Animals") == [4, 3]
    assert found(fireside, "whales", "--chat", "3") == [6]
    assert found(fireside, "whales", "--since", "2020-01-01", "--until", "2020-12-31") == []
    assert found(fireside, "whales", "--since", "2020-01-01", "--limit", "1") == [6]


def test_what_is_found_is_shown_with_its_chat(fireside):
    shown = fireside("whales")
    assert "1  Where do whales sleep?" in shown
    assert "Small: Whales sleep near the surface" in shown
    assert "Nothing was found." in fireside("dolphins")
    assert "--limit" in fireside("whales", "--limit", "2")
    answer = json.loads(fireside("sleep", "--json"))
    assert [chat["id"] for chat in answer["chats"]] == [1]
    hit = answer["messages"][0]
    first, last = hit["marks"][0]
    assert hit["snippet"][first:last] == "sleep"


def test_what_cannot_be_asked_for_is_refused(fireside):
    assert "no folder" in fireside("whales", "--folder", "Land", code=3)
    for words in (["--since", "yesterday"], ["--limit", "0"], ["--role", "cat"]):
        with pytest.raises(SystemExit) as ended:
            fireside("whales", *words)
        assert ended.value.code == 2
