import subprocess
import sys

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QKeyEvent, QTextCursor, QWheelEvent

from app.ui.theme import DARK
from app.ui.transcript.body import Body
from app.ui.transcript.style import Style


def shown(body: Body, source: str) -> Body:
    body.show_markdown(source)
    body.flush()
    body.resize(640, body.lay_out(640))
    return body


def place_of(body: Body, word: str) -> QPoint:
    """Return a point on `word`."""
    cursor = body.document().find(word)
    cursor.setPosition(cursor.selectionStart() + 1)
    return body.cursorRect(cursor).center()


@pytest.mark.parametrize("address", ["https://example.org/a?b=1#c", "mailto:someone@example.org"])
def test_a_click_on_a_link_only_tells(body, qtbot, address):
    shown(body, f"before [word]({address}) after")
    with qtbot.waitSignal(body.link_activated) as told:
        qtbot.mouseClick(body.viewport(), Qt.MouseButton.LeftButton, pos=place_of(body, "word"))
    assert told.args == [address]
    assert "before" in body.toPlainText()  # it has not gone there


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "javascript:alert(1)", "/etc/passwd", "smb://host/x"]
)
@pytest.mark.qt_log_ignore(
    "Mouse event", extend=True
)  # a release that nothing waits for goes on to the parent
def test_other_addresses_are_never_told(body, qtbot, address):
    shown(body, f"before [word]({address}) after")
    with qtbot.assertNotEmitted(body.link_activated):
        qtbot.mouseClick(body.viewport(), Qt.MouseButton.LeftButton, pos=place_of(body, "word"))
        body.anchorClicked.emit(QUrl(address))
    assert "before" in body.toPlainText()


def test_links_are_reached_by_keyboard(body, qtbot):
    shown(body, "a [first](https://example.org/1) and [second](https://example.org/2)")
    body.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(body, Qt.Key.Key_Tab)
    qtbot.keyClick(body, Qt.Key.Key_Tab)
    with qtbot.waitSignal(body.link_activated) as told:
        qtbot.keyClick(body, Qt.Key.Key_Return)
    assert told.args == ["https://example.org/2"]


def test_copies_carry_markers_and_code(body, qtbot):
    shown(body, "# Title\n\n1. one\n2. two\n   - three\n- [x] done\n\n```\n\tcode\n```")
    body.setFocus()
    qtbot.keyClick(body, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(body, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Title\n1. one\n2. two\n• three\n☑ done\n    code"


def test_the_copy_button_takes_the_code_as_it_was_written(body, qtbot):
    shown(body, "```\none\n```\n\ntext\n\n```make\nall:\n\tmake\n```")
    first, second = body.buttons()
    assert second.y() > first.y() > 0
    qtbot.mouseClick(second, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "all:\n\tmake"


def test_buttons_go_with_their_cards(body):
    shown(body, "```\none\n```\n\n```\ntwo\n```")
    before = [button.pos() for button in body.buttons()]
    body.lay_out(300)
    assert all(
        now.x() < then.x() for now, then in zip([b.pos() for b in body.buttons()], before, strict=True)
    )
    shown(body, "no code")
    assert body.buttons() == []


def test_the_end_of_a_card_is_part_of_the_height(body):
    text = shown(body, "text").height()
    card = shown(body, "text\n\n```\none\n```").height()
    assert card - text > 21 + 35 + 9 + 12


@pytest.mark.parametrize(
    "key", [Qt.Key.Key_PageDown, Qt.Key.Key_Up, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Space]
)
def test_scrolling_is_left_to_the_transcript(body, key):
    shown(body, "text\n\n" * 40)
    event = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
    body.keyPressEvent(event)
    assert not event.isAccepted()


def test_the_wheel_is_left_to_the_transcript(body):
    shown(body, "text\n\n" * 40)
    event = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    body.wheelEvent(event)
    assert not event.isAccepted()
    assert body.verticalScrollBar().value() == 0


def test_shift_and_arrows_select(body, qtbot):
    shown(body, "some words")
    body.setFocus(Qt.FocusReason.TabFocusReason)
    for _each in range(4):
        qtbot.keyClick(body, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert body.textCursor().selectedText() == "some"


def test_a_selection_survives_what_streams_in(body):
    body.show_markdown("First paragraph.\n\nSecond", streaming=True)
    body.flush()
    cursor = body.document().find("paragraph")
    body.setTextCursor(cursor)
    for piece in (" is **growing", "** on\n\n", "```\ncode", "\n```\n", "| a |\n|---|\n", "| 1 |"):
        body.append(piece)
        assert body.textCursor().selectedText() == "paragraph"
    body.finish()
    assert body.textCursor().selectedText() == "paragraph"


def test_the_caret_stays_at_the_beginning(body):
    body.show_markdown("a", streaming=True)
    body.flush()
    body.append(" b\n\nc")
    assert (body.textCursor().anchor(), body.textCursor().position()) == (0, 0)
    body.show_plain("plain\ntext")
    assert body.textCursor().position() == 0


def test_a_new_style_shows_the_same_text(body):
    shown(body, "# Title\n\n- [ ] task with `code`\n\n```python\nx\n```")
    before = body.toPlainText()
    body.restyle(Style(DARK, 1.5))
    body.flush()
    assert body.toPlainText() == before
    assert body.lay_out(640) > 0


def test_plain_text_stays_as_it_was_typed(body):
    typed = "**not bold**\n  indented\n\n\n[x](y) <b>\ttab"
    body.show_plain(typed)
    assert body.toPlainText() == typed
    assert "href" not in body.toHtml()


def test_an_equal_width_is_not_laid_out_again(body):
    shown(body, "text " * 200)
    layouts = []
    body.document().documentLayout().update.connect(lambda rect: layouts.append(rect))
    height = body.lay_out(640)
    assert body.lay_out(640) == height
    body.resize(640, height + 20)
    assert layouts == []


def test_scrolling_inside_never_happens(body):
    body.resize(300, 40)
    shown(body, "text\n\n" * 30)
    body.resize(300, 40)
    body.moveCursor(QTextCursor.MoveOperation.End)
    assert body.verticalScrollBar().value() == 0


COPY_AND_END = """
from app.ui.application import make_application
application = make_application(["copy"])
from app.ui.theme import LIGHT
from app.ui.transcript.body import Body
from app.ui.transcript.highlight import Highlighter
from app.ui.transcript.style import Style
highlighter = Highlighter()
body = Body(Style(LIGHT), highlighter)
body.show_markdown("- one **bold**")
body.flush()
body.selectAll()
body.copy()
"""


def test_what_was_copied_does_not_bring_the_end_of_the_process_down():
    done = subprocess.run([sys.executable, "-c", COPY_AND_END], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
