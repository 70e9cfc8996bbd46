"""All models on this computer: searched, sorted, and what can be done with each."""

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import _, plural
from app.domain.model import Model, Origin
from app.ui.appearance import Appearance
from app.ui.controls import SearchField
from app.ui.downloads.bar import Line
from app.ui.hub.results import Choice
from app.ui.inspector.fields import small
from app.ui.library.desk import LibraryDesk, Order
from app.ui.library.rows import LibraryDelegate, LibraryRows, line_of
from app.ui.menus import rounded
from app.ui.quantities import size_text


class LibraryList(QWidget):
    """A field to search in, the order, and the models.

    Attributes:
        field: Where a part of a name is written.
        order: What the models are sorted by.
        rows: What is listed.
        list: Shows them.
        said: What came of the last thing that was done.
        sum: How many models there are, and what they take together.

    Signals:
        add_requested: Pick a GGUF file.
        find_requested: Search the hub.
        rename_requested: Give a Model another name.
    """

    add_requested = Signal()
    find_requested = Signal()
    rename_requested = Signal(object)

    def __init__(self, appearance: Appearance, desk: LibraryDesk) -> None:
        super().__init__()
        self._appearance, self._desk = appearance, desk
        self.field = SearchField(appearance, _("Search models, or drop a .gguf file"), _("Search models"))
        self.field.textChanged.connect(self.refresh)
        self.field.installEventFilter(self)
        orders = [(Order.NAME, _("By name")), (Order.SIZE, _("By size")), (Order.USED, _("Last used first"))]
        self.order = Choice(appearance, _("Order"), orders, desk.sort)
        self.rows = LibraryRows()
        self.list = self._make_list(appearance)
        self._none, self.said, self.sum = small(""), small(""), Line(appearance)
        self.add, self.search_hub = self._link(_("Add a GGUF file…")), self._link(_("Find models…"))
        self.add.clicked.connect(self.add_requested)
        self.search_hub.clicked.connect(self.find_requested)
        self._lay_out()
        desk.changed.connect(self.refresh)
        desk.ticked.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the newest."""
        desk = self._desk
        words = self.field.text().casefold().split()
        models = desk.models
        shown = [model for model in models if _has(model, words)]
        current = self._current()
        if self.rows.show_lines([line_of(desk, model) for model in shown]):
            self.list.setCurrentIndex(self.rows.row_of(current))
        if self.list.hasFocus() and not shown:
            self.field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.list.setVisible(bool(shown))
        self.order.show_value(desk.order)
        none = _("No model has this in its name.") if models else _("There is no model here yet.")
        self._none.setText(none)
        self._none.setVisible(not shown)
        count = plural("{count} model", "{count} models", len(models)).format(count=len(models))
        self.sum.show_facts((count, size_text(sum(model.size for model in models))))
        said, tone = desk.said
        self.said.setText(said)
        self.said.setVisible(bool(said))
        if self.said.property("tone") != tone:
            self.said.setProperty("tone", tone)
            self.said.style().polish(self.said)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Go from the field into the list and back; act on the model that is pointed at."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = event.key()
            if watched is self.field and key == Qt.Key.Key_Down and self.rows.rowCount():
                self.list.setFocus(Qt.FocusReason.TabFocusReason)
                return True
            if watched is self.list and key == Qt.Key.Key_Up and self.list.currentIndex().row() <= 0:
                self.field.setFocus(Qt.FocusReason.TabFocusReason)
                return True
            if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                self._open(self.list.currentIndex())
                return True
            if watched is self.list and (model := self._current()) is not None:
                return self._act(event, model)
        return super().eventFilter(watched, event)

    def menu_of(self, model: Model) -> QMenu:
        """Return what can be done with a model, as a menu."""
        desk, icon = self._desk, self._appearance.icon
        made = rounded(QMenu(self))
        made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        made.addAction(icon("play"), _("Use it"), lambda: desk.use(model)).setEnabled(not model.problem)
        made.addAction(icon("document"), _("Look at it"), lambda: desk.open(model))
        made.addSeparator()
        if desk.progress(model) is None:
            made.addAction(icon("check"), _("Check the file"), lambda: desk.check(model))
        else:
            made.addAction(icon("stop"), _("Stop the check"), lambda: desk.stop_check(model))
        made.addAction(icon("search"), _("Show in its folder"), lambda: desk.show_in_folder(model))
        copy = made.addAction(icon("copy"), _("Copy the sha256"), lambda: desk.copy_sum(model))
        copy.setEnabled(bool(model.sha256))
        made.addAction(icon("pencil"), _("Rename…") + "\tF2", lambda: self.rename_requested.emit(model))
        if model.origin is not Origin.STARTER:
            made.addSeparator()
            keys = QKeySequence(Qt.Key.Key_Delete).toString(QKeySequence.SequenceFormat.NativeText)
            made.addAction(icon("trash"), _("Remove…") + f"\t{keys}", lambda: desk.ask_to_remove(model))
        return made

    def _act(self, event: QKeyEvent, model: Model) -> bool:
        if event.key() in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self._desk.ask_to_remove(model)
        elif event.key() == Qt.Key.Key_F2:
            self.rename_requested.emit(model)
        else:
            return False
        return True

    def _current(self) -> Model | None:
        index = self.list.currentIndex()
        return index.data(Qt.ItemDataRole.UserRole).model if index.isValid() else None

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self._desk.open(index.data(Qt.ItemDataRole.UserRole).model)

    def _show_menu(self, where: QPoint) -> None:
        index = self.list.indexAt(where)
        if not index.isValid():
            index = self.list.currentIndex()
        if index.isValid():
            self.list.setCurrentIndex(index)
            menu = self.menu_of(index.data(Qt.ItemDataRole.UserRole).model)
            menu.popup(self.list.viewport().mapToGlobal(where))

    def _make_list(self, appearance: Appearance) -> QListView:
        made = QListView()
        made.setModel(self.rows)
        made.setItemDelegate(LibraryDelegate(appearance, made))
        made.setUniformItemSizes(True)
        made.setMouseTracking(True)
        made.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        made.setAccessibleName(_("Models on this computer"))
        made.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        made.customContextMenuRequested.connect(self._show_menu)
        made.entered.connect(made.setCurrentIndex)
        made.clicked.connect(self._open)
        made.installEventFilter(self)
        appearance.changed.connect(made.doItemsLayout)
        return made

    def _link(self, words: str) -> QPushButton:
        made = QPushButton(words)
        made.setProperty("kind", "link")
        made.setCursor(Qt.CursorShape.PointingHandCursor)
        return made

    def _lay_out(self) -> None:
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.field, 1)
        head.addWidget(self.order)
        foot.setSpacing(6)
        foot.addWidget(self.sum, 1)
        foot.addWidget(self.add)
        foot.addWidget(self.search_hub)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        column.addWidget(self._none)
        column.addWidget(self.said)
        column.addStretch(0)
        column.addLayout(foot)


def _has(model: Model, words: list[str]) -> bool:
    text = f"{model.name} {model.original_name} {model.quantization} {model.path.name}".casefold()
    return all(word in text for word in words)
