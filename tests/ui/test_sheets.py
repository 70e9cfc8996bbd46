"""Thoughts, versions, the prompt and the probabilities, in the window."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.domain.choices import Choices
from app.domain.generation import Choice, Chosen
from app.domain.settings import Settings
from app.ui.probability_sheet import ProbabilitySheet, spelled, tint
from app.ui.prompt_sheet import PromptSheet
from app.ui.theme import DARK, LIGHT, channels


def done(fireside) -> None:
    fireside.qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.settle()


def widget(fireside, place=-1):
    live = fireside.page._transcript.live_rows()
    return live[fireside.chat.state.path(fireside.chat.lives)[place].id]


def sheet(fireside, kind):
    return next((s for s in fireside.window.findChildren(kind) if s.isVisible()), None)


def test_a_thought_is_folded_and_unfolds_while_it_streams(fireside, qtbot):
    fireside.engine.hold = True
    fireside.engine.script = ["<think>one two three</think>The answer."]
    fireside.say("Why?")
    play = fireside.engine.plays[0]
    play.step(1)
    qtbot.waitUntil(lambda: widget(fireside)._thought is not None)
    answer, thought = widget(fireside), widget(fireside)._thought
    assert thought.line.text().startswith("Thinking…")
    assert thought.line in answer.focus_chain()
    assert not thought.unfolded
    folded = answer.height()
    qtbot.keyClick(thought.line, Qt.Key.Key_Space)
    assert thought.body.toPlainText() == "one"
    assert answer.height() > folded
    play.step(1)
    qtbot.waitUntil(lambda: thought.body.toPlainText() == "one two")
    play.rest()
    done(fireside)
    assert thought.line.text().startswith("Thought for")
    assert thought.line.accessibleName() == thought.line.text()
    assert widget(fireside).body.toPlainText() == "The answer."
    fireside.page.copy_last()
    assert QGuiApplication.clipboard().text() == "The answer."
    qtbot.mouseClick(thought.line, Qt.MouseButton.LeftButton)
    assert not thought.body.isVisible()


def test_unfolding_a_finished_thought_leaves_the_answer_where_it_begins(fireside, qtbot):
    fireside.engine.script = ["<think>" + "word " * 400 + "</think>" + "line\n\n" * 60]
    fireside.say("Why?")
    done(fireside)
    bar = fireside.page._transcript.verticalScrollBar()
    bar.setValue(0)
    before = widget(fireside).y()
    widget(fireside)._thought.line.click()
    qtbot.wait(20)
    assert widget(fireside).y() == before


def test_unfolding_what_fits_offers_no_way_to_new_text(fireside, qtbot):
    fireside.engine.hold = True
    fireside.engine.script = ["<think>one</think>The answer"]
    fireside.say("Why?")
    fireside.engine.plays[0].step(2)
    qtbot.waitUntil(lambda: widget(fireside).body.toPlainText() == "The")
    widget(fireside)._thought.line.click()
    fireside.engine.plays[0].rest()
    done(fireside)
    assert widget(fireside).body.toPlainText() == "The answer"
    assert not fireside.page._transcript._overlays.chip.isVisible()


def test_versions_stream_side_by_side_and_can_be_looked_at(fireside, qtbot):
    fireside.engine.script = ["first", "a b", "c d", "e f"]
    fireside.say("Why?")
    done(fireside)
    fireside.engine.hold = True
    asked = [a.text() for a in widget(fireside)._actions.menu().actions()]
    assert asked[:2] == ["Write 3 more versions", "Show what the model read"]
    widget(fireside).asked.emit("versions")
    qtbot.waitUntil(lambda: len(fireside.conversation.live) == 3)
    fireside.settle()
    for play in fireside.engine.plays[1:]:
        play.step()
    qtbot.waitUntil(lambda: fireside.shown() == ["Why?", "a"])
    buttons = widget(fireside)._actions
    assert not buttons._newer.isHidden()
    assert buttons._copy.isHidden()
    buttons._newer.click()
    qtbot.waitUntil(lambda: fireside.shown() == ["Why?", "c"])
    fireside.engine.plays[2].rest()
    qtbot.waitUntil(lambda: widget(fireside).body.toPlainText() == "c d")
    assert fireside.composer.button.stops
    fireside.composer.button.click()
    for play in (fireside.engine.plays[1], fireside.engine.plays[3]):
        play.step()
    done(fireside)
    assert not fireside.composer.button.stops
    assert fireside.shown() == ["Why?", "c d"]


def test_what_the_model_read(fireside, qtbot):
    fireside.engine.notes = ("It knows no system prompt.",)
    fireside.say("Hi")
    done(fireside)
    widget(fireside).asked.emit("prompt")
    qtbot.waitUntil(lambda: sheet(fireside, PromptSheet) is not None)
    shown = sheet(fireside, PromptSheet)
    assert shown.pages.toPlainText() == "<|user|>Hi"
    texts = [label.text() for label in shown.findChildren(type(shown.foot.itemAt(0).widget()))]
    assert {"It knows no system prompt.", "17 tokens"} <= set(texts)
    shown.copy_button.click()
    assert QGuiApplication.clipboard().text() == "<|user|>Hi"
    for _step in range(4):
        shown.focusNextPrevChild(True)
        assert shown.isAncestorOf(QApplication.focusWidget())
    qtbot.keyClick(shown.pages, Qt.Key.Key_Escape)
    assert not shown.isVisible()


def test_probabilities_by_keyboard(fireside, qtbot):
    fireside.choices.keep(fireside.chat.model, Choices(Settings(probabilities=3)))
    fireside.engine.script = ["One two"]
    fireside.say("Hi")
    done(fireside)
    assert "Show token probabilities" in [a.text() for a in widget(fireside)._actions.menu().actions()]
    widget(fireside).asked.emit("probabilities")
    qtbot.waitUntil(lambda: sheet(fireside, ProbabilitySheet) is not None)
    shown = sheet(fireside, ProbabilitySheet)
    assert shown.tokens.toPlainText() == "One two"
    assert shown.alternatives.said() == "One 90 %, other␣1 5.0 %, other␣2 1.8 %"
    qtbot.keyClick(shown.tokens, Qt.Key.Key_Right)
    assert shown.alternatives.said().startswith("two 90 %")


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_ink_can_be_read_on_every_tint(palette):
    def light(color: str) -> float:
        linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels(color)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for step in range(11):
        one, other = sorted((light(palette.ink), light(tint(palette, step / 10))))
        assert (other + 0.05) / (one + 0.05) >= 4.5


def test_tokens_are_found_behind_wide_characters(appearance, qtbot, fireside):
    tokens = [Chosen(Choice(n, text, -0.5), ()) for n, text in enumerate(["🦊", " \n", "x"])]
    shown = ProbabilitySheet(appearance, tokens, fireside.window)
    shown.tokens.reach(2)
    assert shown.tokens.extraSelections()[0].cursor.selectedText() == "x"
    assert spelled(" \n") == "␣↵"
