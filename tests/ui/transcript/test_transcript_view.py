import random
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QColor
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from transcript_stage import STATS, answer, chat, question

from app.domain.chat import Status
from app.domain.generation import StopReason
from app.ui.theme import DARK, LIGHT
from app.ui.transcript.actions import stats_line
from app.ui.transcript.column import Column, Extent, estimates
from app.ui.transcript.living import MAX_ROWS
from app.ui.transcript.view import COLUMN

LONG = "A paragraph that is long enough to take more than one line of the column.\n\n" * 30


def test_a_question_sinks_behind_the_composer_as_an_answer_does(stage):
    stage.show([question(1, "word " * 2000), answer(2, LONG)])
    stage.view.resize(800, 300)
    stage.bar.setValue(0)
    stage.settle()
    bubble, height = stage.view.live_rows()[1]._bubble, stage.view.viewport().height()
    assert bubble.bottom() > height
    lowest = stage.view.grab().toImage().pixelColor(bubble.left() + 30, height - 1)
    paper = QColor(LIGHT.paper)
    assert max(abs(lowest.red() - paper.red()), abs(lowest.blue() - paper.blue())) <= 2


# ---- the window of living rows


def test_a_chat_opens_at_its_end(stage, rows):
    stage.show(rows(200))
    assert stage.visible()[-1] == 200
    assert stage.bar.value() == stage.bar.maximum()


def test_only_rows_near_the_visible_part_are_alive(stage, rows):
    stage.show(rows(2000))
    most = 0
    while stage.bar.value() > 0:
        stage.bar.setValue(stage.bar.value() - 4000)
        for _turn in range(3):
            QApplication.processEvents()
            most = max(most, len(stage.view.live_rows()))
    stage.settle()
    assert most <= MAX_ROWS
    assert stage.visible()[0] == 1


def test_long_rows_count_for_many(stage):
    """Memory is bounded by text, not only by rows."""
    many = [answer(number, LONG * 20) for number in range(1, 30)]
    stage.show(many)
    for _step in range(30):
        stage.bar.setValue(stage.bar.value() - 5000)
        stage.settle()
    assert 1 <= len(stage.view.live_rows()) < 15


def test_a_jump_fills_what_is_visible(stage, rows):
    stage.show(rows(2000))
    chance = random.Random(3)
    for _jump in range(5):
        stage.bar.setValue(chance.randrange(stage.bar.maximum()))
        stage.settle()
        tops = sorted((w.y(), w.y() + w.height() - w.overhang) for w in stage.view.live_rows().values())
        covered = [(top, end) for top, end in tops if end > 0 and top < 600]
        assert covered[0][0] <= 0
        assert covered[-1][1] >= stage.view.viewport().height() or stage.visible()[-1] == 2000
        assert all(end == top for (_, end), (top, _) in pairwise(covered))


def test_rows_that_are_measured_do_not_move_what_is_read(stage, rows):
    """The first visible row stays where it is, while all around it take their true heights."""
    stage.show(rows(400))
    stage.bar.setValue(stage.bar.maximum() // 2)
    id_ = stage.visible()[0]
    top = stage.top_of(id_)
    stage.settle()
    assert stage.top_of(id_) == top
    for _step in range(60):
        before = {each: widget.y() for each, widget in stage.view.live_rows().items()}
        stage.bar.setValue(stage.bar.value() - 120)
        shown = stage.visible()[0]
        moved = stage.top_of(shown) - before.get(shown, stage.top_of(shown) - 120)
        assert moved == 120
        QApplication.processEvents()


def test_a_row_is_built_in_a_turn_of_its_own(stage, rows):
    stage.show(rows(400))
    stage.bar.setValue(stage.bar.maximum() // 2)
    before = len(stage.view.live_rows())
    for _turn in range(10):
        stage.view._building.work()
        assert len(stage.view.live_rows()) <= before + 1
        before = len(stage.view.live_rows())


def test_what_is_selected_stays_alive(stage, rows):
    stage.show(rows(400))
    stage.view.live_rows()[400].body.selectAll()
    stage.bar.setValue(0)
    stage.settle()
    for _step in range(40):
        stage.bar.setValue(stage.bar.value() + 900)
        stage.settle()
    assert stage.view.live_rows()[400].body.textCursor().hasSelection()


def test_a_resize_keeps_the_row_that_is_read(stage, rows):
    stage.show(rows(200))
    stage.bar.setValue(stage.bar.maximum() // 2)
    stage.settle()
    id_, top = stage.visible()[0], stage.top_of(stage.visible()[0])
    for width in (640, 500, 420, 900, 1400):
        stage.view.resize(width, 600)
        stage.settle()
        assert stage.top_of(id_) == top
        column = stage.view.live_rows()[id_]
        assert column.width() == min(stage.view.viewport().width(), COLUMN)
        assert abs(2 * column.x() + column.width() - stage.view.viewport().width()) <= 1


# ---- changes


@pytest.mark.parametrize("change", ["wider", "narrower", "larger", "smaller"])
def test_the_middle_of_a_long_answer_stays_in_sight(stage, change):
    text = "\n\n".join(f"Paragraph {n}, long enough for two lines or more. " * 3 for n in range(200))
    stage.show([question(1), answer(2, text), question(3)])
    stage.bar.setValue(stage.bar.maximum() // 2)
    stage.settle()

    def top_paragraph() -> int:
        body = stage.view.live_rows()[2].body
        at = body.cursorForPosition(body.mapFrom(stage.view.viewport(), QPoint(200, 8)))
        return at.block().blockNumber()

    before = top_paragraph()
    if change in ("wider", "narrower"):
        stage.view.resize(1000 if change == "wider" else 560, 600)
    else:
        stage.view.set_text_scale(1.3 if change == "larger" else 0.8)
    stage.settle()
    assert abs(top_paragraph() - before) <= 2


def test_zooming_above_a_stream_keeps_what_is_read(stage, qtbot):
    text = "\n\n".join(f"Paragraph {n}, long enough for two lines or more. " * 3 for n in range(3000))
    stage.show([question(1), answer(2, text), question(3), answer(4, "", Status.WRITING)])
    stage.bar.setValue(stage.bar.maximum() // 2)
    stage.settle()
    share = -stage.top_of(2) / stage.view.live_rows()[2].height()
    stage.view.set_text_scale(1.5)
    stage.view.append_stream(4, "One word more. ")  # before the long answer is written again
    stage.settle()
    assert -stage.top_of(2) / stage.view.live_rows()[2].height() == pytest.approx(share, abs=0.01)


def test_rows_that_stay_keep_their_widgets(stage, rows):
    shown = rows(20)
    stage.show(shown)
    before = stage.view.live_rows()
    stage.show([*shown[:-1], answer(99, "another version"), question(100)])
    after = stage.view.live_rows()
    assert all(after[id_] is before[id_] for id_ in range(16, 20))
    assert 20 not in after
    assert after[100].isVisible()


def test_a_version_takes_the_place_of_the_other(stage, rows):
    shown = rows(200)
    stage.show(shown)
    stage.bar.setValue(stage.bar.maximum() // 2)
    stage.settle()
    reading = stage.visible()[1]
    top = stage.top_of(reading)
    other = [*shown[:reading], *(answer(1000 + number, LONG) for number in range(20))]
    stage.show(other, keep_position=True)
    assert stage.top_of(reading) == top
    stage.show([*shown[: reading - 1], answer(5000, LONG)], keep_position=True)
    assert stage.top_of(5000) == top  # what stood before it is where it was


def test_an_empty_chat_is_empty(stage, rows):
    stage.show(rows(20))
    stage.show([])
    assert stage.view.live_rows() == {}
    assert stage.bar.maximum() == 0
    stage.view.append_stream(1, "x")
    stage.view.set_activity(1, "x")
    stage.view.finish_stream(answer(1))
    stage.view.grab()


def test_a_theme_and_a_size_change_at_once(stage, rows):
    stage.show(rows(100))
    stage.bar.setValue(stage.bar.maximum() // 2)
    stage.settle()
    id_, top = stage.visible()[0], stage.top_of(stage.visible()[0])
    stage.view.set_palette_tokens(DARK)
    stage.settle()
    assert stage.top_of(id_) == top
    assert stage.view.grab().toImage().pixelColor(2, 300) == QColor(DARK.paper)
    height = stage.view.live_rows()[id_].height()
    stage.view.set_text_scale(1.5)
    stage.settle()
    assert stage.view.live_rows()[id_].height() > height
    assert stage.top_of(id_) == pytest.approx(top * 1.5, abs=2)  # the same line is at the top


# ---- streaming


def streaming(stage, rows, count: int = 40) -> int:
    """Show a chat whose last answer is being written; return its id."""
    shown = rows(count)
    stage.show([*shown, question(count + 1), answer(count + 2, "", Status.WRITING)])
    return count + 2


def test_the_end_is_followed_while_it_is_visible(stage, rows):
    id_ = streaming(stage, rows)
    for _flush in range(60):
        stage.view.append_stream(id_, "More words that fill the line.\n\n")
        assert stage.bar.value() == stage.bar.maximum()
        stage.view.grab()
    assert stage.visible()[-1] == id_
    assert not stage.view._overlays.chip.isVisible()


def test_nothing_moves_for_who_reads_above(stage, rows):
    id_ = streaming(stage, rows)
    stage.view.append_stream(id_, LONG)
    stage.settle()
    stage.bar.setValue(stage.bar.value() - 300)
    stage.settle()
    value, tops = stage.bar.value(), {each: stage.top_of(each) for each in stage.visible()}
    for _flush in range(30):
        stage.view.append_stream(id_, "More words that fill the line.\n\n")
        assert stage.bar.value() == value
        assert {each: stage.top_of(each) for each in stage.visible()} == tops
    assert stage.view._overlays.chip.isVisible()
    stage.view.finish_stream(answer(id_, LONG + "More words that fill the line.\n\n" * 30))
    stage.settle()
    assert {each: stage.top_of(each) for each in stage.visible()} == tops


def test_the_chip_leads_to_the_new_text(stage, rows, qtbot):
    id_ = streaming(stage, rows)
    stage.bar.setValue(stage.bar.value() - 300)
    stage.view.append_stream(id_, LONG)
    assert stage.view._overlays.chip.isVisible()
    qtbot.mouseClick(stage.view._overlays.chip, Qt.MouseButton.LeftButton)
    assert stage.bar.value() == stage.bar.maximum()
    assert not stage.view._overlays.chip.isVisible()
    stage.view.append_stream(id_, LONG)
    assert stage.bar.value() == stage.bar.maximum()


def test_scrolling_to_the_end_by_hand_follows_again(stage, rows):
    id_ = streaming(stage, rows)
    stage.bar.setValue(stage.bar.value() - 300)
    stage.view.append_stream(id_, LONG)
    stage.bar.setValue(stage.bar.maximum())
    assert not stage.view._overlays.chip.isVisible()
    stage.view.append_stream(id_, LONG)
    assert stage.bar.value() == stage.bar.maximum()


def test_an_answer_that_is_not_in_sight_grows_too(stage, rows):
    id_ = streaming(stage, rows, 400)
    stage.bar.setValue(0)
    stage.settle()
    text = "".join(f"piece {number}\n\n" for number in range(50))
    for number in range(50):
        stage.view.append_stream(id_, f"piece {number}\n\n")
    stage.view.scroll_to_end()
    stage.settle()
    assert stage.view.live_rows()[id_].body.written == text
    assert stage.view.copy_text(id_) == text


def test_a_chat_can_be_left_and_opened_again_in_the_middle(stage, rows):
    id_ = streaming(stage, rows)
    stage.view.append_stream(id_, "one ")
    stage.show(rows(2))
    stage.show([question(id_ - 1), answer(id_, "one two ", Status.WRITING)])
    stage.view.append_stream(id_, "three")
    assert stage.view.live_rows()[id_].body.toPlainText() == "one two three"
    stage.show([question(id_ - 1), answer(id_, "one ", Status.WRITING)], keep_position=True)
    assert stage.view.live_rows()[id_].body.toPlainText() == "one two three"


def test_what_the_engine_does_is_said_until_the_answer_begins(stage, rows):
    id_ = streaming(stage, rows)
    widget = stage.view.live_rows()[id_]
    assert widget._waiting.isVisible()
    stage.view.set_activity(id_, "Reading… 60 %")
    assert widget._waiting.text == "Reading… 60 %"
    stage.view.grab()
    stage.view.append_stream(id_, "Word")
    assert not widget._waiting.isVisible()
    assert widget.body.toPlainText() == "Word"


def test_a_finished_answer_shows_what_it_took_and_is_announced_once(stage, rows, monkeypatch):
    id_ = streaming(stage, rows)
    said = []
    monkeypatch.setattr(QAccessible, "updateAccessibility", lambda event: said.append(event.message()))
    stage.view.append_stream(id_, "The **answer")
    assert said == []
    stage.view.finish_stream(answer(id_, "The **answer** is 42."))
    stage.settle()
    widget = stage.view.live_rows()[id_]
    assert widget.body.toPlainText() == "The answer is 42."
    assert not widget.body.streaming
    assert widget._actions.isVisible()
    assert said == ["The answer is 42."]


def test_a_stored_text_that_differs_wins(stage, rows):
    id_ = streaming(stage, rows)
    stage.view.append_stream(id_, "Half of")
    stage.view.finish_stream(answer(id_, "All of it", Status.STOPPED))
    stage.settle()
    assert stage.view.live_rows()[id_].body.toPlainText() == "All of it"


# ---- what can be done


def press(stage, qtbot, id_: int, name: str) -> None:
    widget = stage.view.live_rows()[id_]
    qtbot.mouseMove(widget, QPoint(30, 30))
    widget.enterEvent(None)
    button = next(each for each in widget._actions.buttons() if each.accessibleName() == name)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(
    ("id_", "name", "signal", "told"),
    [
        (2, "Copy", "asked", ["copy", 2]),
        (2, "Answer again", "asked", ["regenerate", 2]),
        (2, "Previous version", "version_requested", [7]),
        (2, "Next version", "version_requested", [8]),
        (1, "Copy", "asked", ["copy", 1]),
        (1, "Edit", "asked", ["edit", 1]),
    ],
)
def test_buttons_tell_what_is_wanted(stage, qtbot, id_, name, signal, told, monkeypatch):
    stage.show([question(1), answer(2, "text", versions=(7, 2, 8))])
    if id_ == 1:
        monkeypatch.setattr(type(stage.view.live_rows()[1]), "underMouse", lambda self: True)
    with qtbot.waitSignal(getattr(stage.view, signal)) as emitted:
        press(stage, qtbot, id_, name)
    assert emitted.args == told


def test_the_first_version_has_none_before_it(stage):
    stage.show([question(1), answer(2, "text", versions=(2, 8))])
    _copy, _again, older, newer, _pin, _more = stage.view.live_rows()[2]._actions.buttons()
    assert (older.isEnabled(), newer.isEnabled()) == (False, True)
    stage.show([question(1), answer(2, "text")])
    assert not older.isVisible()


def test_only_the_last_answer_shows_its_actions_unasked(stage):
    stage.show([question(1), answer(2, "one"), question(3), answer(4, "two")])
    live = stage.view.live_rows()
    assert live[4]._actions.isVisible()
    assert live[2]._actions is None
    live[2].body.setFocus(Qt.FocusReason.TabFocusReason)
    assert live[2]._actions.isVisible()
    live[4].body.setFocus(Qt.FocusReason.TabFocusReason)
    assert not live[2]._actions.isVisible()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (Status.STOPPED, "You stopped this answer."),
        (Status.INTERRUPTED, "Fireside was closed before this answer was finished."),
        (Status.CUT, "This answer reached its length limit."),
        (Status.FAILED, "The model file is gone."),
    ],
)
def test_an_answer_that_is_not_whole_says_so_and_goes_on(stage, qtbot, status, sentence):
    stage.show(
        [question(1), answer(2, "half", status, error="The model file is gone." * (status is Status.FAILED))]
    )
    widget = stage.view.live_rows()[2]
    assert sentence in widget.body.accessibleDescription()
    with qtbot.waitSignal(stage.view.asked) as emitted:
        qtbot.mouseClick(widget._continue, Qt.MouseButton.LeftButton)
    assert emitted.args == ["continue", 2]


def test_a_whole_answer_has_nothing_to_continue(stage):
    stage.show([question(1), answer(2, "half", Status.STOPPED), question(3), answer(4, "whole")])
    live = stage.view.live_rows()
    assert live[4]._continue is None
    assert live[2]._continue is None  # something was said since


def test_links_are_only_told(stage, qtbot):
    stage.show([question(1), answer(2, "[x](https://example.org)")])
    with qtbot.waitSignal(stage.view.link_activated) as emitted:
        body = stage.view.live_rows()[2].body
        qtbot.mouseClick(body.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(4, 14))
    assert emitted.args == ["https://example.org"]


def test_sources_are_copied_as_they_were_written(stage):
    stage.show([question(1, "a *b*"), answer(2, "# c\n\n- d")])
    assert stage.view.copy_text(1) == "a *b*"
    assert stage.view.copy_text(2) == "# c\n\n- d"
    assert stage.view.copy_text(3) == ""


def test_long_questions_unfold_in_place(stage, qtbot):
    text = "\n".join(f"line {number}" for number in range(300))
    stage.show([answer(number, LONG) for number in range(1, 5)] + [question(5, text), answer(6, "ok")])
    widget = stage.view.live_rows()[5]
    folded, top = widget.height(), widget.y()
    assert folded < 12 * 26 + 120
    assert "line 200" not in widget.body.toPlainText()
    qtbot.mouseClick(widget._more, Qt.MouseButton.LeftButton)
    assert widget.height() > 300 * 26
    assert widget.y() == top
    assert widget.body.toPlainText() == text
    qtbot.mouseClick(widget._more, Qt.MouseButton.LeftButton)
    assert widget.height() == folded
    assert stage.view.copy_text(5) == text


def test_short_questions_fit_their_bubble(stage):
    stage.show([question(1, "Hi"), question(2, "word " * 60)])
    live = stage.view.live_rows()
    assert live[1]._bubble.width() < 100
    assert live[2]._bubble.width() <= 0.8 * (COLUMN - 48)
    assert live[1]._bubble.right() == live[2]._bubble.right()


# ---- keyboard and voice


def test_keys_scroll_also_from_within_a_message(stage, rows, qtbot):
    stage.show(rows(200))
    stage.view.live_rows()[200].body.setFocus()
    for widget in (stage.view, stage.view.live_rows()[200].body):
        before = stage.bar.value()
        qtbot.keyClick(widget, Qt.Key.Key_PageUp)
        page = before - stage.bar.value()
        assert 400 < page < 600
        qtbot.keyClick(widget, Qt.Key.Key_Up)
        assert 0 < before - page - stage.bar.value() < 100
        qtbot.keyClick(widget, Qt.Key.Key_Home)
        assert stage.bar.value() == 0
        qtbot.keyClick(widget, Qt.Key.Key_End)
        assert stage.bar.value() == stage.bar.maximum()


def test_tab_leads_through_messages_from_top_to_bottom_and_out(stage, qtbot):
    frame = QWidget()
    qtbot.addWidget(frame)
    before, after = QLineEdit(), QLineEdit()
    column = QVBoxLayout(frame)
    for widget in (before, stage.view, after):
        column.addWidget(widget)
    frame.resize(800, 600)
    frame.show()
    qtbot.waitActive(frame)
    stage.show([question(1), answer(2, "```\ncode\n```"), question(3), answer(4, "end", Status.STOPPED)])
    live = stage.view.live_rows()
    stage.view.setFocus()
    visited = []
    for _press in range(30):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        focus = QApplication.focusWidget()
        if focus is after:
            break
        visited.append(focus)
    bodies = [widget for widget in visited if widget in [live[id_].body for id_ in live]]
    assert bodies == [live[id_].body for id_ in (1, 2, 3, 4)]
    assert live[2].body.buttons()[0] in visited
    assert live[4]._continue in visited
    assert set(live[4]._actions.buttons()[:2]) <= set(visited)
    assert focus is after
    stage.view.setParent(None)  # the stage takes it down, not the frame


def test_rows_may_go_while_the_keyboard_is_in_one_of_them(stage, qtbot):
    stage.show([question(1), answer(2, "text"), question(3), answer(4, "text")])
    qtbot.waitActive(stage.view)
    stage.view.live_rows()[3].body.setFocus(Qt.FocusReason.TabFocusReason)
    stage.show([question(1), answer(2, "text"), question(5), answer(6, "text")])
    assert stage.view.hasFocus()
    stage.view.live_rows()[6].body.setFocus(Qt.FocusReason.TabFocusReason)
    stage.show([])
    assert stage.view.live_rows() == {}


def test_the_keyboard_is_seen_when_it_is_in_none_of_the_messages(stage, rows, qtbot):
    stage.show(rows(6))
    qtbot.waitActive(stage.view)
    body = stage.view.live_rows()[6].body
    body.setFocus(Qt.FocusReason.MouseFocusReason)
    plain = stage.view.grab().toImage()
    stage.view.setFocus(Qt.FocusReason.TabFocusReason)
    assert stage.view.grab().toImage() != plain
    body.setFocus(Qt.FocusReason.MouseFocusReason)
    assert stage.view.grab().toImage() == plain


def test_the_keyboard_brings_its_message_into_sight(stage, rows):
    stage.show(rows(200))
    above = stage.visible()[0] - 1
    stage.view.live_rows()[above].body.setFocus(Qt.FocusReason.BacktabFocusReason)
    assert stage.top_of(above) >= 0
    assert above in stage.visible()


def test_messages_have_names(stage):
    stage.show([question(1), answer(2, "text"), question(3)])
    names = [stage.view.live_rows()[id_].body.accessibleName() for id_ in (1, 2, 3)]
    assert names == ["You, message 1 of 3", "Answer 2 of 3", "You, message 3 of 3"]
    stage.show([question(1), answer(2, "text")])
    assert stage.view.live_rows()[2].body.accessibleName() == "Answer 2 of 2"


# ---- figures


def test_figures_leave_out_what_is_nothing():
    assert stats_line(STATS) == "31 tokens/s · first word after 0.3 s · 612 of 664 tokens reused"
    assert stats_line(replace(STATS, reused_tokens=0)) == "31 tokens/s · first word after 0.3 s"
    assert stats_line(replace(STATS, first_token_seconds=0.0, reused_tokens=0)) == "31 tokens/s"
    assert stats_line(replace(STATS, decode_seconds=0.0, first_token_seconds=0.0, reused_tokens=0)) == ""
    assert stats_line(replace(STATS, stop_reason=StopReason.LENGTH, decode_seconds=60.0)).startswith(
        "4.0 tokens/s"
    )
    assert stats_line(None) == ""


def test_a_column_knows_what_is_where():
    column = Column()
    messages = [row.message for row in chat(3)]
    column.arrange(messages, 760, 1.0)
    for place, height in enumerate((10, 20, 30)):
        column.measure(place, height)
    assert (column.total, column.top(2), column.at(0), column.at(10), column.at(59)) == (60, 30, 0, 1, 2)
    column.measure(1, 5)
    assert (column.total, column.top(2), column.height(1)) == (45, 15, 5)
    assert (column.at(-5), column.at(1000)) == (0, 2)
    column.arrange(messages[:2], 760, 1.0)
    assert column.total == 15
    column.arrange(messages, 400, 1.0)
    assert column.height(0) != 10  # another width: only estimated


def test_the_nearest_rows_come_first():
    column = Column()
    column.arrange([row.message for row in chat(9)], 760, 1.0)
    for place in range(9):
        column.measure(place, 100)
    assert list(column.near(350, 100, from_below=False)) == [3, 4, 5, 2]
    assert list(column.near(350, 250, from_below=True)) == [6, 5, 4, 3, 7, 2, 8, 1]
    assert list(Column().near(0, 100, from_below=False)) == []


def test_estimates_are_near_what_is_measured(stage):
    texts = [LONG, LONG * 3, "Short.", "中文" * 400]
    shown = [answer(number, text) for number, text in enumerate(texts, 1)]
    stage.show(shown)
    for row in shown:
        stage.bar.setValue(0 if row.message.id < 3 else stage.bar.maximum())
        stage.settle()
        (estimate,) = estimates([Extent.of(row.message)], COLUMN, 1.0)
        measured = stage.view._column.height(row.message.id - 1)
        assert 0.5 < estimate / measured < 2


def test_the_window_does_not_wait_for_parsers():
    """Neither Markdown nor Pygments is imported before there is something to show."""
    program = "import sys, app.ui.transcript.view; print({'markdown_it', 'pygments'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_an_answer_that_never_began_can_be_tried_again(stage):
    stage.show([question(1), answer(2, "", Status.FAILED)])
    assert stage.view.live_rows()[2]._continue.accessibleName() == "Try again"
    stage.show([question(1), answer(2, "It began", Status.STOPPED)], keep_position=True)
    assert stage.view.live_rows()[2]._continue.accessibleName() == "Continue"
