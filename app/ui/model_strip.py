"""A line in the composer about which model answers, with one or two ways on."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.ui.controls import announce, label
from app.ui.notices import Offer


class ModelStrip(QWidget):
    """Hidden unless there is something to say."""

    def __init__(self) -> None:
        super().__init__()
        self._said = ""
        self._offers: Sequence[Offer] = ()
        self._text = label("", tone="soft", measure="small")
        self._text.setWordWrap(True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._buttons = [self._button(number) for number in range(2)]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 4, 6)
        self._text.setContentsMargins(4, 0, 0, 0)  # a link has room beside its words
        column.setSpacing(2)
        column.addWidget(self._text)
        row = QHBoxLayout()
        row.setSpacing(2)
        for button in self._buttons:
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        self.hide()

    @property
    def text(self) -> str:
        """Return what is said; empty when nothing is."""
        return self._said

    def say(self, text: str, offers: Sequence[Offer] = ()) -> None:
        """Show a sentence and at most two offers; an empty text takes them away."""
        self._offers = offers
        for number, button in enumerate(self._buttons):
            button.setVisible(number < len(offers))
            if number < len(offers):
                button.setText(offers[number].text)
        if text != self._said:
            self._said = text
            self._text.setText(text)
            if text:
                announce(self, text)
        self.setVisible(bool(text))

    def _button(self, number: int) -> QPushButton:
        made = QPushButton()
        made.setProperty("kind", "link")
        made.setProperty("measure", "small")
        made.setCursor(Qt.CursorShape.PointingHandCursor)
        made.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        made.setMinimumWidth(40)  # a long name in large letters is cut, and widens no window
        made.clicked.connect(lambda: self._offers[number].run())
        return made
