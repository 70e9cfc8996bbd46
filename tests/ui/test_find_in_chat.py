"""Ctrl+F finds words in the chat that is shown, also while its answer is being written."""

import pytest
from PySide6.QtCore import Qt

from app.domain.chat import ModelIdentity, Status
from app.domain.settings import Settings


@pytest.fixture
def talk(fireside, qtbot):
    """Open a chat of ten turns that speak of embers."""
    parent = chat = None
    for number in range(10):
        started = fireside.store.start_turn(
            chat, parent, f"Question {number} of an ember?", ModelIdentity("M"), Settings()
        ).result(10)
        text = (
            f"**Answer** {number}.\n\n" + "Words in between. " * 80 + ("A rare flint." if number == 2 else "")
        )
        fireside.store.finish(started.reply.id, text, Status.COMPLETE, None, "").result(10)
        chat, parent = started.chat.id, started.reply.id
    fireside.window.show()
    fireside.window._chat.open(chat)
    qtbot.waitUntil(lambda: fireside.window._chat.id == chat)
    return fireside


def test_the_bar_counts_and_goes_on_and_back(talk, qtbot):
    page = talk.window.page
    talk.window.actions_by_name["find-in-chat"].trigger()
    bar = page.find_bar
    assert bar.isVisible()
    qtbot.keyClicks(bar.field, "ember")
    qtbot.waitUntil(lambda: bar.count.endswith("of 10"))
    first = bar.count
    qtbot.keyClick(bar.field, Qt.Key.Key_Return)
    assert bar.count != first
    qtbot.keyClick(bar.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert bar.count == first
    talk.window.actions_by_name["find-next"].trigger()
    assert bar.count != first
    talk.window.actions_by_name["find-previous"].trigger()
    assert bar.count == first
    bar.field.setText("flint")
    qtbot.waitUntil(lambda: bar.count == "1 of 1")
    flint = next(id_ for id_, _role, text in page._transcript._texts() if "flint" in text)
    qtbot.waitUntil(lambda: flint in page._transcript.live_rows())
    bar.field.setText("nowhere")
    qtbot.waitUntil(lambda: bar.count == "Not found")
    qtbot.keyClick(bar.field, Qt.Key.Key_Escape)
    assert bar.isHidden()
    assert not page._transcript.finding.active


def test_a_new_chat_has_nothing_to_find(fireside):
    fireside.window.show()
    fireside.window.actions_by_name["find-in-chat"].trigger()
    assert fireside.window.page.find_bar.isHidden()
