"""The popover in which a model is chosen or added."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import _
from app.domain.model import EngineStatus, Model
from app.ui.appearance import Appearance
from app.ui.controls import SearchField, announce, label
from app.ui.model_rows import ModelDelegate, ModelRole, ModelRows
from app.ui.popover import Popover

_WIDTH = 470
_KEYS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class ModelPicker(Popover):
    """Search, the models in their groups, and a way to add one. Up, Down, Return and Esc work throughout.

    Attributes:
        rows: What is listed.

    Signals:
        chosen: The Model that was picked.
        add_requested: Pick a GGUF file.
    """

    chosen = Signal(object)
    add_requested = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._models: Sequence[Model] = ()
        self._status = EngineStatus()
        self._chosen: Path | None = None
        self.rows = ModelRows()
        self._search = SearchField(appearance, _("Search models, or drop a .gguf file"), _("Search models"))
        self._search.textChanged.connect(self._write_rows)
        self._list = self._build_list(appearance)
        self._none = label("", tone="soft", measure="small")
        self._none.setContentsMargins(10, 12, 10, 12)
        self._none.setWordWrap(True)
        self._add = QPushButton(_("Add a GGUF file…"))
        self._add.setObjectName("addModel")
        self._add.clicked.connect(self._ask_to_add)
        foot = QFrame()
        foot.setObjectName("popoverFoot")
        below = QVBoxLayout(foot)
        below.setContentsMargins(0, 6, 0, 0)
        below.addWidget(self._add)
        column = QVBoxLayout(self.card)
        column.setContentsMargins(10, 10, 10, 8)
        column.setSpacing(6)
        column.addWidget(self._search)
        column.addWidget(self._none)
        column.addWidget(self._list, 1)
        column.addWidget(foot)
        self._search.installEventFilter(self)
        self._add.installEventFilter(self)

    def open_below(self, corner: QPoint) -> None:
        """Show the models with the search field ready; `corner` is where the card begins."""
        self._search.clear()
        self.open_at(corner, QSize(_WIDTH, 400))
        self._write_rows()
        self._search.setFocus(Qt.FocusReason.PopupFocusReason)

    def show_models(self, models: Sequence[Model], status: EngineStatus, chosen: Path | None) -> None:
        """Offer `models`; `chosen` is the one that the chat answers with."""
        self._models, self._status, self._chosen = models, status, chosen
        if self.isVisible():
            self._write_rows()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move through the list from wherever the keyboard is."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and watched is not self.parent()
        ):
            key = Qt.Key(event.key())
            if key in _KEYS:
                self._step(_KEYS[key])
                return True
            if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                self._take(self._list.currentIndex()) if not self._add.hasFocus() else self._ask_to_add()
                return True
        return super().eventFilter(watched, event)

    def _build_list(self, appearance: Appearance) -> QListView:
        shown = QListView()
        shown.setModel(self.rows)
        shown.setItemDelegate(ModelDelegate(appearance, shown))
        shown.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        shown.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        shown.setMouseTracking(True)
        shown.setAccessibleName(_("Models"))
        shown.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        shown.entered.connect(self._point)
        shown.clicked.connect(self._take)
        return shown

    def _point(self, index: QModelIndex) -> None:
        if index.data(ModelRole.MODEL):
            self._list.setCurrentIndex(index)

    def _write_rows(self) -> None:
        current = self._list.currentIndex().data(ModelRole.MODEL)
        self.rows.show_models(self._models, self._status, self._chosen, self._search.text())
        self._list.setCurrentIndex(self.rows.row_of(current.path if current else self._chosen))
        empty = self.rows.rowCount() == 0
        self._none.setText(
            _("No model has this in its name.") if self._models else _("There is no model here yet.")
        )
        self._none.setVisible(empty)
        self._list.setVisible(not empty)
        rows = sum(
            self._list.sizeHintForIndex(self.rows.index(row)).height() for row in range(self.rows.rowCount())
        )
        fixed = self._search.sizeHint().height() + self._add.sizeHint().height() + 18 + 12 + 18
        self.resize_card(QSize(_WIDTH, fixed + (self._none.sizeHint().height() if empty else rows)))

    def _step(self, by: int) -> None:
        row = self._list.currentIndex().row()
        if self._add.hasFocus():
            if by < 0:
                self._search.setFocus(Qt.FocusReason.TabFocusReason)
            return
        while 0 <= (row := row + by) < self.rows.rowCount():
            index = self.rows.index(row)
            if index.data(ModelRole.MODEL):
                self._list.setCurrentIndex(index)
                announce(self._list, index.data(Qt.ItemDataRole.AccessibleTextRole))
                return
        if by > 0:
            self._add.setFocus(Qt.FocusReason.TabFocusReason)

    def _take(self, index: QModelIndex) -> None:
        model = index.data(ModelRole.MODEL) if index.isValid() else None
        if model is not None:
            self.close_card()
            self.chosen.emit(model)

    def _ask_to_add(self) -> None:
        self.close_card()
        self.add_requested.emit()
