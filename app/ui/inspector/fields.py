"""What is set in the inspector by writing a number or pressing: each says itself what is wrong with it."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QLocale, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.domain.errors import UserError
from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.controls import IconButton, announce, label

T = TypeVar("T")

_TEXT = 13.3  # pixels: what a style sheet makes of 13.5, which it rounds to whole points

Apply = Callable[[T], None]
"""Sets a value; raises UserError when it cannot be."""


def number_text(value: float) -> str:
    """Return a number as it is read and written: short, in the locale's digits, never grouped."""
    locale = QLocale()
    locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    return locale.toString(value) if isinstance(value, int) else locale.toString(value, "g", 6)


def read_number(text: str, *, whole: bool) -> float:
    """Return the number that a person has written, with the locale's point or a plain one.

    Raises:
        UserError: When it is none.
    """
    for locale in (QLocale(), QLocale.c()):
        value, good = locale.toDouble(text.strip())
        if good:
            return int(value) if whole and value == int(value) else value
    raise UserError(_("“{text}” is no number.").format(text=text.strip()))


def small(text: str, tone: str = "soft") -> QLabel:
    """Return a line of small text that wraps."""
    made = label(text, tone=tone, measure="small")
    made.setWordWrap(True)
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    made.setSizePolicy(policy)
    return made


class Field(QWidget):
    """A column with something to set in it, what it means, and what is wrong with it.

    Attributes:
        column: Where the parts go.
    """

    def __init__(self, meaning: str = "") -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(2)
        self._problem = small("", "bad")
        self._problem.hide()
        self._meaning = small(meaning) if meaning else None

    @property
    def problem(self) -> str:
        """Return what is wrong, or an empty text."""
        return self._problem.text()

    def complain(self, problem: UserError | None) -> None:
        """Say what is wrong, or that nothing is any more."""
        text = str(problem) if problem else ""
        if text and text != self._problem.text():
            announce(self, text)
        self._problem.setText(text)
        self._problem.setVisible(bool(text))

    def close_column(self) -> None:
        """Put what it means, and what is wrong, below the other parts."""
        if self._meaning:
            self.column.addWidget(self._meaning)
        self.column.addWidget(self._problem)

    def try_to(self, apply: Callable[[], None]) -> bool:
        """Do it, and say what is wrong if it cannot be done."""
        try:
            apply()
        except UserError as error:
            self.complain(error)
            return False
        self.complain(None)
        return True


class NumberLine(QLineEdit):
    """One number; Up and Down change it by a step.

    Signals:
        stepped: By how many steps.
    """

    stepped = Signal(int)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName("number")
        self.setAccessibleName(name)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)

    def sizeHint(self) -> QSize:
        """Return room for seven digits."""
        return QSize(self.fontMetrics().horizontalAdvance("0") * 8 + 18, super().sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step with Up and Down."""
        step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.stepped.emit(step)


class NumberField(Field):
    """A name, a number that may be left out, and a way back to what it is then.

    Attributes:
        line: The number.
    """

    def __init__(
        self,
        appearance: Appearance,
        name: str,
        apply: "Apply[float | None]",
        *,
        whole: bool = False,
        low: float = 0.0,
        high: float = 1e9,
        meaning: str = "",
    ) -> None:
        super().__init__(meaning)
        self._apply, self._whole, self._low, self._high = apply, whole, low, high
        self._value: float | None = None
        self._usual: float | None = None
        self.line = NumberLine(name)
        self.line.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.line.editingFinished.connect(self.commit)
        self.line.stepped.connect(self._step)
        self._reset = IconButton(
            appearance, "redo", _("{name}: back to the usual value").format(name=name), self
        )
        self._reset.setIconSize(QSize(14, 14))
        self._reset.clicked.connect(self.reset)
        self._note = label("", tone="soft", measure="small")
        self._note.hide()
        words = QVBoxLayout()
        words.setSpacing(0)
        title = label(name)
        title.setProperty("measure", "field")
        words.addWidget(title)
        words.addWidget(self._note)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addLayout(words, 1)
        row.addWidget(self._reset)
        row.addWidget(self.line)
        self.column.addLayout(row)
        self.close_column()
        self._reset.hide()

    def show_value(self, value: float | None, usual: float | str, note: str = "") -> None:
        """Show what is set, or what it is by itself; what is being written stays.

        Args:
            value: What is set; None for nothing.
            usual: What it is then, as a number or in words.
            note: Where that comes from, or empty.
        """
        self._usual = None if isinstance(usual, str) else usual
        self.line.setPlaceholderText(usual if isinstance(usual, str) else number_text(usual))
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self._reset.setVisible(value is not None)
        if value != self._value or not (self.line.isModified() or self.problem):
            self._value = value
            self.line.setText("" if value is None else number_text(value))
            self.complain(None)

    def commit(self) -> None:
        """Set what stands in the line."""
        if not self.line.isModified():
            return
        self.line.setModified(False)
        text = self.line.text()

        def apply() -> None:
            value = read_number(text, whole=self._whole) if text.strip() else None
            if value != self._value:
                self._apply(value)
                self._value = value

        self.try_to(apply)

    def reset(self) -> None:
        """Leave it to what it is by itself."""
        self.line.setText("")
        self.line.setModified(True)
        self.commit()
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)

    def _step(self, steps: int) -> None:
        now = self._value if self._value is not None else self._usual
        if now is None:
            return
        size = 1 if self._whole else 0.05
        value = min(max(now + steps * size, self._low), self._high)
        self.line.setText(number_text(int(value) if self._whole else round(value, 4)))
        self.line.setModified(True)
        self.commit()


class Switch(QAbstractButton):
    """Words at the left and a switch at the right; what it means stands in a tooltip or below."""

    def __init__(self, appearance: Appearance, name: str) -> None:
        super().__init__()
        self._appearance = appearance
        self.setText(name)
        self.setAccessibleName(name)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        appearance.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """Return room for the words on one line, and the switch."""
        return QSize(200, self.heightForWidth(260))

    def heightForWidth(self, width: int) -> int:
        """Return room for the words on as many lines as they take."""
        metrics = QFontMetrics(self._appearance.font(_TEXT))
        room = metrics.boundingRect(0, 0, max(width - 48, 40), 1000, Qt.TextFlag.TextWordWrap, self.text())
        return max(28, room.height() + 6)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the words and the switch, and a ring when the keyboard is here."""
        look = self._appearance
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(look.font(_TEXT))
        painter.setPen(look.color("ink"))
        room = self.rect().adjusted(0, 0, -48, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap, self.text())
        on = self.isChecked()
        track = QRectF(self.width() - 37, self.height() / 2 - 10, 34, 20)
        painter.setPen(Qt.PenStyle.NoPen if on else QPen(look.color("soft"), 1))
        painter.setBrush(look.color("accent" if on else "hover"))
        painter.drawRoundedRect(track, 10, 10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.color("on_accent" if on else "soft"))
        left = track.right() - 17 if on else track.left() + 3
        painter.drawEllipse(QRectF(left, track.top() + 3, 14, 14))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.color("accent"), 2))
            painter.drawRoundedRect(track.adjusted(-2.5, -2.5, 2.5, 2.5), 12.5, 12.5)


class SwitchField(Field):
    """A switch with what it means.

    Attributes:
        switch: To press.
    """

    def __init__(self, appearance: Appearance, name: str, apply: "Apply[bool]", meaning: str = "") -> None:
        super().__init__(meaning)
        self._apply = apply
        self.switch = Switch(appearance, name)
        self.switch.clicked.connect(self._press)
        self.column.addWidget(self.switch)
        self.close_column()

    def show_value(self, on: bool) -> None:
        """Show whether it is on."""
        self.switch.setChecked(on)

    def _press(self, on: bool) -> None:
        if not self.try_to(lambda: self._apply(on)):
            self.switch.setChecked(not on)


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
            columns = min(self._columns, len(values))
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
