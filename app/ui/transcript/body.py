"""The text of one message: a read-only QTextBrowser over a document that Markdown streams into."""

import math
import re

from PySide6.QtCore import QMimeData, QPointF, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from app.domain.language import _
from app.ui.theme import selection
from app.ui.transcript.buttons import BY_KEYBOARD, QuietButton
from app.ui.transcript.decoration import Decoration
from app.ui.transcript.highlight import Highlighter, Ink
from app.ui.transcript.marks import Marks
from app.ui.transcript.stream import MarkdownStream, clean
from app.ui.transcript.style import CARD_GAP, TEXT, Run, Style
from app.ui.transcript.writer import may_open

MAX_COPY_BUTTONS = 100
_SCROLLING = {
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_Space,
}
_ENDLESS = re.compile(r"[^\n]{4000}(?=[^\n])")
"""What is cut off a line that no one could read anyway: laying it out takes time with its square."""
_MARKER = re.compile(r"^([•◦▪☐☑]|\d{1,9}\.)\t", re.MULTILINE)


class Body(QTextBrowser):
    """Text that can be selected, copied and read aloud, and that loads nothing.

    Signals:
        link_activated: An address of the web or of mail was clicked; nothing has been opened.
        focused: It has the keyboard or has lost it.
        caret_moved: The place, in its own coordinates, that the caret or a selection has reached.
    """

    link_activated = Signal(str)
    focused = Signal()
    caret_moved = Signal(QRectF)

    def __init__(self, style: Style, highlighter: Highlighter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._highlighter = highlighter
        self._stream: MarkdownStream | None = None
        self._ink: Ink | None = None
        self._plain = ""
        self._streaming = False
        self._unwritten = False
        self._writing = False
        self._coloured = 0
        self._placed = 0
        self._buttons: list[QuietButton] = []
        self.by_keyboard = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setOpenLinks(False)
        self.setAcceptDrops(False)
        self.setUndoRedoEnabled(False)
        self.setCursorWidth(0)
        self.document().setDocumentMargin(0)
        self.viewport().setAutoFillBackground(False)
        self.anchorClicked.connect(self._activate)
        self.cursorPositionChanged.connect(self._tell_caret)
        self.verticalScrollBar().valueChanged.connect(lambda: self.verticalScrollBar().setValue(0))
        self._use(style)

    # ---- content

    @property
    def written(self) -> str:
        """Return what is shown, as it was written."""
        return self._stream.source if self._stream else self._plain

    @property
    def streaming(self) -> bool:
        """Return whether more is to come."""
        return self._streaming

    def show_plain(self, text: str) -> None:
        """Show `text` as it is."""
        self._stream, self._plain = None, text
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.removeSelectedText()
        cursor.setBlockFormat(self.style_.block(TEXT[1]))
        cursor.insertText(_ENDLESS.sub(r"\g<0>\n", clean(text)), self.style_.characters(Run()))
        cursor.endEditBlock()
        self._hold_caret(0, 0)

    def show_markdown(self, text: str, *, streaming: bool = False) -> None:
        """Begin to show `text`: `step` and `flush` do the work.

        Args:
            text: Markdown.
            streaming: More will come through `append`, until `finish`.
        """
        self._streaming = streaming
        self._stream = MarkdownStream(self.document(), self.style_)
        if self._ink is not None:
            self._ink.retire()
        self._ink = Ink(self.document(), lambda: self.marks.cards, self._highlighter, self.style_.palette)
        self._coloured = self._placed = 0
        self._stream.feed(text)
        self._unwritten = True

    def step(self) -> bool:
        """Write the next few milliseconds' worth of what was given; return whether all is written."""
        if self._stream is None or not self._unwritten:
            return True
        caret = self._caret()
        self._writing = True
        if self._stream.step(final=not self._streaming):
            self._unwritten = False
            if not self._streaming:
                self._finish_stream(self._stream)
        self._dress()
        self._hold_caret(*caret)
        self._writing = False
        return not self._unwritten

    def _finish_stream(self, stream: MarkdownStream) -> None:
        before = stream.writer
        stream.finish()
        if stream.writer is not before:  # everything was written once more
            self._coloured = self._placed = 0

    def flush(self) -> None:
        """Write all of it."""
        while not self.step():
            pass

    def append(self, text: str) -> None:
        """Show more of a streaming text."""
        if self._stream is not None:
            self._stream.feed(text)
            self._unwritten = True
            self.flush()

    def finish(self) -> None:
        """End a streaming text."""
        if self._streaming:
            self._streaming = False
            self._unwritten = True
            self.flush()
            self.viewport().update()

    def restyle(self, style: Style) -> None:
        """Write all of it again in another style."""
        self._use(style)
        if self._stream is None:
            self.show_plain(self._plain)
        else:
            self.show_markdown(self._stream.source, streaming=self._streaming)

    def _caret(self) -> tuple[int, int]:
        caret = self.textCursor()
        return caret.anchor(), caret.position()

    def _hold_caret(self, anchor: int, position: int) -> None:
        """Put the caret and the selection back where they were before text was added behind them."""
        if self._caret() != (anchor, position):
            last = self.document().characterCount() - 1
            caret = self.textCursor()
            caret.setPosition(min(anchor, last))
            caret.setPosition(min(position, last), QTextCursor.MoveMode.KeepAnchor)
            self.setTextCursor(caret)

    def _use(self, style: Style) -> None:
        self.style_ = style
        self._decoration = Decoration(self.document(), style)
        self.document().setDefaultFont(style.font(TEXT[0]))
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Text, QColor(style.palette.ink))
        palette.setColor(QPalette.ColorRole.Base, QColor(Qt.GlobalColor.transparent))
        palette.setColor(QPalette.ColorRole.Highlight, QColor(selection(style.palette)))
        palette.setColor(QPalette.ColorRole.HighlightedText, QColor(style.palette.ink))
        self.setPalette(palette)
        for button in self._buttons:
            button.restyle(style)

    # ---- size

    def lay_out(self, width: int) -> int:
        """Take `width`, and return the height that shows everything."""
        if self.width() != width:
            self.resize(width, self.height())
        if self.document().textWidth() != width:  # a width that is set again is laid out again
            self.document().setTextWidth(width)
        height = self.document().size().height()
        self._place_buttons()
        if self.marks.cards:
            # Qt leaves out the space below the last line.
            card = self._decoration.card_rect(self.marks.cards[-1])
            height = max(height, card.bottom() + self.style_.px(CARD_GAP // 2))
        return math.ceil(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out only for a new width."""
        if self.document().textWidth() != self.viewport().width():
            super().resizeEvent(event)
        self._placed = 0

    # ---- code

    @property
    def marks(self) -> Marks:
        """Return what is painted around the text."""
        return self._stream.writer.marks if self._stream else Marks()

    def _dress(self) -> None:
        """Colour the cards that are new or changed, and give them their buttons."""
        stream, ink = self._stream, self._ink
        if stream is None or ink is None:
            return
        cards = stream.writer.marks.cards
        settled = stream.settled_cards - stream.in_fence
        for index in range(self._coloured, len(cards)):
            ink.colour(index, growing=self._streaming and index >= settled)
        self._coloured = min(len(cards), settled) if self._streaming else len(cards)

    def _place_buttons(self) -> None:
        """Put a copy button on each card, those excepted that have not moved since the last time."""
        cards = self.marks.cards[:MAX_COPY_BUTTONS]
        for index in range(len(cards), len(self._buttons)):
            self._buttons[index].hide()
        for index in range(min(self._placed, len(cards)), len(cards)):
            card = cards[index]
            if index == len(self._buttons):
                self._buttons.append(self._copy_button(index))
            button, rect = self._buttons[index], self._decoration.card_rect(card)
            px = self.style_.px
            button.move(int(rect.right()) - button.width() - px(6), int(rect.top()) + px(5))
            button.show()
        self._placed = self._coloured

    def _copy_button(self, index: int) -> QuietButton:
        button = QuietButton(self.style_, _("Copy code"), "copy", _("Copy"), parent=self.viewport())
        button.resize(button.sizeHint())
        button.clicked.connect(lambda: self._copy_card(index))
        return button

    def _copy_card(self, index: int) -> None:
        QGuiApplication.clipboard().setText(self.marks.cards[index].source)
        self._buttons[index].confirm(_("Copied"))

    def buttons(self) -> list[QuietButton]:
        """Return the copy buttons in order."""
        return [button for button in self._buttons if not button.isHidden()]

    # ---- what Qt asks

    def loadResource(self, kind: int, name: QUrl | str) -> QImage:
        """Load nothing, from nowhere: a valid picture keeps Qt from asking again and again."""
        return QImage(1, 1, QImage.Format.Format_ARGB32)

    def _activate(self, url: QUrl) -> None:
        address = url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
        if may_open(address):
            self.link_activated.emit(address)

    def createMimeDataFromSelection(self) -> QMimeData:
        """Copy text and HTML, list markers with a space behind them."""
        # The clipboard outlives Python, and at the end of the process it may not hold a Python object.
        data = super().createMimeDataFromSelection()
        data.setText(_MARKER.sub(r"\1 ", data.text()))  # to ask for the text is what puts text and HTML in
        return data

    def _tell_caret(self) -> None:
        if self.hasFocus() and not self._writing:
            self.caret_moved.emit(QRectF(self.cursorRect()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave the keys that scroll to the transcript; with Shift they select."""
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.NoModifier
        if plain and event.key() in _SCROLLING:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the transcript."""
        event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the caret only to who came by keyboard."""
        self.by_keyboard = event.reason() in BY_KEYBOARD
        self.setCursorWidth(1 if self.by_keyboard else 0)
        super().focusInEvent(event)
        self.focused.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the caret."""
        super().focusOutEvent(event)
        self.by_keyboard = False
        self.setCursorWidth(0)
        self.focused.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what lies under the text, the text, and the ember at the end of a growing one."""
        painter = QPainter(self.viewport())
        self._decoration.paint(painter, self.marks, QRectF(event.rect()))
        painter.end()
        super().paintEvent(event)
        if self._streaming and self.written:
            self._paint_ember()

    def _paint_ember(self) -> None:
        end = QTextCursor(self.document())
        end.movePosition(QTextCursor.MoveOperation.End)
        rect, px = QRectF(self.cursorRect(end)), self.style_.px
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.style_.palette.accent))
        x = min(rect.x() + px(9), self.viewport().width() - px(5))
        painter.drawEllipse(QPointF(x, rect.center().y()), px(4), px(4))
