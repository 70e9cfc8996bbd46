"""Where things lie, who may read them, and who holds the lock."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.storage.folders import Folders, InstanceLock


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_all_lies_below_a_named_home(tmp_path: Path) -> None:
    folders = Folders.at(tmp_path)
    assert folders == Folders(tmp_path, tmp_path / "chats.db", tmp_path / "models", tmp_path / "logs")


def test_the_environment_names_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESIDE_HOME", str(tmp_path))
    assert Folders.at(None) == Folders.at(tmp_path)
    assert Folders.at(tmp_path / "other").data == tmp_path / "other"


def test_a_relative_home_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Folders.at(Path("home")).data == tmp_path / "home"


def test_without_a_home_the_system_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIRESIDE_HOME", raising=False)
    folders = Folders.at(None)
    assert folders.data.name == "Fireside"
    assert folders.database.parent == folders.models.parent == folders.data
    assert "Fireside" in folders.logs.parts


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_only_the_owner_may_read_what_is_made(tmp_path: Path) -> None:
    folders = Folders.at(tmp_path / "a" / "b")
    folders.create()
    folders.create()
    (folders.data / "file").write_text("secret")
    assert {mode(f) for f in (folders.data.parent, folders.data, folders.models, folders.logs)} == {0o700}
    assert mode(folders.data / "file") == 0o600


def test_a_file_in_the_place_of_a_folder_is_told_and_left(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("mine")
    for place in (home, home / "below"):
        with pytest.raises(UserError, match="a file is in the way") as caught:
            Folders.at(place).create()
        assert caught.value.hint
    assert home.read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot create the folder") as caught:
        Folders.at(tmp_path / ("x" * 300)).create()
    assert caught.value.hint


def test_one_process_holds_the_lock_until_it_dies(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = (
        "import sys, time; from pathlib import Path; from app.storage.folders import InstanceLock\n"
        "lock = InstanceLock(Path(sys.argv[1])); print(lock.acquire(), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "True\n"
        lock = InstanceLock(path)
        assert not lock.acquire()
        child.kill()
        child.wait()
        assert lock.acquire()
        assert lock.acquire()
    assert not InstanceLock(path).acquire()
    lock.release()
    second = InstanceLock(path)
    assert second.acquire()
    second.release()


def test_where_no_lock_can_lie_nobody_is_shut_out(tmp_path: Path) -> None:
    assert InstanceLock(tmp_path / "missing" / "lock").acquire()
