"""Names at the left and what they come to at the right."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from app.ui.controls import label


class Facts(QWidget):
    """Rows that are only read; what stands at the right can be selected."""

    def __init__(self, most: int) -> None:
        """Make room for `most` rows: to add one to what is shown takes a millisecond."""
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[QLabel, QLabel]] = []
        for _row in range(most):
            self._add_row()

    @property
    def said(self) -> list[tuple[str, str]]:
        """Return what is shown."""
        return [(name.text(), value.text()) for name, value in self._rows if not name.isHidden()]

    def show_rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """Show `rows` in the place of those before."""
        for number, (name, value) in enumerate(self._rows):
            shown = number < len(rows)
            for part in (name, value):
                if part.isHidden() == shown:
                    part.setVisible(shown)
            if shown:
                name.setText(rows[number][0])
                value.setText(rows[number][1])

    def _add_row(self) -> None:
        name, value = label("", tone="soft", measure="small"), label("", measure="small")
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        value.setWordWrap(True)
        value.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        name.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        row = len(self._rows)
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(value, row, 1)
        self._rows.append((name, value))
