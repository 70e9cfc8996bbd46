"""Long text in many looks, read-only, written a little in each turn of the event loop."""

from collections.abc import Iterable, Iterator

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFont, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.fonts import code_families, text_font

_CHARACTERS = 4000
"""Written in one turn."""


class PagesOfText(QPlainTextEdit):
    """Text that can be selected and copied, in the font of code."""

    def __init__(self, appearance: Appearance, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pages")
        self.setAccessibleName(name)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setTabChangesFocus(True)
        font = text_font(13.5 * appearance.scale)
        font.setFamilies(list(code_families()))
        font.setFeature(QFont.Tag("calt"), 0)  # what is exact is shown as it is: no arrow for ->
        self.setFont(font)
        self._left: Iterator[tuple[str, QTextCharFormat]] = iter(())
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._write)

    @property
    def complete(self) -> bool:
        """Return whether all of it is written."""
        return not self._turn.isActive()

    def show_parts(self, parts: Iterable[tuple[str, QTextCharFormat]]) -> None:
        """Show `parts` one after the other, each in its look."""
        self.clear()
        self._left = _short(parts)
        self._write()
        if not self.toPlainText():
            self.setPlaceholderText(_("There is nothing to show."))

    def _write(self) -> None:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        written = 0
        for text, look in self._left:
            cursor.insertText(text, look)
            written += len(text)
            if written >= _CHARACTERS:
                break
        cursor.endEditBlock()
        (self._turn.start if written >= _CHARACTERS else self._turn.stop)()


def _short(parts: Iterable[tuple[str, QTextCharFormat]]) -> Iterator[tuple[str, QTextCharFormat]]:
    for text, look in parts:
        for begin in range(0, len(text), _CHARACTERS):
            yield text[begin : begin + _CHARACTERS], look
