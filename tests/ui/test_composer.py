"""The composer: keys, input methods, drafts, edits; and the words that are never lost."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QInputMethodEvent
from PySide6.QtWidgets import QApplication

from app.ui.composer import Composer

NO_BUTTON = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def composer(appearance, qtbot):
    made = Composer(appearance)
    qtbot.addWidget(made)
    made.resize(700, 300)
    with qtbot.waitExposed(made):
        made.show()
    made.setFocus()
    made.sent = []
    made.submitted.connect(made.sent.append)
    return made


@pytest.fixture
def words(composer):
    """Where keys go."""
    return composer.focusProxy()


def test_return_sends_and_the_words_stay_until_they_are_safe(composer, words, qtbot):
    qtbot.keyClicks(words, "Hello")
    qtbot.keyClick(words, Qt.Key.Key_Return)
    assert composer.sent == ["Hello"]
    assert composer.text == "Hello"
    composer.clear_sent("Hello")
    assert composer.text == ""


def test_enter_on_the_keypad_sends(composer, words, qtbot):
    qtbot.keyClicks(words, "Hello")
    qtbot.keyClick(words, Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier)
    assert composer.sent == ["Hello"]


@pytest.mark.parametrize("modifier", [Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier])
def test_shift_return_breaks_the_line(composer, words, qtbot, modifier):
    qtbot.keyClicks(words, "one")
    qtbot.keyClick(words, Qt.Key.Key_Return, modifier)
    qtbot.keyClicks(words, "two")
    assert composer.text == "one\ntwo"
    assert composer.sent == []


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_nothing_is_not_sent(composer, words, qtbot, text):
    composer.set_draft(text)
    qtbot.keyClick(words, Qt.Key.Key_Return)
    assert composer.sent == []


def test_return_belongs_to_the_input_method_while_it_composes(composer, words, qtbot):
    QApplication.sendEvent(words, QInputMethodEvent("ni", []))
    qtbot.keyClick(words, Qt.Key.Key_Return)
    assert composer.sent == []
    assert composer.text == ""
    done = QInputMethodEvent()
    done.setCommitString("你")
    QApplication.sendEvent(words, done)
    qtbot.keyClick(words, Qt.Key.Key_Return)
    assert composer.sent == ["你"]


def test_up_in_an_empty_composer_asks_for_the_last_message(composer, words, qtbot):
    with qtbot.waitSignal(composer.edit_last_requested):
        qtbot.keyClick(words, Qt.Key.Key_Up)
    qtbot.keyClicks(words, "x")
    with qtbot.assertNotEmitted(composer.edit_last_requested):
        qtbot.keyClick(words, Qt.Key.Key_Up)


def test_grows_from_one_line_to_ten(composer, words, qtbot):
    heights = []
    for _line in range(14):
        heights.append(words.height())
        qtbot.keyClick(words, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert heights[:10] == sorted(set(heights[:10]))
    assert len(set(heights[9:])) == 1
    composer.set_draft("")
    assert words.height() == heights[0]


def test_long_lines_that_wrap_count_as_lines(composer, words):
    one = words.height()
    composer.set_draft("word " * 60)
    assert words.height() > 2 * one


def test_a_megabyte_is_pasted_at_once(composer, words):
    text = ("word " * 20 + "\n") * 10_000
    mime = QMimeData()
    mime.setText(text)
    began = time.perf_counter()
    words.insertFromMimeData(mime)
    QApplication.processEvents()
    assert composer.text == text
    assert time.perf_counter() - began < 5  # it takes 0.05 s; quadratic work takes minutes


def test_only_words_are_pasted(composer, words):
    mime = QMimeData()
    mime.setHtml("<b>bold</b>")
    mime.setText("bold")
    words.insertFromMimeData(mime)
    assert composer.text == "bold"


def test_files_are_left_to_the_window(composer, words):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/tmp/model.gguf")])
    event = QDragEnterEvent(words.rect().center(), Qt.DropAction.CopyAction, mime, NO_BUTTON, NO_KEYS)
    words.dragEnterEvent(event)
    assert not event.isAccepted()


def test_the_draft_is_told_a_moment_after_the_last_key(composer, words, qtbot):
    told = []
    composer.draft_changed.connect(told.append)
    with qtbot.waitSignal(composer.draft_changed):
        qtbot.keyClicks(words, "Hello")
        assert told == []
    assert told == ["Hello"]


def test_the_draft_can_be_told_at_once(composer, words, qtbot):
    qtbot.keyClicks(words, "Hello")
    with qtbot.waitSignal(composer.draft_changed, timeout=50):
        composer.flush_draft()
    with qtbot.assertNotEmitted(composer.draft_changed, wait=600):
        composer.flush_draft()


def test_showing_a_draft_does_not_save_it(composer, qtbot):
    with qtbot.assertNotEmitted(composer.draft_changed, wait=600):
        composer.set_draft("from another day")


def test_an_edit_brings_the_draft_back_when_it_is_cancelled(composer, words, qtbot):
    qtbot.keyClicks(words, "draft")
    composer.begin_edit("earlier")
    assert composer.editing
    assert composer.text == "earlier"
    assert composer.draft == "draft"
    with qtbot.waitSignal(composer.edit_cancelled):
        composer.cancel_edit()
    assert composer.text == "draft"
    assert not composer.editing


def test_an_edit_brings_the_draft_back_when_it_is_sent(composer, words, qtbot):
    qtbot.keyClicks(words, "draft")
    composer.begin_edit("earlier")
    qtbot.keyClick(words, Qt.Key.Key_Return)
    assert composer.sent == ["earlier"]
    composer.clear_sent("earlier")
    assert composer.text == "draft"
    assert not composer.editing


def test_edits_are_never_saved_as_drafts(composer, words, qtbot):
    composer.begin_edit("earlier")
    with qtbot.assertNotEmitted(composer.draft_changed, wait=600):
        qtbot.keyClicks(words, " more")


def test_leaving_in_the_middle_of_an_edit_keeps_its_words(composer, words, qtbot):
    qtbot.keyClicks(words, "draft")
    composer.begin_edit("earlier")
    assert composer.unsent == "draft"
    qtbot.keyClicks(words, " more")
    assert composer.unsent == "draft\n\nearlier more"


def test_what_was_written_after_sending_stays(composer, words, qtbot):
    qtbot.keyClicks(words, "sent")
    qtbot.keyClick(words, Qt.Key.Key_Return)
    qtbot.keyClicks(words, " and more")
    composer.clear_sent("sent")
    assert composer.text == " and more"


@given(sent=st.text(max_size=20), more=st.text(max_size=20), draft=st.text(max_size=20))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_word_is_lost_by_sending(composer, sent, more, draft):
    sent, more, draft = (" ".join(text.split()) for text in (sent, more, draft))
    composer.set_draft(draft)
    composer.begin_edit(sent)
    sent = composer.text
    composer.focusProxy().insertPlainText(more)
    composer.clear_sent(sent)
    assert more.strip() in composer.text
    assert composer.text.startswith(draft)


def test_the_button_sends_or_stops(composer, words, qtbot):
    qtbot.keyClicks(words, "Hello")
    button = composer.button
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert composer.sent == ["Hello"]
    composer.set_answering(True)
    assert button.accessibleName() == "Stop the answer"
    with qtbot.waitSignal(composer.stop_requested):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    composer.set_answering(False)
    assert button.accessibleName() == "Send"
    assert composer.sent == ["Hello"]


def test_a_starter_marks_what_is_to_be_typed_over(composer, words, qtbot):
    composer.fill("Explain this: [thing]", "[thing]")
    qtbot.keyClicks(words, "tides")
    assert composer.text == "Explain this: tides"


def test_the_ring_shows_only_when_the_context_is_known(composer):
    assert not composer.ring.isVisible()
    composer.set_context(4100, 16384)
    assert composer.ring.isVisible()
    assert composer.ring.words == "4.0k of 16k"
    composer.set_context(0, 0)
    assert not composer.ring.isVisible()


def test_everything_can_be_reached_with_tab(composer, words, qtbot):
    qtbot.keyClick(words, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is composer.button


def test_another_placeholder_is_painted_at_once(composer, qtbot):
    class Watch(QObject):
        painted = 0

        def eventFilter(self, watched, event):
            self.painted += event.type() == QEvent.Type.Paint
            return False

    composer.set_placeholder("One")
    qtbot.wait(20)
    watch = Watch()
    composer.focusProxy().viewport().installEventFilter(watch)
    composer.set_placeholder("Another")
    qtbot.wait(20)
    assert watch.painted


def test_a_click_beside_the_words_leads_into_them(composer, words, qtbot):
    beside = composer.button.mapTo(composer, composer.button.rect().center())
    beside.setX(beside.x() - 150)
    composer.button.setFocus()
    assert not words.hasFocus()
    target = composer.childAt(beside) or composer
    qtbot.mouseClick(target, NO_BUTTON, pos=target.mapFrom(composer, beside))
    assert words.hasFocus()
