"""The line above which the model no longer sees, the summary it sees instead, and pinned messages."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from transcript_stage import Stage, answer, chat, question

from app.ui.transcript.actions import Actions
from app.ui.transcript.boundary import boundary_row, is_boundary
from app.ui.transcript.message import Row

SUMMARY = "They plan a trip.\n\nThey eat no meat."


@pytest.fixture
def stage(qtbot):
    return Stage(qtbot)


def rows(summary: str = "", below: int = 3, count: int = 4) -> list[Row]:
    made = chat(count)
    return [*made[: below - 1], boundary_row(1, below, summary), *made[below - 1 :]]


def line_of(stage):
    return next(widget for widget in stage.view.live_rows().values() if is_boundary(widget.row))


def test_the_line_stands_between_the_messages_and_is_no_message(stage):
    stage.show(rows())
    line = line_of(stage)
    assert stage.top_of(2) < line.y() < stage.top_of(3)
    assert line.line.text() == "The model no longer sees what is above this line"
    names = [widget.body.accessibleName() for widget in stage.view.live_rows().values() if widget is not line]
    assert sorted(names, key=lambda name: name.split(" of ")[0][-1]) == [
        "You, message 1 of 4",
        "Answer 2 of 4",
        "You, message 3 of 4",
        "Answer 4 of 4",
    ]


def test_without_a_summary_it_leads_to_what_goes_in(stage, qtbot):
    stage.show(rows())
    with qtbot.waitSignal(stage.view.asked) as asked:
        qtbot.mouseClick(line_of(stage).line, Qt.MouseButton.LeftButton)
    assert asked.args[0] == "budget"


def test_the_summary_unfolds_and_stays_so_in_a_long_chat(stage, qtbot):
    stage.show(rows(SUMMARY, below=21, count=80), keep_position=False)
    stage.view.verticalScrollBar().setValue(stage.view._column.top(20) - 100)
    stage.settle()
    line = line_of(stage)
    assert line.line.text() == "The model sees only a summary of what is above this line"
    assert not line.body.isVisible()
    qtbot.keyClick(line.line, Qt.Key.Key_Space)
    stage.settle()
    assert line.body.isVisible()
    assert line.body.toPlainText() == SUMMARY
    stage.view.scroll_to_end()
    stage.settle()
    stage.view._live.remove(line.row.message.id)
    stage.view.verticalScrollBar().setValue(stage.view._column.top(20) - 100)
    stage.settle()
    assert line_of(stage).body.isVisible()


def editing(stage, qtbot):
    """Return the line with its summary open for editing."""
    stage.show(rows(SUMMARY))
    line = line_of(stage)
    line.line.click()
    stage.settle()
    line._edit.click()
    stage.settle()
    line.editor.selectAll()
    qtbot.keyClicks(line.editor, "They stay at home.")
    return line


def test_the_summary_is_edited_in_place(stage, qtbot):
    line = editing(stage, qtbot)
    with qtbot.waitSignal(stage.view.summary_written) as written:
        qtbot.keyClick(line.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert written.args == ["They stay at home."]
    assert line.editor is None
    stage.show(rows("They stay at home."), keep_position=True)
    assert line.body.toPlainText() == "They stay at home."


def test_an_edit_can_be_left(stage, qtbot):
    line = editing(stage, qtbot)
    with qtbot.assertNotEmitted(stage.view.summary_written):
        qtbot.keyClick(line.editor, Qt.Key.Key_Escape)
    stage.settle()
    assert line.body.toPlainText() == SUMMARY
    assert line.line.hasFocus()


def test_what_is_being_edited_stays_when_messages_come_and_the_summary_changes(stage, qtbot):
    line = editing(stage, qtbot)
    stage.show([*rows("Another one."), question(5)], keep_position=True)
    assert line_of(stage) is line
    assert line.editor.toPlainText() == "They stay at home."


def test_a_summary_is_never_saved_empty(stage, qtbot):
    line = editing(stage, qtbot)
    line.editor.setPlainText("  \n")
    with qtbot.assertNotEmitted(stage.view.summary_written):
        line._keep.click()
    assert line.body.toPlainText() == SUMMARY


def test_it_can_be_written_anew(stage, qtbot):
    stage.show(rows(SUMMARY))
    line_of(stage).line.click()
    stage.settle()
    with qtbot.waitSignal(stage.view.asked) as asked:
        line_of(stage)._anew.click()
    assert asked.args[0] == "rewrite-summary"


def test_the_keyboard_goes_through_the_line_and_what_it_unfolds(stage, qtbot):
    stage.show(rows(SUMMARY))
    line = line_of(stage)
    line.line.click()
    stage.settle()
    assert line.focus_chain() == [line.line, line.body, line._edit, line._anew]
    line._edit.click()
    stage.settle()
    assert line.focus_chain() == [line.line, line.editor, line._keep, line._cancel]


def test_words_wrap_in_a_narrow_window(stage):
    stage.view.resize(320, 600)
    stage.show(rows(SUMMARY))
    line = line_of(stage)
    assert line.line.wrapped(line.line.width()).width() <= line.line.width()
    assert line.line.height() >= 2 * line.line.fontMetrics().height()


def pin_of(stage, number):
    widget = stage.view.live_rows()[number]
    QApplication.processEvents()
    widget.body.setFocus(Qt.FocusReason.TabFocusReason)
    return widget.findChild(Actions)._pin


@pytest.mark.parametrize("number", [3, 4])
def test_every_message_can_be_pinned_with_mouse_and_keyboard(stage, qtbot, number):
    stage.show(chat(4))
    pin = pin_of(stage, number)
    assert pin.accessibleName() == "Pin: always keep in view of the model"
    assert pin in stage.view.live_rows()[number].focus_chain()
    for press in (
        lambda: qtbot.mouseClick(pin, Qt.MouseButton.LeftButton, pos=QPoint(5, 5)),
        lambda: qtbot.keyClick(pin, Qt.Key.Key_Space),
    ):
        with qtbot.waitSignal(stage.view.asked) as asked:
            press()
        assert asked.args == ["pin", number]


def test_pinned_messages_are_marked_and_said_to_be_seen_above_the_line(stage):
    made = rows()
    made[0] = replace(made[0], pinned=True, above=True)
    made[1] = replace(made[1], pinned=True, above=True)
    made[3] = replace(made[3], pinned=True)
    stage.show(rows())
    before = stage.view.live_rows()[1].height()
    stage.show(made, keep_position=True)
    described = {id_: widget.body.accessibleDescription() for id_, widget in stage.view.live_rows().items()}
    assert described[1] == "Pinned: the model still sees this"
    assert described[2] == "Llama 3.1 8B. Pinned: the model still sees this"
    assert described[3] == "Pinned"
    assert stage.view.live_rows()[1].height() > before
    assert pin_of(stage, 1).accessibleName() == "Unpin"


def test_what_waits_for_a_model_cannot_be_pinned(stage):
    stage.show([replace(question(1), message=replace(question(1).message, id=-2)), answer(4)])
    assert not pin_of(stage, -2).isVisible()
