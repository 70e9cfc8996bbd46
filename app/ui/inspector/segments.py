"""A few values beside each other, one of which is set."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QPushButton, QSizePolicy, QWidget

from app.ui.controls import label
from app.ui.inspector.fields import Apply, Field

T = TypeVar("T")


class Segments(Field, Generic[T]):
    """One of a few values, beside each other in rows.

    Attributes:
        buttons: By value.
    """

    def __init__(
        self, name: str, apply: "Apply[T]", *, title: bool = False, columns: int = 4, meaning: str = ""
    ) -> None:
        super().__init__(meaning)
        self._apply, self._columns, self._name = apply, columns, name
        self._values: list[T] = []
        self._shown: T
        self.buttons: dict[T, QPushButton] = {}
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._press)
        if title:
            words = label(name)
            words.setProperty("measure", "field")
            self.column.addWidget(words)
        track = QWidget()
        track.setObjectName("segments")
        track.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._grid = QGridLayout(track)
        self._grid.setContentsMargins(3, 3, 3, 3)
        self._grid.setSpacing(2)
        self.column.addWidget(track)
        self.close_column()

    def offer(self, values: Sequence[tuple[T, str]]) -> None:
        """Offer `values`, each with its words; those that are offered already only get new words."""
        offered = [value for value, _words in values]
        if offered != self._values:
            for button in self._group.buttons():
                self._group.removeButton(button)
                button.deleteLater()
            self._values, self.buttons = offered, {}
            rows = -(-len(values) // self._columns)
            columns = -(-len(values) // max(rows, 1))  # the rows as equal as they can be
            for number, value in enumerate(offered):
                button = self.buttons[value] = QPushButton()
                button.setProperty("kind", "segment")
                button.setCheckable(True)
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                button.setCursor(Qt.CursorShape.PointingHandCursor)
                button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
                self._group.addButton(button, number)
                self._grid.addWidget(button, number // columns, number % columns)
        for value, words in values:
            self.buttons[value].setText(words)
            self.buttons[value].setAccessibleName(f"{self._name}: {words}".replace("\n", ", "))

    def warn(self, about: set[T], why: str) -> None:
        """Colour the values that are better left alone, and say `why` where they are pointed at."""
        for value, button in self.buttons.items():
            if (button.property("tone") == "bad") != (value in about):
                button.setProperty("tone", "bad" if value in about else "")
                button.style().unpolish(button)
                button.style().polish(button)
            button.setToolTip(why if value in about else "")
            button.setAccessibleDescription(button.toolTip())

    def show_value(self, value: T) -> None:
        """Show which one is set."""
        self._shown = value
        if value in self.buttons:
            self.buttons[value].setChecked(True)

    def _press(self, number: int) -> None:
        shown, value = self._shown, self._values[number]
        if value == shown:
            return
        if self.try_to(lambda: self._apply(value)):
            self._shown = value
        else:
            self.buttons[shown].setChecked(True)
