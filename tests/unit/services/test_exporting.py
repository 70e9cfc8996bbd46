"""Chats become files: whole ones, under names that were free."""

import json
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.domain.changes import Changes
from app.domain.chat import Chat, Message, Role
from app.domain.errors import UserError
from app.domain.whole_chat import WholeChat
from app.services.exporting import Exporting, Written
from app.services.exports.formats import Format
from app.services.importing import Importing
from app.storage.database import Database
from app.storage.undo import UndoLog
from app.storage.whole_chats import WholeChats
from app.ui.assets import asset


def get(future: "Future[Any]") -> Any:
    return future.result(timeout=30)


@dataclass
class Stage:
    store: WholeChats
    exporting: Exporting
    ids: list[int]
    printed: list[str]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    database = Database(tmp_path / "chats.db")
    changes = Changes(lambda call: call())
    store = WholeChats(database, changes, UndoLog(database, changes))
    printed: list[str] = []

    def print_pdf(html: str, title: str, path: Path) -> None:
        printed.append(html)
        path.write_bytes(b"%PDF-")

    exporting = Exporting(store, asset("formats/page.css"), print_pdf)
    get(store.insert([chat(title, place) for place, title in enumerate(("Tea", "tea", "茶: how?"))]))
    yield Stage(store, exporting, get(store.show()), printed)
    exporting.close()
    database.close()


def chat(title: str, place: int) -> WholeChat:
    asked, answered = Message(1, 1, None, Role.USER, f"Hi {title}"), Message(2, 1, 1, Role.ASSISTANT, "Yes")
    other = Message(3, 1, 1, Role.ASSISTANT, "Or no")
    return WholeChat(Chat(1, title, 3, created_at=place, updated_at=place), (asked, answered, other))


def write(stage: Stage, ids: list[int] | None, format_: Format, to: Path, **options: bool) -> Written:
    return get(stage.exporting.write(ids, format_, to, **options).future)


@pytest.mark.parametrize("format_", Format)
def test_one_chat_is_one_file(stage: Stage, tmp_path: Path, format_: Format) -> None:
    out = tmp_path / "out"
    out.mkdir()
    name = stage.exporting.suggested(format_, ["Tea"])
    assert write(stage, stage.ids[:1], format_, out / name) == Written(out / name, 1, 1)
    assert [path.name for path in out.iterdir()] == [name]
    content = (out / name).read_text(encoding="utf-8")
    assert "Hi Tea" in content or stage.printed
    if format_ is not Format.PDF:
        assert content == get(stage.exporting.text(stage.ids[0], format_))


def test_many_chats_are_a_folder_or_lines(stage: Stage, tmp_path: Path) -> None:
    folder = tmp_path / stage.exporting.suggested(Format.MARKDOWN, ["a", "b"])
    for _time in range(2):  # nothing is replaced
        assert write(stage, None, Format.MARKDOWN, folder) == Written(folder, 3, 3)
    assert sorted(path.name for path in folder.iterdir()) == [
        "Tea (2).md", "Tea (4).md", "tea (3).md", "tea.md", "茶 how (2).md", "茶 how.md",
    ]  # fmt: skip
    lines = tmp_path / "all.jsonl"
    assert write(stage, None, Format.JSON, lines) == Written(lines, 3, 1)
    titles = [json.loads(line)["title"] for line in lines.read_text(encoding="utf-8").splitlines()]
    assert titles == ["茶: how?", "tea", "Tea"]
    examples = tmp_path / "train.jsonl"
    write(stage, stage.ids, Format.CHATML, examples, branches=True)
    assert len(examples.read_text(encoding="utf-8").splitlines()) == 6


def test_all_out_and_in_again(stage: Stage, tmp_path: Path) -> None:
    lines = tmp_path / "all.jsonl"
    write(stage, stage.ids, Format.JSON, lines)
    database = Database(tmp_path / "other.db")
    changes = Changes(lambda call: call())
    store = WholeChats(database, changes, UndoLog(database, changes))
    importing = Importing(store)
    came = get(importing.commit([lines]).future).ids
    for there, here in zip(came, stage.ids, strict=True):
        one, other = get(store.read(there)), get(stage.store.read(here))
        assert [message.text for message in one.messages] == [message.text for message in other.messages]
        assert one.chat.title == other.chat.title
    importing.close()
    database.close()


def test_what_is_there_is_replaced_only_when_asked(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("mine", encoding="utf-8")
    for to in (path, tmp_path):
        with pytest.raises(UserError):
            write(stage, stage.ids[:1], Format.MARKDOWN, to)
    assert path.read_text(encoding="utf-8") == "mine"
    write(stage, stage.ids[:1], Format.MARKDOWN, path, overwrite=True)
    assert path.read_text(encoding="utf-8").startswith("# Tea")


def test_what_fails_leaves_nothing_behind(stage: Stage, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UserError, match="no longer"):
        write(stage, [stage.ids[0], 999], Format.JSON, out / "a.jsonl")
    assert list(out.iterdir()) == []
    with pytest.raises(UserError, match="could not be written"):
        write(stage, stage.ids[:1], Format.HTML, out / "gone" / "a.html")


def test_it_can_be_stopped(stage: Stage, tmp_path: Path) -> None:
    running = stage.exporting.write(stage.ids, Format.JSON, tmp_path / "a.jsonl")
    running.stop()
    with pytest.raises(CancelledError):
        get(running.future)
    assert not (tmp_path / "a.jsonl").exists()
