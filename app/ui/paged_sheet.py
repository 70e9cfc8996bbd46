"""A sheet with a list of things, or the page of one of them."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QScrollArea, QStackedWidget, QWidget

from app.ui.appearance import Appearance
from app.ui.sheet import Sheet


class PagedSheet(Sheet):
    """Leads from the list to a page and back.

    Attributes:
        back: Goes from the page to the list.
    """

    def __init__(
        self, appearance: Appearance, title: str, back: str, leave: Callable[[], None], parent: QWidget
    ) -> None:
        """Make it without a list; `back` says where `leave` leads from a page."""
        super().__init__(appearance, title, parent)
        self._appearance = appearance
        self._shown: QScrollArea | None = None
        self.back = QPushButton(back)
        self.back.setProperty("kind", "link")
        self.back.setProperty("flush", "true")
        self.back.setCursor(Qt.CursorShape.PointingHandCursor)
        self.back.clicked.connect(leave)
        appearance.changed.connect(self._dress)
        self._dress()
        self._stack = QStackedWidget()
        self.column.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(self._stack, 1)

    def set_list(self, shown: QWidget) -> None:
        """Show `shown` whenever there is no page."""
        self._stack.addWidget(shown)

    def show_page(self, page: QScrollArea | None, first: QWidget) -> None:
        """Show a page, or the list; in an open sheet the keyboard goes to the way back, or to `first`."""
        if self._shown is not None:
            self._stack.removeWidget(self._shown)
            self._shown.deleteLater()
        self._shown = page
        if page is not None:
            self._stack.addWidget(page)
            self._stack.setCurrentWidget(page)
        self.back.setVisible(page is not None)
        if self.isVisible():
            (first if page is None else self.back).setFocus(Qt.FocusReason.OtherFocusReason)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Scroll to where the keyboard has gone."""
        went = super().focusNextPrevChild(forward)
        here = self.window().focusWidget()
        if self._shown is not None and here is not None and self._shown.isAncestorOf(here):
            self._shown.ensureWidgetVisible(here)
        return went

    def _dress(self) -> None:
        self.back.setIcon(self._appearance.icon("chevron-left", "accent_ink", 14))
