"""The line across the column above which the model no longer sees, and the summary that it sees instead."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.domain.chat import Message, Role
from app.domain.language import _
from app.ui.icons import icon
from app.ui.transcript.buttons import QuietButton, RingedButton, paint_focus
from app.ui.transcript.highlight import Highlighter
from app.ui.transcript.message import SIDE, MessageWidget, Row
from app.ui.transcript.style import SMALL, Style

_FIRST = -1000
_HEIGHT = 40
_CHEVRON = 14
_PADDING = 16
_MOST_LINES = 16
_NO_BAR = Qt.ScrollBarPolicy.ScrollBarAlwaysOff


def boundary_row(chat_id: int, below: int, summary: str) -> Row:
    """Return the row for the line above the message `below`; it has an id that no message has.

    Args:
        chat_id: The chat.
        below: Id of the first message that the model still sees as it was said.
        summary: What the model sees of the rest; empty when nothing.
    """
    return Row(Message(_FIRST - below, chat_id, None, Role.SYSTEM, summary))


def is_boundary(row: Row) -> bool:
    """Return whether a row is the line, and no message."""
    return row.message.id <= _FIRST


def line_text(*, summary: bool) -> str:
    """Return what the line says."""
    if summary:
        return _("The model sees only a summary of what is above this line")
    return _("The model no longer sees what is above this line")


class BoundaryLine(RingedButton):
    """A hairline with words in its middle; with a summary it unfolds that.

    Signals:
        focused: It has got the keyboard.
    """

    focused = Signal()

    def __init__(self, style: Style, parent: QWidget) -> None:
        super().__init__(parent)
        self._style = style
        self._summary = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.toggled.connect(self._describe)
        self.restyle(style)

    def restyle(self, style: Style) -> None:
        """Draw with another style from now on."""
        self._style = style
        self.setFont(style.font(SMALL[0]))
        self.update()

    def set_summary(self, summary: bool) -> None:
        """Say whether there is a summary to unfold."""
        self._summary = summary
        self.setCheckable(summary)
        self._describe()

    @property
    def by_keyboard(self) -> bool:
        """Return whether somebody came to it by keyboard."""
        return self._ring and self.hasFocus()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell it."""
        super().focusInEvent(event)
        self.focused.emit()

    def _describe(self) -> None:
        self.setText(line_text(summary=self._summary))
        if not self._summary:
            hint = _("Show what goes into the context")
        else:
            hint = _("Hide the summary") if self.isChecked() else _("Show the summary")
        self.setAccessibleName(self.text())
        self.setAccessibleDescription(hint)
        self.setToolTip(hint)
        self.update()

    def wrapped(self, width: int) -> QRect:
        """Return the room that the words take in a line of `width` pixels, in its middle at the top."""
        px = self._style.px
        room = QRect(0, 0, width - px(2 * 40), 10_000)
        flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignHCenter
        return QFontMetrics(self.font()).boundingRect(room, flags, self.text())

    def height_for(self, width: int) -> int:
        """Return the height at `width`."""
        return max(self._style.px(_HEIGHT), self.wrapped(width).height() + self._style.px(16))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the hairline at both sides of the words."""
        painter, px, palette = QPainter(self), self._style.px, self._style.palette
        live = self.underMouse() or self.isDown()
        color = palette.ink if live else palette.soft
        size = self.wrapped(self.width()).size()
        words = QRect(0, 0, size.width() + px(2), size.height())
        words.moveCenter(self.rect().center())
        chevron = px(_CHEVRON) + px(6) if self._summary else 0
        words.translate(-chevron // 2, 0)
        painter.setPen(QColor(color))
        painter.drawText(words, Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignCenter, self.text())
        if self._summary:
            edge, picture = px(_CHEVRON), "chevron-down" if self.isChecked() else "chevron-right"
            middle = (self.height() - edge) // 2
            icon(picture, color, edge).paint(painter, words.right() + px(6), middle, edge, edge)
        middle = self.height() // 2
        left, right = words.left() - px(12), words.right() + chevron + px(12)
        painter.fillRect(QRect(0, middle, left, 1), QColor(palette.line))
        painter.fillRect(QRect(right, middle, self.width() - right, 1), QColor(palette.line))
        if self._ring and self.hasFocus():
            around = QRectF(left + px(4), words.top() - px(5), right - left - px(8), words.height() + px(10))
            paint_focus(painter, around, self._style, px(6))


class SummaryEditor(QPlainTextEdit):
    """The summary while a person rewrites it; Esc leaves it as it was, Ctrl+Return keeps it."""

    def __init__(self, parent: "Boundary") -> None:
        super().__init__(parent)
        self._boundary = parent
        self.setObjectName("text")
        self.setAccessibleName(_("Summary of what is above"))
        self.setTabChangesFocus(True)

    def event(self, event: QEvent) -> bool:
        """Keep Esc for the field, or it would stop the answer."""
        escape = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        if escape and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave it, keep it, or write."""
        is_return = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if event.key() == Qt.Key.Key_Escape:
            self._boundary.cancel_edit()
        elif is_return and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._boundary.keep_edit()
        else:
            super().keyPressEvent(event)

    def lay_out(self, width: int, style: Style) -> int:
        """Take `width`; return the height for the words, within reason."""
        self.setFont(style.font(15.0))
        self.resize(width, self.height())
        # A QPlainTextEdit counts the height of its document in lines.
        wanted = round(self.document().size().height())
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if wanted > _MOST_LINES else _NO_BAR
        self.setVerticalScrollBarPolicy(policy)
        return min(max(wanted, 3), _MOST_LINES) * self.fontMetrics().lineSpacing() + style.px(20)


class Boundary(MessageWidget):
    """The line, and the summary below it once it is unfolded: to be read, rewritten, or written anew."""

    def __init__(self, row: Row, style: Style, highlighter: Highlighter, parent: QWidget) -> None:
        super().__init__(row, style, highlighter, parent)
        self.body.restyle(_quiet(style))
        self.body.setAccessibleName(_("Summary of what is above"))
        self.line = BoundaryLine(style, self)
        self.line.clicked.connect(self._press)
        self.line.focused.connect(self.focused)
        self.line.toggled.connect(lambda: self.grown.emit())
        self.editor: SummaryEditor | None = None
        self._edit = self._button(_("Edit"), self._begin_edit)
        self._anew = self._button(_("Write it anew"), lambda: self.asked.emit("rewrite-summary"))
        self._keep = self._button(_("Save"), self.keep_edit)
        self._cancel = self._button(_("Cancel"), self.cancel_edit)
        self._show()

    @property
    def unfolded(self) -> bool:
        """Return whether the summary is shown."""
        return self.line.isChecked()

    def unfold(self) -> None:
        """Show the summary."""
        self.line.setChecked(True)

    def name(self, place: int, count: int) -> None:
        """Keep the name: the line is no message, and is not counted."""

    def show_row(self, row: Row, *, last: bool) -> None:
        """Show another summary; what a person is writing stays."""
        self.row, self.last = row, last
        self._show()

    def _show(self) -> None:
        text = self.row.message.text
        self.line.set_summary(bool(text))
        if self.body.written != text:
            self.body.show_plain(text)

    def lay_out(self, width: int) -> int:
        """Arrange everything in `width`; return the height of the row."""
        px = self.style_.px
        left, inner = px(SIDE), width - 2 * px(SIDE)
        y = px(8)
        height = self.line.height_for(inner)
        self.line.setGeometry(left, y, inner, height)
        y += height
        editing = self.editor is not None
        reading = self.unfolded and not editing
        self.body.setVisible(reading)
        for button in (self._edit, self._anew):
            button.setVisible(reading)
        for button in (self._keep, self._cancel):
            button.setVisible(editing and self.unfolded)
        if self.editor is not None:
            self.editor.setVisible(self.unfolded)
        if self.unfolded:
            shown: QWidget = self.body
            if self.editor is not None:
                shown, height = self.editor, self.editor.lay_out(inner, self.style_)
            else:
                height = self.body.lay_out(inner - 2 * px(_PADDING))
            inset = 0 if editing else px(_PADDING)
            shown.setGeometry(left + inset, y + px(4), inner - 2 * inset, height)
            y += px(4) + height + px(6)
            x = left + px(8)
            for button in (self._keep, self._cancel) if editing else (self._edit, self._anew):
                button.move(x, y)
                x += button.width() + px(4)
            y += px(26)
        y += px(8)
        self.resize(width, y)
        self.update()
        return y

    def restyle(self, style: Style) -> None:
        """Draw with another style from now on."""
        super().restyle(style)
        self.body.restyle(_quiet(style))
        self.line.restyle(style)
        for button in (self._edit, self._anew, self._keep, self._cancel):
            button.restyle(style)

    def keyboard_inside(self) -> bool:
        """Return whether somebody came to it by keyboard."""
        return super().keyboard_inside() or self.line.by_keyboard

    def pinned(self) -> bool:
        """Return whether someone is at it: it must not be taken away."""
        return self.editor is not None or super().pinned()

    def focus_chain(self) -> list[QWidget]:
        """Return what the Tab key visits, in order."""
        parts = (self.body, self.editor, self._edit, self._anew, self._keep, self._cancel)
        return [self.line, *(part for part in parts if part is not None and not part.isHidden())]

    def keep_edit(self) -> None:
        """Keep what the person has written as the summary."""
        if self.editor is not None:
            text = self.editor.toPlainText().strip()
            if text and text != self.row.message.text:
                self.rewritten.emit(text)
                self.body.show_plain(text)
            self.cancel_edit()

    def cancel_edit(self) -> None:
        """Leave the summary as it is."""
        editor, self.editor = self.editor, None
        if editor is not None:
            if editor.hasFocus():
                self.line.setFocus(Qt.FocusReason.TabFocusReason)
            editor.hide()
            editor.deleteLater()
            self.grown.emit()

    def _begin_edit(self) -> None:
        if self.editor is None:
            self.editor = SummaryEditor(self)
            self.editor.setPlainText(self.row.message.text)
            self.editor.moveCursor(QTextCursor.MoveOperation.End)
            self.editor.show()
            self.editor.setFocus(Qt.FocusReason.OtherFocusReason)
            self.editor.textChanged.connect(self.grown)
            self.grown.emit()

    def _press(self) -> None:
        if not self.line.isCheckable():
            self.asked.emit("budget")

    def _button(self, word: str, run: Callable[[], None]) -> QuietButton:
        made = QuietButton(self.style_, word, word=word, parent=self)
        made.clicked.connect(run)
        made.resize(made.sizeHint())
        made.hide()
        return made

    def _wants_actions(self) -> bool:
        return False

    def _actions_rect(self) -> QRect:
        return QRect()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rule beside the summary, and the ring when the keyboard is in it."""
        if not self.body.isVisible():
            return
        painter, px = QPainter(self), self.style_.px
        text = QRectF(self.body.geometry())
        painter.fillRect(
            QRectF(px(SIDE + 2), text.top(), px(2), text.height()), QColor(self.style_.palette.line)
        )
        painter.end()
        self._paint_ring(text.adjusted(-px(6), -px(2), px(6), px(2)))


def _quiet(style: Style) -> Style:
    """Return the style of what is not part of the conversation: a little smaller, in soft ink."""
    return Style(replace(style.palette, ink=style.palette.soft), style.scale * 0.9, style.mono)
