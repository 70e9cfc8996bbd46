"""The sheet with the models on this computer."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.domain.language import _
from app.domain.model import Model
from app.ui.appearance import Appearance
from app.ui.library.desk import LibraryDesk
from app.ui.library.list import LibraryList
from app.ui.library.page import LibraryPage
from app.ui.paged_sheet import PagedSheet


class LibrarySheet(PagedSheet):
    """All of them, or one.

    Attributes:
        list: All models.
        page: The one that is looked at; None while all are shown.

    Signals:
        add_requested: Pick a GGUF file.
        find_requested: Search the hub.
    """

    add_requested = Signal()
    find_requested = Signal()

    def __init__(self, appearance: Appearance, desk: LibraryDesk, parent: QWidget) -> None:
        super().__init__(appearance, _("Models on this computer"), _("All models"), desk.leave_page, parent)
        self._desk = desk
        self.list = LibraryList(appearance, desk)
        self.page: LibraryPage | None = None
        self.set_list(self.list)
        self.list.add_requested.connect(self.add_requested)
        self.list.find_requested.connect(self._find)
        self.list.rename_requested.connect(self._rename)
        desk.turned.connect(self._turn)
        desk.chosen.connect(self.close_card)
        self.closed.connect(self._leave)
        self._turn()

    def open_library(self) -> None:
        """Show it, and look at the folders again."""
        self._desk.shown = True
        self._desk.rescan()
        self._desk.refresh()
        self.open_card(self.list.list if self.page is None and self.list.rows.rowCount() else self.back)
        if self.page is None and not self.list.list.currentIndex().isValid():
            self.list.list.setCurrentIndex(self.list.rows.row_of(None))

    def _turn(self) -> None:
        model = self._desk.model
        self.page = None if model is None else LibraryPage(self._appearance, self._desk, model)
        self.show_page(self.page, self.list.list if self.list.rows.rowCount() else self.list.field)

    def _rename(self, model: Model) -> None:
        self._desk.open(model)
        if self.page is not None:
            self.page.begin_rename()

    def _leave(self) -> None:
        self._desk.shown = False

    def _find(self) -> None:
        self.close_card()
        self.find_requested.emit()
