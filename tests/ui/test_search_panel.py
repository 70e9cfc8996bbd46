"""What was said is found in all chats from the sidebar, and gone to where it stands."""

from datetime import datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from app.domain.chat import ModelIdentity, Status
from app.domain.settings import Settings


def say(fireside, chat, parent, asked, answered, model="Small"):
    started = fireside.store.start_turn(chat, parent, asked, ModelIdentity(model), Settings()).result(10)
    fireside.store.finish(started.reply.id, answered, Status.COMPLETE, None, "").result(10)
    return started.chat.id, started.reply.id


@pytest.fixture
def talk(fireside, qtbot):
    """Three chats; the answer about the lighthouse is in a version of the first that is not shown."""
    one, answer = say(fireside, None, None, "Tell me of the sea", "Filler text here. " * 200)
    _chat, deep = say(
        fireside,
        one,
        answer,
        "And the coast?",
        "Long ago.\n\n" + "More. " * 300 + "\n\nA **lighthouse** stood there.",
    )
    say(fireside, one, answer, "And the islands?", "Nothing of them.")
    say(fireside, None, None, "灯塔是什么？", "灯塔是海边的高塔。", "Large")
    say(fireside, None, None, "A lighthouse in code", "```python\nlighthouse()\n```", "Large")
    qtbot.waitUntil(lambda: fireside.window._shelf.chats.rowCount() >= 3)
    fireside.deep = deep
    return fireside


def search(fireside, qtbot, text):
    fireside.window.actions_by_name["find-chat"].trigger()
    field = fireside.window.sidebar._search
    field.setText(text)
    desk = fireside.window._search
    qtbot.waitUntil(lambda: not desk.searching)
    return [hit.message_id for hit in fireside.window.sidebar.results.view.model().hits]


def test_messages_are_listed_below_the_chats(talk, qtbot):
    sidebar = talk.window.sidebar
    assert not sidebar.results.isVisible()
    assert len(search(talk, qtbot, "lighthouse")) == 3
    assert sidebar.results.isVisible()
    assert sidebar.view.isVisible()  # one has it in its title
    assert talk.window._shelf.chats.rowCount() <= 2
    row = sidebar.results.view.model().index(0, 0)
    assert "lighthouse" in row.data(Qt.ItemDataRole.AccessibleTextRole)
    assert not sidebar.grab().isNull()
    assert len(search(talk, qtbot, "灯塔")) == 2
    assert search(talk, qtbot, "nowhere") == []
    assert sidebar.results.note
    qtbot.keyClick(sidebar._search, Qt.Key.Key_Escape)
    assert not sidebar.results.isVisible()
    assert sidebar.view.isVisible()


def test_what_is_chosen_is_gone_to_in_its_version_and_marked(talk, qtbot):
    window, page = talk.window, talk.window.page
    hits = search(talk, qtbot, "lighthouse stood")
    assert hits == [talk.deep]
    view = window.sidebar.results.view
    view.enter()
    qtbot.keyClick(view, Qt.Key.Key_Return)
    transcript = page._transcript
    qtbot.waitUntil(lambda: talk.deep in transcript.live_rows())

    def marks():
        return [
            each.cursor.selectedText() for each in transcript.live_rows()[talk.deep].body.extraSelections()
        ]

    qtbot.waitUntil(lambda: marks() == ["lighthouse", "stood"])
    tree = window._chat.state
    assert [message.id for message in tree.tree.path(tree.tip)][-1] == talk.deep
    assert transcript.hasFocus()
    qtbot.wait(50)
    body = transcript.live_rows()[talk.deep].body
    selections = body.extraSelections()
    y = body.mapTo(transcript.viewport(), body.cursorRect(selections[0].cursor).topLeft()).y()
    assert 0 <= y < transcript.viewport().height()
    window.actions_by_name["stop"].trigger()
    assert view.hasFocus()
    assert marks() == []
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert window.sidebar._search.text() == ""


def test_filters_are_chips_that_are_added_and_removed(talk, qtbot):
    sidebar, desk = talk.window.sidebar, talk.window._search
    assert len(search(talk, qtbot, "lighthouse")) == 3
    qtbot.waitUntil(lambda: desk.options.models == ("Large", "Small"))
    chips = sidebar.results.chips

    def press(*names):
        found = chips.menu()
        for name in names:
            action = next(each for each in found.actions() if each.text() == name)
            found = action.menu() if isinstance(action.menu(), QMenu) else action
        found.trigger()
        qtbot.waitUntil(lambda: not desk.searching)
        return len(desk.found.hits)

    assert press("Said by", "A model") == 2
    assert press("Model", "Large") == 1
    assert chips.words == ["A model", "Large"]
    assert not sidebar.view.isVisible()
    chips._chips[1].click()
    qtbot.waitUntil(lambda: not desk.searching)
    assert len(desk.found.hits) == 2
    assert press("With code") == 1
    assert press("When", "Today") == 1
    assert desk.query.since <= datetime.now().timestamp()
    sidebar._search.clear()
    assert chips.words == []
    assert sidebar.view.isVisible()


def test_only_the_newest_answer_is_shown(talk, qtbot):
    desk = talk.window._search
    answers = []
    desk.answered.connect(lambda: answers.append((desk.query.text, len(desk.found.hits))))
    for text in ("l", "li", "lig", "lighthouse", "lighthouse stood"):
        desk.set_text(text)
        desk._ask()
    qtbot.waitUntil(lambda: not desk.searching)
    assert answers[-1] == ("lighthouse stood", 1)
    say(talk, None, None, "The lighthouse stood still", "Yes")
    qtbot.waitUntil(lambda: len(desk.found.hits) == 2)
