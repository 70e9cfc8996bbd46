"""A field for several lines: it grows with what is written, and sets it when the writing pauses."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QPlainTextEdit

from app.domain.errors import UserError
from app.ui.appearance import Appearance
from app.ui.controls import label
from app.ui.fonts import code_families
from app.ui.inspector.fields import Apply, Field

_PAUSE_MS = 700
_PADDING = 18

Check = Callable[[str, Callable[[], None], Callable[[UserError], None]], None]
"""Looks at a text elsewhere, and calls the first function when it is good, else the second."""


class TextField(Field):
    """A name, some lines of text, and what is wrong with them.

    Attributes:
        text: The lines.
    """

    def __init__(
        self,
        appearance: Appearance,
        name: str,
        apply: "Apply[str]",
        *,
        hint: str = "",
        meaning: str = "",
        code: bool = False,
        title: bool = True,
        lines: tuple[int, int] = (2, 8),
        check: Check | None = None,
    ) -> None:
        super().__init__(meaning)
        self._appearance, self._apply, self._code, self._lines = appearance, apply, code, lines
        self._value: str | None = ""
        self._check = check
        self.text = QPlainTextEdit()
        self.text.setObjectName("text")
        self.text.setAccessibleName(name)
        self.text.setPlaceholderText(hint)
        self.text.setTabChangesFocus(True)
        self.text.installEventFilter(self)
        self.text.textChanged.connect(self._changed)
        self._pause = QTimer(self, interval=_PAUSE_MS, singleShot=True)
        self._pause.timeout.connect(self.commit)
        if title:
            words = label(name)
            words.setProperty("measure", "field")
            self.column.addWidget(words)
        self.column.addWidget(self.text)
        self.close_column()
        appearance.changed.connect(self._dress)
        self._dress()

    def show_value(self, value: str) -> None:
        """Show what is set, where it is another than before; what is being written, or was refused, stays."""
        if value != self._value:
            self._value = value
            self._pause.stop()
            self.complain(None)
            if value != self.text.toPlainText():
                self.text.setPlainText(value)
                self._pause.stop()

    def forget(self) -> None:
        """Have the next value shown whatever stands here."""
        super().forget()
        self._pause.stop()
        self._value = None

    def commit(self) -> None:
        """Set what stands here now, once it has been checked."""
        self._pause.stop()
        value = self.text.toPlainText()
        if value == self._value:
            self.complain(None)
        elif self._check and value.strip():
            self._check(value, lambda: self._set(value), self.complain)
        else:
            self._set(value)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Set what was written when the keyboard leaves; fit the height to the width."""
        if watched is self.text:
            if event.type() == QEvent.Type.FocusOut and self._pause.isActive():
                self.commit()
            elif event.type() == QEvent.Type.Resize:
                self._fit()
        return super().eventFilter(watched, event)

    def _set(self, value: str) -> None:
        if self.try_to(lambda: self._apply(value)):
            self._value = value

    def _changed(self) -> None:
        if self.text.toPlainText() != self._value:
            self._pause.start()
        self._fit()

    def _dress(self) -> None:
        font = self._appearance.font(12.5 if self._code else 13.5)
        if self._code:
            font.setFamilies(list(code_families()))
            font.setFeature(QFont.Tag("calt"), 0)
        self.text.setFont(font)
        self._fit()

    def _fit(self) -> None:
        few, many = self._lines
        # A QPlainTextEdit counts the height of its document in lines.
        shown = min(max(round(self.text.document().size().height()), few), many)
        self.text.setFixedHeight(shown * self.text.fontMetrics().lineSpacing() + _PADDING)
        more = self.text.document().size().height() > many
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if more else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.text.setVerticalScrollBarPolicy(policy)
