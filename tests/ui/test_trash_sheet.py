"""What was deleted is listed, brought back, and erased after a question."""

import pytest
from PySide6.QtWidgets import QApplication, QMessageBox

from app.domain.trash import Trash
from app.ui.notices import Notice
from app.ui.trash_sheet import TrashSheet


@pytest.fixture
def deleted(fireside):
    """A deleted chat, and another with two deleted messages; the sheet is open."""
    for text in ("gone", "kept"):
        fireside.window._go.begin_new()
        fireside.say(text)
        fireside.qtbot.waitUntil(lambda: not fireside.conversation.live)
        fireside.settle()
    fireside.say("more")
    fireside.qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.settle()
    fireside.history.delete_branch(fireside.chat.state.path({})[2].id).result(10)
    fireside.history.organising.delete([1]).result(10)
    settle(fireside)
    assert "Recently deleted" in fireside.titles()
    fireside.window.sidebar.view.trash_requested.emit()
    settle(fireside)
    return fireside


def settle(fireside) -> None:
    for _round in range(3):
        fireside.settle()


def sheet(fireside) -> TrashSheet:
    return fireside.window.findChild(TrashSheet)


def titles(fireside) -> list[str]:
    return [entry.title for entry in sheet(fireside).rows.entries]


def choose(fireside, row: int) -> None:
    shown = sheet(fireside)
    shown.list.setCurrentIndex(shown.rows.index(row))


def test_chats_and_messages_come_back(deleted):
    assert titles(deleted) == ["gone", "2 messages from “kept”"]
    assert sheet(deleted).rows.entries[1].facts == "30 days left · more"
    assert not sheet(deleted).back.isEnabled()
    choose(deleted, 1)
    sheet(deleted).back.click()
    settle(deleted)
    assert titles(deleted) == ["gone"]
    assert deleted.shown()[2] == "more"
    choose(deleted, 0)
    sheet(deleted).back.click()
    settle(deleted)
    assert "gone" in deleted.titles()
    assert "Recently deleted" not in deleted.titles()
    assert not sheet(deleted).erase_all.isEnabled()


@pytest.mark.parametrize("answer", ["Erase", "Keep it"])
def test_erasing_names_what_goes_and_asks(deleted, answer, monkeypatch):
    deleted.trash.backups = lambda: ["24 November, 09:00"]
    deleted.window._trash.refresh()
    settle(deleted)
    sheet(deleted).erase_all.click()
    box = deleted.window.findChild(QMessageBox)
    assert "“gone”" in box.text()
    assert "2 messages from “kept”" in box.text()
    assert "1 backup may still hold it: 24 November, 09:00" in box.informativeText()
    assert box.defaultButton().text() == "Keep it"
    next(button for button in box.buttons() if button.text() == answer).click()
    deleted.trash._snapshots.usage().result(30)
    settle(deleted)
    left = deleted.trash.read().result(10)
    if answer == "Keep it":
        assert left
        return
    assert left == Trash(backups=("24 November, 09:00",))
    deleted.qtbot.waitUntil(
        lambda: any("gone for good" in n.error for n in deleted.window.findChildren(Notice))
    )
    assert titles(deleted) == []
    assert not deleted.window.actions_by_name["undo"].isEnabled()
    QApplication.processEvents()
