"""Chats come in through the window after a look at them, and leave it as files."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel

from app.services.exports.formats import Format
from app.ui.export_sheet import ExportSheet
from app.ui.file_drop import FileDrop
from app.ui.import_sheet import ImportSheet
from app.ui.notices import Notice


def conversation(asked: str, answered: str = "Yes.") -> dict:
    return {"conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": answered}]}


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    path = tmp_path / "chats.jsonl"
    said = [
        conversation("Tea?"),
        conversation("茶怎么泡？"),
        {"conversations": [{"from": "human", "value": 5}]},
    ]
    path.write_text("\n".join(json.dumps(each) for each in said), encoding="utf-8")
    return path


def sheet(fireside, kind):
    return next((each for each in fireside.window.findChildren(kind) if each.isVisible()), None)


def words(widget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def notice(fireside) -> Notice | None:
    return next((each for each in fireside.window.findChildren(Notice) if not each.closed), None)


def dialog(fireside) -> QFileDialog:
    return fireside.window.findChildren(QFileDialog)[-1]


def looked_into(fireside, path: Path) -> ImportSheet:
    fireside.window.actions_by_name["import-chats"].trigger()
    shown = sheet(fireside, ImportSheet)
    assert fireside.window.focusWidget() is shown.files
    shown.files.click()
    asked = dialog(fireside)
    asked.filesSelected.emit([str(path)])
    asked.close()
    fireside.qtbot.waitUntil(lambda: not shown.other.isHidden())
    return shown


def test_a_look_then_the_chats_then_undo(fireside, exported, qtbot):
    shown = looked_into(fireside, exported)
    assert "2 chats with 4 messages from ShareGPT" in words(shown)
    assert "1 part cannot be read" in words(shown)
    assert "chats.jsonl: It has no messages." in words(shown)
    assert fireside.titles() == []
    assert fireside.window.focusWidget() is shown.go
    shown.go.click()
    qtbot.waitUntil(lambda: notice(fireside) is not None)
    fireside.settle()
    assert "2 chats were imported" in notice(fireside).error
    assert sheet(fireside, ImportSheet) is None
    assert {"Tea?", "茶怎么泡？"} <= set(fireside.titles())
    notice(fireside).offer.run()
    qtbot.waitUntil(lambda: not {"Tea?", "茶怎么泡？"} & set(fireside.titles()))
    again = looked_into(fireside, exported)
    assert "2 chats" in again.go.text()  # what was undone is not here


def test_what_is_here_already_is_said(fireside, exported, qtbot):
    looked_into(fireside, exported).go.click()
    qtbot.waitUntil(lambda: notice(fireside) is not None)
    fireside.settle()
    shown = looked_into(fireside, exported)
    assert "already" in words(shown)
    assert shown.go.isHidden()
    shown.other.click()
    assert not shown.files.isHidden()


def test_a_stop_goes_back_to_the_beginning(fireside, exported, qtbot):
    shown = looked_into(fireside, exported)
    shown.go.click()
    shown.stop.click()
    assert not shown.files.isHidden()
    fireside.settle()
    qtbot.wait(50)
    fireside.settle()
    assert sheet(fireside, ImportSheet) is shown


def test_files_are_dropped_on_the_window(fireside, exported, qtbot):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(exported))])
    buttons, keys, where = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(300, 300)
    QApplication.sendEvent(
        fireside.window, QDragEnterEvent(where, Qt.DropAction.CopyAction, mime, buttons, keys)
    )
    target = fireside.window.findChild(FileDrop)
    assert target.isVisible()
    assert "chats" in target.text()
    QApplication.sendEvent(fireside.window, QDropEvent(where, Qt.DropAction.CopyAction, mime, buttons, keys))
    assert not target.isVisible()
    qtbot.waitUntil(lambda: (shown := sheet(fireside, ImportSheet)) is not None and not shown.go.isHidden())


def test_a_chat_becomes_a_file(fireside, tmp_path, qtbot):
    fireside.engine.script = ["The answer."]
    fireside.say("Why?")
    qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.settle()
    fireside.window.actions_by_name["export-chat"].trigger()
    shown = sheet(fireside, ExportSheet)
    assert fireside.window.focusWidget() is shown.options[Format.MARKDOWN]
    assert shown.branches.isHidden()
    qtbot.keyClick(shown.options[Format.MARKDOWN], Qt.Key.Key_Up)
    shown.options[Format.CHATML].click()
    assert not shown.branches.isHidden()
    shown.options[Format.TEXT].click()
    shown.go.click()
    asked = dialog(fireside)
    assert asked.selectedFiles()[0].endswith("Why.txt")
    out = tmp_path / "out.txt"
    asked.filesSelected.emit([str(out)])
    asked.close()
    qtbot.waitUntil(lambda: notice(fireside) is not None)
    assert "The answer." in out.read_text(encoding="utf-8")
    assert sheet(fireside, ExportSheet) is None


def test_several_chats_become_a_folder(fireside, exported, tmp_path, qtbot):
    looked_into(fireside, exported).go.click()
    qtbot.waitUntil(lambda: notice(fireside) is not None)
    ids = [chat.id for chat in fireside.history.chats().result(10)]
    fireside.window.files.export(ids)
    shown = sheet(fireside, ExportSheet)
    assert "2 chats" in words(shown)
    shown.go.click()
    asked = dialog(fireside)
    asked.filesSelected.emit([str(tmp_path)])
    asked.close()
    qtbot.waitUntil(lambda: len(list(tmp_path.glob("Fireside */*.md"))) == 2)
    qtbot.waitUntil(lambda: sheet(fireside, ExportSheet) is None)


def test_a_chat_is_copied_as_markdown(fireside, qtbot):
    fireside.window.actions_by_name["copy-chat"].trigger()  # nothing is open: nothing happens
    fireside.engine.script = ["The answer."]
    fireside.say("Why?")
    qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.settle()
    fireside.window.actions_by_name["copy-chat"].trigger()
    qtbot.waitUntil(lambda: notice(fireside) is not None)
    text = QGuiApplication.clipboard().text()
    assert text.startswith("# Why?")
    assert text.endswith("The answer.\n")
