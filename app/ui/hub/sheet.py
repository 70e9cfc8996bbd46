"""The sheet in which models are found at the hub."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QStackedWidget, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.downloads.desk import DownloadDesk
from app.ui.hub.desk import HubDesk
from app.ui.hub.page import ModelPage
from app.ui.hub.results import ResultsPage
from app.ui.sheet import Sheet
from app.ui.transcript.highlight import Highlighter


class FindSheet(Sheet):
    """The results, or the page of one of them.

    Attributes:
        results: The search.
        page: The model that is looked at; None while the results are.
        back: Goes from the model to the results.
    """

    def __init__(
        self,
        appearance: Appearance,
        desk: HubDesk,
        downloads: DownloadDesk,
        highlighter: Highlighter,
        parent: QWidget,
    ) -> None:
        super().__init__(appearance, _("Find models"), parent)
        self._appearance, self._desk, self._downloads = appearance, desk, downloads
        self._highlighter = highlighter
        self.results = ResultsPage(appearance, desk)
        self.page: ModelPage | None = None
        self.back = QPushButton(_("All results"))
        self.back.setProperty("kind", "link")
        self.back.setProperty("flush", "true")
        self.back.setCursor(Qt.CursorShape.PointingHandCursor)
        self.back.clicked.connect(desk.leave_page)
        appearance.changed.connect(self._dress)
        self._dress()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.results)
        self.column.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(self._stack, 1)
        desk.turned.connect(self._turn)
        downloads.use_requested.connect(self.close_card)
        desk.chosen.connect(self.close_card)
        self._turn()

    def open_results(self) -> None:
        """Show it, with what is trending when nothing has been searched for yet."""
        self.open_card(self.results.field)
        if not self._desk.begun:
            self._desk.search(self._desk.query)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Scroll to where the keyboard has gone."""
        went = super().focusNextPrevChild(forward)
        here = self.window().focusWidget()
        if self.page is not None and here is not None and self.page.isAncestorOf(here):
            self.page.ensureWidgetVisible(here)
        return went

    def _turn(self) -> None:
        if self.page is not None:
            self._stack.removeWidget(self.page)
            self.page.deleteLater()
            self.page = None
        shown = self._desk.page
        if shown is not None:
            self.page = ModelPage(self._appearance, self._desk, self._downloads, self._highlighter, shown)
            self._stack.addWidget(self.page)
            self._stack.setCurrentWidget(self.page)
        self.back.setVisible(shown is not None)
        if self.isVisible():
            first = (
                self.back
                if shown is not None
                else self.results.list
                if self._desk.found
                else self.results.field
            )
            first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _dress(self) -> None:
        self.back.setIcon(self._appearance.icon("chevron-left", "accent_ink", 14))
