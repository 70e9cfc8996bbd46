"""Numbers that are set in the inspector: written, or stepped with Up and Down."""

import math

from PySide6.QtCore import QLocale, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout

from app.domain.errors import UserError
from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.controls import IconButton, label
from app.ui.inspector.fields import Apply, Field

_STEPS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}


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
        if good and math.isfinite(value):
            return int(value) if whole and value == int(value) else value
    raise UserError(_("“{text}” is not a number.").format(text=text.strip()))


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
        if event.key() in _STEPS:
            self.stepped.emit(_STEPS[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)


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
        title.setWordWrap(True)
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
