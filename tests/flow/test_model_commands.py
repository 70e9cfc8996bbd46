"""What the terminal does with the models that are here, from the words on the command line to the disk."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_models import tiny

from app.domain.changes import Changes
from app.domain.chat import ModelIdentity, Status
from app.domain.generation import Stats, StopReason
from app.domain.settings import Settings
from app.main import main
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.folders import Folders

Run = Callable[..., str]
STATS = Stats(StopReason.END, 200, 0, 101, 0.5, 2.0, 0.6, 7, 4096)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str, code: int = 0) -> str:
        assert main(["models", *words, "--home", str(home)]) == code, capsys.readouterr().err
        said = capsys.readouterr()
        return said.out if code == 0 else said.err

    return run


@pytest.fixture
def linked(run: Run, tmp_path: Path) -> Path:
    path = tmp_path / "Linked-2B-F32.gguf"
    tiny().write(path)
    run("add", str(path))
    return path


def answered(home: Path, path: Path) -> None:
    """Have a chat in which the file `path` has answered."""
    database = Database(Folders.at(home).database)
    store = ChatStore(database, Changes(lambda call: call()))
    identity = ModelIdentity("Linked 2B", "", str(path))
    started = store.start_turn(None, None, "hi", identity, Settings()).result(10)
    store.finish(started.reply.id, "hello", Status.COMPLETE, STATS, "").result(10)
    store.delete_chat(started.chat.id).result(10)
    database.close()


def test_listed_in_an_order_with_what_is_known_of_them(run: Run, home: Path, linked: Path) -> None:
    first, _second = json.loads(run("list", "--json"))
    assert (first["name"], first["fit"], first["last_used"]) == ("Linked 2B", "fits", None)
    assert json.loads(run("list", "--sort", "size", "--json"))[0]["origin"] == "starter"
    answered(home, linked)
    used, unused = json.loads(run("list", "--sort", "used", "--json"))
    assert (used["name"], used["tokens_per_second"], used["reading_tokens_per_second"]) == (
        "Linked 2B",
        50.0,
        400.0,
    )
    assert used["last_used"].startswith("20")
    assert unused["last_used"] is None
    assert "fits well  50 tokens/s" in run()
    assert "400 tokens/s" in run("info", "linked")


def test_another_name_by_which_it_is_found(run: Run, linked: Path) -> None:
    assert "Linked-2B-F32.gguf is called Mine now." in run("rename", "linked", "Mine")
    assert json.loads(run("info", "mine", "--json"))["original_name"] == "Linked 2B"
    assert json.loads(run("info", "linked", "--json"))["name"] == "Mine"
    assert json.loads(run("rename", "mine", "", "--json"))["name"] == "Linked 2B"


def test_checked_against_what_it_was(run: Run, linked: Path) -> None:
    first = run("verify", "linked")  # whatever the background has found out before
    assert "There was nothing yet to compare" in first or "has not changed since" in first
    assert json.loads(run("verify", "linked", "--json"))["outcome"] == "unchanged"
    with linked.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x99")
    assert "Linked 2B has changed since Fireside first read it." in run("verify", "linked", code=3)


def test_one_that_is_gone_can_be_told_about_and_taken_off_the_list(run: Run, linked: Path) -> None:
    linked.unlink()
    assert "cannot be found" in run()
    assert "cannot be found" in run("info", "linked")
    assert "cannot be found" in run("verify", "linked", code=3)
    assert "off the list" in run("remove", "linked")
    assert len(json.loads(run("--json"))) == 1
