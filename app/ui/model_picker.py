"""The popover in which a model is chosen or added."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import _
from app.domain.model import EngineStatus, Model
from app.services.adoption import Foreign, SourceInfo
from app.services.model_facts import Facts
from app.services.recommendations import Suggestion
from app.ui.appearance import Appearance
from app.ui.controls import SearchField, announce, label
from app.ui.model_offers import ModelOffers
from app.ui.model_painting import ModelDelegate
from app.ui.model_rows import ModelRole, ModelRows, key_of, rows_of
from app.ui.popover import Popover

_WIDTH = 470
_KEYS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class ModelPicker(Popover):
    """Search, the models in their groups, and ways to more. Up, Down, Return and Esc work throughout.

    Attributes:
        rows: What is listed.

    Signals:
        chosen: The Model that was picked.
        add_requested: Pick a GGUF file.
        find_requested: Search the hub.
        library_requested: Look at all models on this computer.
        unload_requested: Give back the memory of all models that are loaded.
    """

    chosen = Signal(object)
    add_requested = Signal()
    find_requested = Signal()
    library_requested = Signal()
    unload_requested = Signal()

    def __init__(self, appearance: Appearance, offers: ModelOffers, parent: QWidget) -> None:
        super().__init__(parent)
        self._models: Sequence[Model] = ()
        self._status = EngineStatus()
        self._chosen: Path | None = None
        self._facts: Mapping[Path, Facts] = {}
        self._offers = offers
        self._foot_height = 0
        self.rows = ModelRows()
        self._search = SearchField(appearance, _("Search models, or drop a .gguf file"), _("Search models"))
        self._search.textChanged.connect(self._write_rows)
        self._list = self._build_list(appearance)
        self._none = label("", tone="soft", measure="small")
        self._none.setContentsMargins(10, 12, 10, 12)
        self._none.setWordWrap(True)
        self._find, self._keys = self._foot_button(_("Find models…"))
        self._find.clicked.connect(self._ask_to_find)
        self._add, _unused = self._foot_button(_("Add a GGUF file…"))
        self._add.clicked.connect(self._ask_to_add)
        self._unload, _unused = self._foot_button("")
        self._unload.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # names can be long
        self._unload.clicked.connect(self._ask_to_unload)
        foot = QFrame()
        foot.setObjectName("popoverFoot")
        below = QVBoxLayout(foot)
        below.setContentsMargins(0, 6, 0, 0)
        below.setSpacing(0)
        below.addWidget(self._find)
        below.addWidget(self._add)
        below.addWidget(self._unload)
        column = QVBoxLayout(self.card)
        column.setContentsMargins(10, 10, 10, 8)
        column.setSpacing(6)
        column.addWidget(self._search)
        column.addWidget(self._none)
        column.addWidget(self._list, 1)
        column.addWidget(foot)
        for each in (self._search, self._find, self._add, self._unload):
            each.installEventFilter(self)
        offers.changed.connect(self._refresh)

    def show_shortcut(self, keys: str) -> None:
        """Write the shortcut of the search at the hub behind its words."""
        self._keys.setText(keys)

    def open_below(self, corner: QPoint) -> None:
        """Show the models with the search field ready; `corner` is where the card begins."""
        self._search.clear()
        self.open_at(corner, QSize(_WIDTH, 400))
        self._write_rows()
        self._list.scrollToTop()
        self._search.setFocus(Qt.FocusReason.PopupFocusReason)

    def show_models(
        self,
        models: Sequence[Model],
        status: EngineStatus,
        chosen: Path | None,
        facts: Mapping[Path, Facts] | None = None,
    ) -> None:
        """Offer `models`; `chosen` is the one that the chat answers with, `facts` what is known of them."""
        self._models, self._status, self._chosen, self._facts = models, status, chosen, facts or {}
        self._refresh()

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
                if isinstance(watched, QPushButton):
                    watched.click()
                else:
                    self._take(self._list.currentIndex())
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

    def _foot_button(self, words: str) -> tuple[QPushButton, QLabel]:
        made = QPushButton(words)
        made.setObjectName("addModel")
        keys = label("", tone="soft", measure="small")
        keys.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row = QHBoxLayout(made)
        row.setContentsMargins(8, 0, 8, 0)
        row.addStretch(1)
        row.addWidget(keys)
        return made, keys

    def _point(self, index: QModelIndex) -> None:
        if index.data(ModelRole.ROW):
            self._list.setCurrentIndex(index)

    def _refresh(self) -> None:
        if self.isVisible():
            self._write_rows()

    def _write_rows(self) -> None:
        subject = self._list.currentIndex().data(ModelRole.SUBJECT)
        scrolled = self._list.verticalScrollBar().value()
        searched = self._search.text()
        self._name_unload()
        shown = rows_of(
            self._models, self._status, self._chosen, self._offers.offers(), searched, self._facts
        )
        foot = sum(each.sizeHint().height() for each in self._foot_buttons())
        if not self.rows.show_rows(shown) and shown and foot == self._foot_height:
            return
        self._foot_height = foot
        self._list.setCurrentIndex(self.rows.row_of(key_of(subject) if subject else self._chosen))
        empty = self.rows.rowCount() == 0
        self._none.setText(
            _("No model has this in its name.") if self._models else _("There is no model here yet.")
        )
        self._none.setVisible(empty)
        self._list.setVisible(not empty)
        rows = sum(
            self._list.sizeHintForIndex(self.rows.index(row)).height() for row in range(self.rows.rowCount())
        )
        fixed = self._search.sizeHint().height() + foot + 18 + 12 + 18
        self.resize_card(QSize(_WIDTH, fixed + (self._none.sizeHint().height() if empty else rows)))
        self._list.verticalScrollBar().setValue(scrolled)

    def _step(self, by: int) -> None:
        places = [self._search, *self._foot_buttons()]
        here = next((place for place, each in enumerate(places) if each.hasFocus()), 0)
        if here:
            places[max(0, min(here + by, len(places) - 1))].setFocus(Qt.FocusReason.TabFocusReason)
            return
        row = self._list.currentIndex().row()
        while 0 <= (row := row + by) < self.rows.rowCount():
            index = self.rows.index(row)
            if index.data(ModelRole.ROW):
                self._list.setCurrentIndex(index)
                announce(self._list, index.data(Qt.ItemDataRole.AccessibleTextRole))
                return
        if by > 0:
            self._find.setFocus(Qt.FocusReason.TabFocusReason)
        else:
            self._list.scrollToTop()  # the heading above the first row

    def _take(self, index: QModelIndex) -> None:
        if index.isValid() and index.data(ModelRole.ACTION):
            self.close_card()
            self.library_requested.emit()
            return
        match index.data(ModelRole.SUBJECT) if index.isValid() else None:
            case Model() as model:
                self.close_card()
                self.chosen.emit(model)
            case SourceInfo() as source:
                self._offers.allow(source)
            case Foreign() as foreign:
                self._offers.adopt(foreign)
            case Suggestion() as suggestion:
                ready = self._offers.is_ready(suggestion)
                self._offers.fetch(suggestion)
                if ready:
                    self.close_card()

    def _ask_to_add(self) -> None:
        self.close_card()
        self.add_requested.emit()

    def _name_unload(self) -> None:
        """Offer to give memory back where a model takes some."""
        names = [model.name for model in self._models if model.path in self._status.in_memory]
        self._unload.setText(
            _("Unload both models") if names[1:] else _("Unload {model}").format(model="".join(names))
        )
        self._unload.setVisible(bool(names))

    def _foot_buttons(self) -> list[QPushButton]:
        return [each for each in (self._find, self._add, self._unload) if not each.isHidden()]

    def _ask_to_unload(self) -> None:
        self.close_card()
        self.unload_requested.emit()

    def _ask_to_find(self) -> None:
        self.close_card()
        self.find_requested.emit()
