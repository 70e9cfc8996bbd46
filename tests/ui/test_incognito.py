"""Incognito chats in the window: all works there, and nothing of them is left."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from app.domain.chat import Role, Status, is_incognito
from app.ui.notices import Notice
from app.ui.sidebar.chats import ChatRole

CANARY = "xylophonic-canary"
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def fireside(fireside):
    """The window, which also waits for what lies in memory."""
    settle, memory = fireside.settle, fireside.incognito._store._database

    def settle_all() -> None:
        for _ in range(2):
            memory.read(lambda db: None).result()
            settle()

    fireside.settle = settle_all
    return fireside


def done(fireside) -> None:
    fireside.qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.settle()


def begin(fireside) -> int:
    fireside.qtbot.keyClick(fireside.window, Qt.Key.Key_N, CTRL | SHIFT)
    fireside.qtbot.waitUntil(lambda: fireside.chat.incognito)
    fireside.settle()
    return fireside.chat.id


def say(fireside, text: str = CANARY) -> None:
    fireside.say(text)
    done(fireside)


def question(fireside) -> QMessageBox | None:
    boxes = [box for box in fireside.window.findChildren(QMessageBox) if box.isVisible()]
    return boxes[-1] if boxes else None


def press(fireside, word: str) -> None:
    box = question(fireside)
    next(button for button in box.buttons() if button.text() == word).click()
    fireside.settle()


def listed(fireside) -> list[str]:
    chats = fireside.window.sidebar._chats
    found = (chats.index(row).data(ChatRole.CHAT) for row in range(chats.rowCount()))
    return [chat.title for chat in found if chat is not None]


def on_disk(fireside) -> bytes:
    fireside.database.alone(lambda db: None).result()
    return b"".join(path.read_bytes() for path in fireside.home.rglob("*") if path.is_file())


def test_it_is_marked_and_listed_nowhere(fireside):
    page = fireside.window.page
    assert page.veil.isHidden()
    chat_id = begin(fireside)
    assert is_incognito(chat_id)
    assert page.veil.isVisible()
    assert page.property("incognito")
    palette = fireside.window.appearance.palette
    assert page._transcript._style.palette.paper == palette.veil
    say(fireside)
    assert fireside.shown()[0] == CANARY
    assert listed(fireside) == []
    assert CANARY not in fireside.window.windowTitle()
    fireside.window.appearance.set_zoom(1.1)
    assert page._transcript._style.palette.paper == palette.veil
    fireside.window._go.begin_new()
    press(fireside, "Discard")
    assert page.veil.isHidden()
    assert not page.property("incognito")
    assert page._transcript._style.palette.paper == palette.paper
    assert fireside.shown() == []


def test_everything_works_in_it(fireside):
    begin(fireside)
    say(fireside, "one")
    chat, answer = fireside.chat, fireside.chat.last(Role.ASSISTANT)
    assert answer.status is Status.COMPLETE
    chat.regenerate(answer)
    fireside.settle()
    done(fireside)
    assert len(chat.state.tree.versions(chat.last(Role.ASSISTANT).id)) == 2
    chat.show_version(answer.id)
    fireside.settle()
    assert chat.last(Role.ASSISTANT).id == answer.id
    chat.send("another one", chat.last(Role.USER))
    fireside.settle()
    done(fireside)
    assert fireside.shown()[0] == "another one"
    chat.write_versions(chat.last(Role.ASSISTANT))
    fireside.settle()
    done(fireside)
    assert len(chat.state.tree.versions(chat.last(Role.ASSISTANT).id)) == 4
    chat.set_system_prompt("Be short.")
    fireside.settle()
    say(fireside, "two")
    assert chat.system_prompt == "Be short."
    chat.horizon.pin(chat.last(Role.USER))
    fireside.settle()
    assert chat.last(Role.USER).pinned
    assert fireside.window.windowTitle() == "Incognito chat – Fireside"
    notices = [each.error for each in fireside.window.findChildren(Notice)]
    assert notices == []


def test_undo_takes_back_what_was_done_in_it_and_nothing_else(fireside):
    say(fireside, "kept")
    undo = fireside.window.actions_by_name["undo"]
    assert undo.text() == "Undo: send message"
    begin(fireside)
    assert undo.text() == "Undo"
    say(fireside)
    fireside.window.findChild(type(fireside.window.page._transcript)).asked.emit(
        "delete", fireside.chat.last(Role.ASSISTANT).id
    )
    fireside.settle()
    assert fireside.shown() == [CANARY]
    assert undo.text() == "Undo: delete message"
    undo.trigger()
    fireside.settle()
    assert len(fireside.shown()) == 2
    fireside.window._go.begin_new()
    press(fireside, "Discard")
    assert undo.text() == "Undo: send message"


def test_a_chat_with_nothing_in_it_is_left_without_a_question(fireside):
    chat_id = begin(fireside)
    fireside.window._go.begin_new()
    fireside.settle()
    assert question(fireside) is None
    assert fireside.chat.id is None
    assert begin(fireside) != chat_id


@pytest.mark.parametrize("unsent", [True, False])
def test_leaving_asks_once_and_staying_changes_nothing(fireside, unsent):
    say(fireside, "kept")
    other = fireside.chat.id
    begin(fireside)
    if unsent:
        fireside.composer.fill(CANARY, CANARY)
    else:
        say(fireside)
    shown = fireside.chat.id
    fireside.window._go.open(other)
    fireside.settle()
    press(fireside, "Stay here")
    assert fireside.chat.id == shown
    fireside.window._go.open(other)
    fireside.settle()
    press(fireside, "Discard")
    fireside.qtbot.waitUntil(lambda: fireside.chat.id == other)
    fireside.settle()
    assert question(fireside) is None
    assert CANARY not in fireside.composer.text
    assert fireside.window._drafts.of(fireside.chat.state.chat) == ""
    assert CANARY.encode() not in on_disk(fireside)
    assert not [each.error for each in fireside.window.findChildren(Notice) if not each.closed]


def test_it_ends_while_an_answer_is_being_written(fireside):
    begin(fireside)
    fireside.engine.hold = True
    fireside.say(CANARY)
    fireside.qtbot.waitUntil(lambda: bool(fireside.conversation.live))
    shown = fireside.chat.id
    fireside.window._go.begin_new()
    press(fireside, "Discard")
    fireside.engine.plays[-1].step()  # only now does it notice
    done(fireside)
    assert fireside.engine.forgotten == [shown]
    assert not [each.error for each in fireside.window.findChildren(Notice) if not each.closed]


def test_it_is_kept_with_all_its_versions(fireside):
    begin(fireside)
    say(fireside)
    fireside.chat.regenerate(fireside.chat.last(Role.ASSISTANT))
    fireside.settle()
    done(fireside)
    fireside.composer.fill("unsent words", "words")
    before = fireside.shown()
    fireside.window.page.veil.keep_requested.emit()
    fireside.qtbot.waitUntil(lambda: not fireside.chat.incognito)
    fireside.settle()
    assert fireside.shown() == before
    assert len(fireside.chat.state.tree.messages) == 3
    assert fireside.composer.text == "unsent words"
    assert listed(fireside) == [CANARY]
    undo = fireside.window.actions_by_name["undo"]
    assert undo.text() == "Undo: keep chat"
    undo.trigger()
    fireside.settle()
    assert listed(fireside) == []


def test_nothing_of_it_is_on_the_disk_nor_opened_at_the_next_start(fireside):
    say(fireside, "kept words")
    fireside.composer.fill("draft of the kept one", "one")
    begin(fireside)
    say(fireside)
    fireside.composer.fill(CANARY + " unsent", "unsent")
    fireside.composer.flush_draft()
    fireside.settle()
    data = on_disk(fireside)
    assert b"kept words" in data
    assert CANARY.encode() not in data
    assert fireside.preferences.open_chat().result() == 1


def test_the_window_asks_before_it_closes(fireside):
    begin(fireside)
    say(fireside)
    assert not fireside.window.close()
    press(fireside, "Stay here")
    assert fireside.window.isVisible()
    assert not fireside.window.close()
    press(fireside, "Discard")
    fireside.qtbot.waitUntil(lambda: not fireside.window.isVisible())
    assert CANARY.encode() not in on_disk(fireside)


def test_the_system_ends_it_without_a_question(fireside):
    begin(fireside)
    say(fireside)
    fireside.window.end()
    assert not fireside.window.isVisible()


def test_a_second_one_takes_the_place_of_the_first(fireside):
    first = begin(fireside)
    say(fireside)
    fireside.qtbot.keyClick(fireside.window, Qt.Key.Key_N, CTRL | SHIFT)
    press(fireside, "Discard")
    fireside.qtbot.waitUntil(lambda: fireside.chat.incognito and fireside.chat.id != first)
    fireside.settle()
    assert fireside.shown() == []
    assert fireside.chat.state.tree.messages == {}


def test_it_is_not_continued_in_another_chat(fireside):
    begin(fireside)
    say(fireside)
    shown = fireside.chat.id
    fireside.window.page._transcript.asked.emit("branch", fireside.chat.last(Role.USER).id)
    fireside.settle()
    assert fireside.chat.id == shown
    assert "Keep this chat first." in next(each.error for each in fireside.window.findChildren(Notice))
