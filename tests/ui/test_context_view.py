"""The ring, its panel, and what is asked when a chat outgrows its context."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.domain.budget import Policy
from app.domain.chat import Role
from app.domain.loading import LoadOptions, rope_options
from app.ui.transcript.boundary import is_boundary
from app.ui.transcript.view import TranscriptView

LONG = "word " * 60


@pytest.fixture
def full(start, qtbot):
    """A chat of four messages, whose next one outgrows a context of 100 words."""
    fireside = start().show()
    fireside.engine.context = 100
    fireside.say("word " * 20)
    qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.say("word " * 20)
    qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.settle()
    return fireside


def card(fireside):
    return fireside.composer.asking


def write(fireside, text):
    fireside.composer.fill(text, text)


def submit(fireside, qtbot, text=LONG):
    """Write and send, and wait until it is known whether there is something to ask."""
    write(fireside, text)
    plays = len(fireside.engine.plays)
    fireside.composer.submit()
    qtbot.waitUntil(lambda: card(fireside).isVisible() or len(fireside.engine.plays) > plays)


def policy(fireside):
    fireside.settle()
    return fireside.chat.state.chat.policy


def view(fireside):
    return fireside.page.findChild(TranscriptView)


def test_the_ring_counts_what_is_being_written(fireside, qtbot):
    fireside.say("one two three")
    qtbot.waitUntil(lambda: not fireside.conversation.live)
    qtbot.waitUntil(lambda: fireside.composer.ring.words == "5 of 8k")
    qtbot.keyClicks(fireside.composer.focusProxy(), "four five")
    qtbot.waitUntil(lambda: fireside.composer.ring.words == "7 of 8k")
    assert fireside.composer.ring.accessibleName() == "Context: 7 of 8192 tokens, 0 %"
    assert not fireside.composer.ring.nearly_full


def test_the_ring_changes_its_colour_only_when_nearly_full(full, qtbot):
    write(full, "word " * 45)
    qtbot.waitUntil(lambda: full.composer.ring.nearly_full)
    write(full, "word")
    qtbot.waitUntil(lambda: not full.composer.ring.nearly_full)


def test_keys_cost_the_window_little(full, qtbot):
    slowest = 0.0
    words = full.composer.focusProxy()
    for letter in "abcdefghijklmnopqrstuvwxyz":
        begin = time.perf_counter()
        full.window.context.desk.touch()
        slowest = max(slowest, time.perf_counter() - begin)
        qtbot.keyClick(words, letter)
    assert slowest < 0.008


@pytest.mark.parametrize("how", ["click", "space", "shortcut"])
def test_the_panel_shows_every_part(full, how, qtbot):
    write(full, "one two three")
    qtbot.waitUntil(lambda: (budget := full.window.context.desk.budget) is not None and budget.draft == 3)
    match how:
        case "click":
            qtbot.mouseClick(full.composer.ring, Qt.MouseButton.LeftButton)
        case "space":
            qtbot.keyClick(full.composer.ring, Qt.Key.Key_Space)
        case "shortcut":
            full.window.actions_by_name["budget"].trigger()
    panel = full.window.context.panel
    assert panel.isVisible()
    shown = {name: panel._sizes[name].text() for name in panel._sizes if panel._sizes[name].isVisible()}
    assert shown == {"system": "0", "summary": "0", "pinned": "0", "turns": "44", "draft": "3", "room": "0"}
    assert panel.bar.accessibleName().startswith("47 of 100 tokens. System prompt: 0, ")
    assert (
        panel.card.geometry().bottom() <= full.composer.ring.mapTo(full.window, full.composer.ring.pos()).y()
    )
    qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert not panel.isVisible()


def test_the_policy_is_set_in_the_panel_and_kept(full, start, qtbot):
    full.window.context.open_panel()
    panel = full.window.context.panel
    panel.choice.options[Policy.DROP].click()
    assert policy(full) is Policy.DROP
    full.close()
    again = start().show()
    qtbot.waitUntil(lambda: again.window.context.desk.budget is not None)
    again.window.context.open_panel()
    assert again.window.context.panel.choice.value is Policy.DROP


def test_the_panel_leads_to_the_size_of_the_context(full):
    full.window.context.open_panel()
    full.window.context.panel._link.click()
    assert full.window._frame.inspector_shown
    assert not full.window.context.panel.isVisible()


def test_it_is_asked_once_in_place_and_goes_on_after_the_choice(full, qtbot):
    submit(full, qtbot)
    assert card(full).isVisible()
    assert full.composer.text == LONG
    assert len(full.engine.plays) == 2
    assert card(full).choice.value is Policy.SUMMARISE
    card(full).choice.options[Policy.DROP].click()
    qtbot.keyClick(card(full).choice.options[Policy.DROP], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(full.engine.plays) == 3)
    qtbot.waitUntil(lambda: full.composer.text == "")
    assert policy(full) is Policy.DROP
    qtbot.waitUntil(lambda: not full.conversation.live)
    submit(full, qtbot)
    assert not card(full).isVisible()


def test_not_now_leaves_the_words(full, qtbot):
    submit(full, qtbot)
    qtbot.keyClick(card(full), Qt.Key.Key_Escape)
    assert not card(full).isVisible()
    assert full.composer.text == LONG
    assert policy(full) is None
    submit(full, qtbot)
    assert card(full).isVisible()


def test_another_chat_takes_the_question_away(full, qtbot):
    submit(full, qtbot)
    full.window.actions_by_name["new-chat"].trigger()
    assert not card(full).isVisible()


def test_a_chat_with_room_is_not_asked_about(full, qtbot):
    submit(full, qtbot, "Hello")
    assert not card(full).isVisible()


def test_whoever_wants_to_be_asked_is_asked_each_time(full, qtbot):
    full.chat.horizon.set_policy(Policy.ASK)
    assert policy(full) is Policy.ASK
    for _turn in range(2):
        submit(full, qtbot)
        assert card(full).isVisible()
        assert not card(full).choice.options[Policy.ASK].isVisible()
        assert full.composer.text == LONG
        plays = len(full.engine.plays)
        card(full)._go.click()
        qtbot.waitUntil(lambda plays=plays: len(full.engine.plays) > plays)
        qtbot.waitUntil(lambda: not full.conversation.live and full.composer.text == "")
        assert full.engine.plays[-1].request.window.policy is Policy.SUMMARISE
        assert policy(full) is Policy.ASK


def test_several_versions_are_asked_about_too(full, qtbot):
    full.chat.horizon.set_policy(Policy.ASK)
    assert policy(full) is Policy.ASK
    full.engine.context = 40
    view(full).asked.emit("versions", full.chat.last(Role.ASSISTANT).id)
    qtbot.waitUntil(lambda: card(full).isVisible())
    assert len(full.engine.plays) == 2
    card(full)._go.click()
    qtbot.waitUntil(lambda: len(full.engine.plays) == 5)
    qtbot.waitUntil(lambda: not full.conversation.live)
    assert full.engine.plays[-1].request.window.policy is Policy.SUMMARISE


def test_the_line_and_its_summary_survive_a_restart_and_follow_the_version(full, start, qtbot):
    path = full.chat.state.path({})
    summary = full.store.summaries.add(full.chat.id, path[1].id, "They said word.").result(10)
    full.store.mark_seen(path[3].id, path[2].id, summary.id).result(10)
    full.close()
    again = start().show()
    qtbot.waitUntil(lambda: bool(again.chat.horizon.line and again.chat.horizon.line[1]))
    rows = view(again)._rows
    assert [is_boundary(row) for row in rows] == [False, False, True, False, False]
    assert rows[2].message.text == "They said word."
    assert rows[0].above
    view(again).summary_written.emit("They said it often.")
    qtbot.waitUntil(lambda: view(again)._rows[2].message.text == "They said it often.")
    view(again).asked.emit("rewrite-summary", rows[2].message.id)
    qtbot.waitUntil(lambda: bool(again.engine.plays))
    assert again.engine.plays[-1].request.summarising.until == 2
    assert not again.chat.horizon.rewrite_summary()  # it is at that already
    qtbot.waitUntil(lambda: not again.chat.horizon._rewritten)  # no other came
    assert view(again)._rows[2].message.text == "They said it often."
    again.page._try(lambda: again.chat.send("Other", path[0]))  # another version, of which all is seen
    qtbot.waitUntil(lambda: again.shown()[0] == "Other")
    assert not any(is_boundary(row) for row in view(again)._rows)


def test_a_message_is_pinned_and_counted_as_such(full, qtbot):
    question = full.chat.last(Role.USER)
    view(full).asked.emit("pin", question.id)
    qtbot.waitUntil(lambda: full.chat.message(question.id).pinned)
    assert [row.pinned for row in view(full)._rows] == [False, False, True, False]
    qtbot.waitUntil(lambda: full.window.context.desk.budget.pinned == 20)
    view(full).asked.emit("pin", question.id)
    qtbot.waitUntil(lambda: not full.chat.message(question.id).pinned)
    QApplication.processEvents()
    assert not any(row.pinned for row in view(full)._rows)


def test_extending_says_what_the_planner_knows(fireside, qtbot):
    fireside.say("one two three")
    qtbot.waitUntil(lambda: (budget := fireside.window.context.desk.budget) is not None and budget.exact)
    model, told = fireside.chat.model, []
    option = SimpleNamespace(explain=told.append)
    ways = SimpleNamespace(options={Policy.EXTEND: option})
    fireside.window.context.desk.explain_extension(ways)
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told[1] == "To 16k tokens, for 189 MB more memory; quality: usually fine."
    unscaled = LoadOptions(rope=rope_options("none"))
    fireside.choices.change(model, lambda choices: replace(choices, options=unscaled))
    fireside.window.context.desk.explain_extension(ways)
    qtbot.waitUntil(lambda: len(told) == 4)
    assert told[3].endswith("quality: expect loss.")


def test_a_context_chosen_before_the_first_word_counts(fireside, qtbot):
    asked = []
    chat, of = fireside.chat, fireside.chat.horizon._budgets.of
    chat.horizon._budgets.of = lambda *asking, **more: asked.append(asking[4]) or of(*asking, **more)
    chat.set_context(1024)
    chat.horizon.count("one")
    chat.set_context(None)
    chat.horizon.count("one")
    assert [settings.context for settings in asked] == [1024, None]
