"""The words in the composer: what each key does, and how tall they are."""

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QFontMetricsF, QInputMethodEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit

from app.domain.language import _
from app.ui.appearance import Appearance

_MOST_LINES = 10
_LONG_BLOCK = 20_000  # characters; laid out only to be told that it is taller than the card


class ComposerText(QPlainTextEdit):
    """Text that is sent with Return, broken with Shift+Return, and is never sent while it is composed.

    Signals:
        submitted: Return.
        edit_last_requested: Up, with nothing written.
    """

    submitted = Signal()
    edit_last_requested = Signal()

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._composing = False
        self.setObjectName("composerText")
        self.setAccessibleName(_("Message"))
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.textChanged.connect(self.fit)
        appearance.changed.connect(self.fit)
        self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send, break the line, or ask for the last message."""
        is_return = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        breaks = event.modifiers() & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier)
        if is_return and self._composing:
            event.accept()  # the key belongs to the input method
        elif is_return and breaks:
            self.textCursor().insertBlock()
            self.ensureCursorVisible()
        elif is_return:
            self.submitted.emit()
        elif event.key() == Qt.Key.Key_Up and self.document().isEmpty() and not self._composing:
            self.edit_last_requested.emit()
        else:
            super().keyPressEvent(event)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Remember whether an input method is in the middle of something."""
        self._composing = bool(event.preeditString())
        super().inputMethodEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Leave files to the window; take text."""
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste words alone, whatever they looked like."""
        self.insertPlainText(source.text())
        self.ensureCursorVisible()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Grow where a narrower card breaks more lines."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()

    def fit(self) -> None:
        """Take the height of the text, from one line to ten."""
        line = QFontMetricsF(self.font()).lineSpacing()
        height = round(self._lines() * line + 2 * self.document().documentMargin() + 2)
        if height != self.height() or self.minimumHeight() != height:
            self.setFixedHeight(height)

    def _lines(self) -> int:
        document = self.document()
        if document.blockCount() >= _MOST_LINES:
            return _MOST_LINES
        lines, block = 0, document.begin()
        while block.isValid() and lines < _MOST_LINES:
            if block.length() > _LONG_BLOCK:
                return _MOST_LINES
            document.documentLayout().blockBoundingRect(block)  # lays it out when it is not yet
            lines += max(1, block.layout().lineCount())
            block = block.next()
        return min(lines, _MOST_LINES)
