"""Deleting messages, copying a chat from a message on, and undoing all of it, in the window."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from app.domain.chat import Role
from app.ui.notices import Notice
from app.ui.transcript.actions import Actions
from app.ui.transcript.view import TranscriptView

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def done(fireside) -> None:
    fireside.qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.settle()


@pytest.fixture
def talk(fireside):
    """Three questions and their answers, shown."""
    for text in ("one", "two", "three"):
        fireside.say(text)
        done(fireside)
    return fireside


def ask(fireside, what: str, message) -> None:
    """Choose what the menu of a message offers."""
    fireside.window.findChild(TranscriptView).asked.emit(what, message.id)
    fireside.settle()


def press_notice(fireside, word: str) -> None:
    notice = [each for each in fireside.window.findChildren(Notice) if not each.closed][-1]
    assert notice.offer.text == word
    notice.taken(notice.offer)
    fireside.settle()


def transcript_has_the_keyboard(fireside) -> None:
    fireside.window.activateWindow()
    fireside.window.findChild(TranscriptView).viewport().setFocus()
    fireside.window.sidebar.view.setFocus()


def test_the_menus_of_questions_and_answers(talk):
    for role, words in (("user", 3), ("assistant", 5)):
        message = talk.chat.last(Role(role))
        actions = Actions(talk.window.findChild(TranscriptView)._style, answer=role == "assistant")
        actions.show_message(message, 1, (message.id,))
        menu = actions.menu()
        assert isinstance(menu, QMenu)
        assert len([action for action in menu.actions() if not action.isSeparator()]) == words
        assert "Delete this message" in [action.text() for action in menu.actions()]
        actions.deleteLater()


def test_a_message_is_deleted_and_comes_back(talk):
    before = talk.shown()
    question = next(m for m in talk.chat.state.path({}) if m.text == "two")
    ask(talk, "delete", question)
    assert talk.shown() == [text for text in before if text != "two"]
    undo = talk.window.actions_by_name["undo"]
    assert undo.text() == "Undo: delete message"
    press_notice(talk, "Undo")
    assert talk.shown() == before
    assert talk.window.actions_by_name["redo"].text() == "Redo: delete message"


def test_the_keys_undo_and_redo_where_nothing_is_written(talk, qtbot):
    before = talk.shown()
    ask(talk, "delete-branch", talk.chat.state.path({})[2])
    after = talk.shown()
    assert after == before[:2]
    talk.composer.fill("unsent", "unsent")
    qtbot.keyClick(talk.composer._text, Qt.Key.Key_Z, CTRL)  # belongs to what is being written
    talk.settle()
    assert talk.shown() == after
    transcript_has_the_keyboard(talk)
    qtbot.keyClick(talk.window.sidebar.view, Qt.Key.Key_Z, CTRL)
    talk.settle()
    assert talk.shown() == before
    qtbot.keyClick(talk.window.sidebar.view, Qt.Key.Key_Z, CTRL | SHIFT)
    talk.settle()
    assert talk.shown() == after


def test_an_edit_of_a_deleted_message_ends(talk):
    talk.page.edit_last()
    assert talk.composer.editing
    ask(talk, "delete", talk.chat.last(Role.USER))
    assert not talk.composer.editing


def test_a_new_chat_from_here(talk):
    first = talk.chat.id
    ask(talk, "branch", talk.chat.state.path({})[1])
    talk.qtbot.waitUntil(lambda: talk.chat.id not in (None, first))
    talk.settle()
    assert talk.shown() == ["one", "Hello there."]
    assert "one (branch)" in talk.titles()
    press_notice(talk, "Undo")
    assert talk.chat.id is None
    assert "one (branch)" not in talk.titles()


def test_undo_goes_where_it_can_be_seen(talk):
    first, before = talk.chat.id, talk.shown()
    ask(talk, "delete", talk.chat.last(Role.USER))
    talk.window.actions_by_name["new-chat"].trigger()
    assert talk.chat.id is None
    talk.window.actions_by_name["undo"].trigger()
    talk.settle()
    talk.qtbot.waitUntil(lambda: talk.chat.id == first)
    assert talk.shown() == before


def test_without_a_step_there_is_nothing_to_undo(fireside):
    actions = fireside.window.actions_by_name
    assert (actions["undo"].text(), actions["undo"].isEnabled()) == ("Undo", False)
    assert (actions["redo"].text(), actions["redo"].isEnabled()) == ("Redo", False)
    fireside.say("Hello")
    done(fireside)
    assert (actions["undo"].text(), actions["undo"].isEnabled()) == ("Undo: send message", True)
    actions["undo"].trigger()
    fireside.settle()
    assert fireside.chat.id is None
    assert fireside.titles() == ["Recently deleted"]
    actions["redo"].trigger()
    fireside.settle()
    assert fireside.titles() == ["Today", "Hello"]
