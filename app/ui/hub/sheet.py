"""The sheet in which models are found at the hub."""

from PySide6.QtWidgets import QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.downloads.desk import DownloadDesk
from app.ui.hub.desk import HubDesk
from app.ui.hub.page import ModelPage
from app.ui.hub.results import ResultsPage
from app.ui.paged_sheet import PagedSheet
from app.ui.transcript.highlight import Highlighter


class FindSheet(PagedSheet):
    """The results, or the page of one of them.

    Attributes:
        results: The search.
        page: The model that is looked at; None while the results are.
    """

    def __init__(
        self,
        appearance: Appearance,
        desk: HubDesk,
        downloads: DownloadDesk,
        highlighter: Highlighter,
        parent: QWidget,
    ) -> None:
        super().__init__(appearance, _("Find models"), _("All results"), desk.leave_page, parent)
        self._desk, self._downloads = desk, downloads
        self._highlighter = highlighter
        self.results = ResultsPage(appearance, desk)
        self.page: ModelPage | None = None
        self.set_list(self.results)
        desk.turned.connect(self._turn)
        downloads.use_requested.connect(self.close_card)
        desk.chosen.connect(self.close_card)
        self._turn()

    def open_results(self) -> None:
        """Show it, with what is trending when nothing has been searched for yet."""
        self.open_card(self.results.field)
        if not self._desk.begun:
            self._desk.search(self._desk.query)

    def _turn(self) -> None:
        desk, shown = self._desk, self._desk.page
        self.page = (
            None
            if shown is None
            else ModelPage(self._appearance, desk, self._downloads, self._highlighter, shown)
        )
        self.show_page(self.page, self.results.list if desk.found else self.results.field)
