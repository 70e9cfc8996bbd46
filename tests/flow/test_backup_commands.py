"""`fireside backup`, `restore` and `check`: what they say, and what is there afterwards."""

import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pysqlite3
import pytest

from app.domain.changes import Changes
from app.domain.chat import ModelIdentity, Status
from app.domain.settings import Settings
from app.main import main
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.folders import Folders, InstanceLock


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folders = Folders.at(tmp_path / "home")
    folders.create()
    say(folders.data, "One", "Two")
    return folders.data


def say(home: Path, *titles: str) -> None:
    database = Database(home / "chats.db")
    store = ChatStore(database, Changes(lambda call: call()))
    for title in titles:
        started = store.start_turn(None, None, title, ModelIdentity("M"), Settings()).result(10)
        store.finish(started.reply.id, f"About {title}", Status.COMPLETE, None, "").result(10)
    database.close()


def behind_its_back(home: Path, *statements: str) -> None:
    connection = pysqlite3.connect(home / "chats.db", isolation_level=None)
    for sql in ("DROP TRIGGER IF EXISTS search_updated", *statements):
        connection.execute(sql)
    connection.close()


@pytest.fixture
def fireside(home: Path, capsys, monkeypatch) -> Iterator[Callable[..., str]]:
    monkeypatch.setenv("FIRESIDE_HOME", str(home))

    def run(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(list(words)) == code
        out, err = capsys.readouterr()
        return out + err

    umask = os.umask(0o022)
    yield run
    os.umask(umask)


def test_a_backup_comes_back(fireside, home: Path, tmp_path: Path) -> None:
    assert "no backups yet" in fireside("restore")
    made = json.loads(fireside("backup", "--json"))
    assert (made["chats"], made["messages"], made["reason"]) == (2, 4, "asked")
    say(home, "Three")
    assert "Three" in fireside("history")
    said = fireside("restore", "1")
    assert "2 messages were written since then and are not in it." in said
    assert "Three" not in fireside("history")
    kept = said.split()[-1]
    restored = json.loads(fireside("restore", kept, "--json"))
    assert (restored["chats"], restored["lost"]) == (3, 0)
    assert "Three" in fireside("history")
    assert [each["chats"] for each in json.loads(fireside("restore", "--json"))] == [2, 3, 2]
    assert "3 chats" in fireside("backup", "--to", str(tmp_path / "mine.db"))
    assert "there already" in fireside("backup", "--to", str(tmp_path / "mine.db"), code=3)
    assert "There is no backup “9”" in fireside("restore", "9", code=3)
    (tmp_path / "text.db").write_text("text")
    assert "is no backup" in fireside("restore", str(tmp_path / "text.db"), code=3)
    if sys.platform != "win32":
        modes = {stat.S_IMODE(each.stat().st_mode) for each in home.rglob("*") if each.is_file()}
        assert modes == {0o600}
        assert {stat.S_IMODE(each.stat().st_mode) for each in home.rglob("*") if each.is_dir()} == {0o700}
    assert stat.S_IMODE((tmp_path / "mine.db").stat().st_mode) & 0o077 == 0


def test_an_open_window_is_not_restored_under(fireside, home: Path) -> None:
    fireside("backup")
    lock = InstanceLock(home / "window.lock")
    assert lock.acquire()
    try:
        assert "window is open" in fireside("restore", "1", code=3)
        assert "asked for" in fireside("restore")
        assert "2 chats" in fireside("backup")
    finally:
        lock.release()
    assert "2 chats" in fireside("restore", "1")


def test_what_is_wrong_is_told(fireside, home: Path) -> None:
    assert "All is well: 2 chats, 4 messages." in fireside("check")
    assert json.loads(fireside("check", "--json"))["ok"] is True
    behind_its_back(home, "UPDATE messages SET text = 'other' WHERE id = 2")
    assert "Message 2 in “One” is not what was saved." in fireside("check", code=3)
    assert "About Two" in fireside("history", "show", "2")
    fireside("history", "search", "About")  # what was said is in the index then
    behind_its_back(home, "UPDATE search_data SET block = x'00000001ff0000010101ff' WHERE id = 10")
    assert "index for searching is damaged" in fireside("check", code=3)
    assert "About Two" in fireside("history", "search", "About")
    assert "index for searching" not in fireside("check", code=3)


def test_a_damaged_file_can_be_read_and_is_replaced(fireside, home: Path) -> None:
    fireside("backup")
    path = home / "chats.db"
    content = bytearray(path.read_bytes())
    connection = pysqlite3.connect(path)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'downloads'").fetchone()
    connection.close()
    content[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    assert "damaged" in fireside("check", code=3)
    assert "One" in fireside("history")
    assert "does not change them" in fireside("history", "pin", "1", code=3)
    assert "no backup of them is made" in fireside("backup", code=3)
    found = json.loads(fireside("check", "--json", code=3).partition("}\n")[0] + "}")
    assert found["file"]
    said = fireside("restore", "1")
    assert (Path(said.split()[-1]) / "chats.db").read_bytes() == content
    assert "All is well" in fireside("check")
    fireside("history", "pin", "1")
