"""The backups in the settings, and what the window says when the file of the chats is damaged."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from app.domain.backup import Reason
from app.ui.notices import Notice
from app.ui.settings.sheet import SettingsSheet

BACKUPS = 4


@pytest.fixture
def page(fireside, qtbot):
    fireside.say("Hello")
    fireside.window.actions_by_name["settings"].trigger()
    sheet = fireside.window.findChild(SettingsSheet)
    qtbot.mouseClick(sheet.tabs[BACKUPS], Qt.MouseButton.LeftButton)
    page = sheet.page()
    qtbot.waitUntil(lambda: page.complete)
    return page


def words(widget) -> str:
    shown = [*widget.findChildren(QLabel), *widget.findChildren(QPushButton)]
    return "\n".join(each.text() for each in shown if each.isVisibleTo(widget))


def click(qtbot, button) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def finish(fireside) -> None:
    fireside.qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.settle()


def test_a_backup_is_made_and_brought_back(fireside, page, qtbot):
    qtbot.waitUntil(lambda: "There are none yet." in words(page))
    assert not page.folder.isEnabled()
    finish(fireside)
    click(qtbot, page.make)
    qtbot.waitUntil(lambda: len(page.rows) == 1)
    assert "1 chat" in words(page.rows[0])
    assert "asked for" in words(page.rows[0])
    assert "read back without a fault" in words(page)
    assert page.rows[0].restore.accessibleName().startswith("Restore the backup of ")

    chat_id = fireside.chat.id
    fireside.history.rename(chat_id, "Another name").result(10)
    fireside.backups.make(Reason.DAILY).result(10)
    fireside.store.update_chat(chat_id, draft="unsent").result(10)
    page.refresh()
    qtbot.waitUntil(lambda: len(page.rows) == 2)
    oldest = page.rows[1]
    click(qtbot, oldest.restore)
    qtbot.waitUntil(lambda: "Nothing was written since then." in words(oldest))
    assert oldest.sure.hasFocus()
    click(qtbot, oldest.cancel)
    assert oldest.restore.isVisible()
    click(qtbot, oldest.restore)
    qtbot.waitUntil(oldest.sure.isVisible)
    qtbot.keyClick(oldest.sure, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "Your chats are as they were on" in words(page))
    fireside.settle()
    qtbot.waitUntil(lambda: "Hello" in fireside.titles())
    assert fireside.chat.id == chat_id
    qtbot.waitUntil(lambda: len(page.rows) == 3)
    assert "before restoring" in words(page.rows[0])


def notices(fireside) -> list[Notice]:
    return [each for each in fireside.page.notices.findChildren(Notice) if not each.closed]


def test_a_damaged_file_offers_the_newest_backup(fireside, qtbot):
    fireside.say("Hello")
    finish(fireside)
    fireside.backups.begin()
    fireside.backups.make(Reason.DAILY).result(10)
    fireside.say("More")
    finish(fireside)
    assert len(fireside.shown()) == 4
    fireside.database.note_damage()
    qtbot.waitUntil(lambda: bool(notices(fireside)))
    (notice,) = notices(fireside)
    assert "only reads it" in notice.error
    assert "2 messages were written since then" in notice.error
    assert notice.offer is not None
    assert notice.offer.text.startswith("Restore the backup of ")
    button = next(each for each in notice.findChildren(QPushButton) if each.text() == notice.offer.text)
    click(qtbot, button)
    qtbot.waitUntil(lambda: any("as they were on" in each.error for each in notices(fireside)))
    fireside.settle()
    qtbot.waitUntil(lambda: len(fireside.shown()) == 2)
    fireside.say("And on")
    assert len(fireside.shown()) == 4


def test_without_a_backup_it_says_so(fireside, qtbot):
    fireside.backups.begin()
    fireside.database.note_damage()
    qtbot.waitUntil(lambda: bool(notices(fireside)))
    assert "There is no backup" in notices(fireside)[0].error
    assert notices(fireside)[0].offer is None
