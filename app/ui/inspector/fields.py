"""What every field of the inspector has: what it means, and what is wrong with what was set."""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.domain.errors import UserError
from app.ui.controls import announce, label

T = TypeVar("T")

Apply = Callable[[T], None]
"""Sets a value; raises UserError when it cannot be."""


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

    def forget(self) -> None:
        """Take what is refused or not yet set for gone: it was about something else."""
        self.complain(None)

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
