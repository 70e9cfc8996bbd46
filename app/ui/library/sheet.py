"""The sheet with the models on this computer."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QStackedWidget, QWidget

from app.domain.language import _
from app.domain.model import Model
from app.ui.appearance import Appearance
from app.ui.library.desk import LibraryDesk
from app.ui.library.list import LibraryList
from app.ui.library.page import LibraryPage
from app.ui.sheet import Sheet


class LibrarySheet(Sheet):
    """All of them, or one.

    Attributes:
        list: All models.
        page: The one that is looked at; None while all are shown.
        back: Goes from the one to all.

    Signals:
        add_requested: Pick a GGUF file.
        find_requested: Search the hub.
    """

    add_requested = Signal()
    find_requested = Signal()

    def __init__(self, appearance: Appearance, desk: LibraryDesk, parent: QWidget) -> None:
        super().__init__(appearance, _("Models on this computer"), parent)
        self._appearance, self._desk = appearance, desk
        self.list = LibraryList(appearance, desk)
        self.page: LibraryPage | None = None
        self.back = QPushButton(_("All models"))
        self.back.setProperty("kind", "link")
        self.back.setProperty("flush", "true")
        self.back.setCursor(Qt.CursorShape.PointingHandCursor)
        self.back.clicked.connect(desk.leave_page)
        appearance.changed.connect(self._dress)
        self._dress()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self.column.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(self._stack, 1)
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

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Scroll to where the keyboard has gone."""
        went = super().focusNextPrevChild(forward)
        here = self.window().focusWidget()
        if self.page is not None and here is not None and self.page.isAncestorOf(here):
            self.page.ensureWidgetVisible(here)
        return went

    def _turn(self) -> None:
        shown = self._desk.model
        if self.page is not None:
            self._stack.removeWidget(self.page)
            self.page.deleteLater()
            self.page = None
        if shown is not None:
            self.page = LibraryPage(self._appearance, self._desk, shown)
            self._stack.addWidget(self.page)
            self._stack.setCurrentWidget(self.page)
        self.back.setVisible(shown is not None)
        if self.isVisible():
            there = self.list.list if self.list.rows.rowCount() else self.list.field
            first = self.back if shown is not None else there
            first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _rename(self, model: Model) -> None:
        self._desk.open(model)
        if self.page is not None:
            self.page.begin_rename()

    def _leave(self) -> None:
        self._desk.shown = False

    def _find(self) -> None:
        self.close_card()
        self.find_requested.emit()

    def _dress(self) -> None:
        self.back.setIcon(self._appearance.icon("chevron-left", "accent_ink", 14))
