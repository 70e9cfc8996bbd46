"""What every section of the settings has, and a field for one line of text."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.domain.errors import UserError
from app.ui.controls import label
from app.ui.inspector.fields import Apply, Field, small
from app.ui.inspector.numbers import NumberLine


class LineField(Field):
    """A name and one line of text, which is set when the keyboard leaves it or Return is pressed.

    Attributes:
        line: The text.
    """

    def __init__(
        self,
        name: str,
        save: "Apply[str]",
        *,
        hint: str = "",
        meaning: str = "",
        unit: str = "",
        secret: bool = False,
    ) -> None:
        """Make the field.

        Args:
            name: What is set.
            save: Begins to set it. It raises UserError, or has `complain` called later, for what is refused;
                what has been set is shown with `show_value`.
            hint: Stands in the line while it is empty.
            meaning: What it means.
            unit: Stands behind the line, which is short then.
            secret: Whether nobody may read what is written.
        """
        super().__init__(meaning)
        self._save = save
        self._value = ""
        self._pending: str | None = None  # what is being set
        self.line: QLineEdit = NumberLine(f"{name}, {unit}") if unit else QLineEdit()
        self.line.setObjectName("number")
        self.line.setAccessibleName(f"{name}, {unit}" if unit else name)
        self.line.setPlaceholderText(hint)
        if secret:
            self.line.setEchoMode(QLineEdit.EchoMode.Password)
        self.line.editingFinished.connect(self.commit)
        words = label(name, measure="field")
        words.setWordWrap(True)
        words.setBuddy(self.line)
        self.column.setSpacing(4)
        if unit:
            row = QHBoxLayout()
            row.setSpacing(8)
            self.line.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            row.addWidget(words, 1)
            row.addWidget(self.line)
            row.addWidget(label(unit, tone="soft", measure="field"))
            self.column.addLayout(row)
        else:
            self.column.addWidget(words)
            self.column.addWidget(self.line)
        self.close_column()

    def show_value(self, value: str) -> None:
        """Show what is set; what is being written, or was refused, stays."""
        self._value, self._pending = value, None
        if not (self.line.isModified() or self.problem):
            self.line.setText(value)

    def complain(self, problem: UserError | None) -> None:
        """Say what is wrong, or that nothing is any more."""
        super().complain(problem)
        self._pending = None

    def commit(self) -> None:
        """Set what stands in the line."""
        if not self.line.isModified():
            return
        self.line.setModified(False)
        text = self.line.text().strip()
        if text == (self._value if self._pending is None else self._pending):
            self.complain(None)
            self.line.setText(text)
        elif self.try_to(lambda: self._save(text)):
            self._pending = text


class SettingsPage(QScrollArea):
    """One section; it is built a piece in each turn of the event loop, and shows what is set then.

    Attributes:
        column: Where its fields go.
        complete: All of it is built.
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.setObjectName("alternatives")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QWidget()
        outer = QVBoxLayout(content)
        outer.setContentsMargins(2, 2, 12, 8)
        self.column = QVBoxLayout()
        self.column.setSpacing(18)
        outer.addLayout(self.column)
        outer.addStretch(1)
        self.setWidget(content)
        self.complete = False
        self._asked = 0
        self._pieces = self._fill()
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._build)
        self._turn.start()

    def refresh(self) -> None:
        """Show what is set now."""
        raise NotImplementedError

    def leave(self) -> None:
        """Set what is being written: the sheet is being closed."""
        self._finish_edits()

    def _fill(self) -> Iterator[None]:
        """Build it, yielding between two pieces."""
        raise NotImplementedError

    def _newest(self) -> Callable[[], bool]:
        """Return what says whether this is still the last thing that was asked of the services.

        What an earlier question brings is out of date, and must not be shown over what is being set.
        """
        self._asked += 1
        number = self._asked
        return lambda: number == self._asked

    def _build(self) -> None:
        if next(self._pieces, self) is self:
            self._turn.stop()
            self.complete = True
            self.refresh()

    def _finish_edits(self) -> None:
        for field in self.findChildren(LineField):
            field.commit()


def group(title: str) -> QLabel:
    """Return the heading of a few fields."""
    return label(title, measure="group")


def note(text: str, tone: str = "soft") -> QLabel:
    """Return a line of small text that wraps, and is away while it is empty."""
    made = small(text, tone)
    made.setVisible(bool(text))
    return made


def show_note(line: QLabel, text: str, tone: str = "") -> None:
    """Show another text in a line made by `note`, in another tone where one is named."""
    line.setText(text)
    line.setVisible(bool(text))
    if tone and line.property("tone") != tone:
        line.setProperty("tone", tone)
        line.style().unpolish(line)
        line.style().polish(line)


def stacked(*widgets: QWidget) -> QVBoxLayout:
    """Return what belongs together, one below the other; buttons keep their width."""
    made = QVBoxLayout()
    made.setSpacing(6)
    for widget in widgets:
        if isinstance(widget, QPushButton):
            made.addWidget(widget, 0, Qt.AlignmentFlag.AlignLeft)
        else:
            made.addWidget(widget)
    return made
